//! `speed`: how fast this machine invents and encodes records, without any server.

use std::sync::Arc;

use firmware_sim::demo::Fleet;
use firmware_sim::estate::Estate;
use firmware_sim::life::History;
use firmware_sim::load::{Crowd, Script};
use firmware_sim::reading::{Body, Stamp, encode};
use tokio::time::Instant;

/// Measure the generator alone: records a second invented, and invented and encoded
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Days of the estate
    #[arg(long, default_value_t = 30)]
    days: u16,
    /// Everything is drawn from it
    #[arg(long, default_value_t = 54)]
    seed: u64,
}

pub(super) fn run(args: &Args) -> anyhow::Result<bool> {
    let estate = Arc::new(Estate::hemu_xincun(args.seed)?);
    let history = || History::new(args.seed, estate.clone(), 20_000, args.days);
    let (began, records) = (Instant::now(), history().remaining());
    let generate = began.elapsed().as_secs_f64();
    let (began, mut fleet, mut days, mut bytes) = (Instant::now(), Fleet::new(history()), history(), 0);
    while let Some(day) = days.next_day() {
        bytes += fleet
            .pack(&day.readings)
            .into_iter()
            .map(|(_, payload)| payload.len())
            .sum::<usize>();
    }
    let encoded = began.elapsed().as_secs_f64();
    let script = Script::new(args.seed, Arc::new(Crowd::Invented(100_000)), 0, 0, 4, "load");
    let (began, mut out, loads) = (Instant::now(), Vec::new(), 2_000_000);
    for seq in 1..=loads {
        out.clear();
        let (at, deposit) = script.record(seq);
        encode(
            &mut out,
            Stamp {
                boot: script.boot(),
                seq,
                at,
            },
            &Body::Deposit(deposit),
        );
    }
    let load = began.elapsed().as_secs_f64();
    super::print_json(&serde_json::json!({
        "estate_records": records,
        "estate_invented_per_s": (records as f64 / generate).round(),
        "estate_invented_and_encoded_per_s": (records as f64 / encoded).round(),
        "estate_bytes_per_record": bytes as f64 / records as f64,
        "load_invented_and_encoded_per_s": (loads as f64 / load).round(),
    }))?;
    Ok(true)
}
