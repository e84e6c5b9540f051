//! The device's side: a folder with its flash. Must not: touch anything else there, its ring above all.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use firmware_sim::device::FileFlash;
use firmware_sim::update::{
    BootError, Booted, InstallError, Package, Slots, TRIAL_BOOTS, Trusted, flash_bytes,
};

use crate::cli::{open, print_json};

/// Set up a simulated device: its folder, the key it trusts, and a first package
#[derive(Debug, clap::Args)]
pub(super) struct FactoryArgs {
    /// Folder of the device; it may hold a flash ring already
    #[arg(long)]
    device: PathBuf,
    /// Public key that signs its updates
    #[arg(long)]
    trust: PathBuf,
    /// Public key that may take over from it
    #[arg(long)]
    next: Option<PathBuf>,
    /// The longest image a slot takes, bytes
    #[arg(long, default_value_t = 1 << 20, value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    slot: u32,
    /// The package it leaves the factory with
    package: PathBuf,
}

/// Install a package on a simulated device and start it; exit 1 if it is refused, or falls back
#[derive(Debug, clap::Args)]
pub(super) struct InstallArgs {
    /// Folder of the device, as `update factory` made it
    #[arg(long)]
    device: PathBuf,
    /// The new image starts and never confirms itself
    #[arg(long)]
    never_confirm: bool,
    /// The package
    package: PathBuf,
}

pub(super) fn factory(args: &FactoryArgs) -> anyhow::Result<bool> {
    let trusted = Trusted {
        current: super::public_key(&args.trust)?,
        next: args.next.as_deref().map(super::public_key).transpose()?,
    };
    let package = super::bounded(&args.package)?;
    Package::decode(&package)?.verify(&trusted)?;
    std::fs::create_dir_all(&args.device)?;
    let path = flash_file(&args.device);
    let made = std::fs::File::create_new(&path);
    made.with_context(|| format!("expected a device that is not set up yet: {}", path.display()))?;
    let flash = FileFlash::open(&path, flash_bytes(args.slot))?;
    let mut slots = match Slots::factory(flash, trusted, &package) {
        Ok(slots) => slots,
        Err(error) => {
            // Half a device would be in the way of the next try.
            std::fs::remove_file(&path)?;
            return Err(error.into());
        }
    };
    let booted = slots.boot()?;
    report(&slots, booted, None)?;
    Ok(true)
}

pub(super) fn install(args: &InstallArgs) -> anyhow::Result<bool> {
    let path = flash_file(&args.device);
    let size = std::fs::metadata(&path)
        .with_context(|| {
            format!(
                "expected a device as `update factory` sets it up: {}",
                path.display()
            )
        })?
        .len();
    let mut slots = Slots::open(FileFlash::open(&path, usize::try_from(size)?)?)?;
    // The device is on, whatever it runs; one whose image was damaged waits in its boot loader and takes a package, too.
    match slots.boot() {
        Ok(_) | Err(BootError::Damaged(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let before = slots.confirmed();
    let mut source = open(&args.package)?;
    let installed = slots.install(&mut source);
    if let Err(InstallError::Refused(refusal)) = installed {
        anyhow::bail!("{}: refused: {refusal}", args.package.display());
    }
    let manifest = installed?;
    let mut booted = slots.boot()?;
    ensure!(
        booted.on_trial,
        "the new image was not whole when it was to start"
    );
    if !args.never_confirm {
        slots.confirm()?;
    }
    for _ in 0..TRIAL_BOOTS {
        booted = slots.boot()?;
    }
    report(&slots, booted, Some(before))?;
    Ok(booted.version == manifest.version)
}

fn flash_file(device: &Path) -> PathBuf {
    device.join("firmware.flash")
}

fn report(slots: &Slots<FileFlash>, booted: Booted, before: Option<u32>) -> anyhow::Result<()> {
    print_json(&serde_json::json!({
        "before": before,
        "running": booted.version,
        "fell_back": booted.fell_back,
        "confirmed": slots.confirmed(),
        "trusts": slots.trusted().to_string(),
    }))
}
