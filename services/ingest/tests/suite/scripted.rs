//! A broker that does what a test tells it to, packet by packet, in MQTT 3.1.1.
#![expect(clippy::expect_used, clippy::panic, reason = "a test's helper fails loudly")]

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Nothing here takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Scripted {
    listener: TcpListener,
}

/// One connection to it.
pub(crate) struct Line(TcpStream);

/// A packet of the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Whether it wants a new session.
    Connect {
        clean: bool,
    },
    Subscribe {
        id: u16,
        filters: Vec<(String, u8)>,
    },
    Acknowledged(u16),
    Published {
        topic: String,
        payload: Vec<u8>,
    },
    Goodbye,
    Ping,
}

impl Scripted {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener }
    }

    pub(crate) fn url(&self) -> String {
        format!("mqtt://{}", self.listener.local_addr().unwrap())
    }

    /// The next connection, let in.
    pub(crate) async fn welcome(&self, session_present: bool) -> Line {
        let (socket, _) = within(self.listener.accept()).await.unwrap();
        let mut line = Line(socket);
        assert_eq!(line.hear().await, Said::Connect { clean: false });
        line.say(&[0x20, 2, u8::from(session_present), 0]).await;
        line
    }

    /// The next connection, let in and given both subscriptions it asks for; the first one's filters.
    pub(crate) async fn grant(&self, session_present: bool) -> (Line, Vec<(String, u8)>) {
        let mut line = self.welcome(session_present).await;
        let filters = line.answer(&[1, 1, 1]).await;
        line.answer(&[0]).await;
        (line, filters)
    }
}

impl Line {
    /// Answers the next packet, a subscription; what it asked for.
    pub(crate) async fn answer(&mut self, codes: &[u8]) -> Vec<(String, u8)> {
        let Said::Subscribe { id, filters } = self.hear().await else {
            panic!("expected a subscription")
        };
        let length = u8::try_from(2 + codes.len()).unwrap();
        let mut packet = vec![0x90, length];
        packet.extend(id.to_be_bytes());
        packet.extend(codes);
        self.say(&packet).await;
        filters
    }

    pub(crate) async fn deliver(&mut self, id: u16, topic: &str, payload: &str) {
        self.deliver_as(0, id, topic, payload).await;
    }

    /// The same of a message of `QoS` 0 that the broker kept.
    pub(crate) async fn deliver_retained(&mut self, topic: &str, payload: &str) {
        self.deliver_as(1, 0, topic, payload).await;
    }

    async fn deliver_as(&mut self, retain: u8, id: u16, topic: &str, payload: &str) {
        let mut body = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
        body.extend(topic.as_bytes());
        if id > 0 {
            body.extend(id.to_be_bytes());
        }
        body.extend(payload.as_bytes());
        let (low, high) = (
            u8::try_from(body.len() % 128).unwrap(),
            u8::try_from(body.len() / 128).unwrap(),
        );
        let kind = retain | if id > 0 { 0x32 } else { 0x30 };
        let mut packet = if high > 0 {
            vec![kind, low | 0x80, high]
        } else {
            vec![kind, low]
        };
        packet.extend(body);
        self.say(&packet).await;
    }

    pub(crate) async fn say(&mut self, packet: &[u8]) {
        self.0.write_all(packet).await.unwrap();
    }

    /// The next packet that is no ping.
    pub(crate) async fn hear(&mut self) -> Said {
        loop {
            let said = within(self.packet()).await.expect("a packet, not the end");
            if said != Said::Ping {
                return said;
            }
        }
    }

    /// Whether nothing has come that was not heard.
    pub(crate) fn is_silent(&self) -> bool {
        let would_block = |error: std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
        self.0.try_read(&mut [0; 1]).is_err_and(would_block)
    }

    /// Waits until the client has hung up.
    pub(crate) async fn hung_up(&mut self) {
        while within(self.packet()).await.is_some() {}
    }

    async fn packet(&mut self) -> Option<Said> {
        let kind = self.0.read_u8().await.ok()?;
        let mut length = 0;
        for shift in [0, 7, 14] {
            let byte = self.0.read_u8().await.ok()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.ok()?;
        let number = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
        Some(match kind >> 4 {
            1 => Said::Connect {
                clean: body[7] & 2 > 0,
            },
            3 => {
                let end = 2 + usize::from(number(0));
                Said::Published {
                    topic: String::from_utf8(body[2..end].to_vec()).unwrap(),
                    payload: body[end..].to_vec(),
                }
            }
            4 => Said::Acknowledged(number(0)),
            8 => Said::Subscribe {
                id: number(0),
                filters: filters(&body[2..]),
            },
            12 => Said::Ping,
            14 => Said::Goodbye,
            other => panic!("packet of kind {other}"),
        })
    }
}

fn filters(mut rest: &[u8]) -> Vec<(String, u8)> {
    let mut filters = Vec::new();
    while let [high, low, text @ ..] = rest {
        let (filter, more) = text.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        filters.push((String::from_utf8(filter.to_vec()).unwrap(), more[0]));
        rest = &more[1..];
    }
    filters
}

pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("in time")
}

/// Waits until something is so.
pub(crate) async fn until(mut so: impl FnMut() -> bool) {
    within(async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
