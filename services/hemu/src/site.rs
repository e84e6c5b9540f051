//! Opening a data folder, the same way for every command.

use std::io::Read;

use anyhow::{Context, Result, anyhow};
use hemu_ledger::{Folder, Ledger};
use hemu_series::{Engine, Series};

use crate::clock;
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

/// Under which name the ledger keeps what tells this site from others in a shared engine.
const NAME: &str = "series";

/// The charts' engine, if there is to be one. `name` tells the site from others there.
pub(crate) fn engine(config: &Config, name: &str, words: &Words) -> Result<Option<Engine>> {
    let Some(url) = &config.series_url else {
        return Ok(None);
    };
    let token = config.series_token.as_ref().map(|token| token.0.as_str());
    let engine = Engine::new(url, token, name);
    engine
        .map(Some)
        .map_err(|wrong| anyhow!(words.translate(&wrong.to_string())))
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
        ledger.begin_generation(clock::system()()).await?;
        Ok(Self { folder, ledger })
    }

    /// The charts' engine, if there is to be one, for [`Site::series`]. After a restore the site goes by another name in it:
    /// what was lost was there.
    pub(crate) async fn engine(&self, config: &Config, words: &Words) -> Result<Option<Engine>> {
        if config.series_url.is_none() {
            return Ok(None);
        }
        if self.ledger.meta(NAME).await?.is_none() {
            let fresh = crate::commands::hex(&random::<4>(words)?);
            self.ledger.set_meta(NAME, &fresh).await?;
        }
        let name = self.ledger.meta(NAME).await?.unwrap_or_default();
        let generation = self.ledger.generation().await?;
        engine(config, &format!("{name}-{generation}"), words)
    }

    /// Opens the charts' file beside the ledger's.
    pub(crate) async fn series(&self, engine: Option<Engine>) -> Result<Series> {
        let path = self.folder.path().join("series.db");
        Ok(Series::open_with(&path, self.ledger.zone(), engine).await?)
    }
}
