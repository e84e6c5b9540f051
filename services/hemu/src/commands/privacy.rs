//! `hemu privacy`: what this system holds of people, as a page to be read, filled in and filed: from the configuration in
//! force, the table of roles and what is stored. Must not name anybody.

use std::fmt::Write as _;

use anyhow::Result;
use hemu_ledger::acts::{EditionQuery, EditionRow, EditionState};
use hemu_ledger::privacy::HeldRows;
use hemu_people::{Right, Role};
use jiff::Timestamp;

use crate::backup::schedule::Plan;
use crate::clock;
use crate::config::Config;
use crate::site::Site;
use crate::words::Words;

/// Publications shown at most.
const PUBLICATIONS: u32 = 100;

/// One kind of data.
struct Field {
    what: String,
    why: String,
    place: String,
    long: String,
    seen: Right,
}

pub(super) async fn run(config: &Config, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let now = clock::system()();
    let mut page = String::new();
    head(&mut page, config, now, words)?;
    fields(&mut page, config, words)?;
    roles(&mut page, words)?;
    publications(&mut page, &site, words).await?;
    people(&mut page, &site.ledger.held_rows().await?, words)?;
    backups(&mut page, config, words)?;
    print!("{page}");
    Ok(())
}

fn head(page: &mut String, config: &Config, now: i64, words: &Words) -> Result<()> {
    let (version, at) = (env!("CARGO_PKG_VERSION"), instant(Some(now)));
    writeln!(
        page,
        "# {}\n",
        words.say("privacy-title", &[("site", &config.site_name)])
    )?;
    writeln!(
        page,
        "{}\n",
        words.say("privacy-made", &[("version", &version), ("at", &at)])
    )?;
    writeln!(page, "{}\n", words.say("privacy-summary", &[]))?;
    Ok(())
}

fn held(config: &Config, words: &Words) -> Vec<Field> {
    let register = || words.say("privacy-in-register", &[]);
    let sealed = || words.say("privacy-in-register-sealed", &[]);
    let journal = || words.say("privacy-in-journal", &[]);
    let until_erased = || words.say("privacy-until-erased", &[]);
    let for_ever = || words.say("privacy-with-the-journal", &[]);
    let days = |kept: u16| words.say("privacy-days", &[("days", &kept)]);
    let field = |what: String, why: String, place: String, long: String, seen: Right| Field {
        what,
        why,
        place,
        long,
        seen,
    };
    vec![
        field(
            words.say("privacy-token", &[]),
            words.say("privacy-token-why", &[]),
            journal(),
            for_ever(),
            Right::SeeHouseholds,
        ),
        field(
            words.say("privacy-unit", &[]),
            words.say("privacy-unit-why", &[]),
            register(),
            until_erased(),
            Right::SeeHouseholds,
        ),
        field(
            words.say("privacy-door", &[]),
            words.say("privacy-door-why", &[]),
            sealed(),
            until_erased(),
            Right::KeepHouseholds,
        ),
        field(
            words.say("privacy-deposits", &[]),
            words.say("privacy-deposits-why", &[]),
            journal(),
            for_ever(),
            Right::SeeHouseholds,
        ),
        field(
            words.say("privacy-places", &[]),
            words.say("privacy-places-why", &[]),
            journal(),
            for_ever(),
            Right::SeeLists,
        ),
        field(
            words.say("privacy-bank", &[]),
            words.say("privacy-bank-why", &[]),
            journal(),
            for_ever(),
            Right::SeeBalances,
        ),
        field(
            words.say("privacy-words", &[]),
            words.say("privacy-words-why", &[]),
            sealed(),
            days(config.keep_words_days),
            Right::SeeLists,
        ),
        field(
            words.say("privacy-looks", &[]),
            words.say("privacy-looks-why", &[]),
            register(),
            days(config.keep_looks_days),
            Right::ReadTrail,
        ),
        field(
            words.say("privacy-raw", &[]),
            words.say("privacy-raw-why", &[]),
            journal(),
            words.say(
                "privacy-raw-long",
                &[("days", &config.keep_quarantine_bytes_days)],
            ),
            Right::SeeRaw,
        ),
    ]
}

fn fields(page: &mut String, config: &Config, words: &Words) -> Result<()> {
    writeln!(page, "## {}\n", words.say("privacy-what", &[]))?;
    writeln!(page, "{}", words.say("privacy-columns", &[]))?;
    writeln!(page, "|---|---|---|---|---|---|")?;
    for field in held(config, words) {
        let seen = who(field.seen);
        let Field {
            what,
            why,
            place,
            long,
            ..
        } = field;
        writeln!(page, "| {what} | {why} | ______ | {place} | {long} | {seen} |")?;
    }
    writeln!(page)?;
    Ok(())
}

/// Roles with a right. A resident has it for the own household alone.
fn who(right: Right) -> String {
    let roles = Role::ALL.into_iter().filter(|role| role.may(right));
    roles.map(Role::as_str).collect::<Vec<_>>().join(", ")
}

fn roles(page: &mut String, words: &Words) -> Result<()> {
    writeln!(page, "{}\n", words.say("privacy-residents", &[]))?;
    let (keep, erase) = (who(Right::ReadTrail), who(Right::KeepHouseholds));
    writeln!(
        page,
        "{}\n",
        words.say("privacy-roles", &[("trail", &keep), ("keepers", &erase)])
    )?;
    Ok(())
}

async fn publications(page: &mut String, site: &Site, words: &Words) -> Result<()> {
    writeln!(page, "## {}\n", words.say("privacy-publications", &[]))?;
    let query = EditionQuery {
        state: Some(EditionState::Published),
        ..EditionQuery::newest(PUBLICATIONS)
    };
    let published = site.ledger.editions(&query).await?;
    if published.is_empty() {
        writeln!(page, "{}\n", words.say("privacy-nothing-public", &[]))?;
        return Ok(());
    }
    writeln!(page, "{}", words.say("privacy-publication-columns", &[]))?;
    writeln!(page, "|---|---|---|---|---|---|")?;
    for row in published {
        let basis = match &row.basis {
            Some(basis) => site.ledger.words(basis, None).await?,
            None => None,
        };
        publication(page, &row, &basis.unwrap_or_default())?;
    }
    writeln!(page)?;
    Ok(())
}

fn publication(page: &mut String, row: &EditionRow, basis: &str) -> Result<()> {
    let audience = row.audience.map_or("", hemu_ledger::acts::Audience::as_str);
    // A basis is people's text: it stays in its cell.
    let basis = basis.replace(['\n', '\r'], " ").replace('|', "\\|");
    let [first, second] = [&row.publication_by, &row.published_by].map(|by| by.as_deref().unwrap_or(""));
    let until = instant(row.expires_at);
    writeln!(
        page,
        "| {} | {audience} | {basis} | {first} | {second} | {until} |",
        row.day
    )?;
    Ok(())
}

fn people(page: &mut String, held: &HeldRows, words: &Words) -> Result<()> {
    writeln!(page, "## {}\n", words.say("privacy-numbers", &[]))?;
    let (households, sealed) = (held.households, held.sealed);
    let said = words.say(
        "privacy-number-households",
        &[("households", &households), ("sealed", &sealed)],
    );
    writeln!(page, "- {said}")?;
    let consents = held.consents;
    writeln!(
        page,
        "- {}",
        words.say("privacy-number-consents", &[("consents", &consents)])
    )?;
    let (texts, looks) = (held.words, held.looks);
    writeln!(
        page,
        "- {}",
        words.say("privacy-number-texts", &[("texts", &texts), ("looks", &looks)])
    )?;
    let (erased, last) = (held.erased, instant(held.last_erased_at));
    writeln!(
        page,
        "- {}\n",
        words.say("privacy-number-erased", &[("erased", &erased), ("last", &last)])
    )?;
    Ok(())
}

fn backups(page: &mut String, config: &Config, words: &Words) -> Result<()> {
    writeln!(page, "## {}\n", words.say("privacy-backups", &[]))?;
    let Some(plan) = Plan::new(config, words)? else {
        writeln!(page, "{}", words.say("privacy-no-backups", &[]))?;
        return Ok(());
    };
    let (folder, keep) = (plan.to.display(), plan.keep);
    let newest = instant(plan.newest()?);
    let said = if plan.seal.is_open() {
        words.say(
            "privacy-backups-open",
            &[("folder", &folder), ("keep", &keep), ("newest", &newest)],
        )
    } else {
        words.say(
            "privacy-backups-sealed",
            &[("folder", &folder), ("keep", &keep), ("newest", &newest)],
        )
    };
    writeln!(page, "{said}")?;
    Ok(())
}

fn instant(at: Option<i64>) -> String {
    at.and_then(|at| Timestamp::from_millisecond(at).ok())
        .map_or_else(|| "-".to_owned(), |at| at.to_string())
}
