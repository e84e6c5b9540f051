//! Takes stored readings out of what counts, and puts them back: sums with the sign -1 or +1, and their bags folded
//! again. Which readings is for people to say, or for a conflict that was found; nothing here decides.

use std::collections::{BTreeSet, HashMap, HashSet};

use hemu_rules::{Bucket, Day, Millis, Participation, Reading, Zone};

use super::changes::{Changes, Totals};
use super::fold::{Bag, Mate, Worth, inspected, mates};
use super::judge::Names;
use super::write::Statements;
use crate::acts::{Act, ReadingAt};
use crate::db;
use crate::read::{self, Held, Named, READING_DAYS};

type Outcome<T> = Result<T, sqlx::Error>;

/// What a person, or a conflict, did to readings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hold {
    /// A reason holds one back, or no longer does.
    One(ReadingAt, Held, bool),
    /// A card counts for nobody from an instant on, or always counts.
    Card(String, Option<i64>),
    /// A new occupant begins on a day, or did not. No sum changes: whose days are whose is asked when they are read.
    Moved(String, Day, bool),
    /// A device's boot said two things under one number.
    Frozen(u32, u64),
    /// A person looked at it.
    Checked(String, u64),
}

impl Hold {
    /// `None` for an act that is not about readings. What editions and names wait for (`acts::rests`) knows the same kinds.
    pub(super) fn of(act: &Act) -> Option<Self> {
        Some(match act {
            Act::Strike { reading, .. } => Self::One(*reading, Held::STRUCK, true),
            Act::Restore { reading } => Self::One(*reading, Held::STRUCK, false),
            Act::ClockChecked { reading } => Self::One(*reading, Held::CLOCK, false),
            Act::CardLost { token, since } => Self::Card(token.clone(), Some(*since)),
            Act::CardFound { token } => Self::Card(token.clone(), None),
            Act::MovedIn { token, day } => Self::Moved(token.clone(), *day, true),
            Act::MoveUndone { token, day } => Self::Moved(token.clone(), *day, false),
            Act::DeviceChecked { device, boot } => Self::Checked(device.clone(), *boot),
            _ => return None,
        })
    }
}

/// Cards that count for nobody, and since when.
pub(super) async fn lost_cards(connection: &mut db::Link<'_>) -> Outcome<HashMap<String, i64>> {
    db::query_as("select token, since from lost_card")
        .fetch_all(connection)
        .await
        .map(|rows| rows.into_iter().collect())
}

/// Devices and boots with conflicts that nobody has looked at.
pub(super) async fn frozen(connection: &mut db::Link<'_>) -> Outcome<HashSet<(u32, u64)>> {
    let rows: Vec<(u32, i64)> = db::query_as("select device, boot from conflicting where open > 0")
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(device, boot)| (device, boot.cast_unsigned()))
        .collect())
}

/// A stored reading and why it is held from now on.
struct Change {
    place: ReadingAt,
    bag: String,
    reading: Reading<'static>,
    was: Held,
    becomes: Held,
}

impl Change {
    fn of(row: &db::Row, becomes: impl FnOnce(Held, i64) -> Held) -> Outcome<Self> {
        let was = Held::read(row)?;
        Ok(Self {
            place: (
                row.try_get::<i64, _>("position")?.cast_unsigned(),
                row.try_get("idx")?,
            ),
            bag: row.try_get("bag")?,
            reading: read::reading(row)?,
            was,
            becomes: becomes(was, row.try_get("at")?),
        })
    }

    fn bag(&self) -> Bag {
        let day = i64::from(self.reading.day.get());
        (day, self.reading.household.0, self.bag.clone())
    }
}

/// What holding needs beside the transaction.
pub(super) struct Hands<'p> {
    pub(super) statements: &'p Statements,
    pub(super) names: &'p Names,
    pub(super) truth: &'p db::Pool,
    pub(super) zone: Zone,
}

impl Hands<'_> {
    pub(super) async fn apply(&self, connection: &mut db::Link<'_>, hold: &Hold) -> Outcome<()> {
        let changes = match hold {
            Hold::One(place, reason, holds) => {
                let row = match Named::find(self.truth, self.zone, *place).await? {
                    Some(named) => named.row(connection).await?,
                    None => None,
                };
                let change = row.map(|row| Change::of(&row, |was, _| was.with(*reason, *holds)));
                change.into_iter().collect::<Outcome<Vec<_>>>()?
            }
            Hold::Card(token, since) => self.of_card(connection, token, *since).await?,
            Hold::Moved(token, day, holds) => {
                moved(connection, token, *day, *holds).await?;
                Vec::new()
            }
            Hold::Frozen(device, boot) => of_boot(connection, *device, *boot, true).await?,
            Hold::Checked(device, boot) => match self.names.devices.get(device) {
                Some(device) => {
                    let checked = "update conflicting set open = 0 where device = ? and boot = ?";
                    let done = db::query(checked).bind(*device).bind(boot.cast_signed());
                    done.execute(&mut *connection).await?;
                    of_boot(connection, *device, *boot, false).await?
                }
                None => Vec::new(),
            },
        };
        let changes: Vec<Change> = changes.into_iter().filter(|one| one.was != one.becomes).collect();
        self.change(connection, &changes).await
    }

    /// All readings of a card that count otherwise from now on.
    async fn of_card(
        &self,
        connection: &mut db::Link<'_>,
        token: &str,
        since: Option<i64>,
    ) -> Outcome<Vec<Change>> {
        let before: Option<i64> = db::query_scalar("select since from lost_card where token = ?")
            .bind(token)
            .fetch_optional(&mut *connection)
            .await?;
        db::query("delete from lost_card where token = ?")
            .bind(token)
            .execute(&mut *connection)
            .await?;
        if let Some(since) = since {
            db::query("insert into lost_card (token, since) values (?, ?)")
                .bind(token)
                .bind(since)
                .execute(&mut *connection)
                .await?;
        }
        let Some(first) = before.into_iter().chain(since).min() else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "{READING_DAYS} select reading.* from days join household on household.token = ?2
             join reading on reading.day = days.day and reading.household = household.no"
        );
        let rows = db::query(sqlx::AssertSqlSafe(sql))
            .bind(Day::of(Millis::clamped(first), self.zone).get())
            .bind(token)
            .fetch_all(connection)
            .await?;
        let lost = |at: i64| since.is_some_and(|since| at >= since);
        let change = |row| Change::of(row, |was, at| was.with(Held::CARD, lost(at)));
        rows.iter().map(change).collect()
    }

    async fn change(&self, connection: &mut db::Link<'_>, changes: &[Change]) -> Outcome<()> {
        let attributed = || changes.iter().filter(|one| one.reading.household.0 != 0);
        let bags: BTreeSet<Bag> = attributed()
            .filter(|one| !one.bag.is_empty())
            .map(Change::bag)
            .collect();
        let bags: Vec<Bag> = bags.into_iter().collect();
        let before = mates(self.statements, connection, &bags).await?;
        for one in changes {
            db::query(
                "update reading set held = ? where day = ? and household = ? and bag = ? and position = ? and idx = ?",
            )
            .bind(one.becomes.bits())
            .bind(one.reading.day.get())
            .bind(one.reading.household.0)
            .bind(&one.bag)
            .bind(one.place.0.cast_signed())
            .bind(one.place.1)
            .execute(&mut *connection)
            .await?;
        }
        let after = mates(self.statements, connection, &bags).await?;
        let mut sums = Changes::new(Totals::default());
        for one in attributed() {
            add(&mut sums, one);
        }
        for bag in &bags {
            let worth = |mates: &HashMap<Bag, Vec<Mate>>| {
                let of_bag = mates.get(bag).map_or(&[][..], Vec::as_slice);
                Worth::of(self.names, || {
                    of_bag.iter().map(|mate| (mate.key(self.names), mate.reading))
                })
            };
            sums.rebag((Day::clamped(bag.0), bag.1), &worth(&before), &worth(&after));
        }
        self.statements.deposits(connection, &sums).await?;
        let mut earliest: HashMap<u32, Day> = HashMap::new();
        for one in attributed() {
            let day = earliest.entry(one.reading.household.0).or_insert(one.reading.day);
            *day = one.reading.day.min(*day);
        }
        for (household, day) in earliest {
            first_day(connection, household, day).await?;
        }
        Ok(())
    }
}

/// All readings that a device sent with one boot: an import's have none. They are looked for on the device's days, in this
/// order of tables: no index of every reading is kept for what hardly ever happens.
async fn of_boot(connection: &mut db::Link<'_>, device: u32, boot: u64, holds: bool) -> Outcome<Vec<Change>> {
    let rows = db::query(
        "select reading.* from tally cross join reading
         where tally.device = ?1 and reading.day = tally.day and reading.device = ?1 and reading.boot = ?2
             and reading_id is null",
    )
    .bind(device)
    .bind(boot.cast_signed())
    .fetch_all(connection)
    .await?;
    let change = |row| Change::of(row, |was, _| was.with(Held::CONFLICT, holds));
    rows.iter().map(change).collect()
}

/// What a reading adds to the sums of its day, or takes from them.
fn add(sums: &mut Changes<'_>, one: &Change) {
    let sign = match (one.was == Held::NOT, one.becomes == Held::NOT) {
        (false, true) => 1,
        (true, false) => -1,
        _ => return,
    };
    let (day, household) = (one.reading.day, one.reading.household.0);
    let counted = Reading {
        counts: true,
        ..one.reading
    };
    if let Some((key, bucket)) = Bucket::of(&counted) {
        let evidence = sums
            .evidence
            .entry((day, household, key.source, key.stream))
            .or_default();
        *evidence += if sign > 0 { bucket } else { -bucket };
        if let Some(key) = inspected(&counted, &bucket) {
            *sums.inspected.entry(key).or_default() += sign;
        }
    }
    if one.bag.is_empty() {
        let bag = Participation::of_bag(counted.stream, counted.grams);
        let bags = sums.participation.entry((day, household)).or_default();
        *bags += if sign > 0 { bag } else { -bag };
    }
}

async fn moved(connection: &mut db::Link<'_>, token: &str, day: Day, holds: bool) -> Outcome<()> {
    let sql = if holds {
        "insert into moved (token, day) values (?, ?) on conflict do nothing"
    } else {
        "delete from moved where token = ? and day = ?"
    };
    let done = db::query(sql).bind(token).bind(day.get()).execute(connection);
    done.await.map(|_| ())
}

/// Finds a household's first counted day again after its readings of `day` and later days changed.
async fn first_day(connection: &mut db::Link<'_>, household: u32, day: Day) -> Outcome<()> {
    let known: Option<i64> = db::query_scalar("select first_day from household where no = ?")
        .bind(household)
        .fetch_one(&mut *connection)
        .await?;
    // No day before the known first one counts, unless it is one of those that changed.
    let from = known.map_or(day, |known| Day::clamped(known).min(day));
    let sql = format!(
        "{READING_DAYS} update household set first_day = (
             select days.day from days where exists (
                 select 1 from reading where reading.day = days.day and household = ?2 and held = 0)
             limit 1)
         where no = ?2"
    );
    db::query(sqlx::AssertSqlSafe(sql))
        .bind(from.get())
        .bind(household)
        .execute(connection)
        .await?;
    Ok(())
}
