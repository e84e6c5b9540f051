//! Everybody at one edition, as of one moment of the projections: what scores and lists are computed from.
//!
//! Days are read in order and added up household by household, by two hands that share the households between them.
//! Nothing is judged here.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;

use futures::TryStreamExt;
use hemu_rules::{Calibration, DECAY, Day, DeviceNo, EstateNo, PairSums, Rule, Source, Tally, calibrate};

use super::Outcome;
use super::days::each_day;
use super::inspectors::doubted_households;
use super::occupancy::{first_day_after, moves};
use crate::HouseholdDay;
use crate::db;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;
use crate::sums::block_of;
use crate::work::{Stage, Work};

/// What an edition is computed from.
#[derive(Debug)]
pub struct Gathered {
    /// Everything up to here is in it.
    pub position: Position,
    pub calibration: Arc<Calibration>,
    /// Every registered household once, in the order of the tokens. Tokens nobody registered score for nobody:
    /// neither for themselves nor in the city's mean.
    pub households: Vec<Member>,
    /// Names by device number.
    pub device_names: Vec<String>,
    /// The last move before the edition, of those who moved: what was before it is not in here.
    pub(crate) moved: HashMap<String, Day>,
    /// Estates by number, for this one gathering; empty where a household names none.
    pub estates: Vec<String>,
}

/// A registered household at an edition.
#[derive(Debug)]
pub struct Member {
    pub token: String,
    pub estate: EstateNo,
    /// The day of the first counted bag of whoever lives there at that edition.
    pub first_day: Option<Day>,
    pub tally: Tally,
    /// An inspector who judged it is doubted: nobody is black by these inspections.
    pub inspections_doubted: bool,
}

impl Gathered {
    /// A source's name, for people.
    pub fn source_name(&self, source: Source) -> &str {
        name(&self.device_names, source)
    }
}

pub(super) fn name(device_names: &[String], source: Source) -> &str {
    match source {
        Source::Inspector => "inspector",
        Source::Camera(DeviceNo(no)) => device_names.get(no as usize).map_or("", String::as_str),
    }
}

/// Days before an edition that it looks at.
pub(crate) fn window(edition: Day) -> (Day, Day) {
    let days = i32::try_from(DECAY.len()).unwrap_or(i32::MAX);
    (edition.plus(-days), edition)
}

type Snapshot = db::Transaction<'static>;

/// Two views of the projections at the same position.
struct Snapshots {
    position: Position,
    one: Snapshot,
    other: Snapshot,
}

impl Ledger {
    /// Gathers what an edition needs: evidence of the days before it.
    pub async fn gather(&self, rule: &Rule, edition: Day) -> Result<Gathered> {
        let (registered, estates) = self.registered().await?;
        let path = self.folder().projections();
        let from = (&self.projections, path.as_path());
        let gathered = gather(from, registered, rule, edition, &self.work).await?;
        Ok(Gathered { estates, ..gathered })
    }

    /// The same by two rules: of the same households, and of the same evidence whatever is folded meanwhile.
    pub(crate) async fn gather_both(&self, [one, other]: [&Rule; 2], edition: Day) -> Result<[Gathered; 2]> {
        let (registered, estates) = self.registered().await?;
        let path = self.folder().projections();
        let views = snapshots(&self.projections, &path).await?;
        let (first, views) = gather_in(views, &path, registered.clone(), (one, edition), &self.work).await?;
        let (second, _) = gather_in(views, &path, registered, (other, edition), &self.work).await?;
        let named = |gathered, estates| Gathered { estates, ..gathered };
        Ok([named(first, estates.clone()), named(second, estates)])
    }

    /// Every registered household with its estate's number, in the order of the tokens; and the estates.
    async fn registered(&self) -> Result<(Vec<(String, EstateNo)>, Vec<String>)> {
        let path = self.folder().truth();
        let mut rows =
            db::query("select token, coalesce(estate, '') as estate from household order by token")
                .fetch(&self.truth);
        let (mut households, mut numbers) = (Vec::new(), HashMap::new());
        while let Some(row) = rows.try_next().await.of(&path)? {
            let estate: &str = row.try_get("estate").of(&path)?;
            let no = match numbers.get(estate) {
                Some(&no) => no,
                None => number(&mut numbers, estate),
            };
            households.push((row.try_get("token").of(&path)?, no));
        }
        let mut estates: Vec<(String, EstateNo)> = numbers.into_iter().collect();
        estates.sort_unstable_by_key(|&(_, no)| no);
        Ok((households, estates.into_iter().map(|(name, _)| name).collect()))
    }
}

/// The next number, given to a new estate.
fn number(numbers: &mut HashMap<String, EstateNo>, estate: &str) -> EstateNo {
    let no = EstateNo(u32::try_from(numbers.len()).unwrap_or(u32::MAX));
    numbers.insert(estate.to_owned(), no);
    no
}

/// Gathers what an edition of some registered households, in the order of the tokens, needs of some projections. The
/// estates' names are the caller's to add.
pub(crate) async fn gather(
    (projections, path): (&db::Pool, &Path),
    registered: Vec<(String, EstateNo)>,
    rule: &Rule,
    edition: Day,
    work: &Work,
) -> Result<Gathered> {
    let views = snapshots(projections, path).await?;
    let (gathered, _) = gather_in(views, path, registered, (rule, edition), work).await?;
    Ok(gathered)
}

/// The same in views that are handed on.
async fn gather_in(
    views: Snapshots,
    path: &Path,
    registered: Vec<(String, EstateNo)>,
    (rule, edition): (&Rule, Day),
    work: &Work,
) -> Result<(Gathered, Snapshots)> {
    let (from, to) = window(edition);
    work.begin(Stage::Reading, u64::from(to.since(from).unsigned_abs()))?;
    let Snapshots {
        position,
        mut one,
        other,
    } = views;
    let (calibration, device_names) = calibration(&mut one.link(), rule, edition).await.of(path)?;
    let calibration = Arc::new(calibration);
    let doubted = doubted_households(&mut one.link(), rule, edition)
        .await
        .of(path)?;
    let mut known = known(&mut one.link()).await.of(path)?;
    let moved = moves(&mut one.link(), edition).await.of(path)?;
    let since = Arc::new(since(&mut one.link(), &mut known, &moved).await.of(path)?);
    let blocks = known
        .values()
        .map(|(no, _)| block_of(*no))
        .max()
        .map_or(0, |last| last + 1);
    let middle = blocks / 2;
    let hand = |view, blocks| {
        let hand = Hand {
            blocks,
            calibration: calibration.clone(),
            since: since.clone(),
            work: work.clone(),
        };
        beside(hand.add_up(view))
    };
    let (low, high) = tokio::join!(hand(one, 0..middle), hand(other, middle..blocks));
    let ((low, one), (high, other)) = (low.of(path)?, high.of(path)?);
    work.goes_on()?;
    let tally_of = |no: u32| low.get(no).or_else(|| high.get(no)).copied().unwrap_or_default();
    let households = registered.into_iter().map(|(token, estate)| {
        let (tally, first_day, inspections_doubted) = known
            .get(&token)
            .map(|&(no, first)| (tally_of(no), first, doubted.contains(&no)))
            .unwrap_or_default();
        Member {
            token,
            estate,
            first_day,
            tally,
            inspections_doubted,
        }
    });
    let gathered = Gathered {
        position,
        households: households.collect(),
        calibration,
        device_names,
        moved,
        estates: Vec::new(),
    };
    let views = Snapshots { position, one, other };
    Ok((gathered, views))
}

/// The first day that counts of those who moved, by household number; and their first bags are the new occupants'.
async fn since(
    connection: &mut db::Link<'_>,
    known: &mut HashMap<String, (u32, Option<Day>)>,
    moved: &HashMap<String, Day>,
) -> Outcome<HashMap<u32, Day>> {
    let mut since = HashMap::new();
    for (token, day) in moved {
        if let Some((no, first)) = known.get_mut(token) {
            *first = first_day_after(connection, *no, *day).await?;
            since.insert(*no, day.plus(1));
        }
    }
    Ok(since)
}

/// Two views, begun again where a fold in between would show one of them more.
async fn snapshots(projections: &db::Pool, path: &Path) -> Result<Snapshots> {
    loop {
        let mut one = projections.snapshot().await.of(path)?;
        let mut other = projections.snapshot().await.of(path)?;
        let position = applied(&mut one.link()).await.of(path)?;
        if applied(&mut other.link()).await.of(path)? == position {
            return Ok(Snapshots { position, one, other });
        }
    }
}

/// Tallies of the households of some blocks.
struct Tallies {
    first: u32,
    tallies: Vec<Tally>,
}

impl Tallies {
    fn get(&self, no: u32) -> Option<&Tally> {
        self.tallies.get(no.checked_sub(self.first)? as usize)
    }
}

/// Adds up the households of some blocks.
struct Hand {
    blocks: Range<u32>,
    calibration: Arc<Calibration>,
    since: Arc<HashMap<u32, Day>>,
    work: Work,
}

impl Hand {
    /// Both hands walk the same days about as fast, and either may say how far they are.
    async fn add_up(self, mut snapshot: Snapshot) -> Outcome<(Tallies, Snapshot)> {
        let (blocks, days) = (&self.blocks, window(self.calibration.edition()));
        let mut sums = Tallies {
            first: crate::sums::first_of(blocks.start),
            tallies: vec![Tally::default(); crate::sums::first_of(blocks.end - blocks.start) as usize],
        };
        let from = |place: u32| self.since.get(&(sums.first + place)).copied();
        let from: Vec<Option<Day>> = (0..).map(from).take(sums.tallies.len()).collect();
        let mut buckets = Vec::new();
        let show = |day: Day, household: u32, of_day: &HouseholdDay| {
            let read = u64::from(day.since(days.0).unsigned_abs());
            if self.work.at(read).is_err() {
                return ControlFlow::Break(());
            }
            let Some(place) = household.checked_sub(sums.first).map(|place| place as usize) else {
                return ControlFlow::Continue(());
            };
            if from.get(place).is_some_and(|from| *from > Some(day)) {
                return ControlFlow::Continue(());
            }
            if let Some(tally) = sums.tallies.get_mut(place) {
                buckets.clear();
                buckets.extend(of_day.buckets.iter().map(|&(source, _, bucket)| (source, bucket)));
                tally.add_evidence(&self.calibration, day, &buckets);
                tally.add_bags(&self.calibration, day, &of_day.participation);
            }
            ControlFlow::Continue(())
        };
        each_day(&mut snapshot.link(), days, blocks, show).await?;
        Ok((sums, snapshot))
    }
}

/// On a thread of its own: a city is seconds of arithmetic, and nobody is to wait behind it.
async fn beside<T: Send + 'static>(work: impl Future<Output = Outcome<T>> + Send + 'static) -> Outcome<T> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(work))
        .await
        .map_err(|_| sqlx::Error::WorkerCrashed)?
}

async fn applied(connection: &mut db::Link<'_>) -> Outcome<Position> {
    let row = db::query("select applied from progress")
        .fetch_one(connection)
        .await?;
    Ok(row.try_get::<i64, _>("applied")?.cast_unsigned())
}

/// The cameras' calibration at an edition, and their names by number.
pub(super) async fn calibration(
    connection: &mut db::Link<'_>,
    rule: &Rule,
    edition: Day,
) -> Outcome<(Calibration, Vec<String>)> {
    let names = device_names(connection).await?;
    let pairs = pairs(connection, (edition.plus(-rule.pair_days), edition)).await?;
    Ok((calibrated(rule, &pairs, &names, edition), names))
}

/// The calibration that pairs give; those of other days change nothing.
pub(super) fn calibrated(
    rule: &Rule,
    pairs: &[(DeviceNo, Day, PairSums)],
    names: &[String],
    edition: Day,
) -> Calibration {
    let name_of = |no: DeviceNo| name(names, Source::Camera(no));
    calibrate(rule, pairs.iter().copied(), name_of, edition)
}

pub(super) async fn device_names(connection: &mut db::Link<'_>) -> Outcome<Vec<String>> {
    let rows = db::query("select name from device order by no").fetch_all(connection);
    rows.await?.iter().map(|row| row.try_get("name")).collect()
}

/// Of the days a calibration looks at. A city has millions: rows are not kept.
pub(super) async fn pairs(
    connection: &mut db::Link<'_>,
    (from, to): (Day, Day),
) -> Outcome<Vec<(DeviceNo, Day, PairSums)>> {
    let rows = db::query("select device, day, n, sy, sq, syy, sqq, syq from pair where day >= ? and day < ?")
        .bind(from.get())
        .bind(to.get())
        .fetch(connection);
    rows.and_then(async |row| pair(&row)).try_collect().await
}

fn pair(row: &db::Row) -> Outcome<(DeviceNo, Day, PairSums)> {
    let sums = PairSums {
        n: row.try_get("n")?,
        sy: row.try_get("sy")?,
        sq: row.try_get("sq")?,
        syy: row.try_get("syy")?,
        sqq: row.try_get("sqq")?,
        syq: row.try_get("syq")?,
    };
    let day = Day::clamped(row.try_get("day")?);
    Ok((DeviceNo(row.try_get("device")?), day, sums))
}

/// Number and first day of every token the journal knows.
async fn known(connection: &mut db::Link<'_>) -> Outcome<HashMap<String, (u32, Option<Day>)>> {
    let mut rows = db::query("select no, token, first_day from household").fetch(connection);
    let mut known = HashMap::new();
    while let Some(row) = rows.try_next().await? {
        let first: Option<i64> = row.try_get("first_day")?;
        known.insert(
            row.try_get("token")?,
            (row.try_get("no")?, first.map(Day::clamped)),
        );
    }
    Ok(known)
}
