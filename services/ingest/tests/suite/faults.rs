//! The faults of `docs/reliability.md` that need no second process: payloads in, through accept, committer and projector,
//! evidence out.

use std::collections::{BTreeMap, BTreeSet};

use firmware_sim::draw::Dice;
use hemu_ingest::{Submission, accept};
use hemu_ledger::acts::Act;
use hemu_ledger::entry::Origin;
use hemu_ledger::read::Counters;
use hemu_rules::Day;
use hemu_wire::{DeviceId, Up};
use tokio::sync::oneshot;

use crate::site::{Desk, HOUR, MIDNIGHT, NOW, Site};

/// A sure camera's deposit of food: it counts weight times 1,000.
fn deposit((boot, seq): (u64, u64), at: i64, weight_g: u64) -> String {
    format!(
        r#"{{"boot":{boot},"seq":{seq},"at":{at},"household":"H1","stream":"food","weight_g":{weight_g},"quality":0.5}}"#
    )
}

/// Publishes arrays of 16 and waits for the last acknowledgement; how many records were set aside.
async fn say(desk: &Desk, device: &str, payloads: &[String]) -> u64 {
    let device = DeviceId::try_from(device).unwrap();
    let (mut aside, mut last) = (0, None);
    for few in payloads.chunks(16) {
        let array = format!("[{}]", few.join(","));
        let accepted = accept(&device, [(Up::Deposit, array.as_bytes())]);
        aside += accepted.quarantined;
        let (told, hear) = oneshot::channel();
        let submission = Submission {
            segments: accepted.segments,
            brief: false,
            stored: Box::new(move || {
                // Only the last is waited for.
                let _ = told.send(());
            }),
        };
        desk.intake.submit(submission).await;
        last = Some(hear);
    }
    if let Some(last) = last {
        last.await.unwrap();
    }
    aside
}

impl Site {
    async fn counters(&self) -> Counters {
        self.ledger.progress().await.unwrap().counters
    }

    /// Weights and readings counted for H1, over all days.
    async fn evidence(&self) -> (i64, i64) {
        let days = self
            .ledger
            .household_days("H1", Day::clamped(-200_000), Day::clamped(200_000));
        let buckets = days.await.unwrap().into_iter().flat_map(|(_, day)| day.buckets);
        buckets.fold((0, 0), |(w, n), (_, _, bucket)| (w + bucket.w, n + bucket.n))
    }

    /// A person looked at a device whose boot had conflicts.
    async fn checked(&self, device: &str, boot: u64) {
        let act = Act::DeviceChecked {
            device: device.to_owned(),
            boot,
        };
        self.ledger
            .act(&"keeper".parse().unwrap(), NOW, act)
            .await
            .unwrap();
        self.fold().await;
    }

    async fn receipted(&self, desk: &Desk) -> BTreeMap<String, u64> {
        let owed = desk.owed().await;
        owed.into_iter()
            .map(|owed| (owed.device.to_string(), owed.upto))
            .collect()
    }
}

fn shuffle<T>(dice: &mut Dice, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        let with = dice.below(u32::try_from(last + 1).unwrap()) as usize;
        items.swap(last, with);
    }
}

#[tokio::test]
async fn records_sent_one_to_five_times_count_once_and_every_conflict_is_flagged() {
    const RECORDS: u64 = 1_500;
    let site = Site::new().await;
    site.ledger.ensure_households(&[("H1", None)], NOW).await.unwrap();
    let mut dice = Dice::new(1, "repeats", 0);
    let original = |seq: u64| deposit((7, seq), MIDNIGHT + seq.cast_signed() * 60_000, 100 + seq % 900);
    let mut sendings: Vec<u64> = (1..=RECORDS).collect();
    for seq in 1..=RECORDS {
        sendings.extend((0..dice.below(5)).map(|_| seq));
    }
    shuffle(&mut dice, &mut sendings);
    let sent: Vec<String> = sendings.iter().map(|&seq| original(seq)).collect();
    let (early, late) = sent.split_at(sent.len() / 2);
    let desk = site.commit().await;
    say(&desk, "C1", early).await;
    // A new process, which remembers only what is folded.
    desk.end().await;
    site.fold().await;
    let desk = site.commit().await;
    say(&desk, "C1", late).await;
    // The first are long out of the committer's memory, the last are not.
    let conflicting: BTreeSet<u64> = (1..=100).chain(RECORDS - 99..=RECORDS).collect();
    let changed: Vec<String> = conflicting
        .iter()
        .map(|&seq| deposit((7, seq), MIDNIGHT, 99_999))
        .collect();
    say(&desk, "C1", &changed).await;
    assert_eq!(
        site.receipted(&desk).await,
        BTreeMap::from([("C1".to_owned(), RECORDS)])
    );
    desk.end().await;
    site.fold().await;

    let counters = site.counters().await;
    println!(
        "{} sendings of {RECORDS} records and {} conflicts: {counters:?}",
        sent.len(),
        changed.len()
    );
    assert_eq!(
        (counters.accepted, counters.conflicts),
        (RECORDS, conflicting.len() as u64)
    );
    // Nothing of a boot with conflicts counts until a person has looked, and then each record once.
    assert_eq!(site.evidence().await, (0, 0));
    site.checked("C1", 7).await;
    let weights: u64 = (1..=RECORDS).map(|seq| (100 + seq % 900) * 1_000).sum();
    assert_eq!(
        site.evidence().await,
        (weights.cast_signed(), RECORDS.cast_signed())
    );
    let batches = site.ledger.batches(0, 1_000_000).await.unwrap();
    let positions: Vec<u64> = batches.iter().map(|batch| batch.position).collect();
    let aside = site.ledger.ignored_in(&positions).await.unwrap().aside;
    let mut flagged = BTreeSet::new();
    for ((position, index), why) in aside {
        assert_eq!(why, "conflict");
        let batch = batches.iter().find(|batch| batch.position == position).unwrap();
        let entry = batch.entries().nth(index as usize).unwrap().unwrap();
        if let Origin::Device { seq, .. } = entry.origin {
            flagged.insert(seq);
        }
    }
    assert_eq!(flagged, conflicting);
}

#[tokio::test]
async fn two_hundred_lost_sequences_lose_and_double_nothing_and_their_tails_judge_nobody() {
    const BOOTS: u64 = 200;
    let (gapped, whole) = (Site::new().await, Site::new().await);
    for (site, missing) in [(&gapped, Some(4)), (&whole, None)] {
        site.ledger.ensure_households(&[("H1", None)], NOW).await.unwrap();
        let desk = site.commit().await;
        for boot in 1..=BOOTS {
            let at = MIDNIGHT + boot.cast_signed() * HOUR;
            // Without a gap the fourth number is the next record's: the same readings, another numbering.
            let seqs = (1..=6).filter(|&seq| Some(seq) != missing).take(5);
            let records: Vec<String> = seqs
                .map(|seq| {
                    (
                        seq,
                        if missing.is_none() && seq > 3 {
                            seq + 1
                        } else {
                            seq
                        },
                    )
                })
                .map(|(seq, bag)| deposit((boot * 1_000, seq), at, 100 + bag))
                .collect();
            say(&desk, "C1", &records).await;
            say(&desk, "C1", &records).await;
            // The same boot counts from one again, without having said so: a conflict, told and not dropped.
            say(&desk, "C1", &[deposit((boot * 1_000, 1), at, 777)]).await;
        }
        desk.end().await;
        site.fold().await;
        let counters = site.counters().await;
        assert_eq!((counters.accepted, counters.conflicts), (5 * BOOTS, BOOTS));
        let state = site.ledger.device_states().await.unwrap().remove(0);
        assert_eq!((state.boot, state.records), (BOOTS * 1_000, 5 * BOOTS));
        assert_eq!(site.evidence().await, (0, 0), "every boot has a conflict");
        for boot in 1..=BOOTS {
            site.checked("C1", boot * 1_000).await;
        }
    }
    assert_eq!(gapped.evidence().await, whole.evidence().await);
    let weights = BOOTS * [1, 2, 3, 5, 6].map(|bag| (100 + bag) * 1_000).iter().sum::<u64>();
    assert_eq!(
        gapped.evidence().await,
        (weights.cast_signed(), 5 * BOOTS.cast_signed())
    );
}

#[tokio::test]
async fn no_timestamp_breaks_anything_and_a_clock_ahead_judges_nobody() {
    const YEAR: i64 = 365 * 24 * HOUR;
    // Whether the reading counts.
    let table = [
        ("0", true),
        ("-1", false),
        ("9223372036854775807", false),
        ("-9223372036854775808", false),
        ("9223372036854775808", false),
        ("1e30", false),
        (&*(NOW + YEAR).to_string(), false),
        (&*(NOW - YEAR).to_string(), true),
        (&*(NOW + 5 * 60_000).to_string(), true),
        (&*(NOW + 5 * 60_000 + 1).to_string(), false),
        // The leap second at the end of 2016, and Shanghai's clocks going forward and back in 1986.
        ("1483228799999", true),
        ("1483228800000", true),
        ("515520000000", true),
        ("515527199999", true),
        ("527266799999", true),
        ("527266800000", true),
        // The last and the first millisecond of a day.
        (&*(MIDNIGHT - 1).to_string(), true),
        (&*MIDNIGHT.to_string(), true),
    ];
    let site = Site::new().await;
    site.ledger.ensure_households(&[("H1", None)], NOW).await.unwrap();
    let desk = site.commit().await;
    for (seq, (at, _)) in (1..).zip(table) {
        let record = deposit((1, seq), 0, 500).replace(r#""at":0"#, &format!(r#""at":{at}"#));
        say(&desk, "C1", &[record]).await;
    }
    let all = table.len() as u64;
    assert_eq!(
        site.receipted(&desk).await,
        BTreeMap::from([("C1".to_owned(), all)])
    );
    desk.end().await;
    site.fold().await;
    assert_eq!(site.counters().await.accepted, all);
    let counted = table.iter().filter(|(_, counts)| *counts).count();
    let counted = i64::try_from(counted).unwrap();
    assert_eq!(site.evidence().await, (counted * 500_000, counted));
}

/// A tenth of the records is poison; `HEMU_TEST_POISON` records instead of 10,000.
#[tokio::test]
async fn poison_is_set_aside_and_receipted_and_holds_up_nothing() {
    let wanted = std::env::var("HEMU_TEST_POISON").ok();
    let records: u64 = wanted.and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let poison = [
        r#""weight_g":-1"#,
        r#""weight_g":1e400"#,
        r#""weight_g":"500""#,
        r#""weight_g":null"#,
        r#""weight_g":200001"#,
    ];
    let site = Site::new().await;
    site.ledger.ensure_households(&[("H1", None)], NOW).await.unwrap();
    let desk = site.commit().await;
    let mut dice = Dice::new(2, "poison", 0);
    let said: Vec<String> = (1..=records)
        .map(|seq| {
            let record = deposit((1, seq), MIDNIGHT + seq.cast_signed(), 500);
            match dice.pick(&poison).filter(|_| seq % 10 == 0) {
                Some(wrong) => record.replace(r#""weight_g":500"#, wrong),
                None => record,
            }
        })
        .collect();
    assert_eq!(say(&desk, "C1", &said).await, records / 10);
    assert_eq!(
        site.receipted(&desk).await,
        BTreeMap::from([("C1".to_owned(), records)])
    );
    desk.end().await;
    site.fold().await;
    let counters = site.counters().await;
    println!("{records} records: {counters:?}");
    assert_eq!((counters.accepted, counters.quarantined), (records, records / 10));
    let good = (records - records / 10).cast_signed();
    assert_eq!(site.evidence().await, (good * 500_000, good));
    let shown = site.ledger.quarantine(None, 10).await.unwrap();
    assert!(shown.len() == 10 && shown.iter().all(|row| row.seq.is_some() && !row.raw.is_empty()));
}

/// Sixty ways to write the numbers of a deposit: which of them count.
#[tokio::test]
async fn sixty_odd_numbers_have_their_verdict_and_only_sound_ones_count() {
    let wrong = [
        "-1",
        "-0.5",
        "200001",
        "1e400",
        "-1e400",
        "1e308",
        "NaN",
        "Infinity",
        "-Infinity",
        "null",
        "true",
        "false",
        r#""5""#,
        r#""""#,
        "[]",
        "[5]",
        "{}",
        "0.5",
        "1.5",
        "99999999999999999999",
        "18446744073709551616",
        "-2147483649",
        "4294967796",
        "1e-400",
        "5e-1",
        "0x10",
        "010",
        "+5",
        "5.",
        ".5",
        "1_000",
        "٥",
    ];
    let sound = ["0", "1", "100", "500", "200000"];
    let table = wrong.iter().map(|w| ("weight_g", *w, false));
    let table = table.chain(sound.iter().map(|w| ("weight_g", *w, true)));
    let qualities = [
        ("0", true),
        ("1", true),
        ("0.5", true),
        ("1.0", true),
        ("0.1234", true),
        ("0.12345", false),
        ("-0.1", false),
        ("1.0001", false),
        ("2", false),
        ("1e400", false),
        ("null", false),
        (r#""0.5""#, false),
        ("NaN", false),
        ("[0.5]", false),
    ];
    let table = table.chain(qualities.iter().map(|(q, counts)| ("quality", *q, *counts)));
    let confidences = [
        ("0.9", true),
        ("1", true),
        ("0.999", true),
        ("0.9999", false),
        ("-1", false),
        ("1.001", false),
        (r#""1""#, false),
        ("1e400", false),
        ("Infinity", false),
    ];
    let table: Vec<_> = table
        .chain(confidences.iter().map(|(c, counts)| ("confidence", *c, *counts)))
        .collect();
    assert_eq!(table.len(), 60);
    let site = Site::new().await;
    site.ledger.ensure_households(&[("H1", None)], NOW).await.unwrap();
    let desk = site.commit().await;
    let mut unexpected = Vec::new();
    for (seq, (member, number, counts)) in (1..).zip(&table) {
        let record = deposit((1, seq), MIDNIGHT, 500).replace('}', r#","confidence":1}"#);
        let before = match *member {
            "weight_g" => r#""weight_g":500"#,
            "quality" => r#""quality":0.5"#,
            _ => r#""confidence":1"#,
        };
        let record = record.replace(before, &format!(r#""{member}":{number}"#));
        let aside = say(&desk, "C1", &[record]).await;
        if (aside == 0) != *counts {
            unexpected.push((member, number, aside));
        }
    }
    assert!(unexpected.is_empty(), "{unexpected:?}");
    desk.end().await;
    site.fold().await;
    let counted = table.iter().filter(|(_, _, counts)| *counts).count();
    assert_eq!(site.evidence().await.1, i64::try_from(counted).unwrap());
}
