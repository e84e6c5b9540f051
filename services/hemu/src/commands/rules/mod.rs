//! `hemu rules`: the rule as data. Nothing here publishes a list or changes what is stored.

mod dry_run;
mod estimate;
mod grade;

use std::path::Path;

use anyhow::{Context, Result, bail};
use hemu_rules::Rule;

use crate::cli::Rules;
use crate::config::Config;
use crate::words::{Language, Words};

pub(super) async fn run(config: &Config, command: &Rules, words: &Words) -> Result<()> {
    match command {
        Rules::Show => print!("{}", in_force(words.language())),
        Rules::DryRun(options) => dry_run::run(config, options, words).await?,
        Rules::Estimate(options) => estimate::run(config, options, words).await?,
    }
    Ok(())
}

/// The rule in force with every constant explained; a test holds it to [`Rule::V1`].
const fn in_force(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../../../rule.toml"),
        Language::Chinese => include_str!("../../../rule.zh.toml"),
    }
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
            let shown = toml::from_str::<Rule>(in_force(language)).unwrap();
            assert_eq!(shown, Rule::V1, "{language:?}");
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
            in_force(language).lines().map(kind).collect()
        };
        let english = kinds(Language::English);
        assert_eq!(english, kinds(Language::Chinese));
        // A constant without a comment of its own shares that of the group it closes.
        for group in english.split(String::is_empty).skip(1) {
            assert_eq!(group.first().map(String::as_str), Some("#"), "{group:?}");
        }
    }
}
