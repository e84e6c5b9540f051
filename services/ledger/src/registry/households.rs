//! Households of the registry. Door and residents are sealed with the household's own key; a household that was erased is
//! answered like one that nobody registered, but for the roll, which keeps its token.

use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::digest;
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;
use crate::privacy::{KEYS, Vault, Wrapped};
use crate::rows::Rows;

/// A household's place. Personal data: mask before showing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Household {
    pub token: String,
    pub estate: Option<String>,
    pub building: Option<String>,
    pub unit: Option<String>,
    pub door: Option<String>,
    pub residents: Option<i64>,
    pub station: Option<String>,
    pub created_at: i64,
}

/// Characters of an estate, a building, a unit, a door or a station, at most.
const PLACE_CHARS: usize = 64;
/// Residents that a household may have.
pub const RESIDENTS: RangeInclusive<i64> = 0..=99;

/// Whether a text may name an estate, a building, a unit, a door or a station: 1 to 64 characters that can be printed.
pub fn names_a_place(text: &str) -> bool {
    (1..=PLACE_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// What of a household's row is sealed: where exactly it lives, and how many.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Home {
    pub(crate) door: Option<String>,
    pub(crate) residents: Option<i64>,
}

impl Home {
    /// `None` where there is nothing to seal.
    pub(crate) async fn seal(
        &self,
        vault: &Vault,
        link: &mut db::Link<'_>,
        token: &str,
    ) -> Result<Option<Vec<u8>>> {
        if *self == Self::default() {
            return Ok(None);
        }
        let plain = serde_json::to_vec(self).unwrap_or_default();
        vault.seal(link, token, about(token), &plain).await.map(Some)
    }

    /// Nothing where there is nothing, and where it cannot be opened.
    fn open(vault: &Vault, token: &str, key: &Wrapped, sealed: Option<&[u8]>) -> Self {
        sealed
            .and_then(|sealed| vault.read(token, key, about(token), sealed))
            .and_then(|plain| serde_json::from_slice(&plain).ok())
            .unwrap_or_default()
    }
}

const fn about(token: &str) -> [&str; 3] {
    ["household", "sealed", token]
}

/// A household as its rows have it.
struct Stored {
    household: Household,
    sealed: Option<Vec<u8>>,
    key: Wrapped,
}

impl db::FromRow for Stored {
    fn from_row(row: &db::Row) -> db::Outcome<Self> {
        Ok(Self {
            household: Household {
                token: row.try_get("token")?,
                estate: row.try_get("estate")?,
                building: row.try_get("building")?,
                unit: row.try_get("unit")?,
                door: None,
                residents: None,
                station: row.try_get("station")?,
                created_at: row.try_get("created_at")?,
            },
            sealed: row.try_get("sealed")?,
            key: Wrapped::from_row(row)?,
        })
    }
}

impl Stored {
    fn open(self, vault: &Vault) -> Household {
        let token = &self.household.token;
        let Home { door, residents } = Home::open(vault, token, &self.key, self.sealed.as_deref());
        Household {
            door,
            residents,
            ..self.household
        }
    }
}

/// The rows of households that were not erased, with their keys; a condition may follow.
const STORED: &str = concat!(
    "select household.*, wrapped, master from household ",
    KEYS!("household.token"),
    " where not exists (select 1 from erased where erased.token = household.token) "
);

/// What to look for among households.
#[derive(Debug, Clone, Copy, Default)]
pub struct HouseholdQuery<'a> {
    pub estate: Option<&'a str>,
    pub building: Option<&'a str>,
    pub text: Option<&'a str>,
    pub after: Option<&'a str>,
    /// Only this token.
    pub only: Option<&'a str>,
    pub limit: u32,
}

/// Each household once, as if its rows were written one after the other.
fn merged(households: &[Household]) -> Vec<Household> {
    let mut once: BTreeMap<&str, Household> = BTreeMap::new();
    for row in households {
        let Some(known) = once.get_mut(row.token.as_str()) else {
            once.insert(&row.token, row.clone());
            continue;
        };
        let newer = |new: &Option<String>, old: &mut Option<String>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        newer(&row.estate, &mut known.estate);
        newer(&row.building, &mut known.building);
        newer(&row.unit, &mut known.unit);
        newer(&row.door, &mut known.door);
        newer(&row.station, &mut known.station);
        known.residents = row.residents.or(known.residents);
    }
    once.into_values().collect()
}

impl Ledger {
    /// Registers households, or changes their places; how many rows were written. All or none. One that was erased stays
    /// so: whoever lives there next is given another token.
    pub async fn put_households(&self, households: &[Household]) -> Result<usize> {
        let path = self.folder().truth();
        let rows = Rows::new(
            "insert into household (token, estate, building, unit, sealed, station, created_at)",
            7,
            "on conflict (token) do update set estate = coalesce(excluded.estate, household.estate),
               building = coalesce(excluded.building, household.building),
               unit = coalesce(excluded.unit, household.unit), sealed = coalesce(excluded.sealed, household.sealed),
               station = coalesce(excluded.station, household.station), digest = null",
        );
        let mut transaction = self.truth.begin_alone().await.of(&path)?;
        let erased = erased(&mut transaction.link()).await.of(&path)?;
        let mut sealed = Vec::with_capacity(households.len());
        for household in merged(households) {
            if !erased.contains(&household.token) {
                let home = self.home(&mut transaction.link(), &household).await?;
                sealed.push((household, home));
            }
        }
        rows.write(&mut transaction.link(), &sealed, |b, (household, home)| {
            b.add(household.token.clone()).add(household.estate.clone());
            b.add(household.building.clone())
                .add(household.unit.clone())
                .add(home.clone());
            b.add(household.station.clone()).add(household.created_at);
        })
        .await
        .of(&path)?;
        let tokens: Vec<&str> = sealed
            .iter()
            .map(|(household, _)| household.token.as_str())
            .collect();
        Box::pin(digest::stamp(&mut transaction.link(), &tokens))
            .await
            .of(&path)?;
        transaction.commit().await.of(&path)?;
        Ok(sealed.len())
    }

    /// What is to be sealed of a household: the new over what is known.
    async fn home(&self, link: &mut db::Link<'_>, household: &Household) -> Result<Option<Vec<u8>>> {
        if household.door.is_none() && household.residents.is_none() {
            return Ok(None);
        }
        let known = self.stored(link, &household.token).await?;
        let home = Home {
            door: household
                .door
                .clone()
                .or(known.as_ref().and_then(|known| known.door.clone())),
            residents: household.residents.or(known.and_then(|known| known.residents)),
        };
        home.seal(&self.vault, link, &household.token).await
    }

    pub(crate) async fn stored(&self, link: &mut db::Link<'_>, token: &str) -> Result<Option<Household>> {
        let sql = sqlx::AssertSqlSafe(format!("{STORED} and household.token = ?"));
        let row: Option<Stored> = db::query_as(sql)
            .bind(token)
            .fetch_optional(link)
            .await
            .of(&self.folder().truth())?;
        Ok(row.map(|row| row.open(&self.vault)))
    }

    /// Notes households that an import names. What is registered stays as it is; only a missing estate is filled in.
    pub async fn ensure_households(&self, names: &[(&str, Option<&str>)], at: i64) -> Result<()> {
        let path = self.folder().truth();
        let rows = Rows::new(
            "insert into household (token, estate, created_at)",
            3,
            "on conflict (token) do update set estate = excluded.estate, digest = null
               where household.estate is null and excluded.estate is not null",
        );
        // A token comes once a statement: the first estate that is named for it is its own.
        let mut once: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for (token, estate) in names {
            let known = once.entry(token).or_default();
            *known = known.or(*estate);
        }
        let once: Vec<_> = once.into_iter().collect();
        let mut transaction = self.truth.begin_alone().await.of(&path)?;
        rows.write(&mut transaction.link(), &once, |b, (token, estate)| {
            b.add(*token).add(*estate).add(at);
        })
        .await
        .of(&path)?;
        let tokens: Vec<&str> = once.iter().map(|(token, _)| *token).collect();
        Box::pin(digest::stamp(&mut transaction.link(), &tokens))
            .await
            .of(&path)?;
        transaction.commit().await.of(&path)
    }

    /// A household by its token.
    pub async fn household(&self, token: &str) -> Result<Option<Household>> {
        let mut connection = self.truth.acquire().await.of(&self.folder().truth())?;
        self.stored(&mut connection.link(), token).await
    }

    /// Registered households in order of token, after the given one; `text` matches the token's beginning, or
    /// building, unit and door as written together (`12-1-301`).
    pub async fn households(&self, find: &HouseholdQuery<'_>) -> Result<Vec<Household>> {
        let limit = usize::try_from(find.limit).unwrap_or(usize::MAX);
        let (mut found, mut after) = (Vec::new(), find.after.unwrap_or_default().to_owned());
        // Doors are compared after they are opened, so that what was found of a stretch may not fill the page yet.
        while found.len() < limit {
            let stretch = self.candidates(find, &after).await?;
            let Some(last) = stretch.last() else { break };
            after.clone_from(&last.token);
            let ended = stretch.len() < limit;
            found.extend(stretch.into_iter().filter(|household| find.fits(household)));
            if ended {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Those that fit as far as the plain columns say: whose token begins so, or whose unit the text begins with or is the
    /// beginning of.
    async fn candidates(&self, find: &HouseholdQuery<'_>, after: &str) -> Result<Vec<Household>> {
        let sql = format!(
            "{STORED} and household.token > ?1 and (?2 is null or estate = ?2) and (?3 is null or building = ?3)
               and (?4 is null or household.token like ?4 || '%' escape '\\'
                    or building || '-' || unit || '-' like ?4 || '%' escape '\\'
                    or substr(?7, 1, length(building || '-' || unit || '-')) = building || '-' || unit || '-')
               and (?6 is null or household.token = ?6)
             order by household.token limit ?5"
        );
        let rows: Vec<Stored> = db::query_as(sqlx::AssertSqlSafe(sql))
            .bind(after)
            .bind(find.estate)
            .bind(find.building)
            .bind(find.text.map(escape_like))
            .bind(find.limit)
            .bind(find.only)
            .bind(find.text)
            .fetch_all(&self.truth)
            .await
            .of(&self.folder().truth())?;
        Ok(rows.into_iter().map(|row| row.open(&self.vault)).collect())
    }

    /// Households that bring their bags to a station, in order of token.
    pub async fn households_at(&self, station: &str) -> Result<Vec<Household>> {
        let sql = sqlx::AssertSqlSafe(format!("{STORED} and station = ? order by household.token"));
        let rows: Vec<Stored> = db::query_as(sql)
            .bind(station)
            .fetch_all(&self.truth)
            .await
            .of(&self.folder().truth())?;
        Ok(rows.into_iter().map(|row| row.open(&self.vault)).collect())
    }

    /// Households a building of an estate has: (building, households).
    pub async fn buildings(&self, estate: &str) -> Result<Vec<(String, Vec<String>)>> {
        let path = self.folder().truth();
        let rows: Vec<db::Row> = db::query(
            "select building, token from household where estate = ? and building is not null order by building",
        )
        .bind(estate)
        .fetch_all(&self.truth)
        .await
        .of(&path)?;
        let mut buildings: Vec<(String, Vec<String>)> = Vec::new();
        for row in rows {
            let (building, token): (String, String) = (
                row.try_get("building").of(&path)?,
                row.try_get("token").of(&path)?,
            );
            match buildings.last_mut() {
                Some((last, tokens)) if *last == building => tokens.push(token),
                _ => buildings.push((building, vec![token])),
            }
        }
        Ok(buildings)
    }

    /// The tokens of all registered households.
    pub async fn tokens(&self) -> Result<HashSet<String>> {
        let path = self.folder().truth();
        let rows = db::query("select token from household")
            .fetch_all(&self.truth)
            .await
            .of(&path)?;
        rows.iter().map(|row| row.try_get("token").of(&path)).collect()
    }

    /// How many households are registered, of one estate or of all.
    pub async fn count_households(&self, estate: Option<&str>) -> Result<u64> {
        let path = self.folder().truth();
        let row = db::query("select count(*) as n from household where ?1 is null or estate = ?1")
            .bind(estate)
            .fetch_one(&self.truth)
            .await
            .of(&path)?;
        Ok(row.try_get::<i64, _>("n").of(&path)?.cast_unsigned())
    }
}
impl HouseholdQuery<'_> {
    fn fits(&self, household: &Household) -> bool {
        let Some(text) = self.text else { return true };
        let begins = |whole: &str| {
            let (text, mut whole) = (text.to_lowercase(), whole.to_lowercase());
            whole.truncate(whole.floor_char_boundary(text.len()));
            whole == text
        };
        let (Some(building), Some(unit), Some(door)) =
            (&household.building, &household.unit, &household.door)
        else {
            return begins(&household.token);
        };
        begins(&household.token) || begins(&format!("{building}-{unit}-{door}"))
    }
}

async fn erased(link: &mut db::Link<'_>) -> db::Outcome<HashSet<String>> {
    let tokens: Vec<String> = db::query_scalar("select token from erased")
        .fetch_all(link)
        .await?;
    Ok(tokens.into_iter().collect())
}

/// A search text is a text, not a pattern.
fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
