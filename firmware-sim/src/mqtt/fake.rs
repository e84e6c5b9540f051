//! A fake server for tests: reads CONNECT, SUBSCRIBE, PUBLISH and PING, remembers, acknowledges.
//! Must not: be a broker.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::codec::length;

/// How it behaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manners {
    /// CONNACK code.
    pub(crate) code: u8,
    /// So many connections get that code, the others are taken; all of them if absent.
    pub(crate) refusals: Option<usize>,
    /// MQTT 5 Receive Maximum to announce.
    pub(crate) receive_maximum: Option<u16>,
    /// Each connection is cut after this many publishes, the last of them stored but not acknowledged.
    pub(crate) cut_after: Option<usize>,
    /// Acknowledge each read's publishes in reverse order.
    pub(crate) backwards: bool,
    /// Sent on the receipt topic after each publish.
    pub(crate) receipt: Option<Vec<u8>>,
    /// MQTT 5 reason for every PUBACK.
    pub(crate) reason: u8,
}

/// What it saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connects: Vec<Vec<u8>>,
    pub(crate) filters: Vec<u8>,
    /// Topic and payload of every publish.
    pub(crate) publishes: Vec<(String, Vec<u8>)>,
    pub(crate) most_in_one_read: usize,
    pub(crate) disconnects: usize,
}

pub(crate) struct Fake {
    pub(crate) addr: SocketAddr,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

impl Fake {
    pub(crate) async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, manners.clone(), shared.clone()));
            }
        });
        Self { addr, seen }
    }

    /// Every record of every publish, arrays flattened; garbage left out.
    pub(crate) fn records(&self) -> Vec<(String, serde_json::Value)> {
        let seen = self.seen.lock().unwrap();
        let mut records = Vec::new();
        for (topic, payload) in &seen.publishes {
            match serde_json::from_slice(payload) {
                Ok(serde_json::Value::Array(items)) => {
                    records.extend(items.into_iter().map(|i| (topic.clone(), i)));
                }
                Ok(item) => records.push((topic.clone(), item)),
                Err(_) => {}
            }
        }
        records
    }
}

async fn serve(mut stream: TcpStream, manners: Manners, seen: Arc<Mutex<Seen>>) {
    let (mut input, mut publishes, mut v5) = (Vec::new(), 0, false);
    loop {
        let mut chunk = vec![0; 64 * 1024];
        let Ok(read) = stream.read(&mut chunk).await else {
            return;
        };
        if read == 0 {
            return;
        }
        input.extend_from_slice(&chunk[..read]);
        let (mut replies, mut cut, before) = (Vec::new(), false, publishes);
        while let Some((kind, body, used)) = split(&input) {
            let mut seen = seen.lock().unwrap();
            match kind >> 4 {
                1 => {
                    v5 = body[6] == 5;
                    seen.connects.push(body);
                    let refused = manners.refusals.is_none_or(|most| seen.connects.len() <= most);
                    let code = if refused { manners.code } else { 0 };
                    replies.push(connack(&manners, code, v5));
                }
                8 => {
                    seen.filters = body.clone();
                    let codes: &[u8] = if v5 {
                        &[0x90, 5, body[0], body[1], 0, 1, 1]
                    } else {
                        &[0x90, 4, body[0], body[1], 1, 1]
                    };
                    replies.push(codes.to_vec());
                }
                3 => {
                    let topic_end = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
                    let payload = body[topic_end + 2 + usize::from(v5)..].to_vec();
                    let topic = String::from_utf8(body[2..topic_end].to_vec()).unwrap();
                    seen.publishes.push((topic.clone(), payload));
                    publishes += 1;
                    if manners.cut_after == Some(publishes) {
                        cut = true;
                        input.clear();
                        break;
                    }
                    replies.push(puback(&manners, v5, [body[topic_end], body[topic_end + 1]]));
                    if let Some(receipt) = &manners.receipt {
                        replies.push(down(&topic, receipt, v5));
                    }
                }
                12 => replies.push(vec![0xd0, 0]),
                14 => seen.disconnects += 1,
                _ => {}
            }
            drop(seen);
            input.drain(..used);
        }
        note_burst(&seen, publishes - before);
        if manners.backwards {
            replies.reverse();
        }
        if stream.write_all(&replies.concat()).await.is_err() || cut {
            return;
        }
    }
}

fn note_burst(seen: &Mutex<Seen>, publishes: usize) {
    let mut seen = seen.lock().unwrap();
    seen.most_in_one_read = seen.most_in_one_read.max(publishes);
}

fn connack(manners: &Manners, code: u8, v5: bool) -> Vec<u8> {
    match (v5, manners.receive_maximum) {
        (false, _) => vec![0x20, 2, 0, code],
        (true, None) => vec![0x20, 3, 0, code, 0],
        (true, Some(max)) => [&[0x20, 6, 0, code, 3, 0x21], &max.to_be_bytes()[..]].concat(),
    }
}

fn puback(manners: &Manners, v5: bool, id: [u8; 2]) -> Vec<u8> {
    if v5 && manners.reason != 0 {
        vec![0x40, 3, id[0], id[1], manners.reason]
    } else {
        vec![0x40, 2, id[0], id[1]]
    }
}

fn down(up: &str, payload: &[u8], v5: bool) -> Vec<u8> {
    let topic = format!("{}/receipt", up.rsplit_once('/').unwrap().0);
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend_from_slice(topic.as_bytes());
    body.extend_from_slice(if v5 { b"\0" } else { b"" });
    body.extend_from_slice(payload);
    assert!(body.len() < 16_384);
    [
        &[0x30, (body.len() % 128) as u8 | 0x80, (body.len() / 128) as u8],
        &body[..],
    ]
    .concat()
}

fn split(input: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let (length, used) = length(input.get(1..)?).ok()??;
    let body = input.get(1 + used..1 + used + length)?.to_vec();
    Some((input[0], body, 1 + used + length))
}
