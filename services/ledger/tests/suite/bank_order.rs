//! Whatever is asked of the bank in whatever order, by whom and however often: a currency adds up to nothing, nobody is
//! below zero, and everybody has what a plain sum of the acknowledged deals says.

use std::collections::BTreeMap;

use hemu_ledger::acts::Act;
use hemu_ledger::bank::Deal;
use proptest::prelude::*;

use crate::bank::{award, confirm, has, redeem, reverse, serve, sound, street, transfer};
use crate::site::{NOW, Site, act, day, person};

const TOKENS: [&str; 3] = ["H1", "H2", "H3"];

#[derive(Debug, Clone)]
enum Ask {
    Award(usize, u32),
    Redeem(usize, u32),
    Serve(usize, usize, i64),
    Transfer(usize, usize, u32),
    /// Takes back what one of the deals before did.
    Reverse(usize),
    /// Asks for one of those before once more.
    Again(usize),
    MoveIn(usize),
}

/// What a household has by its period: minutes and points.
type Sums = BTreeMap<(usize, u32), [i64; 2]>;

/// Whose minutes and points change by how much.
type Change = ((usize, u32), [i64; 2]);

#[derive(Default)]
struct Book {
    sums: Sums,
    periods: [u32; 3],
    /// What was asked for and its place, and what reversing it would change.
    done: Vec<(Deal, u64, Vec<Change>)>,
    keys: u32,
}

impl Book {
    fn key(&mut self) -> String {
        self.keys += 1;
        format!("key-{:05}", self.keys)
    }

    fn who(&self, nth: usize) -> (usize, u32) {
        (nth, self.periods[nth])
    }

    fn apply(&mut self, changes: &[((usize, u32), [i64; 2])], sign: i64) -> bool {
        let after = |sums: &Sums, (who, [minutes, points]): &((usize, u32), [i64; 2])| {
            let [m, p] = sums.get(who).copied().unwrap_or_default();
            [m + sign * minutes, p + sign * points]
        };
        let fits = changes
            .iter()
            .all(|change| after(&self.sums, change).iter().all(|n| *n >= 0));
        if fits {
            for change in changes {
                let now = after(&self.sums, change);
                self.sums.insert(change.0, now);
            }
        }
        fits
    }

    /// Asks, and expects what the sums say.
    async fn ask(&mut self, site: &Site, deal: Deal, changes: Vec<((usize, u32), [i64; 2])>) {
        let fits = self.apply(&changes, 1);
        let outcome = site.ledger.deal(&person("o1"), NOW, deal.clone()).await;
        assert_eq!(outcome.is_ok(), fits, "{deal:?}: {outcome:?}");
        if let Ok(dealt) = outcome {
            self.done.push((deal, dealt.position, changes));
        }
    }

    async fn take_back(&mut self, site: &Site, nth: usize) {
        if self.done.is_empty() {
            return;
        }
        let (deal, entry, changes) = self.done[nth % self.done.len()].clone();
        let Some(token) = party(&deal) else { return };
        let key = self.key();
        let outcome = site
            .ledger
            .deal(&person("o2"), NOW, reverse(&key, &token, entry))
            .await;
        let reason = outcome
            .as_ref()
            .err()
            .and_then(|error| error.refused())
            .map(|refused| refused.why);
        match reason {
            None => assert!(self.apply(&changes, -1), "{deal:?} was taken back below zero"),
            Some(hemu_ledger::acts::Why::NotEnough) => {
                let mut other = Self {
                    sums: self.sums.clone(),
                    ..Self::default()
                };
                assert!(!other.apply(&changes, -1), "{deal:?} could have been taken back");
            }
            Some(why) => assert_eq!(why, hemu_ledger::acts::Why::AlreadyDecided, "{deal:?}"),
        }
    }
}

fn party(deal: &Deal) -> Option<String> {
    match deal {
        Deal::Award { token, .. } | Deal::Redeem { token, .. } | Deal::Transfer { token, .. } => {
            Some(token.clone())
        }
        _ => None,
    }
}

async fn play(site: &Site, asked: &[Ask]) -> Book {
    let mut book = Book::default();
    for ask in asked {
        match *ask {
            Ask::Award(nth, points) => {
                let deal = award(&book.key(), TOKENS[nth], points);
                let change = (book.who(nth), [0, points.into()]);
                book.ask(site, deal, vec![change]).await;
            }
            Ask::Redeem(nth, points) => {
                let deal = redeem(&book.key(), TOKENS[nth], points);
                let change = (book.who(nth), [0, -i64::from(points)]);
                book.ask(site, deal, vec![change]).await;
            }
            Ask::Transfer(from, to, minutes) if from != to => {
                let deal = transfer(&book.key(), (TOKENS[from], TOKENS[to]), minutes);
                let amount = i64::from(minutes);
                let changes = vec![(book.who(from), [-amount, 0]), (book.who(to), [amount, 0])];
                book.ask(site, deal, changes).await;
            }
            Ask::Serve(helper, guest, minutes) if helper != guest => {
                let (record, say) = (book.key(), book.key());
                // Each at an hour of its own, on as many days as it takes.
                let ago = i64::from(book.keys) * 10 * 3_600_000;
                let deal = serve(&record, (TOKENS[helper], TOKENS[guest]), minutes, ago);
                let service = site.ledger.deal(&person("o1"), NOW, deal).await;
                let Ok(service) = service else { continue };
                let yes = confirm(&say, TOKENS[guest], service.position);
                site.ledger.deal(&person("o2"), NOW, yes).await.unwrap();
                let who = book.who(helper);
                assert!(book.apply(&[(who, [minutes, 0])], 1));
            }
            Ask::Reverse(nth) => book.take_back(site, nth).await,
            Ask::Again(nth) if !book.done.is_empty() => {
                let (deal, position, _) = book.done[nth % book.done.len()].clone();
                let again = site.ledger.deal(&person("o1"), NOW + 5, deal).await.unwrap();
                assert_eq!((again.position, again.at, again.repeated), (position, NOW, true));
            }
            Ask::MoveIn(nth) => {
                book.periods[nth] += 1;
                let (token, day) = (TOKENS[nth].to_owned(), day(book.periods[nth].into()));
                act(site, "o1", NOW, Act::MovedIn { token, day }).await;
            }
            Ask::Transfer(..) | Ask::Serve(..) | Ask::Again(_) => {}
        }
    }
    book
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let ask = prop_oneof![
        4 => (0..3usize, 1..300u32).prop_map(|(who, points)| Ask::Award(who, points)),
        4 => (0..3usize, 1..300u32).prop_map(|(who, points)| Ask::Redeem(who, points)),
        3 => (0..3usize, 0..3usize, 1..200i64).prop_map(|(by, of, minutes)| Ask::Serve(by, of, minutes)),
        4 => (0..3usize, 0..3usize, 1..120u32).prop_map(|(from, to, minutes)| Ask::Transfer(from, to, minutes)),
        3 => (0..20usize).prop_map(Ask::Reverse),
        2 => (0..20usize).prop_map(Ask::Again),
        1 => (0..3usize).prop_map(Ask::MoveIn),
    ];
    prop::collection::vec(ask, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn everybody_has_what_the_acknowledged_deals_add_up_to_and_a_currency_adds_up_to_nothing(asked in asks()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let site = street().await;
            let book = play(&site, &asked).await;
            for (nth, token) in TOKENS.into_iter().enumerate() {
                let [minutes, points] = book.sums.get(&book.who(nth)).copied().unwrap_or_default();
                prop_assert_eq!(has(&site, token).await, (minutes, points));
            }
            sound(&site).await;
            let (site, _) = site.rebuilt().await;
            sound(&site).await;
            Ok(())
        })?;
    }
}
