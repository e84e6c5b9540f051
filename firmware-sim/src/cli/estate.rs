//! `estate`: writes the files that set a server up for 和睦新村.

use std::io::Write as _;
use std::path::PathBuf;

use firmware_sim::estate::{Estate, write_households, write_plan};

/// Write the estate: households for `hemu household import`, the plan, the devices
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// CSV: household,estate,building,unit,door,residents,station
    #[arg(long)]
    households: Option<PathBuf>,
    /// JSON: buildings and stations with their places in metres
    #[arg(long)]
    plan: Option<PathBuf>,
    /// CSV: device,station; for `hemu device add DEVICE --estate hemu-xincun --station STATION`
    #[arg(long)]
    devices: Option<PathBuf>,
    /// Everything is drawn from it
    #[arg(long, default_value_t = 54)]
    seed: u64,
}

pub(super) fn run(args: &Args) -> anyhow::Result<bool> {
    let estate = Estate::hemu_xincun(args.seed)?;
    if let Some(path) = &args.households {
        write_households(&estate, super::create(path)?)?;
    }
    if let Some(path) = &args.plan {
        write_plan(&estate, super::create(path)?)?;
    }
    if let Some(path) = &args.devices {
        let mut out = super::create(path)?;
        writeln!(out, "device,station")?;
        for (device, station) in estate.devices() {
            writeln!(out, "{device},{}", station.id)?;
        }
    }
    let residents: u32 = estate
        .households
        .iter()
        .map(|household| household.residents)
        .sum();
    super::print_json(&serde_json::json!({
        "estate": estate.facts.id,
        "buildings": estate.buildings.len(),
        "households": estate.households.len(),
        "residents": residents,
        "stations": estate.stations.len(),
        "devices": estate.devices().count(),
    }))?;
    Ok(true)
}
