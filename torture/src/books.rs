//! The bank's books as they lie in the store, and an oracle's word on them. Must not: ask the server anything.

use std::collections::{BTreeMap, HashMap, HashSet};

/// Balances of a currency by account.
type Balances = BTreeMap<(String, String), i64>;

/// An entry: the act it came with, its number there, currency, who gives, who gets, how much.
pub type Entry = (i64, i64, String, String, String, i64);

/// What is in the tables.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// Currency, account, balance.
    pub accounts: Vec<(String, String, i64)>,
    /// In the order of the journal.
    pub entries: Vec<Entry>,
    /// Requests' keys and the acts they stand for.
    pub keys: Vec<(String, i64)>,
}

/// A request to give minutes, and what came of it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub key: String,
    pub from: String,
    pub to: String,
    pub minutes: i64,
    /// Where the server said it stands; `None`: it said that there was not enough.
    pub position: Option<i64>,
}

/// What the books should hold, and what they do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Acknowledged, and not there, or with another content or place.
    pub lost: u64,
    /// Keys that stand twice, and entries that no acknowledged request explains.
    pub doubled: u64,
    /// Refused, and there all the same.
    pub refused_and_there: u64,
    /// Currencies whose balances, or whose debits and credits, do not add up to nothing.
    pub unbalanced: u64,
    /// Accounts below zero at the end, or at any entry on the way.
    pub negative: u64,
    /// Accounts whose balance is not the sum of its entries.
    pub misadded: u64,
}

impl Findings {
    /// What is wrong, in words.
    pub fn red(&self) -> Vec<String> {
        let all = [
            ("acknowledged and not as it was acknowledged", self.lost),
            ("entries or keys twice, or of nobody", self.doubled),
            ("refused and there", self.refused_and_there),
            ("currencies that do not add up to nothing", self.unbalanced),
            ("accounts below zero", self.negative),
            ("balances that are not the sum of the entries", self.misadded),
        ];
        let red = all.into_iter().filter(|(_, count)| *count > 0);
        red.map(|(what, count)| format!("{count} {what}")).collect()
    }
}

/// The account of whoever lives in a household first.
pub fn home(token: &str) -> String {
    format!("home/0/{token}")
}

/// Holds the books against what was asked; `known` are entries that were there before.
pub fn judge(books: &Books, known: usize, asked: &[Asked]) -> Findings {
    let mut found = Findings::default();
    let ran = running(books, &mut found);
    balanced(books, &ran, &mut found);
    answered(books, known, asked, &mut found);
    found
}

/// Balances as the entries make them, one after the other.
fn running(books: &Books, found: &mut Findings) -> Balances {
    let mut balances = Balances::new();
    for (_, _, currency, debit, credit, amount) in &books.entries {
        *balances.entry((currency.clone(), credit.clone())).or_default() += amount;
        let gave = balances.entry((currency.clone(), debit.clone())).or_default();
        *gave -= amount;
        found.negative += u64::from(*gave < 0 && debit != "issued");
    }
    balances
}

fn balanced(books: &Books, ran: &Balances, found: &mut Findings) {
    let mut sums: HashMap<&str, i64> = HashMap::new();
    let mut stored = Balances::new();
    for (currency, account, balance) in &books.accounts {
        *sums.entry(currency).or_default() += balance;
        found.negative += u64::from(*balance < 0 && account != "issued");
        stored.insert((currency.clone(), account.clone()), *balance);
    }
    found.unbalanced += sums.values().filter(|sum| **sum != 0).count() as u64;
    let accounts: HashSet<_> = stored.keys().chain(ran.keys()).collect();
    let differ = accounts
        .into_iter()
        .filter(|account| stored.get(*account).unwrap_or(&0) != ran.get(*account).unwrap_or(&0));
    found.misadded += differ.count() as u64;
}

fn answered(books: &Books, known: usize, asked: &[Asked], found: &mut Findings) {
    let mut keys: HashMap<&str, i64> = HashMap::new();
    for (key, position) in &books.keys {
        found.doubled += u64::from(keys.insert(key, *position).is_some());
    }
    let places: HashSet<i64> = books.keys.iter().map(|(_, position)| *position).collect();
    found.doubled += (books.keys.len() - places.len()) as u64;
    let entries: HashMap<i64, &Entry> = books.entries.iter().map(|entry| (entry.0, entry)).collect();
    let mut explained = known;
    for request in asked {
        let stands = keys.get(request.key.as_str()).copied();
        let Some(position) = request.position else {
            found.refused_and_there += u64::from(stands.is_some());
            continue;
        };
        let right = entries
            .get(&position)
            .is_some_and(|(_, _, currency, debit, credit, amount)| {
                currency == "minutes"
                    && *debit == home(&request.from)
                    && *credit == home(&request.to)
                    && *amount == request.minutes
            });
        explained += 1;
        found.lost += u64::from(stands != Some(position) || !right);
    }
    found.doubled += books.entries.len().saturating_sub(explained) as u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> (Books, Vec<Asked>) {
        let entry = |position, debit: &str, credit: &str, amount| {
            (
                position,
                0,
                "minutes".to_owned(),
                debit.to_owned(),
                credit.to_owned(),
                amount,
            )
        };
        let account = |id: &str, balance| ("minutes".to_owned(), id.to_owned(), balance);
        let books = Books {
            accounts: vec![
                account("issued", -100),
                account("home/0/A", 70),
                account("home/0/B", 30),
            ],
            entries: vec![
                entry(2, "issued", "home/0/A", 100),
                entry(5, "home/0/A", "home/0/B", 30),
            ],
            keys: vec![("seed".to_owned(), 2), ("one".to_owned(), 5)],
        };
        let asked = |key: &str, minutes, position| Asked {
            key: key.to_owned(),
            from: "A".to_owned(),
            to: "B".to_owned(),
            minutes,
            position,
        };
        (books, vec![asked("one", 30, Some(5)), asked("two", 500, None)])
    }

    #[test]
    fn books_that_are_as_they_should_be_are_found_so() {
        let (books, asked) = sound();
        assert_eq!(judge(&books, 1, &asked), Findings::default());
    }

    #[test]
    fn every_way_to_be_wrong_turns_its_own_line_red() {
        let red = |spoil: &dyn Fn(&mut Books), count: &dyn Fn(&Findings) -> u64| {
            let (mut books, asked) = sound();
            spoil(&mut books);
            let found = judge(&books, 1, &asked);
            assert!(count(&found) > 0 && !found.red().is_empty(), "{found:?}");
        };
        red(&|books| drop(books.keys.pop()), &|found| found.lost);
        red(&|books| books.entries[1].5 = 31, &|found| found.lost);
        red(&|books| books.keys.push(("one".to_owned(), 6)), &|found| {
            found.doubled
        });
        red(
            &|books| {
                books
                    .entries
                    .push((9, 0, "minutes".into(), "issued".into(), "home/0/A".into(), 1));
            },
            &|found| found.doubled,
        );
        red(&|books| books.keys.push(("two".to_owned(), 9)), &|found| {
            found.refused_and_there
        });
        red(&|books| books.accounts[1].2 = 71, &|found| found.unbalanced);
        red(&|books| books.accounts[1].2 = -1, &|found| found.negative);
        red(&|books| books.entries[1].5 = 130, &|found| found.negative);
        red(&|books| books.accounts[2].2 = 31, &|found| found.misadded);
    }
}
