//! `hemu rules`: the rule as data. Nothing here publishes a list; adopting a rule takes two persons.

mod adopt;
mod dry_run;
mod estimate;

use std::path::Path;

use anyhow::{Context, Result, bail};
use hemu_rules::Rule;

use crate::cli::Rules;
use crate::config::Config;
use crate::output::out;
use crate::words::{Language, Words};

pub(super) async fn run(config: &Config, command: &Rules, words: &Words) -> Result<()> {
    match command {
        Rules::Show => {
            let rule = adopt::today(config).await?;
            out!("{}", shown(&rule, words.language())?.trim_end_matches('\n'));
        }
        Rules::DryRun(options) => dry_run::run(config, options, words).await?,
        Rules::Estimate(options) => estimate::run(config, options, words).await?,
        Rules::Propose { file, from, account } => {
            adopt::propose(config, (file, *from), account, words).await?;
        }
        Rules::Confirm { id, account } => adopt::confirm(config, *id, account, words).await?,
        Rules::Shadow { file, from, account } => {
            adopt::shadow(config, (file, *from), account, words).await?;
        }
        Rules::EndShadow { id, account } => adopt::end_shadow(config, *id, account, words).await?,
        Rules::List => adopt::list(config, words).await?,
    }
    Ok(())
}

/// [`Rule::V1`] with every constant explained; a test holds the two to each other.
const fn explained(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../../../rule.toml"),
        Language::Chinese => include_str!("../../../rule.zh.toml"),
    }
}

/// A rule with every constant explained.
fn shown(rule: &Rule, language: Language) -> Result<String> {
    let values = toml::Table::try_from(rule)?;
    let line = |line: &str| match line.split_once(" = ") {
        Some((name, _)) if values.contains_key(name) => format!("{name} = {}\n", values[name]),
        _ => format!("{line}\n"),
    };
    Ok(explained(language).lines().map(line).collect())
}

/// A rule from a file, valid.
fn read(file: &Path, words: &Words) -> Result<Rule> {
    let unreadable = || words.say("cannot-read", &[("file", &file.display())]);
    let text = std::fs::read_to_string(file).with_context(unreadable)?;
    let wrong = |reason: &str| {
        let reason = words.translate(reason);
        words.say("rule-wrong", &[("file", &file.display()), ("reason", &reason)])
    };
    match toml::from_str::<Rule>(&text) {
        Err(error) => bail!(wrong(error.message())),
        Ok(rule) => {
            if let Err(error) = rule.validate() {
                bail!(wrong(&error.to_string()));
            }
            Ok(rule)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_the_rule_in_force_in_both_languages() {
        for language in [Language::English, Language::Chinese] {
            let first = toml::from_str::<Rule>(explained(language)).unwrap();
            assert_eq!(first, Rule::V1, "{language:?}");
            let other = Rule {
                version: 2,
                day_variance: 0.025,
                tenure_days: 35,
                ..Rule::V1
            };
            let shown = shown(&other, language).unwrap();
            assert_eq!(toml::from_str::<Rule>(&shown).unwrap(), other, "{language:?}");
            assert_eq!(shown.lines().count(), explained(language).lines().count());
        }
    }

    #[test]
    fn every_constant_is_explained_and_both_languages_group_them_alike() {
        let kinds = |language| -> Vec<String> {
            let kind = |line: &str| match line.split_once(" = ") {
                _ if line.starts_with('#') => "#".to_owned(),
                Some((name, _)) => name.to_owned(),
                None => line.to_owned(),
            };
            explained(language).lines().map(kind).collect()
        };
        let english = kinds(Language::English);
        assert_eq!(english, kinds(Language::Chinese));
        // A constant without a comment of its own shares that of the group it closes.
        for group in english.split(String::is_empty).skip(1) {
            assert_eq!(group.first().map(String::as_str), Some("#"), "{group:?}");
        }
    }
}
