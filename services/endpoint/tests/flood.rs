//! A flood of wrong packets and half-open connections over real sockets: afterwards a good device is served as if
//! nothing had been, and no memory stayed behind. A program of its own, for it looks at the size of its process.
//!
//! `HEMU_TEST_FLOOD` sets the number of packets (20,000 without it).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests may fail loudly, helpers of tests as well"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hemu_endpoint::codec::Version::{self, V5, V311};
use hemu_endpoint::{
    Backend, Chunk, Config, DeviceId, Endpoint, Limits, LoginError, Metrics, PendingCommand, Presence,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

#[expect(dead_code, reason = "the other test program needs the rest")]
#[path = "endpoint/packets.rs"]
mod packets;

use packets::{KEY, connect, connect_head, field, frame, properties, puback, publish, subscribe};

/// Half-open connections kept while the flood runs.
const HALF_OPEN: usize = 300;
/// Bad clients at the same time.
const FLOODERS: u64 = 8;
const RSS_MAY_GROW: usize = 64 * 1024 * 1024;

/// Stores everything at once.
struct Willing;

impl Backend for Willing {
    async fn login(&self, _: &DeviceId, key: &[u8]) -> Result<(), LoginError> {
        if key == KEY {
            Ok(())
        } else {
            Err(LoginError::Refused)
        }
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

/// Marsaglia's xorshift, so that every run sends the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..=self.below(most))
            .map(|_| u8::try_from(self.below(256)).unwrap_or(0))
            .collect()
    }
}

/// What one bad client says, and how many packets that is.
fn tirade(dice: &mut Dice) -> (Vec<u8>, usize) {
    let version = if dice.below(2) == 0 { V311 } else { V5 };
    // Few names, so that clients of the flood also take over from each other.
    let login = connect(version, &format!("flood-{}", dice.below(50)), KEY);
    let with_login = |packets: Vec<Vec<u8>>| ([login.clone(), packets.concat()].concat(), packets.len() + 1);
    let topic = |topic: &[u8]| {
        frame(
            0x32,
            &[field(topic), vec![0, 1], properties(version, &[]), vec![b'x'; 9]].concat(),
        )
    };
    match dice.below(12) {
        0 => with_login(vec![topic("é/桶".as_bytes()); 20]),
        1 => with_login(vec![topic(b"hemu/\0/deposit"); 5]),
        2 => with_login(vec![
            topic(b"hemu/v1/flood-1/deposit"),
            topic(b""),
            topic(b"+/#"),
            topic(b"\xed\xa0\x80"),
        ]),
        3 => with_login(vec![
            publish(version, "hemu/v1/flood-1/deposit", Some(0), b"{}");
            3
        ]),
        4 => with_login((0..20).map(|_| dice.bytes(60)).collect()),
        5 => with_login(vec![vec![0x30, 0xff, 0xff, 0xff, 0x7f]]),
        6 => with_login((0..10).map(|packet| many_filters(version, packet)).collect()),
        7 => (login[..dice.below(login.len())].to_vec(), 1),
        8 => ((0..5).flat_map(|_| dice.bytes(80)).collect(), 5),
        // Topic Alias Maximum 0: legal, and yet it has been deadly elsewhere.
        9 => (b"\x10\x12\0\x04MQTT\x05\x02\0\0\x03\x22\0\0\0\x02d1".repeat(3), 3),
        10 => (connect(version, "a+b/#$", KEY).repeat(2), 2),
        _ => {
            let no_password = frame(
                0x10,
                &[connect_head(version, 2, 0, &[]), field("flood-1")].concat(),
            );
            (no_password.repeat(4), 4)
        }
    }
}

fn many_filters(version: Version, packet: usize) -> Vec<u8> {
    let filters: Vec<String> = (0..32)
        .map(|filter| format!("unique/{packet}/{filter}"))
        .collect();
    let filters: Vec<(&str, u8)> = filters.iter().map(|filter| (filter.as_str(), 0)).collect();
    subscribe(version, 1, &filters)
}

/// Dials from one of many loopback addresses: one alone runs out of ports.
async fn dial(address: SocketAddr, from: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::new(127, 0, 1, from), 0).into()).unwrap();
    socket.connect(address).await.unwrap()
}

/// Sends so many bad packets; tells how many, and the most bytes that it saw the endpoint hold.
async fn flood(address: SocketAddr, mut dice: Dice, packets: usize, metrics: Metrics) -> (usize, i64) {
    let (mut sent, mut most_held) = (0, 0);
    while sent < packets {
        let (bytes, number) = tirade(&mut dice);
        let mut stream = dial(address, u8::try_from(2 + dice.below(200)).unwrap()).await;
        // The endpoint may well hang up in the middle of it.
        let _ = stream.write_all(&bytes).await;
        most_held = most_held.max(metrics.held_bytes.get());
        if dice.below(4) > 0 {
            let _ = stream.shutdown().await;
            let mut answer = Vec::new();
            let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer))
                .await
                .expect("hung up in time");
        }
        sent += number;
    }
    (sent, most_held)
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok())
        .unwrap_or(0)
        * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_device_is_served_after_a_flood_and_no_memory_stays() {
    // The script's size is a figure that somebody asked for; a small one on a busy machine measures the machine.
    let (packets, within) = std::env::var("HEMU_TEST_FLOOD")
        .map_or((20_000, Duration::from_secs(20)), |number| {
            (number.parse().expect("a number"), Duration::from_secs(1))
        });
    let limits = Limits {
        connect_timeout: Duration::from_mins(10),
        ..Limits::default()
    };
    let metrics = Metrics::new(&prometheus::Registry::new()).unwrap();
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        tls: None,
        limits,
    };
    let endpoint = Endpoint::bind(config, Arc::new(Willing), metrics.clone()).unwrap();
    let address = endpoint.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(endpoint.run(shutdown.clone()));

    let mut half_open = Vec::new();
    for number in 0..HALF_OPEN {
        let mut stream = dial(address, 1).await;
        stream
            .write_all(&connect(V5, "half", KEY)[..number % 20])
            .await
            .unwrap();
        half_open.push(stream);
    }
    let before = resident_bytes();
    let flooders: Vec<_> = (1..=FLOODERS)
        .map(|number| {
            tokio::spawn(flood(
                address,
                Dice(number.wrapping_mul(0x2545_f491_4f6c_dd1d)),
                packets / 8,
                metrics.clone(),
            ))
        })
        .collect();
    let (mut sent, mut most_held) = (0, 0);
    for flooder in flooders {
        let (packets, held) = flooder.await.unwrap();
        (sent, most_held) = (sent + packets, most_held.max(held));
    }
    let grown = resident_bytes().saturating_sub(before);

    let (mut good, mut waited) = (dial(address, 1).await, Duration::ZERO);
    for version in [V311, V5] {
        let asked = Instant::now();
        let login = connect(version, "good", KEY);
        good = dial(address, 1).await;
        good.write_all(&[login, publish(version, "hemu/v1/good/deposit", Some(9), b"{}")].concat())
            .await
            .unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(&puback(9)) {
            let left = within.saturating_sub(asked.elapsed());
            let read = timeout(left, good.read_buf(&mut answer))
                .await
                .unwrap_or_else(|_| panic!("expected an answer within {within:?}"))
                .unwrap();
            assert!(read > 0, "a good device was hung up on after {answer:x?}");
        }
        waited = waited.max(asked.elapsed());
    }
    println!(
        "{sent} packets, {} connections, {grown} bytes grown, {most_held} held, a good device answered after {waited:?}",
        metrics.accepted.get()
    );
    assert!(metrics.accepted.get() > 300 && metrics.turned_away.get() == 0);
    assert!(most_held < 8 * 1024 * 1024, "{most_held} bytes were held at once");
    assert!(grown < RSS_MAY_GROW, "the process grew by {grown} bytes");
    drop((half_open, good));
    shutdown.cancel();
    task.await.unwrap();
    assert_eq!(
        (
            metrics.connections.get(),
            metrics.sessions.get(),
            metrics.held_bytes.get()
        ),
        (0, 0, 0)
    );
}
