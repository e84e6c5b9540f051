//! One connection's share of a load: its records, what is under way, what must go out again.
//! Must not: allocate per record on the way out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::{Gauge, Log, Plan};
use crate::draw::mix;
use crate::life::DAY_MS;
use crate::mqtt::{Next, Traffic};
use crate::oracle::{Fate, content, log_line};
use crate::reading::{Body, By, Code, Deposit, Stamp, Stream, Topic, boot_number, encode};
use crate::stats::Latencies;

/// Deposits a household makes a day.
const A_DAY: u64 = 2;
/// Log bytes kept before they are written.
const LOG_BYTES: usize = 32 * 1024;

/// Who drops bags: either tokens somebody registered, or as many invented ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Crowd {
    /// Tokens of real registers.
    Named(Vec<Code>),
    /// This many tokens drawn from the seed.
    Invented(u64),
}

impl Crowd {
    /// How many households.
    pub fn len(&self) -> u64 {
        match self {
            Self::Named(tokens) => tokens.len() as u64,
            Self::Invented(count) => *count,
        }
    }

    /// Nobody at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn token(&self, seed: u64, index: u64) -> Option<Code> {
        match self {
            Self::Named(tokens) => usize::try_from(index).ok().and_then(|i| tokens.get(i)).copied(),
            Self::Invented(_) => Some(Code::new("hx", mix(seed ^ mix(index)), 10)),
        }
    }
}

/// What one device says: every record a function of its number.
#[derive(Debug, Clone)]
pub struct Script {
    seed: u64,
    crowd: Arc<Crowd>,
    /// Its households, from the first to the one after the last.
    households: (u64, u64),
    from: i64,
    /// Which of how many devices: keeps bag numbers apart.
    lane: u64,
    boot: u64,
}

impl Script {
    /// The share of device `lane` of `lanes`.
    pub fn new(seed: u64, crowd: Arc<Crowd>, from: i64, lane: u64, lanes: u64, device: &str) -> Self {
        let edge = |lane: u64| crowd.len() * lane / lanes.max(1);
        let households = (edge(lane), edge(lane + 1).max(edge(lane) + 1));
        Self {
            seed,
            households,
            from,
            lane,
            boot: boot_number(seed, device, 0),
            crowd,
        }
    }

    /// The boot every record carries.
    pub fn boot(&self) -> u64 {
        self.boot
    }

    /// Event time and content of record `seq`.
    pub fn record(&self, seq: u64) -> (i64, Deposit) {
        let mut state = mix(self.seed ^ mix(self.lane << 48 ^ seq));
        let mut draw = |n: u64| {
            state = mix(state);
            ((u128::from(state) * u128::from(n)) >> 64) as u64
        };
        let (first, end) = self.households;
        let household = first + draw(end - first);
        let a_day = (end - first) * A_DAY;
        let at = self.from
            + (u128::from(seq) * u128::from(DAY_MS.unsigned_abs()) / u128::from(a_day.max(1))) as i64;
        let habit = 4_000 + mix(self.seed ^ household) % 5_500;
        let stream = match draw(1_000) {
            0..458 => Stream::Food,
            458..539 => Stream::Recyclable,
            539..541 => Stream::Hazardous,
            _ => Stream::Residual,
        };
        let noise = (draw(1_000) + draw(1_000) + draw(1_000)).cast_signed() - 1_500;
        let quality_bp = (1_200 + habit.cast_signed() * 4 / 5 + noise).clamp(0, 10_000) as u16;
        let named = draw(100) >= 10;
        let deposit = Deposit {
            household: if named {
                self.crowd.token(self.seed, household)
            } else {
                None
            },
            bag: Code::new("b", self.lane << 45 | seq, 11),
            stream,
            weight_g: 100 + (draw(500) + draw(500) + draw(500)) as u32,
            quality_bp,
            confidence_pm: 600 + (draw(200) + draw(201)) as u16,
            by: By::Camera,
        };
        (at, deposit)
    }

    fn encode(&self, out: &mut Vec<u8>, seq: u64) {
        let (at, deposit) = self.record(seq);
        encode(
            out,
            Stamp {
                boot: self.boot,
                seq,
                at,
            },
            &Body::Deposit(deposit),
        );
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Flying,
    Dropped,
    Acked,
}

#[derive(Debug, Clone, Copy)]
struct Packet {
    first: u64,
    count: u16,
    state: State,
}

/// The [`Traffic`] of one connection.
pub(super) struct Lane {
    device: String,
    script: Script,
    batch: u16,
    limit: Option<u64>,
    rate: Option<f64>,
    began: Instant,
    next_seq: u64,
    /// Packets not yet acknowledged, with the ones between them; the first has number `base`.
    packets: VecDeque<Packet>,
    base: u64,
    again: VecDeque<u64>,
    log: Option<Log>,
    lines: Vec<u8>,
    flushed: Instant,
    gauge: Arc<Gauge>,
    pub(super) sent: u64,
    pub(super) acked: u64,
    pub(super) refused: u64,
    pub(super) resent: u64,
    pub(super) messages: u64,
    pub(super) latencies: Latencies,
    pub(super) last_ack: Option<Instant>,
}

impl Lane {
    pub(super) fn new(
        plan: &Plan,
        index: usize,
        log: Option<Log>,
        gauge: Arc<Gauge>,
        now: Instant,
    ) -> Option<Self> {
        let device = plan.devices.get(index)?.device.clone();
        let (lane, lanes) = (index as u64, plan.devices.len() as u64);
        let share = |total: u64| total * (lane + 1) / lanes - total * lane / lanes;
        Some(Self {
            script: Script::new(plan.seed, plan.crowd.clone(), plan.from, lane, lanes, &device),
            device,
            batch: plan.batch.clamp(1, 256),
            limit: plan.records.map(share),
            rate: plan.rate.map(|rate| rate / lanes as f64),
            began: now,
            next_seq: 1,
            packets: VecDeque::new(),
            base: 0,
            again: VecDeque::new(),
            log,
            lines: Vec::new(),
            flushed: now,
            gauge,
            sent: 0,
            acked: 0,
            refused: 0,
            resent: 0,
            messages: 0,
            latencies: Latencies::default(),
            last_ack: None,
        })
    }

    /// How many records the next publish may hold: 0 at the end, `None` if the rate says wait.
    fn room(&self) -> Option<u16> {
        let left = self.limit.map_or(u64::MAX, |limit| limit - self.sent);
        if left == 0 || self.gauge.stop.load(Ordering::Relaxed) {
            return Some(0);
        }
        let ahead = self
            .rate
            .is_some_and(|rate| self.sent as f64 > self.began.elapsed().as_secs_f64() * rate);
        (!ahead).then(|| self.batch.min(u16::try_from(left).unwrap_or(u16::MAX)))
    }

    fn write(&self, payload: &mut Vec<u8>, packet: Packet) {
        if packet.count == 1 {
            return self.script.encode(payload, packet.first);
        }
        for offset in 0..u64::from(packet.count) {
            payload.push(if offset == 0 { b'[' } else { b',' });
            self.script.encode(payload, packet.first + offset);
        }
        payload.push(b']');
    }

    fn packet_mut(&mut self, number: u64) -> Option<&mut Packet> {
        self.packets
            .get_mut(usize::try_from(number.checked_sub(self.base)?).ok()?)
    }

    fn note(&mut self, fate: Fate, packet: Packet) {
        if self.log.is_none() {
            return;
        }
        for seq in packet.first..packet.first + u64::from(packet.count) {
            let (at, deposit) = self.script.record(seq);
            log_line(
                &mut self.lines,
                fate,
                &self.device,
                self.script.boot,
                seq,
                content(at, &deposit),
            );
        }
    }

    /// Writes whole lines to the shared log.
    fn flush(&mut self) {
        if let Some(log) = &self.log
            && let Ok(mut log) = log.lock()
        {
            // A log that cannot be written shows up as records the oracle calls unsent.
            let _ = log.write_all(&self.lines).and_then(|()| log.flush());
        }
        self.lines.clear();
    }

    /// Notes what was sent and never acknowledged.
    pub(super) fn close(&mut self) {
        for packet in self.packets.clone() {
            if packet.state != State::Acked {
                self.note(Fate::Sent, packet);
            }
        }
        self.flush();
    }
}

impl Traffic for Lane {
    type Token = u64;

    fn connected(&mut self) {
        // A connection that was cancelled gave nothing back: whatever is not acknowledged goes out again.
        self.again.clear();
        for (index, packet) in self.packets.iter_mut().enumerate() {
            if packet.state != State::Acked {
                packet.state = State::Dropped;
                self.again.push_back(self.base + index as u64);
            }
        }
    }

    fn next(&mut self, payload: &mut Vec<u8>) -> Next<u64> {
        if let Some(number) = self.again.pop_front()
            && let Some(packet) = self.packet_mut(number)
        {
            packet.state = State::Flying;
            let packet = *packet;
            self.resent += u64::from(packet.count);
            self.write(payload, packet);
            return Next::Publish(Topic::Deposit, number);
        }
        let count = match self.room() {
            None => return Next::Wait,
            Some(0) => return Next::Done,
            Some(count) => count,
        };
        let packet = Packet {
            first: self.next_seq,
            count,
            state: State::Flying,
        };
        self.next_seq += u64::from(count);
        self.sent += u64::from(count);
        self.write(payload, packet);
        self.packets.push_back(packet);
        Next::Publish(Topic::Deposit, self.base + self.packets.len() as u64 - 1)
    }

    fn acked(&mut self, token: u64, reason: u8, waited: Duration) {
        self.latencies.record(waited);
        let Some(packet) = self.packet_mut(token) else {
            return;
        };
        packet.state = State::Acked;
        let packet = *packet;
        self.messages += 1;
        if reason >= 0x80 {
            self.refused += u64::from(packet.count);
        } else {
            self.acked += u64::from(packet.count);
            self.gauge
                .acked
                .fetch_add(u64::from(packet.count), Ordering::Relaxed);
            self.note(Fate::Acked, packet);
        }
        while self
            .packets
            .front()
            .is_some_and(|packet| packet.state == State::Acked)
        {
            self.packets.pop_front();
            self.base += 1;
        }
        let now = Instant::now();
        self.last_ack = Some(now);
        if self.lines.len() > LOG_BYTES || now - self.flushed > Duration::from_millis(100) {
            self.flushed = now;
            self.flush();
        }
    }

    fn dropped(&mut self, token: u64) {
        if let Some(packet) = self.packet_mut(token) {
            packet.state = State::Dropped;
        }
    }

    async fn ready(&mut self) {
        match self.rate {
            Some(rate) => {
                let due = Duration::from_secs_f64((self.sent as f64 / rate).min(1e9));
                let at = (self.began + due).max(Instant::now() + Duration::from_millis(1));
                tokio::time::sleep_until(at).await;
            }
            None => std::future::pending().await,
        }
    }
}
