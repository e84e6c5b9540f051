//! A TCP proxy between devices and server: the network's faults, an attacker, and the sabotages that make a server look
//! worse than it is. Must not: touch the server or a device but through the bytes between them.

mod packets;
mod tamper;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use firmware_sim::device::key_digest;
use firmware_sim::draw::Dice;
use firmware_sim::keys::Key;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::sabotage::Sabotage;
use packets::Buffer;
use tamper::{Known, Session, Step};

/// Shares of packets to which something happens.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Chaos {
    /// A publish is sent half and the connection cut.
    pub cut: f64,
    /// A publish never arrives, and the connection is cut a moment later.
    pub lose: f64,
    /// A publish arrives twice.
    pub duplicate: f64,
    /// The way waits some 20 ms.
    pub delay: f64,
    /// A receipt never arrives.
    pub lose_receipt: f64,
    /// A receipt that somebody without the key wrote arrives.
    pub forge: f64,
}

impl Chaos {
    /// A bad network with an attacker in it.
    pub const BAD: Self = Self {
        cut: 0.004,
        lose: 0.01,
        duplicate: 0.02,
        delay: 0.01,
        lose_receipt: 0.1,
        forge: 0.02,
    };
}

/// What the proxy did.
#[derive(Debug, Default)]
pub struct Deeds {
    cuts: AtomicU64,
    lost: AtomicU64,
    duplicated: AtomicU64,
    delayed: AtomicU64,
    receipts_lost: AtomicU64,
    forged: AtomicU64,
    sabotaged: AtomicU64,
}

impl Deeds {
    /// Each deed with its count.
    pub fn figures(&self) -> [(&'static str, u64); 7] {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("connections_cut", now(&self.cuts)),
            ("publishes_lost", now(&self.lost)),
            ("publishes_duplicated", now(&self.duplicated)),
            ("delays", now(&self.delayed)),
            ("receipts_lost", now(&self.receipts_lost)),
            ("receipts_forged", now(&self.forged)),
            ("sabotaged", now(&self.sabotaged)),
        ]
    }
}

/// What every connection shares.
#[derive(Debug)]
struct Shared {
    chaos: Chaos,
    sabotage: Option<Sabotage>,
    keys: HashMap<String, [u8; 32]>,
    /// What was seen of each device, over all its connections.
    known: Mutex<HashMap<String, Known>>,
    deeds: Arc<Deeds>,
}

/// A running proxy, ended when dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where devices connect.
    pub addr: SocketAddr,
    /// What it did so far.
    pub deeds: Arc<Deeds>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port, in front of servers that take turns, a connection each.
    pub async fn start(
        upstream: Vec<SocketAddr>,
        keys: &[Key],
        chaos: Chaos,
        sabotage: Option<Sabotage>,
        seed: u64,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (addr, deeds) = (listener.local_addr()?, Arc::new(Deeds::default()));
        let keys = keys
            .iter()
            .map(|key| (key.device.clone(), key_digest(&key.key)))
            .collect();
        let known = Mutex::default();
        let shared = Arc::new(Shared {
            chaos,
            sabotage,
            keys,
            known,
            deeds: deeds.clone(),
        });
        let task = tokio::spawn(async move {
            for (number, server) in (0..).zip(upstream.into_iter().cycle()) {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let session = Session::new(shared.clone(), Dice::new(seed, "proxy", number));
                // Whichever side ends, the other ends with it: that is all there is to say of an error.
                tokio::spawn(async move { drop(relay(stream, server, session).await) });
            }
        });
        Ok(Self { addr, deeds, task })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries one connection, packet by packet, until either side ends or it is to be cut.
async fn relay(mut device: TcpStream, server: SocketAddr, mut session: Session) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    device.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut up, mut down) = (Buffer::default(), Buffer::default());
    let mut cut_at: Option<Instant> = None;
    loop {
        let (mut to_server, mut to_device, mut step) = (Vec::new(), Vec::new(), Step::Go);
        tokio::select! {
            read = device.read_buf(&mut up.0) => {
                if read? == 0 {
                    return Ok(());
                }
                while let Some(packet) = up.packet()? {
                    step = step.max(session.up(&packet, &mut to_server, &mut to_device));
                    if step == Step::CutNow {
                        break;
                    }
                }
            }
            read = server.read_buf(&mut down.0) => {
                if read? == 0 {
                    return Ok(());
                }
                while let Some(packet) = down.packet()? {
                    session.down(&packet, &mut to_device);
                }
            }
            () = until(cut_at) => return Ok(()),
        }
        if step == Step::Wait {
            tokio::time::sleep(session.pause()).await;
        }
        to_device_and_server(&mut device, &mut server, &to_device, &to_server).await?;
        match step {
            Step::CutNow => return Ok(()),
            Step::CutSoon => cut_at = cut_at.or(Some(Instant::now() + session.pause() * 30)),
            Step::Go | Step::Wait => {}
        }
    }
}

async fn to_device_and_server(
    device: &mut TcpStream,
    server: &mut TcpStream,
    down: &[u8],
    up: &[u8],
) -> std::io::Result<()> {
    // What cannot be written in a while never will be: two full pipes would otherwise wait for each other.
    let write = async {
        device.write_all(down).await?;
        server.write_all(up).await
    };
    tokio::time::timeout(Duration::from_secs(20), write).await?
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
