//! Everything that is held about a household, for the household: one JSON document (`docs/operators/privacy.md` has its
//! form). Of the present occupant alone; what is of an earlier one is not theirs.

use hemu_rules::{Day, Millis};
use serde_json::{Value, json};

use super::look::LookQuery;
use super::trail::{TrailQuery, TrailRow};
use crate::acts::{ObjectionRow, Standing};
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;
use crate::read::DepositRow;

/// Names the form; a field is never given another meaning under it.
const FORM: &str = "hemu-household-1";
/// Rows of one kind at most.
const MOST: u32 = 10_000;

impl Ledger {
    /// What is held about a household as of an instant (ms since 1970 UTC); `None` where there is no such household.
    pub async fn subject(&self, token: &str, now: i64) -> Result<Option<Value>> {
        let Some(row) = self.household(token).await? else {
            return Ok(None);
        };
        let occupied = self
            .occupancies(token)
            .await?
            .pop()
            .and_then(|period| period.from);
        let register = json!({
            "token": row.token, "estate": row.estate, "building": row.building, "unit": row.unit, "door": row.door,
            "residents": row.residents, "station": row.station, "registered_at": row.created_at,
            "occupied_from": occupied,
        });
        let mut lists = Vec::new();
        for standing in self.household_editions(token, None, MOST).await? {
            lists.push(self.listed(token, &standing).await?);
        }
        let consents = self.consents(token).await?;
        let consents: Vec<Value> = consents
            .iter()
            .map(|row| json!({"purpose": row.purpose, "given": row.given, "by": row.by, "at": row.at, "position": row.position}))
            .collect();
        Ok(Some(json!({
            "form": FORM,
            "made_at": now,
            "register": register,
            "readings": self.readings(token, now).await?,
            "lists": lists,
            "consents": consents,
            "bank": self.own_bank(token).await?,
            "trail": self.own_trail(token).await?,
            "looks": self.own_looks(token, occupied).await?,
        })))
    }

    async fn readings(&self, token: &str, now: i64) -> Result<Vec<Value>> {
        let first: Option<i64> = db::query_scalar("select min(day) from reading")
            .fetch_one(&self.projections)
            .await
            .of(&self.folder().projections())?;
        let Some(first) = first else { return Ok(Vec::new()) };
        let to = Day::of(Millis::clamped(now), self.zone()).plus(1);
        let readings = self.deposits(token, Day::clamped(first), to).await?;
        let photos = self.photos(token, &readings).await?;
        let reading = |row: &DepositRow| reading(row, photos.get(&row.place));
        Ok(readings.iter().map(reading).collect())
    }

    async fn listed(&self, token: &str, standing: &Standing) -> Result<Value> {
        let mut objections = Vec::new();
        for row in &standing.objections {
            objections.push(self.objected(token, row).await?);
        }
        let edition = &standing.edition;
        let place = standing.place.as_ref().map(|place| {
            json!({"status": place.status.as_str(), "shown": place.shown().as_str(), "score": place.score,
                "rank": place.rank, "warned": place.notice, "deposit_days": place.deposit_days,
                "inspected_days": place.inspected_days, "proposed_by": place.proposed_by,
                "confirmed_by": place.confirmed_by, "lifted_by": place.lifted_by})
        });
        Ok(json!({
            "edition": edition.id, "day": edition.day, "state": edition.state.as_str(),
            "rule_version": edition.rule_version, "told_at": edition.noticed_at, "published_at": edition.published_at,
            "expires_at": edition.expires_at, "place": place, "objections": objections,
        }))
    }

    async fn objected(&self, token: &str, row: &ObjectionRow) -> Result<Value> {
        let words = self.words(&row.words, Some(token)).await?;
        let reason = match &row.reason {
            Some(reason) => self.words(reason, Some(token)).await?,
            None => None,
        };
        Ok(
            json!({"id": row.id, "by": row.by, "at": row.at, "readings": row.readings, "words": words,
            "upheld": row.upheld, "decided_by": row.decided_by, "decided_at": row.decided_at, "reason": reason}),
        )
    }

    async fn own_trail(&self, token: &str) -> Result<Vec<Value>> {
        let find = TrailQuery {
            token: Some(token),
            since: Some(self.occupied_since(token).await?),
            limit: MOST,
            ..TrailQuery::default()
        };
        Ok(self.trail(&find).await?.iter().map(line).collect())
    }

    /// Of the other side no more than that it was a household: whose it is, is not this one's to know.
    async fn own_bank(&self, token: &str) -> Result<Value> {
        let has = self.balances(token).await?;
        let mut entries = Vec::new();
        for row in self.entries(token, None, MOST).await? {
            let why = match &row.words {
                Some(words) => self.words(words, Some(token)).await?,
                None => None,
            };
            let (position, index) = row.place;
            entries.push(json!({"position": position, "index": index, "at": row.at, "by": row.by,
                "currency": row.currency, "kind": row.kind, "amount": if row.gets { row.amount } else { -row.amount },
                "help": row.help, "why": why, "reverses": row.reverses}));
        }
        let services = self.services(token, MOST).await?;
        let services = services.iter().map(|row| {
            json!({"id": row.id, "helped": row.helper == token, "help": row.help, "began": row.began,
                "ended": row.ended, "minutes": row.minutes, "by": row.by, "at": row.at, "state": row.state.as_str()})
        });
        let services: Vec<Value> = services.collect();
        Ok(json!({"minutes": has.minutes, "points": has.points, "entries": entries, "services": services}))
    }

    async fn own_looks(&self, token: &str, from: Option<Day>) -> Result<Vec<Value>> {
        let find = LookQuery {
            token: Some(token),
            from,
            limit: MOST,
            ..LookQuery::default()
        };
        let looks = self.looks(&find).await?;
        let look = looks.iter().map(|row| {
            json!({"by": row.actor, "page": row.what, "day": row.day, "count": row.count,
                "first_at": row.first_at, "last_at": row.last_at})
        });
        Ok(look.collect())
    }
}

fn reading(row: &DepositRow, photo: Option<&String>) -> Value {
    let (position, index) = row.place;
    let reading = &row.reading;
    json!({"place": format!("{position}.{index}"), "at": reading.at.get(), "day": reading.day,
        "device": row.device, "by": format!("{:?}", reading.by).to_lowercase(), "stream": reading.stream.to_string(),
        "weight_g": reading.grams.get(), "quality": reading.quality.share(), "confidence": reading.confidence.share(),
        "bag": row.bag, "photo": photo, "counts": reading.counts})
}

fn line(row: &TrailRow) -> Value {
    let (position, index) = row.act.place;
    json!({"position": position, "index": index, "at": row.act.at, "by": row.act.actor, "what": row.act.kind,
        "edition": row.act.edition, "why": row.why, "before": row.before, "after": row.after})
}
