//! One connection: log in, subscribe to the two down-topics, publish with a window, take acknowledgements.
//! Must not: reconnect by itself.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::codec::{self, Incoming, Version, parse};
use super::{MqttError, Next, Traffic};
use crate::reading::Topic;

/// Encoded bytes waiting for the socket before the source is asked for more.
const OUT_BYTES: usize = 128 * 1024;
/// A login that takes longer has failed.
const LOGIN: Duration = Duration::from_secs(10);

/// How to log in and how to behave.
#[derive(Clone)]
pub struct Options {
    /// Server address.
    pub addr: SocketAddr,
    /// Device id: client id and user name.
    pub device: String,
    /// Device key: the password.
    pub key: String,
    /// Protocol version.
    pub version: Version,
    /// Unacknowledged publishes, 1..=1024; an MQTT 5 server may lower it.
    pub window: u16,
    /// Keep alive, seconds.
    pub keep_alive_s: u16,
    /// Whether to subscribe to receipts and commands.
    pub subscribe: bool,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            addr,
            device,
            version,
            window,
            ..
        } = self;
        write!(
            f,
            "Options({device} at {addr}, {version:?}, window {window}, key hidden)"
        )
    }
}

impl Options {
    /// The usual bin: 3.1.1, 64 in flight, listening for receipts.
    pub fn new(addr: SocketAddr, device: &str, key: &str) -> Self {
        let (device, key) = (device.to_owned(), key.to_owned());
        Self {
            addr,
            device,
            key,
            version: Version::V311,
            window: 64,
            keep_alive_s: 60,
            subscribe: true,
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Link {
    stream: TcpStream,
    device: String,
    version: Version,
    window: u16,
    keep_alive: Duration,
    topics: [String; 3],
    input: BytesMut,
}

/// Publishes under way, by packet id; ids are reused as soon as they are acknowledged.
struct InFlight<T> {
    slots: Vec<Option<(T, Instant)>>,
    free: Vec<u16>,
    window: u16,
}

impl<T> InFlight<T> {
    fn new(window: u16) -> Self {
        let slots = std::iter::repeat_with(|| None)
            .take(usize::from(window) + 1)
            .collect();
        Self {
            slots,
            free: (1..=window).rev().collect(),
            window,
        }
    }

    fn full(&self) -> bool {
        self.free.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.free.len() == usize::from(self.window)
    }

    fn begin(&mut self, token: T, now: Instant) -> u16 {
        let id = self.free.pop().unwrap_or(0);
        if let Some(slot) = self.slots.get_mut(usize::from(id)) {
            *slot = Some((token, now));
        }
        id
    }

    fn end(&mut self, id: u16) -> Option<(T, Instant)> {
        let entry = self.slots.get_mut(usize::from(id))?.take()?;
        self.free.push(id);
        Some(entry)
    }

    fn drain(self) -> impl Iterator<Item = T> {
        self.slots.into_iter().flatten().map(|(token, _)| token)
    }
}

impl Link {
    /// Connects, logs in and, if asked, subscribes.
    pub async fn connect(options: &Options) -> Result<Self, MqttError> {
        let slow = |_| std::io::Error::new(std::io::ErrorKind::TimedOut, "login took over 10 s");
        timeout(LOGIN, Self::log_in(options)).await.map_err(slow)?
    }

    async fn log_in(options: &Options) -> Result<Self, MqttError> {
        let stream = TcpStream::connect(options.addr).await?;
        stream.set_nodelay(true)?;
        let mut link = Self {
            stream,
            device: options.device.clone(),
            version: options.version,
            window: options.window.clamp(1, 1_024),
            keep_alive: Duration::from_secs(u64::from(options.keep_alive_s.max(2))),
            topics: Topic::ALL.map(|topic| topic.of(&options.device)),
            input: BytesMut::with_capacity(64 * 1024),
        };
        let mut out = Vec::new();
        codec::connect(
            &mut out,
            options.version,
            &options.device,
            &options.key,
            options.keep_alive_s,
        );
        link.stream.write_all(&out).await?;
        link.expect_connack().await?;
        if options.subscribe {
            link.subscribe().await?;
        }
        Ok(link)
    }

    async fn expect_connack(&mut self) -> Result<(), MqttError> {
        loop {
            if let Some((packet, used)) = parse(self.version, &self.input)? {
                let Incoming::ConnAck {
                    code,
                    receive_maximum,
                } = packet
                else {
                    return Err(codec::ProtocolError::Unexpected(0).into());
                };
                let client = self.device.clone();
                match code {
                    0 => {}
                    // Server unavailable and, in version 5, server busy: it says nothing of the login.
                    3 | 0x88 | 0x89 => return Err(MqttError::Unavailable { client, code }),
                    _ => return Err(MqttError::Refused { client, code }),
                }
                self.window = self.window.min(receive_maximum.max(1));
                self.input.advance(used);
                return Ok(());
            }
            self.fill().await?;
        }
    }

    /// Sends SUBSCRIBE; the SUBACK is taken with everything else, messages may come before it.
    async fn subscribe(&mut self) -> Result<(), MqttError> {
        let filters = ["receipt", "command"].map(|down| format!("hemu/v1/{}/{down}", self.device));
        let mut out = Vec::new();
        codec::subscribe(&mut out, self.version, 0xffff, &filters);
        Ok(self.stream.write_all(&out).await?)
    }

    async fn fill(&mut self) -> Result<(), MqttError> {
        if self.stream.read_buf(&mut self.input).await? == 0 {
            return Err(closed());
        }
        Ok(())
    }

    /// Publishes until the source is done and everything is acknowledged (`true`) or it hangs up
    /// (`false`). On failure or hang-up every unacknowledged token goes back through [`Traffic::dropped`].
    pub async fn drive<T: Traffic>(&mut self, traffic: &mut T) -> Result<bool, MqttError> {
        let mut flight = InFlight::new(self.window);
        let ended = self.pump(traffic, &mut flight).await;
        flight.drain().for_each(|token| traffic.dropped(token));
        ended
    }

    async fn pump<T: Traffic>(
        &mut self,
        traffic: &mut T,
        flight: &mut InFlight<T::Token>,
    ) -> Result<bool, MqttError> {
        let (mut out, mut sent, mut scratch) = (Vec::with_capacity(2 * OUT_BYTES), 0, Vec::new());
        let (mut waiting, mut done) = (false, false);
        let mut heard = Instant::now();
        let mut ping = tokio::time::interval(self.keep_alive / 2);
        loop {
            let now = Instant::now();
            while !done && !waiting && !flight.full() && out.len() - sent < OUT_BYTES {
                scratch.clear();
                match traffic.next(&mut scratch) {
                    Next::Publish(topic, token) => {
                        let id = flight.begin(token, now);
                        let topic = self
                            .topics
                            .get(topic.index())
                            .map(String::as_bytes)
                            .unwrap_or_default();
                        codec::publish(&mut out, self.version, topic, id, &scratch);
                    }
                    Next::Wait => waiting = true,
                    Next::Hangup => return Ok(false),
                    Next::Done => done = true,
                }
            }
            if done && flight.is_empty() && out.len() == sent {
                self.stream.write_all(&codec::DISCONNECT).await?;
                return Ok(true);
            }
            if sent == out.len() {
                sent = 0;
                out.clear();
            }
            let (mut reader, mut writer) = self.stream.split();
            tokio::select! {
                read = reader.read_buf(&mut self.input) => {
                    if read? == 0 {
                        return Err(closed());
                    }
                    heard = Instant::now();
                    waiting = false;
                    self.take_all(traffic, flight, &mut out, heard)?;
                }
                written = writer.write(out.get(sent..).unwrap_or_default()), if sent < out.len() => sent += written?,
                () = traffic.ready(), if waiting => waiting = false,
                _ = ping.tick() => {
                    let quiet = heard.elapsed();
                    if quiet > self.keep_alive * 2 {
                        return Err(MqttError::Silent { client: self.device.clone(), seconds: quiet.as_secs() });
                    }
                    out.extend_from_slice(&codec::PING);
                }
            }
        }
    }

    fn take_all<T: Traffic>(
        &mut self,
        traffic: &mut T,
        flight: &mut InFlight<T::Token>,
        out: &mut Vec<u8>,
        now: Instant,
    ) -> Result<(), MqttError> {
        let mut taken = 0;
        while let Some((packet, used)) = parse(self.version, self.input.get(taken..).unwrap_or_default())? {
            match packet {
                Incoming::PubAck { id, reason } => {
                    if let Some((token, since)) = flight.end(id) {
                        traffic.acked(token, reason, now - since);
                    }
                }
                Incoming::Publish { topic, payload, id } => {
                    traffic.message(topic, payload);
                    if let Some(id) = id {
                        codec::puback(out, id);
                    }
                }
                Incoming::Disconnect(reason) => {
                    return Err(MqttError::Disconnected {
                        client: self.device.clone(),
                        reason,
                    });
                }
                Incoming::SubAck(codes) if codes.iter().any(|code| *code >= 0x80) => {
                    let code = codes.iter().copied().max().unwrap_or(0x80);
                    return Err(MqttError::Refused {
                        client: self.device.clone(),
                        code,
                    });
                }
                Incoming::SubAck(_) | Incoming::PingResp | Incoming::ConnAck { .. } => {}
            }
            taken += used;
        }
        self.input.advance(taken);
        Ok(())
    }
}

fn closed() -> MqttError {
    std::io::Error::new(
        std::io::ErrorKind::UnexpectedEof,
        "the server closed the connection",
    )
    .into()
}
