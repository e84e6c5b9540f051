//! `hemu copy`: a site from one store to another.

use std::path::Path;

use anyhow::Result;
use hemu_ingest::fold;
use hemu_ledger::{Folder, Ledger, Role};

use crate::clock;
use crate::config::Config;
use crate::output::out;
use crate::progress;
use crate::site::{self, Site};
use crate::words::Words;

pub(super) async fn run(config: &Config, target: &str, words: &Words) -> Result<()> {
    let source = Site::open(config).await?;
    // Nobody appends to files meanwhile; a PostgreSQL's nodes are the operator's to stop.
    let _serving = source.folder.lock(Role::Serve)?;
    let into = if is_url(target) {
        site::folder(config)?.with_postgres(target)?
    } else {
        let into = Folder::open(Path::new(target))?;
        source.folder.copy_secrets_to(&into)?;
        into
    };
    let copy = Ledger::open(&into, source.ledger.zone()).await?;

    let bar = progress::bar(words, words.say("copying", &[]), source.ledger.head().await?);
    let batches = source
        .ledger
        .copy_to(&copy, clock::system()(), |position| bar.set_position(position))
        .await?;
    bar.finish_and_clear();
    let bar = progress::bar(words, words.say("projections", &[]), copy.records_after(0).await?);
    let (mut projector, _lock) = copy.projector().await?;
    fold::catch_up(&mut projector, |records| bar.inc(records)).await?;
    projector.close().await?;
    bar.finish_and_clear();
    let head = copy.verify_chain(|_| ()).await?;
    let place = into.truth();
    out!(
        "{}",
        words.say(
            "copied",
            &[
                ("batches", &batches),
                ("target", &place.display()),
                ("head", &super::hex(&head.hash))
            ]
        )
    );
    Ok(())
}

fn is_url(target: &str) -> bool {
    target.starts_with("postgres://") || target.starts_with("postgresql://")
}
