//! The ledger: one data folder, opened.

use std::sync::Arc;
use std::time::Duration;

use hemu_rules::Zone;

use crate::anchor::{self, Anchors};
use crate::db;
use crate::error::{Error, InFile, Result};
use crate::journal::{self, Journal, Position};
use crate::privacy::{self, Vault};
use crate::project::{Guard, Projector};
use crate::registry::digest;
use crate::restore::next_generation;
use crate::store::{self, Folder, Lock, Role, Tables};
use crate::work::Work;

/// In `meta` while the write-ahead log may hold what was erased.
pub(crate) const WIPE: &str = "wipe_log";

/// An open data folder. Cheap to clone; every clone sees the same files.
#[derive(Debug, Clone)]
pub struct Ledger {
    folder: Folder,
    zone: Zone,
    pub(crate) truth: db::Pool,
    pub(crate) projections: db::Pool,
    pub(crate) vault: Arc<Vault>,
    held: Lock,
    pub(crate) work: Work,
    pub(crate) patience: Duration,
}

/// A fold is a second behind as a rule, and one that is further behind than this stands still or has much to do.
const FOLDED_WITHIN: Duration = Duration::from_secs(10);

impl Ledger {
    /// Opens a data folder beside whoever else has it open, making its files, or migrating them when nobody has. The
    /// zone decides which local day an event belongs to; it is kept with the data from the first time on, so that
    /// whoever folds later counts the same days.
    pub async fn open(folder: &Folder, zone: impl Into<Option<Zone>>) -> Result<Self> {
        Self::with(folder, zone.into(), store::enter(folder).await?).await
    }

    async fn with(folder: &Folder, zone: Option<Zone>, held: Lock) -> Result<Self> {
        let truth = folder.place(Tables::Truth).pool();
        let vault = Vault::open(folder, &truth).await?;
        // Boxed, for everybody's future has this one in it.
        Box::pin(privacy::seal_what_is_not(folder, &truth, &vault)).await?;
        Box::pin(digest::stamp_all(&truth, &folder.truth())).await?;
        let mut ledger = Self {
            folder: folder.clone(),
            zone: Zone::default(),
            truth,
            projections: folder.place(Tables::Projections).pool(),
            vault: Arc::new(vault),
            held,
            work: Work::default(),
            patience: FOLDED_WITHIN,
        };
        ledger.zone = ledger.settle_zone(zone).await?;
        ledger.remember_erased().await?;
        ledger.wipe_log().await?;
        Ok(ledger)
    }

    /// Opens all connections that read, for a server: it then has as much memory after a minute as after a week.
    pub async fn open_readers(&self) -> Result<()> {
        self.truth.open_all().await.of(&self.folder().truth())?;
        self.projections.open_all().await.of(&self.folder().projections())
    }

    /// A kill may have come between an erasure and its line in the file.
    async fn remember_erased(&self) -> Result<()> {
        let tokens: Vec<String> = db::query_scalar("select token from erased")
            .fetch_all(&self.truth)
            .await
            .of(&self.folder.truth())?;
        privacy::Erased::add(&self.folder, tokens.iter().map(String::as_str))
    }

    async fn settle_zone(&self, wanted: Option<Zone>) -> Result<Zone> {
        db::query("insert into meta (key, value) values ('zone', ?) on conflict do nothing")
            .bind(wanted.unwrap_or_default().to_string())
            .execute(&self.truth)
            .await
            .of(&self.folder.truth())?;
        let kept = self.meta("zone").await?.unwrap_or_default();
        match (kept.parse::<Zone>(), wanted) {
            (Ok(kept), wanted) if wanted.is_none_or(|wanted| wanted == kept) => Ok(kept),
            _ => Err(Error::Rejected(format!(
                "the days of {} are counted in {kept}, and the configuration says otherwise; set zone to that or leave it out",
                self.folder.path().display()
            ))),
        }
    }

    /// The same folder, whose long computations somebody waits for: they say by this how far they are, and can be stopped.
    #[must_use]
    pub fn watched(&self, work: Work) -> Self {
        Self { work, ..self.clone() }
    }

    /// The same ledger, for whoever waits so long until what has come is folded, and is refused then.
    #[must_use]
    pub fn waiting(&self, patience: Duration) -> Self {
        Self {
            patience,
            ..self.clone()
        }
    }

    /// The data folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The zone of local days.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// A writer of the journal.
    pub async fn journal(&self) -> Result<Journal> {
        Journal::open(self.folder.place(Tables::Truth), self.held.clone()).await
    }

    /// The folder's projector; `Err(InUse)` while another process projects.
    pub async fn projector(&self) -> Result<(Projector, Lock)> {
        let (lock, guard) = if self.folder.is_shared() {
            (Lock::none(), Guard::Session)
        } else {
            (self.folder.lock(Role::Project)?, Guard::Lock)
        };
        let place = self.folder.place(Tables::Projections);
        let projector = Projector::open(self.truth.clone(), place, guard, self.zone, journal::END).await?;
        Ok((projector, lock.and(&self.held)))
    }

    /// Moves committed batches from the write-ahead log into the file, beside the commit path.
    /// Answers how many pages the log still holds.
    pub async fn checkpoint(&self) -> Result<u64> {
        if self.folder.is_shared() {
            return Ok(0);
        }
        self.move_log().await?;
        // The log starts again only when all of it is moved, which it never is while people decide one after another: they
        // wait for the little that came meanwhile.
        let _held = self.truth.hold().await;
        self.move_log().await
    }

    async fn move_log(&self) -> Result<u64> {
        let path = self.folder.truth();
        let row = db::query("pragma wal_checkpoint(passive)")
            .fetch_one(&self.truth)
            .await
            .of(&path)?;
        Ok(row.try_get::<i64, _>(1).of(&path)?.max(0).cast_unsigned())
    }

    /// Has nothing of what was erased left in the write-ahead log. Whoever reads for long just now holds it up: it is tried
    /// for a moment, again at every start, and by whoever looks after the data; whether there is nothing left to do.
    pub async fn wipe_log(&self) -> Result<bool> {
        if self.folder.is_shared() || self.meta(WIPE).await?.is_none() {
            return Ok(true);
        }
        if !store::truncate_log(&self.folder.place(Tables::Truth)).await? {
            return Ok(false);
        }
        db::query("delete from meta where key = ?")
            .bind(WIPE)
            .execute(&self.truth)
            .await
            .of(&self.folder.truth())?;
        Ok(true)
    }

    /// Notes the journal's head outside the database, so that a check misses an end that was cut off; the head, if it was
    /// further than what was noted. `now` is in ms since 1970 UTC.
    pub async fn anchor(&self, now: i64) -> Result<Option<journal::Head>> {
        let path = self.folder.truth();
        let mut connection = self.truth.acquire().await.of(&path)?;
        let head = journal::head(&mut connection.link()).await.of(&path)?;
        Ok(Anchors::note(&self.folder, &head, now)?.then_some(head))
    }

    /// Length of the write-ahead log's file; beyond [`crate::LOG_BYTES`] it is time for a checkpoint.
    pub fn log_bytes(&self) -> u64 {
        let log = self.folder.path().join("hemu.db-wal");
        std::fs::metadata(log).map_or(0, |file| file.len())
    }

    /// Begins this life of the data, if nothing is in the journal yet: another one of the same site, lost without a backup,
    /// had another generation, and bins that spoke to it send again what they still hold.
    pub async fn begin_generation(&self, now: i64) -> Result<()> {
        let sql =
            "insert into meta (key, value) select 'generation', ? where not exists (select 1 from journal)
                   on conflict do nothing";
        db::query(sql)
            .bind(next_generation(1, now).to_string())
            .execute(&self.truth)
            .await
            .of(&self.folder.truth())?;
        Ok(())
    }

    /// Changes when the data was restored from a backup or copied, so that devices send again what they still hold; 1
    /// of one that was begun before it had a generation of its own.
    pub async fn generation(&self) -> Result<u64> {
        Ok(self
            .meta("generation")
            .await?
            .and_then(|text| text.parse().ok())
            .unwrap_or(1))
    }

    /// A setting that belongs to the data, such as the site's name; `None` when it was never set.
    pub async fn meta(&self, key: &str) -> Result<Option<String>> {
        let path = self.folder.truth();
        let row = db::query("select value from meta where key = ?")
            .bind(key)
            .fetch_optional(&self.truth);
        row.await
            .of(&path)?
            .map(|row| row.try_get("value").of(&path))
            .transpose()
    }

    /// Sets it.
    pub async fn set_meta(&self, key: &str, value: &str) -> Result<()> {
        db::query("insert into meta (key, value) values (?, ?) on conflict (key) do update set value = excluded.value")
            .bind(key)
            .bind(value)
            .execute(&self.truth)
            .await
            .of(&self.folder.truth())?;
        Ok(())
    }

    /// Closes the connections. Others may replace the files once every clone, journal and projector is gone too.
    pub async fn close(&self) {
        self.projections.close().await;
        self.truth.close().await;
    }
}

/// A data folder that no other process has open: only so may its files be replaced. Nothing of `projections.db` is read,
/// so that a damaged one can be folded again.
#[derive(Debug)]
pub struct Alone(Ledger);

impl Alone {
    /// Opens a data folder for this process alone; `Err(FilesInUse)` while another has it open.
    pub async fn open(folder: &Folder, zone: impl Into<Option<Zone>>) -> Result<Self> {
        let held = store::enter_alone(folder).await?;
        Ledger::with(folder, zone.into(), held).await.map(Self)
    }

    /// To read journal and registry.
    pub fn ledger(&self) -> &Ledger {
        &self.0
    }

    /// Drops every projection, and what acts left, and folds the whole journal again; how many records. The old ones
    /// stay in place until the new ones are complete.
    pub async fn rebuild(self, progress: impl FnMut(Position)) -> Result<u64> {
        let Self(ledger) = self;
        let new = ledger.folder.place_named(Tables::Projections, "rebuild");
        new.remove().await?;
        let records = ledger.fold_into(&new, journal::END, progress).await?;
        ledger.rebuild_acts().await?;
        ledger.close().await;
        new.replace(&ledger.folder.place(Tables::Projections)).await?;
        Ok(records)
    }

    /// Deletes the journal, the registry and every projection. For a demo's folder; nothing else may call this.
    pub async fn clear(self) -> Result<()> {
        let Self(ledger) = self;
        ledger.close().await;
        let anchors = anchor::file(&ledger.folder);
        if anchors.exists() {
            store::remove_file(&anchors)?;
        }
        ledger.folder.place(Tables::Truth).remove().await?;
        ledger.folder.place(Tables::Projections).remove().await
    }
}
