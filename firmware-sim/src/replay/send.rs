//! Sends a recording, one connection a device, at its own speed times a factor. Must not: change a payload.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Message;
use crate::draw::Dice;
use crate::keys::{Keys, KeysError};
use crate::mqtt::{self, Backoff, MqttError, Next, Traffic, keep_driving};
use crate::reading::Topic;

/// Where and how fast.
#[derive(Debug, Clone)]
pub struct Options {
    /// Server.
    pub addr: SocketAddr,
    /// Recorded seconds a second; 0 is as fast as acknowledged.
    pub speed: f64,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Records acknowledged.
    pub acked: u64,
    /// Records refused at the protocol (MQTT 5).
    pub refused: u64,
    /// Connections lost and replaced.
    pub reconnects: u64,
}

/// The replay cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// A device has no key.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The server refused a login.
    #[error(transparent)]
    Mqtt(#[from] MqttError),
    /// A task of ours died.
    #[error("replay task: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Sends everything; `done` counts acknowledged records as they come.
pub async fn send(
    options: &Options,
    keys: &Keys,
    messages: Vec<(String, Vec<Message>)>,
    done: Arc<AtomicU64>,
) -> Result<Report, SendError> {
    keys.require(messages.iter().map(|(device, _)| device.as_str()))?;
    let earliest = messages
        .iter()
        .flat_map(|(_, m)| m)
        .filter_map(|m| m.at)
        .min()
        .unwrap_or(0);
    let pace = Pace {
        began: Instant::now(),
        earliest,
        speed: options.speed,
    };
    let mut tasks = JoinSet::new();
    for (index, (device, messages)) in messages.into_iter().enumerate() {
        let login = mqtt::Options::new(options.addr, &device, keys.get(&device).unwrap_or_default());
        let tape = Tape {
            waiting: messages.into(),
            pace,
            done: done.clone(),
            report: Report::default(),
        };
        tasks.spawn(play(login, tape, index as u64));
    }
    let mut sum = Report::default();
    while let Some(joined) = tasks.join_next().await {
        let one = joined??;
        sum.acked += one.acked;
        sum.refused += one.refused;
        sum.reconnects += one.reconnects;
    }
    Ok(sum)
}

async fn play(login: mqtt::Options, mut tape: Tape, index: u64) -> Result<Report, MqttError> {
    let dice = Dice::new(0, "replay", index);
    let mut backoff = Backoff::new(dice, Duration::from_millis(100), Duration::from_secs(5)).at_most(10);
    let reconnects = keep_driving(&login, &mut tape, &mut backoff, &CancellationToken::new()).await?;
    Ok(Report {
        reconnects,
        ..tape.report
    })
}

/// When a recorded moment comes round again.
#[derive(Debug, Clone, Copy)]
struct Pace {
    began: Instant,
    earliest: i64,
    speed: f64,
}

impl Pace {
    fn due(&self, at: Option<i64>) -> Instant {
        match at {
            Some(at) if self.speed > 0.0 => {
                let recorded = (at - self.earliest).max(0) as f64 / 1_000.0;
                self.began + Duration::from_secs_f64((recorded / self.speed).min(1e9))
            }
            _ => self.began,
        }
    }
}

struct Tape {
    waiting: VecDeque<Message>,
    pace: Pace,
    done: Arc<AtomicU64>,
    report: Report,
}

impl Traffic for Tape {
    type Token = Message;

    fn next(&mut self, payload: &mut Vec<u8>) -> Next<Message> {
        let due = self.waiting.front().map(|message| self.pace.due(message.at));
        match due {
            None => Next::Done,
            Some(due) if self.pace.speed > 0.0 && due > Instant::now() => Next::Wait,
            Some(_) => match self.waiting.pop_front() {
                None => Next::Done,
                Some(message) => {
                    payload.extend_from_slice(&message.payload);
                    Next::Publish(Topic::Status, message)
                }
            },
        }
    }

    fn acked(&mut self, _message: Message, reason: u8, _waited: Duration) {
        *if reason >= 0x80 {
            &mut self.report.refused
        } else {
            &mut self.report.acked
        } += 1;
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    fn dropped(&mut self, message: Message) {
        self.waiting.push_front(message);
    }

    async fn ready(&mut self) {
        match self.waiting.front() {
            Some(message) => tokio::time::sleep_until(self.pace.due(message.at)).await,
            None => std::future::pending().await,
        }
    }
}
