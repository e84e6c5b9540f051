//! `hemu verify`.

use anyhow::{Result, bail};
use hemu_ingest::fold;

use crate::config::Config;
use crate::progress;
use crate::site::Site;

pub(super) async fn run(config: &Config) -> Result<()> {
    let site = Site::open(config).await?;
    let ledger = &site.ledger;
    let bar = progress::bar("hash chain", ledger.head().await?);
    let head = ledger.verify_chain(|position| bar.set_position(position)).await?;
    bar.finish_and_clear();
    println!(
        "journal: {} batches, the hash chain is whole, its head is {}",
        head.position,
        super::hex(&head.hash)
    );
    fold::settle(ledger, head.position).await?;
    let bar = progress::bar("projections", head.position);
    let difference = ledger
        .verify_projections(|position| bar.set_position(position))
        .await?;
    bar.finish_and_clear();
    if let Some(difference) = difference {
        bail!("the projections are not what the journal adds up to: {difference}");
    }
    println!("projections: every row is what the journal adds up to");
    Ok(())
}
