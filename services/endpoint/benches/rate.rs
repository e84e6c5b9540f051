//! How many `QoS` 1 publishes a second the endpoint takes from four connections with a full window, and how much
//! processor time each costs it, with a backend that stores everything at once.
//!
//! `cargo bench -p hemu-endpoint`. The clients run on threads of their own and are not counted.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hemu_endpoint::{
    Backend, Chunk, Config, DeviceId, Endpoint, Limits, LoginError, Metrics, PendingCommand, Presence,
};
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

const CONNECTIONS: usize = 4;
const WINDOW: usize = 1024;
const PAYLOAD: usize = 200;
const ROUNDS: usize = 1500;
const SERVER_THREAD: &str = "hemu-server";

struct AtOnce;

impl Backend for AtOnce {
    async fn login(&self, _: &DeviceId, _: &[u8]) -> Result<(), LoginError> {
        Ok(())
    }
    async fn uplink(&self, _: &DeviceId, chunk: Chunk) {
        chunk.ticket.stored();
    }
    async fn presence(&self, _: &DeviceId, _: Presence) {}
    async fn commands(&self, _: &DeviceId) -> Vec<PendingCommand> {
        Vec::new()
    }
    async fn command_acknowledged(&self, _: &DeviceId, _: u64) {}
}

fn main() {
    for five in [false, true] {
        run(five);
    }
}

fn run(five: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name(SERVER_THREAD)
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.unwrap();
    let (endpoint, metrics) = {
        let _inside = runtime.enter();
        let metrics = Metrics::new(&Registry::new()).unwrap();
        let config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            tls: None,
            limits: Limits::default(),
        };
        (
            Endpoint::bind(config, Arc::new(AtOnce), metrics.clone()).unwrap(),
            metrics,
        )
    };
    let address = endpoint.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let task = runtime.spawn(endpoint.run(shutdown.clone()));
    let (begin, used) = (Instant::now(), server_seconds());
    std::thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            scope.spawn(move || client(address, five, number));
        }
    });
    let (wall, cpu) = (begin.elapsed().as_secs_f64(), server_seconds() - used);
    let messages = CONNECTIONS * WINDOW * ROUNDS;
    assert_eq!(usize::try_from(metrics.publishes.get()), Ok(messages));
    let messages = messages as f64;
    let version = if five { "5" } else { "3.1.1" };
    println!(
        "MQTT {version}: {:.2} M/s, {:.2} us of server CPU a message",
        messages / wall / 1e6,
        cpu * 1e6 / messages
    );
    shutdown.cancel();
    runtime.block_on(task).unwrap();
}

/// Keeps the window full by halves: sends the next half when the acknowledgements of the last but one are there.
fn client(address: SocketAddr, five: bool, number: usize) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let name = format!("bench-{number}");
    stream.write_all(&connect(&name, five)).unwrap();
    let mut connack = [0; 2];
    stream.read_exact(&mut connack).unwrap();
    stream.read_exact(&mut vec![0; usize::from(connack[1])]).unwrap();
    let half = WINDOW / 2;
    let bursts: Vec<Vec<u8>> = (0..2)
        .map(|side| {
            (0..half)
                .flat_map(|at| publish(&name, five, side * half + at + 1))
                .collect()
        })
        .collect();
    let mut acknowledgements = vec![0; half * 4];
    stream.write_all(&bursts[0]).unwrap();
    for burst in 1..2 * ROUNDS {
        stream.write_all(&bursts[burst % 2]).unwrap();
        stream.read_exact(&mut acknowledgements).unwrap();
    }
    stream.read_exact(&mut acknowledgements).unwrap();
    assert_eq!(
        &acknowledgements[half * 4 - 4..],
        [0x40, 2, 4, 0],
        "identifier 1,024 is the last"
    );
}

fn connect(name: &str, five: bool) -> Vec<u8> {
    let field = |text: &str| [&[0, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let properties: &[u8] = if five { &[0] } else { &[] };
    let head = [
        &field("MQTT")[..],
        &[if five { 5 } else { 4 }, 0xc2, 0, 60],
        properties,
    ]
    .concat();
    let body = [head, field(name), field(name), field("key")].concat();
    [vec![0x10, u8::try_from(body.len()).unwrap()], body].concat()
}

fn publish(name: &str, five: bool, id: usize) -> Vec<u8> {
    let topic = format!("hemu/v1/{name}/deposit");
    let id = u16::try_from(id).unwrap().to_be_bytes();
    let mut body = [&[0, u8::try_from(topic.len()).unwrap()], topic.as_bytes(), &id].concat();
    body.extend_from_slice(if five { &[0] } else { &[] });
    body.extend(std::iter::repeat_n(b'x', PAYLOAD));
    [
        vec![
            0x32,
            u8::try_from(body.len() & 0x7f | 0x80).unwrap(),
            u8::try_from(body.len() >> 7).unwrap(),
        ],
        body,
    ]
    .concat()
}

/// Processor time of the server's threads, in seconds.
fn server_seconds() -> f64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return 0.0;
    };
    let nanoseconds: u64 = threads
        .filter_map(|thread| server_nanoseconds(&thread.ok()?.path()))
        .sum();
    nanoseconds as f64 / 1e9
}

fn server_nanoseconds(thread: &Path) -> Option<u64> {
    let name = std::fs::read_to_string(thread.join("comm")).ok()?;
    let stat = std::fs::read_to_string(thread.join("schedstat")).ok()?;
    if name.trim() == SERVER_THREAD {
        stat.split(' ').next()?.parse().ok()
    } else {
        None
    }
}
