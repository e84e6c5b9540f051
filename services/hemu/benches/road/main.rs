//! The road's benchmarks: ratios from one run (docs/benchmarks.md says what each figure means).
//!
//! `cargo bench -p hemu --bench road -- [--seconds S] [--rounds N]`. Each round measures the embedded endpoint and, when
//! Mosquitto is installed, the same load through a tuned Mosquitto and a rumqttc consumer that commits to the same
//! ledger with the same committer and projector. Both sides run as processes of their own beside the load generator.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run says so and ends")]

#[expect(dead_code, reason = "the tests use the other part")]
#[path = "../../tests/suite/support.rs"]
mod support;

// A server's memory and threads, on either side.
#[path = "../../src/memory.rs"]
mod memory;
#[path = "../../src/threads/mod.rs"]
mod threads;

mod behind;
mod consumer;
mod front;
mod process;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use firmware_sim::keys::Key;
use firmware_sim::load::{self, Crowd, Gauge, Plan, Report};
use firmware_sim::mqtt::Version;
use serde_json::{Value, json};
use tokio::time::Instant;

use behind::Behind;
use process::{Usage, written_bytes};
use support::Server;

/// The two shapes of load: gateways that pipeline, and devices that wait for each acknowledgement.
#[derive(Debug, Clone, Copy)]
struct Shape {
    name: &'static str,
    connections: usize,
    window: u16,
}

const GATEWAYS: Shape = Shape {
    name: "gateways (4 x 1024 in flight)",
    connections: 4,
    window: 1024,
};
const DEVICES: Shape = Shape {
    name: "devices (500 x 1 in flight)",
    connections: 500,
    window: 1,
};

/// What one measurement found.
#[derive(Debug, Clone)]
struct Found {
    /// Records stored durably a second of the load.
    stored_per_s: f64,
    /// Records stored and in every projection and chart, a second until the last of them was.
    sustained_per_s: f64,
    /// CPU of server (and broker) a record, in microseconds.
    cpu_us: f64,
    /// Bytes written to the disk a record, everything included.
    bytes_written: f64,
    /// Bytes kept a record: journal, projections, charts.
    bytes_kept: [f64; 3],
    commits: Value,
    /// Records folded again a second by `hemu rebuild`.
    rebuilt_per_s: f64,
    report: Report,
}

fn main() {
    memory::in_small_pages();
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("consume") => return consumer::run(&Behind::of_words(&arguments[2..4]), &arguments[4]),
        Some("front") => return front::run(&Behind::of_words(&arguments[2..4])),
        _ => {}
    }
    let number = |name: &str, otherwise: u64| {
        let index = arguments.iter().position(|argument| argument == name);
        index
            .and_then(|index| arguments.get(index + 1)?.parse().ok())
            .unwrap_or(otherwise)
    };
    let (seconds, rounds) = (number("--seconds", 5), number("--rounds", 3));
    let mosquitto = process::find("mosquitto");
    let mut results = Vec::new();
    for round in 1..=rounds {
        for shape in [GATEWAYS, DEVICES] {
            let own = embedded(shape, seconds);
            let other = mosquitto
                .as_deref()
                .map(|program| broker(program, shape, seconds));
            results.push(show(round, shape, &own, other.as_ref()));
            let fronts = Fronts {
                round,
                shape,
                seconds,
                mosquitto: mosquitto.as_deref(),
            };
            results.push(fronts.compare("the fronts alone, nothing stored", |_| Behind::Nothing));
            results.push(fronts.compare("stored, nothing folded", Behind::Journal));
        }
    }
    results.push(latency(20_000.0, seconds));
    if mosquitto.is_none() {
        eprintln!("mosquitto is not installed: the comparison was not run");
    }
    println!("{}", serde_json::to_string_pretty(&results).unwrap());
}

fn plan(addr: SocketAddr, devices: Vec<Key>, shape: Shape, seconds: u64) -> Plan {
    Plan {
        addr,
        devices,
        window: shape.window,
        batch: 1,
        version: Version::V5,
        seed: 1,
        crowd: Arc::new(Crowd::Invented(3_566)),
        from: 1_767_225_600_000,
        time: Some(Duration::from_secs(seconds)),
        records: None,
        rate: None,
        patience: Duration::from_secs(30),
    }
}

fn drive(plan: &Plan) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(load::run(plan, None, Arc::new(Gauge::default())))
        .unwrap()
}

/// The embedded endpoint: acknowledged is stored.
fn embedded(shape: Shape, seconds: u64) -> Found {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let devices = process::register(&data, shape.connections);
    let server = Server::start(&data, 0);
    let plan = plan(server.mqtt, devices, shape, seconds);
    let (before, began) = (Usage::of(server.pid()), Instant::now());
    let report = drive(&plan);
    let stored_per_s = report.records_per_s;
    process::wait_until_caught_up(&data);
    let records = report.acked as f64;
    let sustained_per_s = records / began.elapsed().as_secs_f64();
    let used = Usage::of(server.pid()).since(before);
    let commits = process::commit_histogram(&server.metrics);
    let bytes_written = written_bytes(server.pid()) as f64 / records;
    assert!(server.terminate().success());
    let bytes_kept = ["hemu.db", "projections.db", "series.db"]
        .map(|file| process::file_bytes(&data.join(file)) / records);
    let cpu_us = used.as_secs_f64() * 1e6 / records;
    let began = Instant::now();
    support::succeed(&data, &["rebuild"]);
    let rebuilt_per_s = records / began.elapsed().as_secs_f64();
    Found {
        stored_per_s,
        sustained_per_s,
        cpu_us,
        bytes_written,
        bytes_kept,
        commits,
        rebuilt_per_s,
        report,
    }
}

/// Latency of acknowledgements at a load the machine carries easily, beside what one fsync of the same size costs.
fn latency(rate: f64, seconds: u64) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let shape = Shape {
        name: "100 connections",
        connections: 100,
        window: 16,
    };
    let devices = process::register(&data, shape.connections);
    let server = Server::start(&data, 0);
    let mut plan = plan(server.mqtt, devices, shape, seconds);
    plan.rate = Some(rate);
    let fsyncs = || process::bare_fsyncs(folder.path(), Duration::from_secs(seconds));
    let before = fsyncs();
    let report = drive(&plan);
    let after = fsyncs();
    let commits = process::commit_histogram(&server.metrics);
    assert!(server.terminate().success());
    let found = json!({
        "shape": "latency at a fixed rate", "rate_per_s": rate, "acknowledged_per_s": report.records_per_s,
        "puback_us": report.puback_us, "bare_fsyncs_before_after": [before, after], "commit_seconds": commits,
    });
    eprintln!("{found:#}");
    found
}

/// Both sides with less behind them than a server has.
struct Fronts<'a> {
    round: u64,
    shape: Shape,
    seconds: u64,
    mosquitto: Option<&'a Path>,
}

impl Fronts<'_> {
    fn compare(&self, side: &str, behind: fn(PathBuf) -> Behind) -> Value {
        let own = self.own(behind);
        let us = |time: Duration| time.as_secs_f64() * 1e6 / own.records;
        let mut found = json!({
            "round": self.round, "shape": self.shape.name, "side": side,
            "cpu_us": us(own.all), "kernel_us": us(own.kernel),
        });
        if let Some(program) = self.mosquitto {
            let other_us = self.us_of_broker(program, behind);
            found["mosquitto"] = json!({ "broker_and_consumer_cpu_us": other_us });
            found["ratio"] = json!(us(own.all) / other_us);
        }
        eprintln!("{found:#}");
        found
    }

    fn own(&self, behind: fn(PathBuf) -> Behind) -> Used {
        let folder = tempfile::tempdir().unwrap();
        let front = process::Front::start(&behind(folder.path().join("data")));
        let before = Usage::of(front.pid());
        let records = drive(&self.plan(front.address)).acked as f64;
        let after = Usage::of(front.pid());
        Used {
            records,
            all: after.since(before),
            kernel: after.kernel_since(before),
        }
    }

    fn us_of_broker(&self, program: &Path, behind: fn(PathBuf) -> Behind) -> f64 {
        let folder = tempfile::tempdir().unwrap();
        let broker = process::Mosquitto::start(program, folder.path());
        let consumer = process::Consumer::start(broker.port, &behind(folder.path().join("data")));
        let before = (Usage::of(broker.pid()), Usage::of(consumer.pid()));
        let records = consumer.wait_for(drive(&self.plan(broker.address())).acked);
        let used = Usage::of(broker.pid()).since(before.0) + Usage::of(consumer.pid()).since(before.1);
        used.as_secs_f64() * 1e6 / records.max(1) as f64
    }

    fn plan(&self, addr: SocketAddr) -> Plan {
        let device = |index| Key {
            device: format!("dev{index:03}"),
            key: String::from("any"),
        };
        let devices = (0..self.shape.connections).map(device).collect();
        plan(addr, devices, self.shape, self.seconds)
    }
}

/// What an endpoint took for so many records.
struct Used {
    records: f64,
    all: Duration,
    kernel: Duration,
}

/// A tuned Mosquitto and a consumer: stored is what the consumer committed.
fn broker(program: &Path, shape: Shape, seconds: u64) -> Found {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let devices = process::register(&data, shape.connections);
    let broker = process::Mosquitto::start(program, folder.path());
    let consumer = process::Consumer::start(broker.port, &Behind::Everything(data.clone()));
    let plan = plan(broker.address(), devices, shape, seconds);
    let before = (Usage::of(broker.pid()), Usage::of(consumer.pid()));
    let began = Instant::now();
    let report = drive(&plan);
    // Everything the broker still holds has to arrive before the figures are taken.
    let stored = consumer.wait_for(report.acked);
    let stored_per_s = stored as f64 / began.elapsed().as_secs_f64();
    process::wait_until_caught_up(&data);
    let sustained_per_s = stored as f64 / began.elapsed().as_secs_f64();
    let used = Usage::of(broker.pid()).since(before.0) + Usage::of(consumer.pid()).since(before.1);
    let cpu_us = used.as_secs_f64() * 1e6 / stored.max(1) as f64;
    let (bytes_written, bytes_kept, commits, rebuilt_per_s) = (0.0, [0.0; 3], Value::Null, 0.0);
    Found {
        stored_per_s,
        sustained_per_s,
        cpu_us,
        bytes_written,
        bytes_kept,
        commits,
        rebuilt_per_s,
        report,
    }
}

fn show(round: u64, shape: Shape, own: &Found, other: Option<&Found>) -> Value {
    let mut found = json!({
        "round": round,
        "shape": shape.name,
        "stored_per_s": own.stored_per_s.round(),
        "sustained_per_s": own.sustained_per_s.round(),
        "server_cpu_us": own.cpu_us,
        "puback_us": own.report.puback_us,
        "bytes_written_per_record": own.bytes_written.round(),
        "bytes_kept_per_record": {
            "journal": own.bytes_kept[0].round(), "projections": own.bytes_kept[1].round(), "series": own.bytes_kept[2].round(),
        },
        "rebuilt_per_s": own.rebuilt_per_s.round(),
        "commit_seconds": own.commits,
    });
    if let Some(other) = other {
        found["mosquitto"] = json!({
            "acknowledged_per_s": other.report.records_per_s,
            "stored_per_s": other.stored_per_s.round(),
            "sustained_per_s": other.sustained_per_s.round(),
            "broker_and_consumer_cpu_us": other.cpu_us,
        });
        found["ratios"] = json!({
            "stored": own.stored_per_s / other.stored_per_s,
            "sustained": own.sustained_per_s / other.sustained_per_s,
            "server_cpu": own.cpu_us / other.cpu_us,
        });
    }
    eprintln!("{found:#}");
    found
}
