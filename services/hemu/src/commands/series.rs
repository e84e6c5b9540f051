//! `hemu series`: what the charts' engine holds.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use hemu_series::{Error, Trouble};

use crate::cli;
use crate::clock;
use crate::config::Config;
use crate::output::out;
use crate::progress;
use crate::site::Site;
use crate::words::Words;

/// Pause before the next try, unless the engine asked for another.
const PAUSE: Duration = Duration::from_secs(2);

pub(super) async fn run(config: &Config, command: &cli::Series, words: &Words) -> Result<()> {
    match command {
        cli::Series::Backfill => backfill(config, words).await,
    }
}

async fn backfill(config: &Config, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let Some(engine) = site.engine(config, words).await? else {
        bail!(words.say("no-engine", &[]));
    };
    let (name, now) = (engine.name(), clock::system());
    let series = site.series(Some(engine)).await?;
    hemu_ingest::feed::catch_up(&site.ledger, &series, |_, _| {}).await?;
    let bar = progress::bar(words, words.say("charts", &[]), series.refill().await?);
    let mut sent = 0;
    loop {
        match series.push(now()).await {
            Ok(pushed) => {
                sent += pushed.sent;
                bar.inc(pushed.sent as u64);
                if pushed.unsent == 0 {
                    break;
                }
            }
            Err(error) if will_pass(&error) => tokio::time::sleep(error.wait().unwrap_or(PAUSE)).await,
            Err(error) => return Err(error).with_context(|| words.say("backfill-stopped", &[])),
        }
    }
    bar.finish_and_clear();
    series.close().await;
    out!(
        "{}",
        words.say("charts-sent", &[("buckets", &sent), ("engine", &name)])
    );
    Ok(())
}

/// Whether an engine only has to be waited for.
const fn will_pass(error: &Error) -> bool {
    matches!(
        error,
        Error::Engine {
            trouble: Trouble::Busy { .. } | Trouble::Slow { .. },
            ..
        }
    )
}
