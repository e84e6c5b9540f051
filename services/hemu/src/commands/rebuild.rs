//! `hemu rebuild`.

use anyhow::Result;
use hemu_ledger::Alone;

use crate::config::Config;
use crate::output::out;
use crate::progress;
use crate::site::{self, Site};
use crate::words::Words;

pub(super) async fn run(config: &Config, words: &Words) -> Result<()> {
    let alone = Alone::open(&site::folder(config)?, config.zone).await?;
    let bar = progress::bar(words, words.say("projections", &[]), alone.ledger().head().await?);
    let records = alone.rebuild(|position| bar.set_position(position)).await?;
    bar.finish_and_clear();

    let site = Site::open(config).await?;
    let series = site.series(site.engine(config, words).await?).await?;
    series.clear().await?;
    let bar = progress::bar(words, words.say("charts", &[]), records);
    hemu_ingest::feed::catch_up(&site.ledger, &series, |_, read| bar.inc(read)).await?;
    bar.finish_and_clear();
    series.close().await;
    out!("{}", words.say("folded-again", &[("records", &records)]));
    Ok(())
}
