//! `hemu rules propose`, `confirm`, `shadow`, `end-shadow`, `list`: which rule is in force from when, and who answers for it.

use std::path::Path;

use anyhow::Result;
use hemu_ledger::Position;
use hemu_ledger::acts::{Act, Actor, RuleId};
use hemu_rules::{Day, Millis, Rule};

use crate::clock;
use crate::config::Config;
use crate::output::out;
use crate::site::Site;
use crate::words::Words;

/// The rule in force today. A folder that is not there yet is not made for the asking.
pub(super) async fn today(config: &Config) -> Result<Rule> {
    if !config.data.join("hemu.db").exists() {
        return Ok(Rule::V1);
    }
    let site = Site::open(config).await?;
    let today = Day::of(Millis::clamped(clock::system()()), site.ledger.zone());
    Ok(site.ledger.rule_in_force(today).await?)
}

pub(super) async fn propose(
    config: &Config,
    (file, from): (&Path, Day),
    account: &Actor,
    words: &Words,
) -> Result<()> {
    let act = |rule| Act::ProposeRule { rule, from };
    let (id, version) = put(config, file, account, words, act).await?;
    let said = words.say(
        "rule-is-proposed",
        &[("id", &id), ("version", &version), ("from", &from)],
    );
    out!("{said}");
    Ok(())
}

/// Does something with the rule of a file; the number it came to have, and the rule's version.
async fn put(
    config: &Config,
    file: &Path,
    account: &Actor,
    words: &Words,
    act: impl FnOnce(Box<Rule>) -> Act,
) -> Result<(Position, u16)> {
    let rule = Box::new(super::read(file, words)?);
    let version = rule.version;
    let site = Site::open(config).await?;
    let id = site.ledger.act(account, clock::system()(), act(rule)).await?;
    Ok((id, version))
}

pub(super) async fn confirm(config: &Config, id: RuleId, account: &Actor, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let act = Act::AdoptRule { proposal: id };
    site.ledger.act(account, clock::system()(), act).await?;
    list(config, words).await
}

pub(super) async fn shadow(
    config: &Config,
    (file, from): (&Path, Day),
    account: &Actor,
    words: &Words,
) -> Result<()> {
    let act = |rule| Act::ShadowRule { rule, from };
    let (id, version) = put(config, file, account, words, act).await?;
    let said = words.say(
        "shadow-runs",
        &[("id", &id), ("version", &version), ("from", &from)],
    );
    out!("{said}");
    Ok(())
}

pub(super) async fn end_shadow(config: &Config, id: u64, account: &Actor, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let act = Act::EndShadow { shadow: id };
    site.ledger.act(account, clock::system()(), act).await?;
    list(config, words).await
}

pub(super) async fn list(config: &Config, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let first = Rule::V1.version;
    out!("{}", words.say("rule-first", &[("version", &first)]));
    for row in site.ledger.rules().await? {
        let (id, version, from, by) = (row.id, row.rule.version, row.from, row.proposed_by);
        let line = match row.adopted {
            Some((other, _)) => words.say(
                "rule-adopted",
                &[
                    ("id", &id),
                    ("version", &version),
                    ("from", &from),
                    ("by", &by),
                    ("other", &other),
                ],
            ),
            None => words.say(
                "rule-pending",
                &[("id", &id), ("version", &version), ("from", &from), ("by", &by)],
            ),
        };
        out!("{line}");
    }
    for row in site.ledger.shadows().await? {
        let (id, version, from) = (row.id, row.rule.version, row.from);
        let line = if row.ended.is_some() {
            words.say(
                "shadow-ended",
                &[("id", &id), ("version", &version), ("from", &from)],
            )
        } else {
            words.say(
                "shadow-line",
                &[("id", &id), ("version", &version), ("from", &from)],
            )
        };
        out!("{line}");
    }
    Ok(())
}
