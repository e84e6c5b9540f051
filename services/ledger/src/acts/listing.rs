//! Where a household stands just now: what its own page tells it.

use std::collections::HashSet;

use crate::db;

use hemu_rules::{Day, Status};
use sqlx::AssertSqlSafe;

use super::act::EditionId;
use super::occupancy::former;
use super::read::Standing;
use super::state::{EditionRow, PLACE, PlaceRow};

type Outcome<T> = Result<T, sqlx::Error>;

/// Editions looked back for the beginning of a run: a year of weekly ones.
const LOOK_BACK: u32 = 53;

/// The present occupant of a household and the lists at an instant; what is of an earlier one is not theirs to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// In the newest edition that is published and whose time has not run out.
    pub published: Option<Standing>,
    /// In the newest edition that households were told of and people have not decided on.
    pub told: Option<Standing>,
    /// The day of the published edition from which on the household was shown on the same list without a break.
    pub since: Option<Day>,
    /// When it was last warned in private before it was listed, ms since 1970 UTC.
    pub warned_at: Option<i64>,
}

impl Listing {
    pub(super) async fn read(connection: &mut db::Link<'_>, token: &str, now: i64) -> Outcome<Self> {
        let newest = concat!(
            "and not ",
            former!("?2"),
            " order by day desc, revision desc limit 1"
        );
        let published = format!("state = 'published' and expires_at > ?1 {newest}");
        let published = standing(connection, &published, token, now).await?;
        // An instant is bound here too, so that both are asked alike.
        let told = format!("state in ('noticed', 'deciding') and noticed_at <= ?1 {newest}");
        let told = standing(connection, &told, token, now).await?;
        let shown = published.as_ref().and_then(Standing::shown);
        let since = match (&published, shown) {
            (Some(published), Some(shown)) => {
                Some(since(connection, published.edition.day, token, shown).await?)
            }
            _ => None,
        };
        let warned_at = db::query_scalar(concat!(
            "select edition.noticed_at from place join edition on edition.id = place.edition
             where place.token = ? and place.notice = 1 and place.lifted is null and edition.noticed_at is not null
               and edition.state <> 'retracted' and not ",
            former!("place.token"),
            " order by edition.day desc, edition.revision desc limit 1",
        ))
        .bind(token)
        .fetch_optional(&mut *connection)
        .await?;
        Ok(Self {
            published,
            told,
            since,
            warned_at,
        })
    }
}

async fn standing(
    connection: &mut db::Link<'_>,
    which: &str,
    token: &str,
    now: i64,
) -> Outcome<Option<Standing>> {
    let edition: Option<EditionRow> =
        db::query_as(AssertSqlSafe(format!("select * from edition where {which}")))
            .bind(now)
            .bind(token)
            .fetch_optional(&mut *connection)
            .await?;
    match edition {
        Some(edition) => Standing::of(connection, edition, token).await.map(Some),
        None => Ok(None),
    }
}

/// The first day of the run of editions, that one and those before it, in which a household is shown so.
async fn since(connection: &mut db::Link<'_>, newest: Day, token: &str, shown: Status) -> Outcome<Day> {
    let was_public = "edition.state in ('published', 'expired') and edition.day <= ?";
    let editions: Vec<(i64, i64)> = db::query_as(AssertSqlSafe(format!(
        "select id, day from edition where {was_public} order by day desc limit ?"
    )))
    .bind(newest.get())
    .bind(LOOK_BACK)
    .fetch_all(&mut *connection)
    .await?;
    let places: Vec<PlaceRow> = db::query_as(AssertSqlSafe(format!(
        "{PLACE} where {was_public} and place.token = ? order by edition.day desc limit ?"
    )))
    .bind(newest.get())
    .bind(token)
    .bind(LOOK_BACK)
    .fetch_all(&mut *connection)
    .await?;
    let so: HashSet<EditionId> = places
        .iter()
        .filter(|place| place.shown() == shown)
        .map(|place| place.edition)
        .collect();
    let run = editions
        .into_iter()
        .take_while(|(id, _)| so.contains(&id.cast_unsigned()));
    Ok(run.last().map_or(newest, |(_, day)| Day::clamped(day)))
}
