//! A data folder of a test, what is put into it, and what comes out under names instead of numbers.

use std::collections::BTreeSet;

use hemu_ledger::acts::{Act, Actor, Refused, Why};
use hemu_ledger::entry::{Body, Deposit, Quarantined};
use hemu_ledger::segment::Segment;
use hemu_ledger::{Alone, Folder, Head, Ledger, Projector};
use hemu_rules::{Bp, By, Day, Grams, Millis, Participation, Permille, Source, Stream, Zone};
use tempfile::TempDir;

use crate::postgres_server;
pub(crate) use crate::raw::run;
use crate::raw::{self, Raw, rows};

/// 2026-01-01 00:00 in Shanghai.
pub(crate) const MIDNIGHT: i64 = 20_454 * 86_400_000 - 8 * 3_600_000;
/// A server's clock a year later: nothing before it is ahead.
pub(crate) const NOW: i64 = MIDNIGHT + 365 * 86_400_000;

pub(crate) struct Site {
    pub(crate) dir: TempDir,
    pub(crate) ledger: Ledger,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = open(&dir).await;
        Self { dir, ledger }
    }

    pub(crate) fn folder(&self) -> Folder {
        self.ledger.folder().clone()
    }

    /// As after a restart.
    pub(crate) async fn reopen(self) -> Self {
        self.ledger.close().await;
        let ledger = open(&self.dir).await;
        Self {
            dir: self.dir,
            ledger,
        }
    }

    /// As after `hemu rebuild`; how many records were folded.
    pub(crate) async fn rebuilt(self) -> (Self, u64) {
        let Self { dir, ledger } = self;
        let folder = ledger.folder().clone();
        ledger.close().await;
        drop(ledger);
        let alone = Alone::open(&folder, Zone::SHANGHAI).await.unwrap();
        let records = alone.rebuild(|_| ()).await.unwrap();
        let ledger = open(&dir).await;
        (Self { dir, ledger }, records)
    }

    /// Appends one batch.
    pub(crate) async fn append(&self, segments: &[Segment]) -> Head {
        self.append_at(NOW, segments).await
    }

    pub(crate) async fn append_at(&self, at: i64, segments: &[Segment]) -> Head {
        let (records, body) = batch(segments);
        let mut journal = self.ledger.journal().await.unwrap();
        journal.append(at, records, &body).await.unwrap()
    }

    /// Folds everything there is, with a projector that knows nothing but the files.
    pub(crate) async fn fold(&self) {
        let (mut projector, _lock) = self.ledger.projector().await.unwrap();
        fold(&mut projector).await;
        projector.close().await.unwrap();
    }

    pub(crate) async fn truth(&self) -> Raw {
        raw::connect(self.ledger.folder(), false).await
    }

    pub(crate) async fn projections(&self) -> Raw {
        raw::connect(self.ledger.folder(), true).await
    }

    /// What decides about people, under names: evidence, participation, pairs.
    pub(crate) async fn sums(&self) -> BTreeSet<String> {
        let mut connection = self.projections().await;
        let pairs = "select 'pair', p.day, d.name, n, sy, sq, syy, sqq, syq from pair p join device d on d.no = p.device";
        let mut all: BTreeSet<String> = rows(&mut connection, pairs).await.into_iter().collect();
        let shared = "select 'shared', day, a.name, b.name, n, apart from shared
             join device a on a.no = inspector join device b on b.no = colleague";
        let inspected = "select 'inspected', day, d.name, h.token, n from inspected i
             join device d on d.no = inspector join household h on h.no = i.household";
        for of_inspectors in [shared, inspected] {
            all.extend(rows(&mut connection, of_inspectors).await);
        }
        let cameras = rows(&mut connection, "select name from device order by no").await;
        for token in rows(&mut connection, "select token from household").await {
            let days = self
                .ledger
                .household_days(&token, day(-500), day(500))
                .await
                .unwrap();
            for (day, sums) in days {
                let mut note = |kind: &str, name: &str, numbers: &[i64]| {
                    let numbers: Vec<String> = numbers.iter().map(|n| format!("Some({n})")).collect();
                    let row = format!("{kind} Some({}) {name} {}", day.get(), numbers.join(" "));
                    all.insert(row);
                };
                let Participation {
                    grams,
                    food,
                    recyclable,
                    hazardous,
                    residual,
                } = sums.participation;
                note(
                    "participation",
                    &token,
                    &[grams, food, recyclable, hazardous, residual],
                );
                for (source, stream, b) in sums.buckets {
                    let source = match source {
                        Source::Inspector => "inspectors",
                        Source::Camera(no) => &cameras[no.0 as usize],
                    };
                    note(
                        "evidence",
                        &format!("{token} {source}"),
                        &[stream.code().into(), b.w, b.g, b.n],
                    );
                }
            }
        }
        all
    }

    /// Everything the projections say, row by row, with the numbers that names got.
    pub(crate) async fn everything(&self) -> Vec<String> {
        let mut connection = self.projections().await;
        let mut all = Vec::new();
        for table in TABLES {
            let sql = format!("select '{table}', * from {table}");
            let mut found = rows(&mut connection, &sql).await;
            found.sort();
            all.extend(found);
        }
        all
    }
}

pub(crate) const TABLES: [&str; 20] = [
    "device",
    "household",
    "cursor",
    "seen",
    "imported",
    "ignored",
    "reading",
    "day_sums",
    "pair",
    "shared",
    "inspected",
    "tally",
    "bin",
    "incident",
    "lost",
    "quarantine",
    "lost_card",
    "moved",
    "conflicting",
    "progress",
];

async fn open(dir: &TempDir) -> Ledger {
    let folder = postgres_server::folder(dir.path()).await;
    Ledger::open(&folder, Zone::SHANGHAI).await.unwrap()
}

pub(crate) async fn fold(projector: &mut Projector) {
    while projector.step().await.unwrap().records > 0 {}
}

pub(crate) async fn register(site: &Site, tokens: &[&str]) {
    let names: Vec<_> = tokens.iter().map(|token| (*token, None)).collect();
    site.ledger.ensure_households(&names, NOW).await.unwrap();
}

pub(crate) fn person(name: &str) -> Actor {
    name.parse().unwrap()
}

/// Does it; where it stands in the journal.
pub(crate) async fn act(site: &Site, actor: &str, now: i64, act: Act) -> u64 {
    site.ledger.act(&person(actor), now, act).await.unwrap()
}

/// Is refused, for that reason and without a trace; but who came too late may have a line.
pub(crate) async fn refused(site: &Site, actor: &str, now: i64, act: Act, why: Why) -> Refused {
    let head = site.ledger.head().await.unwrap();
    let outcome = site.ledger.act(&person(actor), now, act.clone()).await;
    let refused = outcome.unwrap_err().refused().unwrap().clone();
    assert_eq!(refused.why, why, "{act:?}: {refused}");
    let lines = site.ledger.head().await.unwrap() - head;
    assert!(lines <= u64::from(why == Why::AlreadyDecided), "{act:?}: {lines}");
    refused
}

pub(crate) fn batch(segments: &[Segment]) -> (u64, Vec<u8>) {
    let mut body = Vec::new();
    let records = segments
        .iter()
        .map(|segment| segment.write(&mut body, |_| true))
        .sum();
    (records, body)
}

/// A deposit of 700 g of food, read by a camera, at some minutes past 2026-01-01 00:00 in Shanghai.
pub(crate) fn deposit(household: &str, minutes: i64) -> Deposit<'_> {
    Deposit {
        at: Millis::clamped(MIDNIGHT + minutes * 60_000),
        household: Some(household),
        bag: None,
        stream: Stream::Food,
        weight: Grams::clamped(700),
        quality: Bp::clamped(8_000),
        confidence: Permille::MAX,
        by: By::Camera,
    }
}

pub(crate) fn quarantined(raw: &[u8]) -> Body<'_> {
    Body::Quarantined(Quarantined {
        reason: "not_json",
        detail: "payload: expected one JSON value",
        raw,
        raw_len: 9,
    })
}

/// Records of boot 1 of a device.
pub(crate) fn segment<'a>(device: &str, records: impl IntoIterator<Item = (u64, Body<'a>)>) -> Segment {
    of_boot(device, 1, records)
}

pub(crate) fn of_boot<'a>(
    device: &str,
    boot: u64,
    records: impl IntoIterator<Item = (u64, Body<'a>)>,
) -> Segment {
    let mut segment = Segment::of_device(device, boot, 1);
    for (seq, body) in records {
        segment.push(seq, &body);
    }
    segment
}

pub(crate) fn day(nth: i64) -> Day {
    Day::clamped(20_454 + nth)
}
