//! The store as it lies on the disk or in a database, read by queries of our own, the same for both. Must not: write, but
//! for the logins that would take a process each ([`register`]); ask the server anything.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use firmware_sim::device::key_digest;
use firmware_sim::keys::Key;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, FromRow};

use crate::books::Books;
use crate::child::Home;
use crate::journal::{self, Batch, Sums};

/// Batches fetched at once.
const STRETCH: i64 = 64;
/// Households in one row of `day_sums`.
const BLOCK: u64 = 64;

/// Day since 1970 in Shanghai, token, source (a camera's device, or empty for the inspectors), stream.
pub type EvidenceKey = (i64, String, String, u8);

/// Position, time, records, hash and body.
type BatchRow = (i64, i64, i64, Vec<u8>, Vec<u8>);

/// What the projections count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Last batch folded.
    pub applied: i64,
    /// Records that count.
    pub accepted: i64,
    /// Known before with the same content.
    pub repeats: i64,
    /// Known before with other content.
    pub conflicts: i64,
    /// Kept aside.
    pub quarantined: i64,
}

/// A store that nobody writes to any more.
#[derive(Debug)]
pub struct Store {
    /// The journal and the registry.
    truth: Connection,
    /// What is folded from it.
    projections: Connection,
}

#[derive(Debug)]
enum Connection {
    /// `hemu.db` or `projections.db` of a data folder.
    Sqlite(SqliteConnection),
    /// A schema of a database.
    Postgres(PgConnection),
}

/// The same with either, which sqlx has as two types.
macro_rules! with {
    ($connection:expr, $it:ident => $what:expr) => {
        match $connection {
            Connection::Sqlite($it) => $what,
            Connection::Postgres($it) => $what,
        }
    };
}

impl Connection {
    async fn truth(home: &Home, writable: bool) -> Result<Self> {
        Self::to(home, "truth", "hemu.db", writable).await
    }

    async fn to(home: &Home, schema: &str, file: &str, writable: bool) -> Result<Self> {
        if let Some(url) = &home.store {
            let options: PgConnectOptions = url.parse()?;
            let options = options.options([("search_path", schema)]);
            let connection = options.disable_statement_logging().connect().await;
            return Ok(Self::Postgres(
                connection.with_context(|| format!("{schema} cannot be opened"))?,
            ));
        }
        let path: PathBuf = home.data.join(file);
        let options = SqliteConnectOptions::new().filename(&path).read_only(!writable);
        let connection = options.disable_statement_logging().connect().await;
        Ok(Self::Sqlite(connection.with_context(|| {
            format!("{} cannot be opened", path.display())
        })?))
    }

    /// Every row of an answer.
    async fn rows<T>(&mut self, sql: String) -> Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        Ok(with!(self, it => sqlx::query_as(AssertSqlSafe(sql)).fetch_all(it).await?))
    }

    async fn row<T>(&mut self, sql: &str) -> Result<T>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        self.rows(sql.to_owned()).await?.pop().context("no row")
    }

    async fn close(self) -> Result<()> {
        with!(self, it => it.close().await?);
        Ok(())
    }
}

/// Puts logins into the registry of a site that no server has open: a command each would take minutes for thousands.
pub async fn register(home: &Home, keys: &[Key]) -> Result<()> {
    let mut truth = Connection::truth(home, true).await?;
    with!(&mut truth, it => {
        let mut transaction = it.begin().await?;
        for Key { device, key } in keys {
            sqlx::query("insert into device (id, key_digest, created_at) values ($1, $2, 0)")
                .bind(device)
                .bind(&key_digest(key)[..])
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
    });
    truth.close().await
}

/// How far a site got, by batch of its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// The last one stored.
    pub stored: i64,
    /// The last one that scores are made of.
    pub folded: i64,
    /// The last one in the charts.
    pub charted: i64,
}

/// How far a site in files got, read beside the server that has them open.
pub async fn reached(home: &Home) -> Result<Reached> {
    let mut found = [0; 3];
    let asked = [
        ("hemu.db", "select coalesce(max(position), 0) from journal"),
        ("projections.db", "select applied from progress"),
        ("series.db", "select position from progress"),
    ];
    for (found, (file, sql)) in found.iter_mut().zip(asked) {
        let mut connection = Connection::to(home, "", file, false).await?;
        (*found,) = connection.row(sql).await?;
        connection.close().await?;
    }
    let [stored, folded, charted] = found;
    Ok(Reached {
        stored,
        folded,
        charted,
    })
}

impl Store {
    /// Opens the store of a site to read it.
    pub async fn open(home: &Home) -> Result<Self> {
        Ok(Self {
            truth: Connection::truth(home, false).await?,
            projections: Connection::to(home, "projections", "projections.db", false).await?,
        })
    }

    /// Closes it.
    pub async fn close(self) -> Result<()> {
        self.truth.close().await?;
        self.projections.close().await
    }

    /// Every batch of the journal in order.
    pub async fn each_batch(&mut self, mut take: impl FnMut(Batch) -> Result<()>) -> Result<()> {
        let mut last = i64::MIN;
        loop {
            let sql = format!(
                "select position, at, records, hash, body from journal
                 where position > {last} order by position limit {STRETCH}"
            );
            let rows: Vec<BatchRow> = self.truth.rows(sql).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for (position, at, records, hash, body) in rows {
                last = position;
                take(Batch {
                    position,
                    at,
                    records,
                    hash,
                    body,
                })?;
            }
        }
    }

    /// Records that the server does not count, by batch and place in it, and why.
    pub async fn ignored(&mut self) -> Result<HashMap<(i64, i64), String>> {
        let sql = "select position, idx, why from ignored".to_owned();
        let rows: Vec<(i64, i64, String)> = self.projections.rows(sql).await?;
        Ok(rows
            .into_iter()
            .map(|(position, idx, why)| ((position, idx), why))
            .collect())
    }

    /// What the projections count.
    pub async fn progress(&mut self) -> Result<Progress> {
        let sql = "select applied, accepted, repeats, conflicts, quarantined from progress";
        let (applied, accepted, repeats, conflicts, quarantined) = self.projections.row(sql).await?;
        Ok(Progress {
            applied,
            accepted,
            repeats,
            conflicts,
            quarantined,
        })
    }

    /// Readings flagged because their device's clock was ahead.
    pub async fn flagged(&mut self) -> Result<i64> {
        let sql = "select count(*) from reading where clock_ahead <> 0";
        let (flagged,) = self.projections.row(sql).await?;
        Ok(flagged)
    }

    /// Every evidence sum.
    pub async fn evidence(&mut self) -> Result<BTreeMap<EvidenceKey, Sums>> {
        let of_table = |table: &str, name: &str| format!("select no, {name} from {table}");
        let names = |rows: Vec<(i64, String)>| rows.into_iter().collect::<HashMap<i64, String>>();
        let households = names(self.projections.rows(of_table("household", "token")).await?);
        let devices = names(self.projections.rows(of_table("device", "name")).await?);
        let sql = "select day, block, sums from day_sums".to_owned();
        let rows: Vec<(i64, i64, Vec<u8>)> = self.projections.rows(sql).await?;
        let mut evidence = BTreeMap::new();
        for (day, block, sums) in rows {
            let rows = journal::day_sums(&sums)
                .with_context(|| format!("day {day}, block {block} cannot be read"))?;
            for (place, source, stream, sums) in rows {
                let household = block.saturating_mul(BLOCK.cast_signed()) + place.cast_signed();
                let token = households
                    .get(&household)
                    .context("a sum of no household")?
                    .clone();
                let source = match source {
                    0 => String::new(),
                    camera => devices.get(&(camera - 1)).context("a sum of no device")?.clone(),
                };
                let before = evidence.insert((day, token, source, stream), sums);
                ensure!(before.is_none(), "a sum stands twice");
            }
        }
        Ok(evidence)
    }

    /// The bank's books.
    pub async fn books(&mut self) -> Result<Books> {
        let entries =
            "select position, idx, currency, debit, credit, amount from bank_entry order by position, idx";
        let accounts = "select currency, id, balance from bank_account";
        Ok(Books {
            accounts: self.truth.rows(accounts.to_owned()).await?,
            entries: self.truth.rows(entries.to_owned()).await?,
            keys: self
                .truth
                .rows("select key, position from bank_key".to_owned())
                .await?,
        })
    }

    /// SQLite's own word on both files: `ok`, or what it found. PostgreSQL has none that costs nothing to ask.
    pub async fn integrity(&mut self) -> Result<String> {
        for connection in [&mut self.truth, &mut self.projections] {
            if let Connection::Postgres(_) = connection {
                continue;
            }
            let (word,): (String,) = connection.row("pragma integrity_check(1)").await?;
            if word != "ok" {
                return Ok(word);
            }
        }
        Ok("ok".to_owned())
    }
}
