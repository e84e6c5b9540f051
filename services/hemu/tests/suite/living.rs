//! A simulated estate whose devices are at work on a broker. Each keeps a record in its flash until a receipt covers it.
#![expect(clippy::expect_used, reason = "a test's helper fails loudly")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use firmware_sim::estate::Estate;
use firmware_sim::faults::Plan as FaultPlan;
use firmware_sim::keys::{Key, Keys};
use firmware_sim::life::{History, midnight};
use firmware_sim::load;
use firmware_sim::reading::Body;
use firmware_sim::run::{Clock, Figures, Plan, Tally, run};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::brokers::PATIENCE;
use crate::support::holds_exactly;

/// 2026-01-01.
pub(crate) const DAY: i32 = 20_454;
const SEED: u64 = 3;

/// How much of its day, from midnight on, it lives in how much of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) lives_ms: i64,
    pub(crate) seconds: i64,
}

/// An estate at work.
pub(crate) struct Life {
    pub(crate) tally: Arc<Tally>,
    /// Records of all kinds.
    pub(crate) records: u64,
    /// The deposits among them.
    deposits: u64,
    log: Arc<Mutex<Vec<u8>>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// One whose every record was receipted.
pub(crate) struct Lived {
    pub(crate) figures: Figures,
    deposits: u64,
    /// What the broker acknowledged.
    log: Vec<u8>,
}

pub(crate) fn estate() -> Estate {
    Estate::hemu_xincun(54).expect("an estate")
}

fn history() -> History {
    History::new(SEED, Arc::new(estate()), DAY, 1)
}

impl Life {
    /// Through the broker on `port`, each device with the window of one behind a broker.
    pub(crate) fn begin(port: u16, keys: &[Key], pace: Pace) -> Self {
        Self::with_windows(port, keys, pace, true)
    }

    /// The same, of devices that have more in flight than that window.
    pub(crate) fn begin_careless(port: u16, keys: &[Key], pace: Pace) -> Self {
        Self::with_windows(port, keys, pace, false)
    }

    fn with_windows(port: u16, keys: &[Key], pace: Pace, behind_a_broker: bool) -> Self {
        let log: Arc<Mutex<Vec<u8>>> = Arc::default();
        let writer: load::Log = log.clone();
        let plan = Plan {
            addr: ([127, 0, 0, 1], port).into(),
            keys: Keys(keys.to_vec()),
            faults: FaultPlan::default(),
            from: 0,
            behind_a_broker,
            ring_records: 4_096,
            flash: None,
            log: Some(writer),
        };
        let mut readings = history().next_day().expect("a day").readings;
        readings.retain(|reading| reading.at <= midnight(DAY) + pace.lives_ms);
        let deposits = readings
            .iter()
            .filter(|reading| matches!(reading.body, Body::Deposit(_)));
        let (tally, stop) = (Arc::new(Tally::default()), CancellationToken::new());
        let task = tokio::spawn({
            let (tally, stop) = (tally.clone(), stop.clone());
            async move {
                let lived = run(&plan, history(), pace.clock(), tally, stop).await;
                lived.expect("the estate lives");
            }
        });
        Self {
            records: readings.len() as u64,
            deposits: deposits.count() as u64,
            tally,
            log,
            stop,
            task,
        }
    }

    pub(crate) async fn until(&self, what: &str, so: impl Fn(&Figures) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !so(&self.tally.figures()) {
            assert!(!self.task.is_finished(), "{what}: the estate stopped");
            assert!(Instant::now() < deadline, "{what}: {:?}", self.tally.figures());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Until a receipt has covered every record there was.
    pub(crate) async fn all_receipted(self) -> Lived {
        let all = self.records;
        self.until("every record receipted", |figures| figures.receipted >= all)
            .await;
        self.stop.cancel();
        self.task.await.expect("the estate ended in order");
        let figures = self.tally.figures();
        println!("{figures:?}");
        // No device is receipted more than it recorded: what is so for all together is so for each.
        assert_eq!(
            (figures.recorded, figures.receipted, figures.bad_receipts),
            (all, all, 0)
        );
        let log = std::mem::take(&mut *self.log.lock().expect("a log"));
        Lived {
            figures,
            deposits: self.deposits,
            log,
        }
    }
}

impl Pace {
    /// The estate's time, from now on until it has lived that much.
    fn clock(self) -> Clock {
        let (start, began) = (midnight(DAY), Instant::now());
        Arc::new(move || {
            let real = i64::try_from(began.elapsed().as_millis()).unwrap_or_default();
            start + (real * self.lives_ms / (self.seconds * 1_000)).min(self.lives_ms)
        })
    }
}

impl Lived {
    /// An export has each of its deposits once, and no other.
    #[track_caller]
    pub(crate) fn is_all_of(&self, export: &str) {
        holds_exactly(export, &self.log, self.deposits);
    }
}
