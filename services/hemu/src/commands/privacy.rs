//! `hemu privacy`: what this system holds of people, as a page to be read, filled in and filed: from the configuration in
//! force, the table of roles and what is stored. Must not name anybody.

use std::fmt::Write as _;

use anyhow::Result;
use hemu_ledger::acts::{EditionQuery, EditionRow, EditionState};
use hemu_ledger::privacy::HeldRows;
use hemu_people::{Right, Role};

use crate::backup::schedule::Plan;
use crate::clock::{self, rfc3339, rfc3339_or_dash};
use crate::config::Config;
use crate::output::out;
use crate::site::Site;
use crate::words::Words;

/// Publications shown at most.
const PUBLICATIONS: u32 = 100;

/// One kind of data.
struct Kind {
    what: fn(&Words) -> String,
    why: fn(&Words) -> String,
    place: Place,
    kept: Kept,
    seen: Right,
}

/// Where data lies.
#[derive(Clone, Copy)]
enum Place {
    Journal,
    Register,
    Sealed,
}

impl Place {
    fn text(self, words: &Words) -> String {
        match self {
            Self::Journal => words.say("privacy-in-journal", &[]),
            Self::Register => words.say("privacy-in-register", &[]),
            Self::Sealed => words.say("privacy-in-register-sealed", &[]),
        }
    }
}

/// How long data is kept.
#[derive(Clone, Copy)]
enum Kept {
    WithTheJournal,
    UntilErased,
    Days(fn(&Config) -> u16),
    /// What came, that long; that it came, with the journal.
    BytesForDays(fn(&Config) -> u16),
}

impl Kept {
    fn text(self, config: &Config, words: &Words) -> String {
        match self {
            Self::WithTheJournal => words.say("privacy-with-the-journal", &[]),
            Self::UntilErased => words.say("privacy-until-erased", &[]),
            Self::Days(days) => words.say("privacy-days", &[("days", &days(config))]),
            Self::BytesForDays(days) => words.say("privacy-raw-long", &[("days", &days(config))]),
        }
    }
}

/// What is held of people.
const HELD: [Kind; 9] = [
    Kind {
        what: |words| words.say("privacy-token", &[]),
        why: |words| words.say("privacy-token-why", &[]),
        place: Place::Journal,
        kept: Kept::WithTheJournal,
        seen: Right::SeeHouseholds,
    },
    Kind {
        what: |words| words.say("privacy-unit", &[]),
        why: |words| words.say("privacy-unit-why", &[]),
        place: Place::Register,
        kept: Kept::UntilErased,
        seen: Right::SeeHouseholds,
    },
    Kind {
        what: |words| words.say("privacy-door", &[]),
        why: |words| words.say("privacy-door-why", &[]),
        place: Place::Sealed,
        kept: Kept::UntilErased,
        seen: Right::KeepHouseholds,
    },
    Kind {
        what: |words| words.say("privacy-deposits", &[]),
        why: |words| words.say("privacy-deposits-why", &[]),
        place: Place::Journal,
        kept: Kept::WithTheJournal,
        seen: Right::SeeHouseholds,
    },
    Kind {
        what: |words| words.say("privacy-places", &[]),
        why: |words| words.say("privacy-places-why", &[]),
        place: Place::Journal,
        kept: Kept::WithTheJournal,
        seen: Right::SeeLists,
    },
    Kind {
        what: |words| words.say("privacy-bank", &[]),
        why: |words| words.say("privacy-bank-why", &[]),
        place: Place::Journal,
        kept: Kept::WithTheJournal,
        seen: Right::SeeBalances,
    },
    Kind {
        what: |words| words.say("privacy-words", &[]),
        why: |words| words.say("privacy-words-why", &[]),
        place: Place::Sealed,
        kept: Kept::Days(|config| config.keep_words_days),
        seen: Right::SeeLists,
    },
    Kind {
        what: |words| words.say("privacy-looks", &[]),
        why: |words| words.say("privacy-looks-why", &[]),
        place: Place::Register,
        kept: Kept::Days(|config| config.keep_looks_days),
        seen: Right::ReadTrail,
    },
    Kind {
        what: |words| words.say("privacy-raw", &[]),
        why: |words| words.say("privacy-raw-why", &[]),
        place: Place::Journal,
        kept: Kept::BytesForDays(|config| config.keep_quarantine_bytes_days),
        seen: Right::SeeRaw,
    },
];

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
    // The page ends in a line break of its own.
    out!("{}", page.trim_end_matches('\n'));
    Ok(())
}

fn head(page: &mut String, config: &Config, now: i64, words: &Words) -> Result<()> {
    let (version, at) = (env!("CARGO_PKG_VERSION"), rfc3339(now));
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

fn fields(page: &mut String, config: &Config, words: &Words) -> Result<()> {
    writeln!(page, "## {}\n", words.say("privacy-what", &[]))?;
    writeln!(page, "{}", words.say("privacy-columns", &[]))?;
    writeln!(page, "|---|---|---|---|---|---|")?;
    for kind in &HELD {
        let (what, why, place) = ((kind.what)(words), (kind.why)(words), kind.place.text(words));
        let (long, seen) = (kind.kept.text(config, words), who(kind.seen));
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
    let until = rfc3339_or_dash(row.expires_at);
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
    let (erased, last) = (held.erased, rfc3339_or_dash(held.last_erased_at));
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
    let newest = rfc3339_or_dash(plan.newest()?);
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
