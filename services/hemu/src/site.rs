//! Opening a data folder, the same way for every command.

use std::io::Read;

use anyhow::{Context, Result};
use hemu_ledger::{Folder, Ledger};
use hemu_series::Series;

use crate::config::Config;
use crate::words::Words;

/// Bytes of the operating system's randomness.
pub(crate) fn random<const N: usize>(words: &Words) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes).with_context(|| words.say("no-randomness", &[]))?;
    Ok(bytes)
}

/// Fills bytes with it.
pub(crate) fn fill(bytes: &mut [u8]) -> std::io::Result<()> {
    std::fs::File::open("/dev/urandom")?.read_exact(bytes)
}

/// The data folder, with its tables where the configuration has them.
pub(crate) fn folder(config: &Config) -> Result<Folder> {
    let mut folder = Folder::open(&config.data)?;
    if let Some(file) = &config.secrets_file {
        folder = folder.with_secrets(file);
    }
    Ok(match &config.store {
        None => folder,
        Some(store) => folder.with_postgres(&store.0)?,
    })
}

/// The folder and what is in it.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) folder: Folder,
    pub(crate) ledger: Ledger,
}

impl Site {
    /// Opens the folder, making or migrating its files.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        let folder = folder(config)?;
        let ledger = Ledger::open(&folder, config.zone).await?;
        Ok(Self { folder, ledger })
    }

    /// Opens the charts' file beside the ledger's.
    pub(crate) async fn series(&self) -> Result<Series> {
        Ok(Series::open(&self.folder.path().join("series.db"), self.ledger.zone()).await?)
    }
}
