//! Opening a data folder, the same way for every command.

use anyhow::Result;
use hemu_ledger::{Folder, Ledger};
use hemu_series::Series;

use crate::config::Config;

/// The folder and what is in it.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) folder: Folder,
    pub(crate) ledger: Ledger,
}

impl Site {
    /// Opens the folder, making or migrating its files.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        let folder = Folder::open(&config.data)?;
        let ledger = Ledger::open(&folder, config.zone).await?;
        Ok(Self { folder, ledger })
    }

    /// Opens the charts' file beside the ledger's.
    pub(crate) async fn series(&self) -> Result<Series> {
        Ok(Series::open(&self.folder.path().join("series.db"), self.ledger.zone()).await?)
    }
}
