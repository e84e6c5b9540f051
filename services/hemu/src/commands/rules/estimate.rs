//! `hemu rules estimate`: what the readings say of the constants that a site should re-estimate after eight weeks.

use anyhow::{Result, bail};
use hemu_ingest::fold;
use hemu_rules::DECAY;
use hemu_rules::estimate::{DAYS_LEAST, Estimates};

use crate::cli::Estimate;
use crate::config::Config;
use crate::output::out;
use crate::site::Site;
use crate::words::Words;

pub(super) async fn run(config: &Config, options: &Estimate, words: &Words) -> Result<()> {
    let days = options.to.since(options.from) + 1;
    let most = i32::try_from(DECAY.len()).unwrap_or(i32::MAX);
    if !(2..=most).contains(&days) {
        bail!(words.say("estimate-days-wrong", &[("days", &days), ("most", &most)]));
    }
    let site = Site::open(config).await?;
    fold::settle(&site.ledger, site.ledger.head().await?).await?;
    let rule = site.ledger.rule_in_force(options.to.plus(1)).await?;
    let parts = site.ledger.parts(&rule, options.from, options.to.plus(1)).await?;
    out!(
        "{}",
        words.say(
            "estimate-days",
            &[("days", &days), ("from", &options.from), ("to", &options.to)]
        )
    );
    let estimates = Estimates::of(&rule, &parts);
    let rows = [
        ("day_variance", estimates.day_variance, rule.day_variance),
        ("drift_variance", estimates.drift_variance, rule.drift_variance),
    ];
    for (name, estimate, value) in rows {
        let variance = estimate
            .variance
            .map_or_else(|| "-".to_owned(), |variance| format!("{variance:.4}"));
        out!(
            "{}",
            words.say(
                "estimate-row",
                &[
                    ("name", &name),
                    ("estimate", &variance),
                    ("value", &value),
                    ("households", &estimate.households),
                ]
            )
        );
    }
    if days < DAYS_LEAST {
        out!("{}", words.say("estimate-early", &[("least", &DAYS_LEAST)]));
    }
    Ok(())
}
