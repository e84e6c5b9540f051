//! The projector: tails the journal and folds it into the projections.
//!
//! One transaction holds what a stretch of the journal adds up to and how far that is, so that a crash anywhere
//! replays to the same state. Exactly-once is decided here and nowhere else.

mod changes;
mod fold;
mod hold;
mod inspectors;
mod judge;
mod seen;
mod write;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use hemu_rules::Zone;

use crate::cursor::Cursor;
use crate::db;
use crate::entry::{Body, Entry, Origin};
use crate::error::{Error, InFile, Result};
use crate::journal::{self, Batch, Head, Position, Stretch, Take};
use crate::store::{self, Place, Role};
use changes::{Changes, Place as At, Totals};
pub use fold::CLOCK_AHEAD_MS;
use hold::Hold;
use judge::{Names, Verdict};

/// Records folded in one transaction: enough to share the pages of a day, few enough to stay current.
const CHUNK_RECORDS: u64 = 60_000;
/// Acts folded in one transaction: each may move a year of readings.
const CHUNK_ACTS: u64 = 100;
/// Bytes of journal read for one transaction.
const CHUNK_BYTES: usize = 16 << 20;
/// Device cursors kept in memory between transactions.
const CURSORS_KEPT: usize = 4_096;

/// Folds the journal into the projections. One a data folder, guarded by [`crate::Role::Project`].
#[derive(Debug)]
pub struct Projector {
    truth: db::Pool,
    place: Place,
    guard: Guard,
    path: PathBuf,
    connection: db::Connection,
    /// Large, and moved with whoever holds this.
    statements: Box<write::Statements>,
    zone: Zone,
    applied: Head,
    /// Fold no further than this.
    until: Position,
    totals: Totals,
    names: Names,
    /// Cards that count for nobody, and since when.
    lost_cards: HashMap<String, i64>,
    /// Devices and boots of which nothing counts until a person has looked.
    frozen: HashSet<(u32, u64)>,
    cursors: HashMap<(u32, u64), Cursor>,
    /// Memory may be ahead of the file: a transaction was begun and is not known to be in it.
    stale: bool,
}

/// What keeps a second projector away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Somebody holds a lock for it.
    Lock,
    /// Its own connection does: whoever loses the connection loses the right to write with it.
    Session,
}

impl Guard {
    async fn connect(self, place: &Place) -> Result<db::Connection> {
        let mut connection = place.connect().await?;
        if let (Self::Session, db::Connection::Postgres(session)) = (self, &mut connection)
            && !store::try_lock(session, Role::Project).await.of(&place.shown())?
        {
            return Err(Error::InUse(place.shown()));
        }
        // Whoever stood by while a node of another version emptied the tables must not fill them by its own lights.
        if self == Self::Session && !place.is_current().await? {
            return Err(Error::OtherVersion(place.shown()));
        }
        // Receipts speak of what is folded.
        connection.secure().await.of(&place.shown())?;
        Ok(connection)
    }
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Step {
    /// Everything up to here is in the projections.
    pub applied: Position,
    /// Journal records folded in this step; 0 when there was nothing to do.
    pub records: u64,
    /// There was more in the journal, and it was too much for one step or of another kind.
    pub more: bool,
}

impl Projector {
    pub(crate) async fn open(
        truth: db::Pool,
        place: Place,
        guard: Guard,
        zone: Zone,
        until: Position,
    ) -> Result<Self> {
        let mut projector = Self {
            truth,
            path: place.shown(),
            connection: guard.connect(&place).await?,
            place,
            guard,
            statements: Box::new(write::Statements::new()),
            zone,
            applied: Head::default(),
            until,
            totals: Totals::default(),
            names: Names::default(),
            lost_cards: HashMap::new(),
            frozen: HashSet::new(),
            cursors: HashMap::new(),
            stale: true,
        };
        projector.load().await?;
        journal::anchored(&projector.truth, &projector.applied).await?;
        Ok(projector)
    }

    /// Everything up to here is in the projections.
    pub fn applied(&self) -> Position {
        self.applied.position
    }

    /// Folds the next stretch of the journal, if there is one.
    pub async fn step(&mut self) -> Result<Step> {
        if self.stale {
            // A connection to a database that was away does not heal; one that answers still has its lock.
            if !self.connection.answers().await {
                self.connection = self.guard.connect(&self.place).await?;
            }
            self.load().await?;
        }
        let (batches, more) = read_chunk(&self.truth, self.applied.position, self.until).await?;
        // A batch that does not chain is not folded: better no new scores than wrong ones.
        let mut head = self.applied;
        for batch in &batches {
            head = journal::follows(&head, batch)?;
        }
        let mut records = 0;
        if batches.is_empty() {
            // While there is nothing to fold a database that was away would go unnoticed, and with it the lock and the last
            // folds, which it may have forgotten.
            self.stale = !self.connection.answers().await;
        } else {
            self.stale = true;
            records = self.fold(&batches, &head).await?;
            self.stale = false;
            self.applied = head;
        }
        Ok(Step {
            applied: head.position,
            records,
            more,
        })
    }

    async fn fold(&mut self, batches: &[Batch], head: &Head) -> Result<u64> {
        let entries = fold::decode(batches)?;
        self.prepare(&entries).await?;
        let mut changes = Changes::new(self.totals);
        let records = entries.len() as u64;
        let mut judged = Vec::with_capacity(entries.len());
        for (place, entry) in entries {
            match &entry.body {
                Body::Act(act) => changes.holds.extend(Hold::of(act)),
                Body::Proposal(_) => {}
                _ => {
                    let verdict = self.judge(&mut changes, &entry).await.of(&self.path)?;
                    judged.push((place, entry, verdict));
                }
            }
        }
        self.freeze(&mut changes, &judged);
        changes.readings.reserve(judged.len());
        for (place, entry, verdict) in judged {
            self.take(&mut changes, place, entry, verdict);
        }
        self.join_bags(&mut changes).await.of(&self.path)?;
        self.write(&changes, head).await.of(&self.path)?;
        self.totals = changes.totals;
        Ok(records)
    }

    /// Before anything is added, and for what is stored already too: which of two contents came first must not decide what
    /// counts.
    fn freeze(&mut self, changes: &mut Changes<'_>, judged: &[(At, Entry<'_>, (u32, Verdict))]) {
        for (_, entry, (device, verdict)) in judged {
            let (Origin::Device { boot, .. }, Verdict::Conflict) = (entry.origin, *verdict) else {
                continue;
            };
            *changes.conflicting.entry((*device, boot)).or_default() += 1;
            if self.frozen.insert((*device, boot)) {
                changes.holds.push(Hold::Frozen(*device, boot));
            }
        }
    }

    /// Makes memory what the file says, at the start and after a transaction that failed.
    async fn load(&mut self) -> Result<()> {
        self.cursors.clear();
        (self.applied, self.totals) = Totals::load(&mut self.connection.link()).await.of(&self.path)?;
        self.names = Names::load(&mut self.connection.link()).await.of(&self.path)?;
        self.load_holds().await.of(&self.path)?;
        self.stale = false;
        Ok(())
    }

    async fn load_holds(&mut self) -> std::result::Result<(), sqlx::Error> {
        self.lost_cards = hold::lost_cards(&mut self.connection.link()).await?;
        self.frozen = hold::frozen(&mut self.connection.link()).await?;
        Ok(())
    }

    /// Closes the file, or the connection, in order: another may project from now on.
    pub async fn close(mut self) -> Result<()> {
        if let (Guard::Session, db::Connection::Postgres(session)) = (self.guard, &mut self.connection) {
            store::unlock(session).await.of(&self.path)?;
        }
        self.connection.close().await.of(&self.path)
    }

    async fn write(&mut self, changes: &Changes<'_>, applied: &Head) -> std::result::Result<(), sqlx::Error> {
        let mut transaction = self.connection.begin().await?;
        self.statements
            .run(
                &mut transaction.link(),
                changes,
                &self.cursors,
                [&self.applied, applied],
            )
            .await?;
        for hold in &changes.holds {
            let hands = hold::Hands {
                statements: &self.statements,
                names: &self.names,
                truth: &self.truth,
                zone: self.zone,
            };
            hands.apply(&mut transaction.link(), hold).await?;
        }
        transaction.commit().await?;
        if !changes.holds.is_empty() {
            // First days, lost cards and frozen boots are others than memory has.
            self.names.households.clear();
            self.load_holds().await?;
        }
        Ok(())
    }
}

/// The next whole batches after a position, at least one: of readings, or of acts. The two are not folded together, for an
/// act is about readings that must be stored by then. Also whether there are more after them.
async fn read_chunk(truth: &db::Pool, after: Position, until: Position) -> Result<(Vec<Batch>, bool)> {
    let (mut records, mut bytes, mut acts, mut more) = (0, 0, None, false);
    let alike = |stretch: &Stretch| {
        if *acts.get_or_insert(stretch.acts) != stretch.acts {
            more = true;
            return Take::Before;
        }
        records += stretch.records;
        bytes += stretch.bytes;
        let most = if stretch.acts { CHUNK_ACTS } else { CHUNK_RECORDS };
        if records >= most || bytes >= CHUNK_BYTES {
            more = true;
            Take::Last
        } else {
            Take::On
        }
    };
    let batches = journal::stretch(truth, after, until, alike).await?;
    Ok((batches, more))
}

impl Totals {
    async fn load(connection: &mut db::Link<'_>) -> std::result::Result<(Head, Self), sqlx::Error> {
        let row = db::query("select * from progress").fetch_one(connection).await?;
        let number = |name| row.try_get::<i64, _>(name).map(i64::cast_unsigned);
        let totals = Self {
            accepted: number("accepted")?,
            repeats: number("repeats")?,
            conflicts: number("conflicts")?,
            quarantined: number("quarantined")?,
        };
        Ok((journal::folded(&row)?, totals))
    }
}
