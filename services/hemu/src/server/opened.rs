//! A data folder, opened and caught up: what a crash left unfolded is folded before anybody listens.

use std::time::Duration;

use anyhow::Result;
use hemu_ingest::fold;
use hemu_ledger::{Ledger, Lock, Projector, Role};
use hemu_series::Series;

use super::Told;
use crate::config::Config;
use crate::progress;
use crate::roles;
use crate::site::{self, Site};
use crate::threads::Behind;
use crate::words::Words;

/// How often it is asked whether whoever else folds has ended.
const PROJECTOR_LOOK: Duration = Duration::from_millis(500);
/// Pages are served without what a database cannot promise, if its standby takes longer to confirm it.
const STANDBY_ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// A data folder that is this server's, with what a crash left unfolded folded.
pub(super) struct Opened {
    /// `None` where another node folds, or this one is not to.
    pub(super) projector: Option<(Projector, Lock)>,
    pub(super) series: Series,
    /// The same data through connections of its own: one that was opened behind works behind for good, and nobody's login
    /// may wait for it.
    pub(super) unhurried: Ledger,
    pub(super) behind: Behind,
    pub(super) ledger: Ledger,
    /// Last, as everything above is closed before the folder is free.
    pub(super) serving: Lock,
}

impl Opened {
    /// What is not folded when it is told to end is folded at the next start.
    pub(super) async fn caught_up_unless_told(
        config: &Config,
        words: &Words,
        told: &mut Told,
    ) -> Result<Option<Self>> {
        tokio::select! {
            opened = Self::caught_up(config, words) => opened.map(Some),
            () = told.ending() => Ok(None),
        }
    }

    async fn caught_up(config: &Config, words: &Words) -> Result<Self> {
        let serving = site::folder(config)?.lock(Role::Serve)?;
        let site = Site::open(config).await?;
        let ledger = site.ledger.clone();
        let behind = Behind::start()?;
        let (folder, zone) = (site.folder.clone(), config.zone);
        let open = move || async move { Ledger::open(&folder, zone).await };
        let unhurried = behind.make(open).await??;
        let engine = site.engine(config, words).await?;
        let series = behind.run(async move { site.series(engine).await }).await??;
        ledger.open_readers().await?;
        let readers = unhurried.clone();
        behind.run(async move { readers.open_readers().await }).await??;
        // What a killed run left in the write-ahead log goes to the disk before any receipt speaks of it.
        ledger.checkpoint().await?;
        let mut projector = None;
        if config.roles.has(roles::Role::Projector) {
            projector = behind.run(projector_when_free(unhurried.clone())).await??;
        }
        if let Some((projector, _)) = &mut projector {
            catch_up(&ledger, projector, words).await?;
        }
        Ok(Self {
            projector,
            series,
            unhurried,
            behind,
            ledger,
            serving,
        })
    }
}

/// An import or a check that is folding right now ends by itself; a server waits for it. A node that shares its tables
/// stands by instead, and does not wait long for a database that waits for its standby.
async fn projector_when_free(ledger: Ledger) -> Result<Option<(Projector, Lock)>> {
    if ledger.folder().is_shared() {
        return match tokio::time::timeout(STANDBY_ANSWERS_WITHIN, ledger.projector()).await {
            Ok(Err(hemu_ledger::Error::InUse(_))) => Ok(None),
            Ok(projector) => Ok(Some(projector?)),
            Err(_) => {
                tracing::warn!(
                    "the database waits for its synchronous standby; nothing new is folded until that is back"
                );
                Ok(None)
            }
        };
    }
    let mut told = false;
    loop {
        match ledger.projector().await {
            Err(hemu_ledger::Error::InUse(_)) => {
                if !told {
                    tracing::info!("another hemu process is folding this folder's journal; waiting for it");
                    told = true;
                }
                tokio::time::sleep(PROJECTOR_LOOK).await;
            }
            other => return Ok(Some(other?)),
        }
    }
}

async fn catch_up(ledger: &Ledger, projector: &mut Projector, words: &Words) -> Result<()> {
    let left = ledger.records_after(projector.applied()).await?;
    if left == 0 {
        return Ok(());
    }
    tracing::info!(records = left, "folding what the last run left in the journal");
    let bar = progress::bar(words, words.say("folding-the-journal", &[]), left);
    fold::catch_up(projector, |records| bar.inc(records)).await?;
    bar.finish_and_clear();
    Ok(())
}
