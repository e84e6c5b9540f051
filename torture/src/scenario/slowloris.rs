//! Thousands of connections that say next to nothing, at both doors, beside devices and pages that go on as before.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use rustix::process::{Resource, getrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::child::Server;
use crate::fleet::Fleet;
use crate::plan::{Plan, Size};
use crate::report::Report;
use crate::scene::Scene;
use crate::times::Times;

const DEVICES: u64 = 4;
/// Records a second of all good devices.
const RATE: u64 = 40;
/// Files that everything else here needs.
const SPARE: u64 = 500;
/// One in so many talks to the pages and not to the devices' door.
const AT_PAGES: u64 = 5;
/// Each address has so many connections: one alone runs out of ports, and is held to its places.
const OF_ONE_ADDRESS: u64 = 25;
/// One byte of the slow ones, and the next.
const A_BYTE: Duration = Duration::from_secs(1);
/// Good ones wait no longer, 99 of 100, ms.
const GOOD_WITHIN_MS: f64 = 1_000.0;
/// Memory of a server that is besieged, KiB.
const MEMORY_KIB: u64 = 256 * 1_024;

/// The beginnings of a CONNECT and of a request, which never end.
const CONNECT: &[u8] = b"\x10\xff\x01\x00\x04MQTT\x05\xc2\x00\x3c\x00\x00\x05slow1";
const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ";

/// What those connections came to.
#[derive(Debug, Default)]
struct Siege {
    open: AtomicI64,
    made: AtomicU64,
    refused: AtomicU64,
}

/// One that says too little, and comes again when it is hung up on.
#[derive(Debug, Clone)]
struct Idler {
    to: SocketAddr,
    from: Ipv4Addr,
    says: &'static [u8],
    /// It says nothing more, or a byte a second for ever.
    slow: bool,
    siege: Arc<Siege>,
}

impl Idler {
    async fn idle(self) {
        loop {
            match self.dial().await {
                Err(_) => {
                    self.siege.refused.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Ok(stream) => {
                    self.siege.made.fetch_add(1, Ordering::Relaxed);
                    self.siege.open.fetch_add(1, Ordering::Relaxed);
                    // Hung up on, in one way or another.
                    let _ = self.say_little(stream).await;
                    self.siege.open.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
    }

    async fn dial(&self) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((self.from, 0).into())?;
        socket.connect(self.to).await
    }

    async fn say_little(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut answer = [0; 64];
        if self.slow {
            for byte in self.says.iter().chain(std::iter::repeat(&b'x')) {
                stream.write_all(&[*byte]).await?;
                if let Ok(read) = tokio::time::timeout(A_BYTE, stream.read(&mut answer)).await
                    && read? == 0
                {
                    break;
                }
            }
        } else {
            stream.write_all(self.says).await?;
            while stream.read(&mut answer).await? > 0 {}
        }
        Ok(())
    }
}

/// So many at both doors, one in five at the pages; the first of them slow.
fn besiege(server: &Server, (all, slow): (u64, u64), siege: &Arc<Siege>) -> Result<JoinSet<()>> {
    let mut idlers = JoinSet::new();
    let pages = server.http_addr()?;
    for number in 0..all {
        let address = u8::try_from(number / OF_ONE_ADDRESS % 250)?;
        let third = u8::try_from(1 + number / OF_ONE_ADDRESS / 250)?;
        let (to, says) = if number % AT_PAGES == 0 {
            (pages, REQUEST)
        } else {
            (server.mqtt, CONNECT)
        };
        let idler = Idler {
            to,
            says,
            from: Ipv4Addr::new(127, 0, third, 1 + address),
            slow: number < slow,
            siege: siege.clone(),
        };
        idlers.spawn(idler.idle());
    }
    Ok(idlers)
}

/// Asks for a page again and again for so long: how long it took, the most memory there was, and the fewest of the others
/// that were there at once, once they had come.
async fn meanwhile(
    server: &Server,
    siege: &Siege,
    lasting: Duration,
    plan: &Plan,
) -> Result<(Times, u64, i64)> {
    let (mut times, mut peak, mut fewest) = (Times::default(), 0, i64::MAX);
    let began = Instant::now();
    while began.elapsed() < lasting {
        let asked = Instant::now();
        let status = server.get("/healthz")?.0;
        anyhow::ensure!(status == 200, "healthz answers {status}");
        times.record(asked.elapsed());
        peak = peak.max(server.rss_kib());
        if began.elapsed() > lasting / 4 {
            fewest = fewest.min(siege.open.load(Ordering::Relaxed));
        }
        plan.bar.set_position(began.elapsed().as_secs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok((times, peak, fewest))
}

pub(super) async fn slowloris(plan: &Plan) -> Result<Report> {
    let seconds = plan.seconds.unwrap_or(plan.sized(8, 120));
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let (half_open, slow) = plan.sized((400, 40), (5_000, 200));
    let half_open = plan
        .records
        .unwrap_or(half_open)
        .min(files.saturating_sub(SPARE + slow));
    let all = half_open + slow;
    let mut scene = Scene::set(plan, DEVICES, RATE * seconds).await?;
    // With the limits that it is shipped with.
    scene.home.environment.clear();
    let server = scene.home.serve()?;
    let rss_start_kib = server.rss_kib();
    let lasting = Duration::from_secs(seconds);
    let mut members = scene.members(RATE * seconds, lasting);
    for member in &mut members {
        member.lasting = Some(lasting);
    }
    let fleet = Fleet::start(&members, &scene.manners())?;
    let siege = Arc::new(Siege::default());
    let idlers = besiege(&server, (all, slow), &siege)?;
    plan.bar.set_length(seconds);
    let (pages, peak, fewest) = meanwhile(&server, &siege, lasting, plan).await?;
    let mut report = Report {
        goal: format!(
            "{half_open} half-open and {slow} slow connections for {seconds} s: others' p99 < 1 s, memory < 256 MB"
        ),
        n: all,
        rss_start_kib,
        ..Report::default()
    };
    let made = siege.made.load(Ordering::Relaxed);
    report.faults.extend([
        ("connections_made".to_owned(), made),
        ("refused".to_owned(), siege.refused.load(Ordering::Relaxed)),
    ]);
    let page_p99 = pages.quantile_ms(99);
    report.figures.extend([
        ("page_p99_ms".to_owned(), page_p99),
        ("rss_peak_kib".to_owned(), peak as f64),
        ("fewest_open".to_owned(), fewest as f64),
    ]);
    drop(idlers);
    report.require(made >= all, || {
        format!("only {made} of {all} connections were made")
    });
    report.require(peak < MEMORY_KIB, || format!("memory reached {peak} KiB"));
    let mut report = scene.conclude(server, fleet, report, false).await?;
    report
        .figures
        .insert("receipt_p99_ms".to_owned(), report.receipt_p99_ms);
    let p99 = report.p99_ms.max(page_p99);
    // How fast it is is for the release size to say.
    report.require(plan.size == Size::Ci || p99 < GOOD_WITHIN_MS, || {
        format!("99 of 100 good ones were answered within {p99} ms")
    });
    Ok(report)
}
