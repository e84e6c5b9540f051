//! The scheduler: one queue of events in virtual time, one dice. Whatever is random is drawn here, in the order of events,
//! so that a seed is a world. Must not: look at a real clock, or let two things happen at once.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use firmware_sim::device::{Device, Frame, payload};
use firmware_sim::draw::Dice;
use hemu_endpoint::Up;

use crate::bin::Bin;
use crate::disk::Disk;
use crate::oracle::Oracle;
use crate::plan::{HEALED_WITHIN, LIFE, Moment, Plan, Sabotage, WAYS, devices};
use crate::report::{Broken, Report};
use crate::server::Server;

/// 2026-03-01 noon in Shanghai: when every world begins.
pub(crate) const BEGIN: i64 = 1_772_337_600_000;

/// Something that happens.
#[derive(Debug, Clone, Hash)]
pub(crate) enum Event {
    /// A bag is dropped.
    Record(usize),
    /// A device's radio has its turn, if it is still that one's.
    Radio {
        who: usize,
        turn: u64,
    },
    /// Bytes arrive.
    Up {
        who: usize,
        link: u64,
        bytes: Vec<u8>,
    },
    Down {
        who: usize,
        link: u64,
        bytes: Vec<u8>,
    },
    /// A connection is found dead at both ends.
    Hangup {
        who: usize,
        link: u64,
    },
    /// A broker's message is at the server's door.
    Mail(u64),
    /// A broker brings a receipt.
    Post {
        who: usize,
        receipt: String,
    },
    Commit,
    Redeem {
        who: usize,
        link: u64,
    },
    /// The server tells the broker that a message is stored.
    Mailed(u64),
    Fold,
    /// Those owed are sent; again, for who had one within the second.
    Receipts {
        again: bool,
    },
    PowerFails {
        who: usize,
        bytes: usize,
        lasts: i64,
    },
    PowerIsBack(usize),
    BootLost(usize),
    Silence {
        who: usize,
        lasts: i64,
    },
    Start,
    Backup,
    Restore,
    BrokerDies,
    /// From now on nothing goes wrong.
    Heal,
}

/// What of the server's work stands in the queue.
#[derive(Default)]
pub(crate) struct Due {
    pub(crate) committing: bool,
    pub(crate) folding: bool,
    pub(crate) receipting: bool,
}

pub(crate) struct World<'b> {
    seed: u64,
    pub(crate) sabotage: Sabotage,
    pub(crate) blank: &'b Disk,
    pub(crate) disk: Disk,
    pub(crate) backup: Option<Disk>,
    pub(crate) now: i64,
    pub(crate) clock: Arc<AtomicI64>,
    queue: BTreeMap<(i64, u64), Event>,
    number: u64,
    pub(crate) dice: Dice,
    pub(crate) crashes: Vec<(i64, Moment)>,
    pub(crate) bins: Vec<Bin>,
    pub(crate) server: Option<Server>,
    pub(crate) generation: u64,
    /// Connections with smaller numbers were with a server that is no more.
    pub(crate) restored_at: u64,
    /// The disk is a backup's since the server ran last.
    pub(crate) anew: bool,
    pub(crate) oracle: Oracle,
    /// What the broker holds until the server has stored it.
    pub(crate) mail: BTreeMap<u64, (usize, Up, Vec<u8>)>,
    pub(crate) healed: bool,
    pub(crate) due: Due,
    pub(crate) receipts_at: i64,
    pub(crate) report: Report,
}

type Outcome<T = ()> = Result<T, String>;

impl<'b> World<'b> {
    pub(crate) fn new(blank: &'b Disk, seed: u64, sabotage: Sabotage) -> Self {
        let mut dice = Dice::new(seed, "world", 0);
        let plan = Plan::draw(&mut dice);
        let bins = (devices().into_iter().zip(WAYS).zip(&plan.slots).enumerate())
            .map(|(n, ((login, way), slots))| Bin::new(login, way, *slots, Dice::new(seed, "bin", n as u64)))
            .collect();
        let mut world = Self {
            seed,
            sabotage,
            blank,
            disk: Disk::truth_of(blank, blank),
            backup: None,
            now: 0,
            clock: Arc::new(AtomicI64::new(BEGIN)),
            queue: BTreeMap::new(),
            number: 0,
            dice,
            crashes: Vec::new(),
            bins,
            server: None,
            generation: 1,
            restored_at: 0,
            anew: false,
            oracle: Oracle::default(),
            mail: BTreeMap::new(),
            healed: false,
            due: Due::default(),
            receipts_at: 0,
            report: Report::default(),
        };
        world.schedule(plan);
        world
    }

    fn schedule(&mut self, plan: Plan) {
        self.after(0, Event::Start);
        for (who, records) in plan.records.into_iter().enumerate() {
            self.after(0, Event::PowerIsBack(who));
            for at in records {
                self.after(at, Event::Record(who));
            }
        }
        for (at, who, bytes, lasts) in plan.power_cuts {
            self.after(at, Event::PowerFails { who, bytes, lasts });
        }
        for (at, who) in plan.boots_lost {
            self.after(at, Event::BootLost(who));
        }
        for (at, who, lasts) in plan.silences {
            self.after(at, Event::Silence { who, lasts });
        }
        self.after(plan.backup, Event::Backup);
        for at in plan.restores {
            self.after(at, Event::Restore);
        }
        for at in plan.broker_crashes {
            self.after(at, Event::BrokerDies);
        }
        self.crashes = plan.crashes;
        self.after(LIFE, Event::Heal);
    }

    pub(crate) fn after(&mut self, delay: i64, event: Event) {
        self.at(self.now + delay, event);
    }

    pub(crate) fn at(&mut self, at: i64, event: Event) {
        self.number += 1;
        self.queue.insert((at, self.number), event);
    }

    /// A number nothing else has.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Uniform in `least..most`.
    pub(crate) fn draw(&mut self, least: i64, most: i64) -> i64 {
        least + i64::from(self.dice.below(u32::try_from(most - least).unwrap_or(1)))
    }

    /// Something goes wrong, if things still do.
    pub(crate) fn mishap(&mut self, chance: f64) -> bool {
        let drawn = self.dice.chance(chance);
        drawn && !self.healed
    }

    /// Lets everything happen until all is quiet and well.
    pub(crate) async fn live(mut self) -> Result<Report, Broken> {
        let mut trace = DefaultHasher::new();
        let outcome = Box::pin(self.run(&mut trace)).await;
        self.report.trace = trace.finish();
        [
            self.report.stored,
            self.report.acked,
            self.report.losses,
            self.report.forgotten,
        ] = self.oracle.figures();
        match outcome {
            Ok(()) => Ok(self.report),
            Err(what) => Err(Broken {
                seed: self.seed,
                step: self.report.steps,
                at: self.now,
                what,
            }),
        }
    }

    async fn run(&mut self, trace: &mut DefaultHasher) -> Outcome {
        while let Some(((at, _), event)) = self.queue.pop_first() {
            self.now = at;
            self.clock.store(BEGIN + at, Ordering::Relaxed);
            self.report.steps += 1;
            (at, &event).hash(trace);
            if std::env::var_os("HEMU_TEST_TRACE").is_some() {
                println!("{} {at} {event:?}", self.report.steps);
            }
            Box::pin(self.happen(event)).await?;
            if self.healed && self.is_quiet() {
                return Box::pin(self.end(trace)).await;
            }
            if at > LIFE + HEALED_WITHIN {
                let held: Vec<_> = self
                    .bins
                    .iter()
                    .map(|bin| bin.device.as_ref().map(Device::held))
                    .collect();
                return Err(format!(
                    "still held by devices, hours after nothing went wrong any more: {held:?}"
                ));
            }
        }
        Err("nothing happens any more".into())
    }

    async fn happen(&mut self, event: Event) -> Outcome {
        match event {
            Event::Radio { who, turn } => self.radio(who, turn)?,
            Event::Up { who, link, bytes } => self.up(who, link, &bytes).await?,
            Event::Down { who, link, bytes } => self.down(who, link, &bytes)?,
            Event::Mail(number) => self.deliver(number).await?,
            Event::Post { who, receipt } => self.post_comes(who, &receipt)?,
            Event::Commit => self.commit().await?,
            Event::Redeem { who, link } => self.redeem(who, link).await?,
            Event::Fold => self.fold().await?,
            Event::Receipts { again } => self.receipts(again).await?,
            Event::PowerIsBack(who) => self.power_is_back(who)?,
            Event::BootLost(who) => self.boot_lost(who)?,
            Event::Start => Box::pin(self.start()).await?,
            Event::Restore => self.restore().await?,
            Event::Heal => self.heal()?,
            Event::Record(who) => self.record(who),
            Event::Hangup { who, link } => self.hang_up(who, link),
            Event::Mailed(number) => drop(self.mail.remove(&number)),
            Event::PowerFails { who, bytes, lasts } => self.power_fails(who, bytes, lasts),
            Event::Silence { who, lasts } => self.silence(who, lasts),
            Event::Backup => self.back_up(),
            Event::BrokerDies => self.broker_dies(),
        }
        Ok(())
    }

    fn heal(&mut self) -> Outcome {
        self.healed = true;
        self.after(0, Event::Start);
        for who in 0..self.bins.len() {
            self.power_is_back(who)?;
            // A device behind a broker learns of a restored server when it has something to say.
            self.after(1_000, Event::Record(who));
            self.after(90_000, Event::Record(who));
        }
        Ok(())
    }

    fn is_quiet(&mut self) -> bool {
        let radios = self
            .queue
            .values()
            .all(|event| matches!(event, Event::Radio { .. } | Event::Start));
        radios
            && self.mail.is_empty()
            && self.server.is_some()
            && (0..self.bins.len()).all(|who| self.is_done(who))
    }

    async fn end(&mut self, trace: &mut DefaultHasher) -> Outcome {
        let Some(server) = &mut self.server else {
            return Err("no server".into());
        };
        while server.fold().await.map_err(text)? {}
        self.oracle.read(&server.ledger).await?;
        self.oracle.check(&server.ledger).await?;
        let boots: Vec<u64> = self
            .bins
            .iter()
            .filter_map(|bin| bin.device.as_ref())
            .map(Device::boot)
            .collect();
        self.oracle.healed(&boots)?;
        let batches = server.ledger.batches(0, 1_000_000).await.map_err(text)?;
        batches.last().map(|batch| batch.hash).hash(trace);
        if let Some(server) = self.server.take() {
            Box::pin(server.die()).await.map_err(text)?;
        }
        Ok(())
    }

    /// The payload of some frames, and where it goes.
    pub(crate) fn parcel(frames: &[Frame]) -> Option<(Up, Vec<u8>)> {
        let up = match frames.first()?.topic {
            firmware_sim::reading::Topic::Deposit => Up::Deposit,
            firmware_sim::reading::Topic::Status => Up::Status,
            firmware_sim::reading::Topic::Incident => Up::Incident,
        };
        Some((up, payload(frames)))
    }
}

pub(crate) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
