//! Processes beside the benchmark: what they use, and how they are started and ended.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use firmware_sim::keys::Key;
use hemu_ledger::registry::key_digest;
use hemu_ledger::{Folder, Ledger};
use hemu_rules::Zone;
use serde_json::{Value, json};

use crate::behind::Behind;

/// CPU time of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    all: Duration,
    kernel: Duration,
}

impl Usage {
    /// User and system time so far, from the kernel's ticks (100 a second).
    pub(crate) fn of(pid: u32) -> Self {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1;
        let ticks: Vec<u64> = after_name
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|field| field.parse().unwrap())
            .collect();
        Self {
            all: Duration::from_millis((ticks[0] + ticks[1]) * 10),
            kernel: Duration::from_millis(ticks[1] * 10),
        }
    }

    pub(crate) fn since(self, before: Self) -> Duration {
        self.all.saturating_sub(before.all)
    }

    /// The kernel's part of it.
    pub(crate) fn kernel_since(self, before: Self) -> Duration {
        self.kernel.saturating_sub(before.kernel)
    }
}

/// Bytes a process has sent to the disk so far.
pub(crate) fn written_bytes(pid: u32) -> u64 {
    let io = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap();
    io.lines()
        .find_map(|line| line.strip_prefix("write_bytes: "))
        .unwrap()
        .parse()
        .unwrap()
}

pub(crate) fn file_bytes(file: &Path) -> f64 {
    std::fs::metadata(file).unwrap().len() as f64
}

/// Appending 20 kB and waiting for the disk, again and again: what this disk does to whoever commits, whatever commits.
pub(crate) fn bare_fsyncs(folder: &Path, during: Duration) -> Stalls {
    use std::io::Write;
    let mut file = std::fs::File::create(folder.join("fsync")).unwrap();
    let (bytes, mut times) = (vec![7; 20_000], Vec::new());
    let began = tokio::time::Instant::now();
    while began.elapsed() < during {
        let began = tokio::time::Instant::now();
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        times.push(u64::try_from(began.elapsed().as_micros()).unwrap());
    }
    times.sort_unstable();
    let p50_us = times[times.len() / 2];
    Stalls {
        count: times.len(),
        p50_us,
        over_ten_medians: times.iter().filter(|time| **time > 10 * p50_us).count(),
        max_us: times[times.len() - 1],
    }
}

/// How long something took, many times.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(crate) struct Stalls {
    count: usize,
    p50_us: u64,
    over_ten_medians: usize,
    max_us: u64,
}

pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

pub(crate) fn register(data: &Path, count: usize) -> Vec<Key> {
    block_on(async {
        let ledger = Ledger::open(&Folder::open(data).unwrap(), Zone::SHANGHAI)
            .await
            .unwrap();
        let mut keys = Vec::new();
        for index in 0..count {
            let (device, key) = (format!("dev{index:03}"), format!("key{index}"));
            ledger
                .add_device(&device, &key_digest(key.as_bytes()), None, None, 0)
                .await
                .unwrap();
            keys.push(Key { device, key });
        }
        ledger.close().await;
        keys
    })
}

/// Waits until projections and charts have everything the journal has.
pub(crate) fn wait_until_caught_up(data: &Path) {
    block_on(async {
        let ledger = Ledger::open(&Folder::open(data).unwrap(), Zone::SHANGHAI)
            .await
            .unwrap();
        let series = hemu_series::Series::open(&data.join("series.db"), Zone::SHANGHAI)
            .await
            .unwrap();
        let head = ledger.head().await.unwrap();
        while ledger.progress().await.unwrap().applied < head || series.position().await.unwrap() < head {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        series.close().await;
        ledger.close().await;
    });
}

/// Count, mean and the buckets of the server's commit times.
pub(crate) fn commit_histogram(url: &str) -> Value {
    let address = url.trim_start_matches("http://").trim_end_matches("/metrics");
    let text = get(address);
    let buckets: Vec<(String, u64)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("hemu_ingest_commit_seconds_bucket{le=\""))
        .filter_map(|rest| rest.split_once("\"} "))
        .map(|(edge, count)| (edge.to_owned(), count.parse().unwrap()))
        .collect();
    json!(buckets)
}

fn get(address: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// A Mosquitto tuned as a site that cares would: nothing dropped, nothing persisted.
pub(crate) struct Mosquitto {
    child: Child,
    pub(crate) port: u16,
}

impl Mosquitto {
    pub(crate) fn start(program: &Path, folder: &Path) -> Self {
        let port = super::support::free_port();
        let file = folder.join("mosquitto.conf");
        let settings = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type error\n\
             max_inflight_messages 0\nmax_queued_messages 0\nmax_queued_bytes 0\nset_tcp_nodelay true\n"
        );
        std::fs::write(&file, settings).unwrap();
        let child = Command::new(program)
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This program again, as the broker's consumer.
pub(crate) struct Consumer {
    child: Child,
    stored: Arc<AtomicU64>,
}

impl Consumer {
    pub(crate) fn start(port: u16, behind: &Behind) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("consume")
            .args(behind.words())
            .arg(port.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (stored, subscribed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (seen, is_subscribed) = (stored.clone(), subscribed.clone());
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                match line.strip_prefix("stored ") {
                    Some(count) => seen.store(count.parse().unwrap(), Ordering::Relaxed),
                    None => is_subscribed.store(line == "subscribed", Ordering::Relaxed),
                }
            }
        });
        while !subscribed.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, stored }
    }

    /// Waits until that many records are stored, or until nothing more comes; how many are.
    pub(crate) fn wait_for(&self, records: u64) -> u64 {
        let mut last = (0, 0);
        loop {
            let now = self.stored.load(Ordering::Relaxed);
            let still = if now == last.0 { last.1 + 1 } else { 0 };
            if now >= records || still > 100 {
                return now;
            }
            last = (now, still);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This program again, as an endpoint with less behind it.
pub(crate) struct Front {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Front {
    pub(crate) fn start(behind: &Behind) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("front")
            .args(behind.words())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim().parse().unwrap();
        Self { child, address }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
