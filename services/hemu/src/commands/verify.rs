//! `hemu verify`.

use anyhow::{Result, bail};
use hemu_ingest::fold;

use crate::config::Config;
use crate::output::out;
use crate::progress;
use crate::site::Site;
use crate::words::Words;

pub(super) async fn run(config: &Config, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let ledger = &site.ledger;
    let bar = progress::bar(words, words.say("hash-chain", &[]), ledger.head().await?);
    let head = ledger.verify_chain(|position| bar.set_position(position)).await?;
    bar.finish_and_clear();
    out!(
        "{}",
        words.say(
            "journal-is-whole",
            &[("batches", &head.position), ("head", &super::hex(&head.hash))],
        )
    );
    fold::settle(ledger, head.position).await?;
    let bar = progress::bar(words, words.say("projections", &[]), head.position);
    let difference = ledger
        .verify_projections(|position| bar.set_position(position))
        .await?;
    bar.finish_and_clear();
    if let Some(difference) = difference {
        let difference = words.translate(&difference);
        bail!(words.say("projections-differ", &[("difference", &difference)]));
    }
    out!("{}", words.say("projections-are-right", &[]));
    Ok(())
}
