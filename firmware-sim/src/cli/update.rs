//! `update`: signed firmware packages, and a device that takes them, as docs/device-updates.md has it.

mod device;
mod maker;

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use clap::Subcommand;
use firmware_sim::hex::hex;
use firmware_sim::update::{Manifest, Package, PublicKey};

/// Sign firmware updates, and install them on a simulated device that refuses old and forged ones
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Key(maker::KeyArgs),
    Sign(maker::SignArgs),
    Show(maker::ShowArgs),
    Factory(device::FactoryArgs),
    Install(device::InstallArgs),
}

pub(super) fn run(args: Args) -> anyhow::Result<bool> {
    match args.command {
        Command::Key(args) => maker::key(&args),
        Command::Sign(args) => maker::sign(&args),
        Command::Show(args) => maker::show(&args),
        Command::Factory(args) => device::factory(&args),
        Command::Install(args) => device::install(&args),
    }
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// A file, but never more of it than a package can have, and one byte by which it is seen to be longer.
fn bounded(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = super::open(path)?.take(Package::MAX as u64 + 1);
    file.read_to_end(&mut bytes)
        .with_context(|| format!("reading {}", path.display()))?;
    Ok(bytes)
}

fn public_key(path: &Path) -> anyhow::Result<PublicKey> {
    read_text(path)?
        .parse()
        .with_context(|| path.display().to_string())
}

fn described(manifest: &Manifest) -> serde_json::Value {
    serde_json::json!({
        "model": manifest.model.to_string(),
        "version": manifest.version,
        "image_bytes": manifest.image_bytes,
        "image_sha256": hex(&manifest.image_sha256),
        "key": manifest.key.to_string(),
        "next_key": manifest.next_key.map(|key| key.id().to_string()),
    })
}
