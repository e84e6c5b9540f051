//! A boot that said two things under one number: nothing of it counts until a person has looked, wherever the second
//! content came and however the journal was cut.

use hemu_ledger::acts::{Act, Why};
use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::read::{Conflicting, Held};
use hemu_ledger::segment::Segment;
use hemu_rules::{Bp, By, Rule, Stream};
use proptest::prelude::*;

use crate::site::{NOW, Site, act, day, deposit, of_boot, refused, register, segment};

/// Device and boot of a record; the first of them is the one that conflicts.
const SOURCES: [(&str, u64); 4] = [("C1", 1), ("C1", 2), ("C2", 1), ("I1", 1)];
const HOUSEHOLDS: [&str; 2] = ["H1", "H2"];
const BAGS: [&str; 2] = ["B1", "B2"];

/// What is said, with small ranges so that bags meet; its number is its place in the list.
#[derive(Debug, Clone, Copy)]
struct Said {
    source: usize,
    deposit: Deposit<'static>,
}

prop_compose! {
    fn said()(
        source in 0..4usize, household in 0..2usize, bag in 0..3usize, minutes in prop::sample::select(vec![0i64, 1, 1_440]),
        quality in 0..=10_000i64, food: bool,
    ) -> Said {
        Said {
            source,
            deposit: Deposit {
                bag: BAGS.get(bag).copied(),
                stream: if food { Stream::Food } else { Stream::Residual },
                quality: Bp::clamped(quality),
                by: if source == 3 { By::Inspector } else { By::Camera },
                ..deposit(HOUSEHOLDS[household], minutes)
            },
        }
    }
}

impl Said {
    fn segment(&self, seq: u64) -> Segment {
        let (device, boot) = SOURCES[self.source];
        of_boot(device, boot, [(seq, Body::Deposit(self.deposit))])
    }
}

/// Tells segments in their order, a batch each or several together, and folds after some of them.
async fn told(segments: &[Segment], cuts: &[bool], folds: &[bool]) -> Site {
    let site = Site::new().await;
    register(&site, &HOUSEHOLDS).await;
    let mut waiting = Vec::new();
    for (nth, segment) in segments.iter().enumerate() {
        waiting.push(segment.clone());
        if cuts[nth % cuts.len()] {
            site.append(&std::mem::take(&mut waiting)).await;
            if folds[nth % folds.len()] {
                site.fold().await;
            }
        }
    }
    site.append(&waiting).await;
    site.fold().await;
    site
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_conflict_anywhere_leaves_what_the_others_said(
        mut list in prop::collection::vec(said(), 1..14), at in any::<prop::sample::Index>(),
        of in any::<prop::sample::Index>(), cuts in prop::collection::vec(any::<bool>(), 1..7),
        folds in prop::collection::vec(any::<bool>(), 1..5), restart: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // One of the frozen boot's is said twice, with another weight; the second may come before the first.
            let twin = of.index(list.len());
            list[twin].source = 0;
            let mut other = list[twin];
            other.deposit.weight = hemu_rules::Grams::clamped(1_900);
            let mut segments: Vec<Segment> = (1..).zip(&list).map(|(seq, said)| said.segment(seq)).collect();
            segments.insert(at.index(list.len() + 1), other.segment(twin as u64 + 1));
            let mut site = told(&segments, &cuts, &folds).await;
            if restart {
                site = site.reopen().await;
            }
            let honest: Vec<Segment> = (1..).zip(&list).filter(|(_, said)| said.source != 0)
                .map(|(seq, said)| said.segment(seq)).collect();
            prop_assert_eq!(site.sums().await, told(&honest, &[false], &[false]).await.sums().await);
            prop_assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
            let before = site.everything().await;
            let (site, _) = site.rebuilt().await;
            prop_assert_eq!(site.everything().await, before);
            Ok(())
        })?;
    }
}

fn one(household: &str, minutes: i64) -> Body<'_> {
    Body::Deposit(deposit(household, minutes))
}

fn checked(boot: u64) -> Act {
    Act::DeviceChecked {
        device: "C1".to_owned(),
        boot,
    }
}

fn conflicting(records: u64, open: u64, held: u64) -> Conflicting {
    Conflicting {
        device: "C1".to_owned(),
        boot: 1,
        records,
        open,
        held,
    }
}

/// Why each reading of H1 counts for nobody, in the order of time.
async fn held(site: &Site) -> Vec<Held> {
    let days = (crate::site::day(0), crate::site::day(1));
    let rows = site.ledger.deposits("H1", days.0, days.1).await.unwrap();
    rows.iter().map(|row| row.held).collect()
}

#[tokio::test]
async fn a_person_who_looked_puts_a_boot_back_and_another_conflict_takes_it_out_again() {
    let site = Site::new().await;
    register(&site, &["H1", "H2"]).await;
    let first = segment("C1", [(1, one("H1", 0)), (2, one("H1", 1))]);
    site.append(std::slice::from_ref(&first)).await;
    site.append(&[of_boot("C1", 2, [(1, one("H1", 2))])]).await;
    let mut row = Segment::of_import("C1");
    row.push_import("R1", &one("H1", 3));
    site.append(&[row]).await;
    site.fold().await;
    let before = site.sums().await;
    refused(&site, "w1", NOW, checked(1), Why::WrongState).await;

    site.append(&[segment("C1", [(2, one("H2", 1))])]).await;
    site.fold().await;
    // The other boot and what was imported go on counting; what comes later of this boot does not.
    site.append(&[segment("C1", [(3, one("H1", 4))])]).await;
    site.fold().await;
    let frozen = [
        Held::CONFLICT,
        Held::CONFLICT,
        Held::NOT,
        Held::NOT,
        Held::CONFLICT,
    ];
    assert_eq!(held(&site).await, frozen);
    assert_eq!(site.ledger.conflicting().await.unwrap(), [conflicting(1, 1, 3)]);
    assert_ne!(site.sums().await, before);
    // It is receipted all the same.
    let (_, cursor) = site.ledger.cursor("C1", Some(1)).await.unwrap().stand.unwrap();
    assert_eq!(cursor.upto(), 3);

    refused(&site, "system", NOW, checked(1), Why::NotAPerson).await;
    refused(&site, "w1", NOW, checked(2), Why::WrongState).await;
    act(&site, "w1", NOW, checked(1)).await;
    // What the boot said is out of the sums until then, and no edition would be computed again for it.
    let early = site
        .ledger
        .propose_edition(&Rule::V1, day(9), NOW, "server-1")
        .await;
    assert_eq!(early.unwrap_err().refused().unwrap().why, Why::NotYet);
    site.fold().await;
    assert_eq!(held(&site).await, [Held::NOT; 5]);
    assert_eq!(site.ledger.conflicting().await.unwrap(), [conflicting(1, 0, 0)]);

    // The same content again is a repeat, the other a conflict that nobody has looked at.
    site.append(&[first, segment("C1", [(1, one("H2", 1))])]).await;
    site.fold().await;
    assert_eq!(held(&site).await, frozen);
    assert_eq!(site.ledger.conflicting().await.unwrap(), [conflicting(2, 1, 3)]);
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}
