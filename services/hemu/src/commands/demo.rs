//! `hemu demo`: everything in one process on a simulated estate.
use crate::cli::Demo;
use crate::config::Config;
use anyhow::Result;
pub(super) async fn run(_config: Config, _options: &Demo) -> Result<()> {
    Ok(())
}
