//! `hemu edition`: the editions there are, and whether one comes out again. Changes nothing; steps are taken by people,
//! over the API.

use anyhow::{Result, bail};
use hemu_ledger::acts::{Audience, EditionId, EditionQuery, EditionRow, EditionState};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::cli::Edition;
use crate::config::Config;
use crate::output::out;
use crate::site::Site;
use crate::words::Words;

/// Editions read at once.
const PAGE: u32 = 500;

pub(super) async fn run(config: &Config, command: &Edition, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    match command {
        Edition::List => list(&site, words).await,
        Edition::Show { id } => {
            for line in show(&row(&site, *id, words).await?, &site, words) {
                out!("{line}");
            }
            Ok(())
        }
        Edition::Recompute { id } => recompute(&site, *id, words).await,
    }
}

async fn list(site: &Site, words: &Words) -> Result<()> {
    let mut query = EditionQuery::newest(PAGE);
    loop {
        let rows = site.ledger.editions(&query).await?;
        for row in &rows {
            let (state, counts) = (state(row.state, words), counts(row, words));
            let line = words.say(
                "edition-row",
                &[
                    ("id", &row.id),
                    ("day", &row.day),
                    ("revision", &row.revision),
                    ("state", &state),
                    ("counts", &counts),
                ],
            );
            out!("{line}");
        }
        query.before = rows.last().map(|row| row.id);
        if rows.len() < PAGE as usize {
            return Ok(());
        }
    }
}

fn show(row: &EditionRow, site: &Site, words: &Words) -> Vec<String> {
    let state = state(row.state, words);
    let (hash, digest) = (row.rule_hash.as_str(), row.digest.as_str());
    let mut lines = vec![
        words.say(
            "edition-heading",
            &[
                ("id", &row.id),
                ("day", &row.day),
                ("revision", &row.revision),
                ("state", &state),
            ],
        ),
        counts(row, words),
        words.say("edition-warned", &[("notices", &row.notices)]),
        words.say(
            "edition-origin",
            &[
                ("position", &row.position),
                ("version", &row.rule_version),
                ("hash", &hash),
            ],
        ),
        words.say("edition-digest", &[("digest", &digest)]),
    ];
    if let Some(deadline) = row.deadline {
        let deadline = instant(deadline, site);
        lines.push(words.say("edition-window", &[("deadline", &deadline)]));
    }
    if let (Some(audience), Some(until), Some(first), Some(second)) = (
        row.audience,
        row.expires_at,
        &row.publication_by,
        &row.published_by,
    ) {
        let (audience, until) = (self::audience(audience, words), instant(until, site));
        let published = words.say(
            "edition-published",
            &[
                ("audience", &audience),
                ("until", &until),
                ("first", first),
                ("second", second),
            ],
        );
        lines.push(published);
    }
    if let Some(id) = row.superseded_by {
        lines.push(words.say("edition-successor", &[("id", &id)]));
    } else if row.reopened.is_some() {
        lines.push(words.say("edition-corrected", &[]));
    }
    lines
}

async fn recompute(site: &Site, id: EditionId, words: &Words) -> Result<()> {
    let stored = row(site, id, words).await?.digest;
    let computed = site.ledger.recompute(id).await?;
    if computed != stored {
        let (stored, computed) = (stored.as_str(), computed.as_str());
        bail!(words.say(
            "edition-differs",
            &[("id", &id), ("stored", &stored), ("computed", &computed)]
        ));
    }
    out!("{}", words.say("edition-same", &[("id", &id)]));
    Ok(())
}

async fn row(site: &Site, id: EditionId, words: &Words) -> Result<EditionRow> {
    match site.ledger.edition_row(id).await? {
        Some(row) => Ok(row),
        None => bail!(words.say("edition-unknown", &[("id", &id)])),
    }
}

fn counts(row: &EditionRow, words: &Words) -> String {
    let [red, black, grey, unrated] = row.counts;
    words.say(
        "edition-counts",
        &[
            ("red", &red),
            ("black", &black),
            ("grey", &grey),
            ("unrated", &unrated),
        ],
    )
}

/// An instant as the site's clocks show it.
fn instant(at: i64, site: &Site) -> String {
    let seconds = i32::try_from(site.ledger.zone().offset_ms() / 1_000).unwrap_or_default();
    let zone = TimeZone::fixed(Offset::from_seconds(seconds).unwrap_or(Offset::UTC));
    Timestamp::from_millisecond(at).map_or_else(
        |_| at.to_string(),
        |at| at.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}

fn state(state: EditionState, words: &Words) -> String {
    match state {
        EditionState::Draft => words.say("state-draft", &[]),
        EditionState::Noticed => words.say("state-noticed", &[]),
        EditionState::Deciding => words.say("state-deciding", &[]),
        EditionState::Published => words.say("state-published", &[]),
        EditionState::Expired => words.say("state-expired", &[]),
        EditionState::Superseded => words.say("state-superseded", &[]),
        EditionState::Retracted => words.say("state-retracted", &[]),
    }
}

fn audience(audience: Audience, words: &Words) -> String {
    match audience {
        Audience::Private => words.say("audience-private", &[]),
        Audience::Building => words.say("audience-building", &[]),
        Audience::Masked => words.say("audience-masked", &[]),
    }
}
