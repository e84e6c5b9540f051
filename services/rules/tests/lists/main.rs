//! Lists of simulated households at every weekly edition, against the oracle; and the same in other orders and shards.
#![expect(
    clippy::expect_used,
    reason = "a golden file that cannot be read fails the test"
)]

mod world;

use hemu_rules::{BetaError, Day, Gate, Guard, Outcome, Ppb, Rule, Status};
use serde_json::Value;
use std::collections::BTreeSet;
use world::{Editions, World};

const REGIMES: [&str; 2] = ["base", "few_insp"];

/// A row as the oracle writes it.
fn row(edition: Day, token: &str, o: &Outcome) -> String {
    let (black, red) = (o.p_black.probability(), o.p_red.probability());
    let head = format!("{},{token},{},{}", edition.get(), o.status, o.score);
    let numbers = format!("{black:.9},{red:.9},{:.9}", o.evidence);
    format!("{head},{numbers},{},{}", o.deposit_days, o.inspected_days)
}

fn rows(editions: &Editions) -> Vec<String> {
    editions
        .iter()
        .map(|((edition, token), o)| row(*edition, token, o))
        .collect()
}

#[test]
fn every_row_of_every_edition_is_the_oracles() -> Result<(), BetaError> {
    for regime in REGIMES {
        let world = World::golden(regime);
        let got = rows(&world.editions(&Rule::V1, 1)?);
        assert_eq!(got.len(), world.lists.len());
        for (got, expected) in got.iter().zip(&world.lists) {
            assert_eq!(got, expected, "{regime}");
        }
    }
    Ok(())
}

/// Consecutive outcomes of one household.
fn steps(editions: &Editions) -> impl Iterator<Item = (&Outcome, &Outcome)> {
    let next = |edition: Day, token: &String| editions.get(&(edition.plus(7), token.clone()));
    editions
        .iter()
        .filter_map(move |((edition, token), o)| Some((o, next(*edition, token)?)))
}

/// How often each case occurs in the editions of a world.
fn cases(editions: &Editions) -> Vec<(&'static str, usize)> {
    let count = |is: fn(&Outcome) -> bool| editions.values().filter(|o| is(o)).count();
    let step = |is: fn(&Outcome, &Outcome) -> bool| steps(editions).filter(|(a, b)| is(a, b)).count();
    vec![
        ("red", count(|o| o.status == Status::Red)),
        ("black", count(|o| o.status == Status::Black)),
        ("notice", count(|o| o.notice)),
        ("inactive", count(|o| o.inactive)),
        ("cut by the guard", count(|o| o.cut)),
        (
            "black below the entry",
            count(|o| o.status == Status::Black && o.hits == 0),
        ),
        (
            "red below the entry",
            count(|o| o.status == Status::Red && !o.gates.passed(Gate::RedEnter)),
        ),
        (
            "likely bad, and no inspector looked twice",
            count(|o| o.gates.passed(Gate::BlackEnter) && !o.gates.passed(Gate::InspectedDays)),
        ),
        (
            "surely good, and too little brought",
            count(|o| o.gates.passed(Gate::RedEnter) && o.status != Status::Red),
        ),
        (
            "leaving black",
            step(|a, b| a.status == Status::Black && b.status != Status::Black),
        ),
        (
            "leaving black for a good fortnight alone",
            step(|a, b| {
                let alone = Gate::BLACK
                    .iter()
                    .all(|&g| b.gates.passed(g) != (g == Gate::NotRedeemed));
                a.status == Status::Black && b.gates.passed(Gate::BlackStay) && alone
            }),
        ),
        (
            "notice, then black",
            step(|a, b| a.notice && b.status == Status::Black),
        ),
        (
            "notice, then not",
            step(|a, b| a.notice && b.status != Status::Black),
        ),
    ]
}

#[test]
fn the_golden_worlds_show_every_case() -> Result<(), BetaError> {
    for regime in REGIMES {
        for (case, times) in cases(&World::golden(regime).editions(&Rule::V1, 1)?) {
            assert!(times > 0, "{regime}: {case}");
        }
    }
    Ok(())
}

#[test]
fn nobody_is_black_without_what_black_needs() -> Result<(), BetaError> {
    for regime in REGIMES {
        let editions = World::golden(regime).editions(&Rule::V1, 1)?;
        for ((edition, token), o) in editions.iter().filter(|(_, o)| o.status == Status::Black) {
            assert!(o.gates.all(&Gate::BLACK), "{token} {edition}");
            assert!(o.inspected_days >= 2 && o.deposit_days >= 10 && !o.cut && !o.notice);
            let before = editions.get(&(edition.plus(-7), token.clone()));
            let before = before.expect("nobody is black at the first edition");
            let entered = before.hits >= 1 && o.hits >= 2;
            assert!(entered || before.status == Status::Black, "{token} {edition}");
        }
        for (before, after) in steps(&editions) {
            let hit = after.gates.all(&Gate::BLACK) && after.gates.passed(Gate::BlackEnter);
            assert_eq!(after.hits, if hit { before.hits + 1 } else { 0 });
        }
    }
    Ok(())
}

/// Deterministic order that has nothing to do with the rows' own: by a multiplicative hash of their place.
fn shuffle<T>(rows: &mut Vec<T>, seed: u64) {
    let hash = |n: u64| {
        (n ^ (seed << 32))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(31)
    };
    let mut keyed: Vec<(u64, T)> = (1_u64..).map(|n| hash(hash(n))).zip(rows.drain(..)).collect();
    keyed.sort_by_key(|(key, _)| *key);
    rows.extend(keyed.into_iter().map(|(_, row)| row));
}

#[test]
fn order_shards_and_numbering_change_no_byte() -> Result<(), BetaError> {
    let mut world = World::golden("few_insp");
    let expected = world.lists.join("\n");
    for (seed, shards) in [(1, 2), (2, 7), (3, 16)] {
        shuffle(&mut world.days, seed);
        shuffle(&mut world.pairs, seed);
        for row in &mut world.days {
            shuffle(&mut row.buckets, seed);
        }
        for estate in world.estates.values_mut() {
            estate.0 = estate.0.wrapping_mul(0x9E37_79B9).wrapping_add(77);
        }
        let got = rows(&world.editions(&Rule::V1, shards)?).join("\n");
        assert!(got == expected, "seed {seed}, {shards} shards");
    }
    Ok(())
}

#[test]
fn the_golden_guard_keeps_whom_the_oracle_keeps() {
    let path = format!("{}/golden/golden_lists.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a golden file");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert_eq!(cases.len(), 6);
    for case in cases {
        let texts = |v: &Value| v.as_str().expect("a token").to_owned();
        let candidate = |v: &Value| {
            let p = Ppb::from_probability(v[1].as_f64().expect("a probability"));
            (p.complement(), texts(&v[0]))
        };
        let candidates: Vec<_> = case["candidates"]
            .as_array()
            .expect("candidates")
            .iter()
            .map(candidate)
            .collect();
        let guard = Guard::of(
            Rule::V1.guard_doubt_most,
            candidates.iter().map(|(doubt, token)| (*doubt, token.as_str())),
        );
        let kept: BTreeSet<String> = candidates
            .iter()
            .filter(|(doubt, token)| guard.keeps(*doubt, token))
            .map(|(_, token)| token.clone())
            .collect();
        let expected: BTreeSet<String> = case["listed"]
            .as_array()
            .expect("tokens")
            .iter()
            .map(texts)
            .collect();
        assert_eq!(kept, expected);
    }
}
