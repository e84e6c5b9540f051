//! Any order and any cut of the same records give the same sums: those a plain computation over the list gives.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::segment::Segment;
use hemu_rules::{
    Bp, Bucket, By, Day, DeviceNo, Grams, HouseholdNo, Millis, PairSums, Participation, Permille, Reading,
    Source, Stream, Zone, fold_bag,
};
use proptest::prelude::*;

use crate::site::{MIDNIGHT, Site};

const CAMERAS: [&str; 3] = ["C1", "C2", "C3"];
const DEVICES: [&str; 5] = ["C1", "C2", "C3", "I2", "I1"];
const HOUSEHOLDS: [&str; 3] = ["H1", "H2", "H3"];
const BAGS: [&str; 2] = ["B1", "B2"];

/// A record before it has an identity; with small ranges, so that bags and instants meet.
#[derive(Debug, Clone, Copy)]
struct Said {
    device: usize,
    imported: bool,
    deposit: Deposit<'static>,
}

prop_compose! {
    fn said()(
        device in 0..5usize, imported: bool, household in 0..4usize, bag in 0..3usize, minute in 0..4i64, day in 0..2i64,
        stream in 0..4i64, weight in prop::sample::select(vec![0i64, 50, 700, 5_000]), quality in 0..=10_000i64,
        confidence in 400..=1_000i64,
    ) -> Said {
        Said {
            device,
            imported,
            deposit: Deposit {
                at: Millis::clamped(MIDNIGHT + day * 86_400_000 + minute * 60_000),
                household: HOUSEHOLDS.get(household).copied(),
                bag: BAGS.get(bag).copied(),
                stream: Stream::from_code(stream).unwrap(),
                weight: Grams::clamped(weight),
                quality: Bp::clamped(quality),
                confidence: Permille::clamped(confidence),
                by: if device >= 3 { By::Inspector } else { By::Camera },
            },
        }
    }
}

impl Said {
    fn device(&self) -> &'static str {
        DEVICES[self.device]
    }

    /// Record `nth` of its list: identities do not depend on the order of sending.
    fn segment(&self, nth: u64) -> Segment {
        let body = Body::Deposit(self.deposit);
        if self.imported {
            let mut segment = Segment::of_import(self.device());
            segment.push_import(&format!("R{nth:03}"), &body);
            return segment;
        }
        let mut segment = Segment::of_device(self.device(), 1, 1);
        segment.push(nth, &body);
        segment
    }

    /// What settles an instant: device, boot, seq, reading id.
    fn key(&self, nth: u64) -> (&'static str, u64, u64, Option<String>) {
        if self.imported {
            (self.device(), 0, 0, Some(format!("R{nth:03}")))
        } else {
            (self.device(), 1, nth, None)
        }
    }

    fn reading(&self) -> Reading<'static> {
        let d = self.deposit;
        let number = |name: Option<&str>| HOUSEHOLDS.iter().position(|h| Some(*h) == name).unwrap_or(99);
        Reading {
            household: HouseholdNo(u32::try_from(number(d.household)).unwrap()),
            device: DeviceNo(u32::try_from(self.device).unwrap()),
            at: d.at,
            day: Day::of(d.at, Zone::SHANGHAI),
            stream: d.stream,
            grams: d.weight,
            quality: d.quality,
            confidence: d.confidence,
            by: d.by,
            bag: d.bag,
            counts: d.household.is_some(),
        }
    }
}

/// The sums straight from the list, in the form of [`Site::sums`].
fn expected(list: &[Said]) -> BTreeSet<String> {
    let mut evidence: BTreeMap<_, Bucket> = BTreeMap::new();
    let mut bags: HashMap<_, Vec<_>> = HashMap::new();
    let mut inspected: BTreeMap<_, i64> = BTreeMap::new();
    for (nth, said) in (1..).zip(list) {
        let reading = said.reading();
        if let Some((key, bucket)) = Bucket::of(&reading) {
            let source = match key.source {
                Source::Inspector => "inspectors",
                Source::Camera(_) => said.device(),
            };
            let household = said.deposit.household.unwrap();
            *evidence
                .entry((key.day, household, source, key.stream))
                .or_default() += bucket;
            if key.source == Source::Inspector && bucket.w > 0 {
                *inspected.entry((key.day, said.device(), household)).or_default() += 1;
            }
            // A reading without a bag's id is a bag of its own.
            let bag = said.deposit.bag.map_or(format!("alone {nth}"), str::to_owned);
            bags.entry((key.day, household, bag))
                .or_default()
                .push((said.key(nth), reading));
        }
    }
    let mut participation: BTreeMap<_, Participation> = BTreeMap::new();
    let mut pairs: BTreeMap<_, PairSums> = BTreeMap::new();
    let mut shared: BTreeMap<_, (i64, i64)> = BTreeMap::new();
    for ((day, household, _), readings) in bags {
        let word = |inspector: &str| {
            let own = readings.iter().filter(|(key, _)| key.0 == inspector);
            own.min_by_key(|(key, reading)| (reading.at, key))
                .map(|(_, reading)| i64::from(reading.quality))
        };
        if let Some((one, other)) = word("I1").zip(word("I2")) {
            let sums = shared.entry(day).or_default();
            *sums = (sums.0 + 1, sums.1 + one - other);
        }
        let fold = fold_bag(readings);
        *participation.entry((day, household)).or_default() += fold.participation;
        if let Some((DeviceNo(device), sums)) = fold.pair {
            *pairs.entry((day, CAMERAS[device as usize])).or_default() += sums;
        }
    }
    let row = |kind: &str, day: Day, name: String, numbers: &[i64]| {
        let numbers: Vec<String> = numbers.iter().map(|n| format!("Some({n})")).collect();
        format!("{kind} Some({}) {name} {}", day.get(), numbers.join(" "))
    };
    let evidence = evidence.into_iter().map(|((day, household, source, stream), b)| {
        row(
            "evidence",
            day,
            format!("{household} {source}"),
            &[stream.code().into(), b.w, b.g, b.n],
        )
    });
    let participation = participation.into_iter().map(|((day, household), p)| {
        let numbers = [p.grams, p.food, p.recyclable, p.hazardous, p.residual];
        row("participation", day, household.to_owned(), &numbers)
    });
    let pairs = pairs.into_iter().map(|((day, device), p)| {
        row(
            "pair",
            day,
            device.to_owned(),
            &[p.n, p.sy, p.sq, p.syy, p.sqq, p.syq],
        )
    });
    let shared = shared
        .into_iter()
        .map(|(day, (n, apart))| row("shared", day, "I1 I2".to_owned(), &[n, apart]));
    let inspected = inspected.into_iter().map(|((day, inspector, household), n)| {
        row("inspected", day, format!("{inspector} {household}"), &[n])
    });
    evidence
        .chain(participation)
        .chain(pairs)
        .chain(shared)
        .chain(inspected)
        .collect()
}

/// How a list arrives: its numbers in some order, some of them again; cut into batches; folded now and then.
type Arrival = Vec<(usize, bool, bool)>;

fn arrivals() -> impl Strategy<Value = (Vec<Said>, Vec<Arrival>)> {
    prop::collection::vec(said(), 1..24).prop_flat_map(|list| {
        let mut numbers: Vec<usize> = (0..list.len()).collect();
        numbers.extend((0..list.len()).step_by(3));
        let cuts = prop::collection::vec(
            (prop::bool::weighted(0.3), prop::bool::weighted(0.3)),
            numbers.len(),
        );
        let arrival = (Just(numbers).prop_shuffle(), cuts).prop_map(|(numbers, cuts)| {
            let one = |(number, (batch, fold))| (number, batch, fold);
            numbers.into_iter().zip(cuts).map(one).collect()
        });
        (Just(list), prop::collection::vec(arrival, 2))
    })
}

async fn play(list: &[Said], arrival: &Arrival) -> Site {
    let mut site = Site::new().await;
    let mut waiting = Vec::new();
    for &(number, end_batch, fold) in arrival {
        waiting.push(list[number].segment(number as u64 + 1));
        if end_batch {
            site.append(&std::mem::take(&mut waiting)).await;
        }
        if fold {
            site.fold().await;
        }
        // A process that ends between the append and the projection leaves nothing in memory.
        if end_batch && fold {
            site = site.reopen().await;
        }
    }
    site.append(&waiting).await;
    site.fold().await;
    site
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_and_cuts_change_no_sum((list, arrivals) in arrivals()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let expected = expected(&list);
            for arrival in &arrivals {
                let site = play(&list, arrival).await;
                let sums = site.sums().await;
                prop_assert_eq!(&sums, &expected);
                prop_assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
            }
            Ok(())
        })?;
    }
}
