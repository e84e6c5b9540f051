//! Entries and segments: what goes in comes out, and damage is an error, never a panic.

use hemu_ledger::entry::{BinState, Body, Deposit, Entry, Incident, Origin, Quarantined, Status};
use hemu_ledger::journal::Batch;
use hemu_ledger::segment::Segment;
use hemu_rules::{Bp, By, Grams, Millis, Permille, Stream};
use proptest::prelude::*;

use crate::site::{batch, deposit, segment};

/// A body whose texts live somewhere.
#[derive(Debug, Clone)]
struct Owned {
    kind: u8,
    at: i64,
    texts: Vec<Option<String>>,
    numbers: Vec<u64>,
    bins: Vec<(i64, Option<i64>, Option<u32>)>,
    raw: Vec<u8>,
}

fn owned() -> impl Strategy<Value = Owned> {
    (
        0..5u8,
        0..=253_402_214_399_999i64,
        prop::collection::vec(prop::option::of(".{0,12}"), 3),
        prop::collection::vec(any::<u64>(), 4),
        prop::collection::vec(
            (0..4i64, prop::option::of(0..=10_000i64), any::<Option<u32>>()),
            0..5,
        ),
        prop::collection::vec(any::<u8>(), 0..40),
    )
        .prop_map(|(kind, at, texts, numbers, bins, raw)| Owned {
            kind,
            at,
            texts,
            numbers,
            bins,
            raw,
        })
}

impl Owned {
    fn text(&self, nth: usize) -> Option<&str> {
        self.texts[nth].as_deref()
    }

    fn number<N: TryFrom<u64>>(&self, nth: usize) -> Option<N> {
        N::try_from(self.numbers[nth]).ok()
    }

    fn range(&self, nth: usize, most: u64) -> i64 {
        i64::try_from(self.numbers[nth] % (most + 1)).unwrap()
    }

    fn stream(&self) -> Stream {
        Stream::from_code(self.range(0, 3)).unwrap()
    }

    fn body(&self) -> Body<'_> {
        let at = Millis::new(self.at).unwrap();
        match self.kind {
            0 => Body::Deposit(Deposit {
                at,
                household: self.text(0),
                bag: self.text(1),
                stream: self.stream(),
                weight: Grams::clamped(self.range(1, 200_000)),
                quality: Bp::clamped(self.range(2, 10_000)),
                confidence: Permille::clamped(self.range(3, 1_000)),
                by: By::from_code(self.range(1, 1)).unwrap(),
            }),
            1 => Body::Status(Status {
                at,
                bins: self
                    .bins
                    .iter()
                    .map(|&(stream, fill, weight_g)| BinState {
                        stream: Stream::from_code(stream).unwrap(),
                        fill: fill.map(Bp::clamped),
                        weight_g,
                    })
                    .collect(),
                battery_mv: self.number(0),
                rssi_dbm: self.number::<u32>(1).map(u32::cast_signed),
                temperature_cc: self.number::<u16>(2).map(|n| -i32::from(n)),
                firmware: self.text(0),
                queued: Some(self.numbers[3]),
            }),
            2 => Body::Incident(Incident {
                at,
                kind: self.text(0).unwrap_or("smoke"),
                stream: self.numbers[1].is_multiple_of(2).then(|| self.stream()),
                note: self.text(1),
                photo: self.text(2),
            }),
            3 => Body::Lost {
                at,
                from: self.numbers[0],
                to: self.numbers[1],
            },
            _ => Body::Quarantined(Quarantined {
                reason: self.text(0).unwrap_or("not_json"),
                detail: self.text(1).unwrap_or(""),
                raw: &self.raw,
                raw_len: self.number(2).unwrap_or(u32::MAX),
            }),
        }
    }
}

fn stored(segments: &[Segment]) -> Batch {
    let (records, body) = batch(segments);
    Batch {
        position: 1,
        at: 0,
        records,
        hash: [0; 32],
        body,
    }
}

fn read(batch: &Batch) -> Vec<Entry<'_>> {
    batch.entries().map(Result::unwrap).collect()
}

proptest! {
    #[test]
    fn every_body_comes_back(owned in owned()) {
        let mut bytes = Vec::new();
        owned.body().write(&mut bytes);
        prop_assert_eq!(Body::read(&bytes), Some(owned.body()));
        prop_assert!(serde_json::from_str::<serde_json::Value>(&owned.body().to_json()).is_ok());
    }

    #[test]
    fn every_identity_comes_back(
        bodies in prop::collection::vec((any::<u64>(), owned()), 1..6), boot: u64, base: u64, device in "[a-z]{1,8}",
    ) {
        let mut records = Segment::of_device(&device, boot, base);
        let mut unread = Segment::unidentified(&device);
        let mut rows = Segment::of_import(&device);
        for (seq, owned) in &bodies {
            records.push(*seq, &owned.body());
            unread.push_unidentified(&owned.body());
            rows.push_import(&seq.to_string(), &owned.body());
        }
        let batch = stored(&[records.clone(), unread, rows]);
        let entries = read(&batch);
        prop_assert_eq!(entries.len(), 3 * bodies.len());
        for (nth, (seq, owned)) in bodies.iter().enumerate() {
            let id = seq.to_string();
            let origins = [
                Origin::Device { device: &device, boot, seq: *seq },
                Origin::Unidentified { device: &device },
                Origin::Import { device: &device, reading_id: &id },
            ];
            for (group, origin) in origins.into_iter().enumerate() {
                let entry = &entries[group * bodies.len() + nth];
                prop_assert_eq!((entry.origin, &entry.body), (origin, &owned.body()));
                prop_assert_eq!(entry.hash, records.marks()[nth].hash);
            }
        }
    }

    #[test]
    fn leaving_some_out_leaves_the_others_as_they_were(keep in prop::collection::vec(any::<bool>(), 12)) {
        let all = segment("C1", (1..=12u64).map(|seq| (seq, Body::Deposit(deposit("H1", seq.cast_signed())))));
        let mut body = Vec::new();
        let wanted = |seq: u64| keep[usize::try_from(seq).unwrap() - 1];
        let records = all.write(&mut body, |mark| wanted(mark.seq.unwrap()));
        let some = Batch { records, body, ..stored(&[]) };
        let whole = stored(&[all]);
        let expected: Vec<_> = read(&whole)
            .into_iter()
            .filter(|entry| matches!(entry.origin, Origin::Device { seq, .. } if wanted(seq)))
            .collect();
        prop_assert_eq!(records, expected.len() as u64);
        prop_assert_eq!(read(&some), expected);
    }

    #[test]
    fn damaged_bytes_never_panic(
        bodies in prop::collection::vec(owned(), 1..4), at: prop::sample::Index, bit in 0..8u8, cut: prop::sample::Index,
    ) {
        let mut records = Segment::of_device("C1", 7, 1);
        bodies.iter().zip(1..).for_each(|(owned, seq)| records.push(seq, &owned.body()));
        let mut flipped = stored(&[records]);
        let mut short = flipped.clone();
        let place = at.index(flipped.body.len());
        flipped.body[place] ^= 1 << bit;
        flipped.entries().for_each(drop);
        // Bytes that end early cannot be a whole batch.
        short.body.truncate(cut.index(short.body.len()));
        let whole = short.entries().take_while(Result::is_ok).count();
        prop_assert!(whole < bodies.len());
        prop_assert!(short.body.is_empty() || short.entries().last().unwrap().is_err());
    }

    #[test]
    fn any_bytes_end_in_entries_or_in_one_error(body: Vec<u8>) {
        let batch = Batch { body, ..stored(&[]) };
        let errors = batch.entries().filter(Result::is_err).count();
        prop_assert!(errors <= 1);
        drop(Body::read(&batch.body));
    }
}

#[test]
fn a_count_beyond_the_bytes_is_damage_and_costs_nothing() {
    // Tag, device "C", boot 1, base 1, 2^63 entries in no bytes.
    let body = vec![
        1, 1, b'C', 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0,
    ];
    let batch = Batch { body, ..stored(&[]) };
    assert_eq!(batch.entries().filter(Result::is_err).count(), 1);
}
