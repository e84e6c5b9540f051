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
