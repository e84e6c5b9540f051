//! No path leads from the machine alone, or from one person, to a publication or a black name.

use hemu_ledger::Error;
use hemu_ledger::acts::{Act, Audience, EditionState, Words};
use hemu_rules::{Rule, Status};

use crate::editions::{DAY, state, village};
use crate::site::{NOW, Site, day, person};

/// Numbers that only the seed decides.
struct Dice(u64);

impl Dice {
    /// A number below a bound, by `SplitMix64`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

const TOKENS: [&str; 3] = ["BAD", "FINE", "NEW"];

fn some_act(dice: &mut Dice, edition: u64, now: i64) -> Act {
    let token = dice.of(&TOKENS).to_owned();
    let words = || Words::new("because");
    let reading = (1 + dice.below(2), u32::try_from(dice.below(40)).unwrap());
    match dice.below(16) {
        0 | 1 => Act::Notice { edition, days: 1 },
        2 | 3 => Act::Open { edition },
        4 | 5 => Act::ProposeBlack { edition, token },
        6 | 7 => Act::ConfirmBlack { edition, token },
        8 => Act::ProposePublication {
            edition,
            basis: words(),
            audience: Audience::Masked,
            expires_at: now + 3 * DAY,
        },
        9 | 10 => Act::Publish { edition },
        11 => Act::Expire { edition },
        12 => Act::Object {
            edition,
            token,
            readings: vec![reading],
            words: words(),
        },
        13 => Act::DecideObjection {
            objection: dice.below(edition + 20),
            upheld: dice.below(2) == 0,
            reason: words(),
        },
        14 => Act::strike(reading, "seen myself"),
        _ => Act::RedOptIn { token },
    }
}

/// A refusal is an outcome like any other; a failure is not.
fn unless_refused<T>(outcome: Result<T, Error>) -> Option<T> {
    match outcome {
        Ok(done) => Some(done),
        Err(error) => {
            assert!(error.refused().is_some(), "{error}");
            None
        }
    }
}

/// Plays so many steps by accounts drawn from a few; how many editions were open for decisions at some time.
async fn play(seed: u64, actors: &[&str], steps: usize) -> usize {
    let site = village().await;
    let mut dice = Dice(seed);
    let (mut now, mut days, mut deciding) = (NOW, vec![33, 40, 47, 54].into_iter(), 0);
    let mut editions: Vec<u64> = Vec::new();
    for _ in 0..steps {
        now += i64::try_from(dice.below(2)).unwrap() * DAY;
        let newest = editions.last().copied().unwrap_or(1);
        match dice.below(12) {
            0 | 1 => {
                if let Some(nth) = days.next() {
                    let new = site.ledger.propose_edition(&Rule::V1, day(nth), now, "server");
                    editions.extend(unless_refused(new.await));
                }
            }
            2 => {
                site.fold().await;
                editions.extend(unless_refused(site.ledger.revise(newest, now, "server").await));
            }
            _ => {
                let nth = usize::try_from(dice.below(2)).unwrap();
                let edition = editions.iter().rev().nth(nth).copied().unwrap_or(newest);
                let act = some_act(&mut dice, edition, now);
                let actor = person(dice.of(actors));
                unless_refused(site.ledger.act(&actor, now, act).await);
            }
        }
        for &edition in &editions {
            deciding += usize::from(shows_nobody(&site, edition, now).await == EditionState::Deciding);
        }
    }
    site.fold().await;
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    deciding
}

/// Asserts that an edition is not public and calls nobody black; how far it is.
async fn shows_nobody(site: &Site, edition: u64, now: i64) -> EditionState {
    let state = state(site, edition).await;
    assert!(
        !matches!(state, EditionState::Published | EditionState::Expired),
        "{state:?}"
    );
    for status in Status::ALL {
        for place in site.ledger.places(edition, status, 0, 9).await.unwrap() {
            assert_ne!(place.shown(), Status::Black);
            assert_eq!(place.confirmed_by, None);
        }
        let public = site
            .ledger
            .public_places(edition, now, status, 0, 9)
            .await
            .unwrap();
        assert_eq!(public, []);
    }
    state
}

#[tokio::test]
async fn the_machine_alone_never_publishes_and_never_calls_anybody_black() {
    let mut deciding = 0;
    for seed in 0..8 {
        deciding += play(seed, &["system", "system:scheduler", "system:p1"], 70).await;
    }
    assert!(
        deciding > 20,
        "the walk must get to where people decide: {deciding}"
    );
}

#[tokio::test]
async fn one_person_alone_never_publishes_and_never_calls_anybody_black() {
    let mut deciding = 0;
    for seed in 100..108 {
        deciding += play(seed, &["p1", "p1", "system"], 70).await;
    }
    assert!(
        deciding > 20,
        "the walk must get to where people decide: {deciding}"
    );
}
