//! GET /api/v1/households/{id}/deposits

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::read::{DepositRow, Held};
use hemu_rules::{By, Day};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{Found, Limit, Looking, Params, span};
use crate::page::{Page, Place};
use crate::problem::Problem;
use crate::v1::words::{ByWord, StreamWord};

/// Days shown unless others are asked for.
const DAYS: i32 = 90;

/// One reading of a deposit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deposit {
    /// `device:boot:seq`, or `import:` and the row's id.
    #[schema(example = "st01:1:42")]
    id: String,
    /// Its place in the journal, by which acts name it.
    #[schema(value_type = String, example = "4711.0")]
    place: Place,
    /// Event time, ms since 1970 UTC.
    at: i64,
    #[schema(value_type = String, format = Date)]
    day: Day,
    device: String,
    stream: StreamWord,
    weight_g: u32,
    /// As read, 0..=1.
    quality: f64,
    confidence: f64,
    by: ByWord,
    bag: Option<String>,
    /// What a picture of the bag is called where it is kept, as far as whoever graded it named one.
    photo: Option<String>,
    flags: Vec<Flag>,
    /// Whether the account that asks made it itself, as an inspector: it decides on no objection to it.
    mine: bool,
}

/// Why a reading is kept and does not count.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Flag {
    /// The device's clock was more than five minutes ahead, and nobody has looked.
    ClockAhead,
    /// A person struck it.
    Struck,
    /// Its card was lost by then.
    CardLost,
    /// Its device said two things under one number, and nobody has looked.
    Conflict,
}

impl Flag {
    fn of(held: Held) -> Vec<Self> {
        let flags = [
            (Held::CLOCK, Self::ClockAhead),
            (Held::STRUCK, Self::Struck),
            (Held::CARD, Self::CardLost),
            (Held::CONFLICT, Self::Conflict),
        ];
        let there = flags.into_iter().filter(|(reason, _)| held.has(*reason));
        there.map(|(_, flag)| flag).collect()
    }
}

impl Deposit {
    fn of(row: DepositRow, photo: Option<String>, own: &[String]) -> Self {
        let mine = row.reading.by == By::Inspector && own.contains(&row.device);
        let id = match row.reading_id {
            Some(id) => format!("import:{id}"),
            None => format!("{}:{}:{}", row.device, row.boot, row.seq),
        };
        let reading = row.reading;
        Self {
            id,
            place: Place::of(row.place),
            at: reading.at.get(),
            day: reading.day,
            device: row.device,
            stream: reading.stream.into(),
            weight_g: reading.grams.get(),
            quality: reading.quality.share(),
            confidence: reading.confidence.share(),
            by: reading.by.into(),
            bag: row.bag,
            photo,
            flags: Flag::of(row.held),
            mine,
        }
    }
}

/// Where a list goes on: event time and place in the journal, `at.position.index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct Cursor {
    at: i64,
    place: Place,
}

impl Cursor {
    fn of(row: &DepositRow) -> Self {
        Self {
            at: row.reading.at.get(),
            place: Place::of(row.place),
        }
    }

    fn text(row: &DepositRow) -> String {
        let Self { at, place } = Self::of(row);
        format!("{at}.{place}")
    }
}

impl TryFrom<String> for Cursor {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text
            .split_once('.')
            .and_then(|(at, place)| Some((at.parse().ok()?, place.parse().ok()?)));
        let cursor = parts.map(|(at, place)| Self { at, place });
        cursor.ok_or_else(|| "expected the `next` of the part before, came something else".to_owned())
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// First local day; without it the 90 days that end with `to`.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Day>,
    /// Last local day; without it today. At most 400 days.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Day>,
    /// The `next` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// A household's readings, newest first.
#[utoipa::path(get, path = "/api/v1/households/{id}/deposits", tag = "households",
    params(("id" = String, Path, description = "token"), Find),
    responses((status = 200, body = Page<Deposit>), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Found(seen): Found,
    Looking(person): Looking,
    Params(find): Params<Find>,
) -> Result<Json<Page<Deposit>>, Problem> {
    let today = api.clock.today(api.ledger.zone());
    let (from, to) = span(find.from, find.to, today, DAYS)?;
    let mut rows = seen.deposits(from, to).await?;
    rows.retain(|row| find.after.is_none_or(|after| Cursor::of(row) < after));
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(Cursor::of(row)));
    let shown = &rows[..rows.len().min(find.limit.get())];
    let mut photos = seen.photos(shown).await?;
    // What it says with its phone, and with a device of its own name.
    let own = person.map_or_else(Vec::new, |person| {
        let name = person.name();
        vec![api.people.handset(name), name.to_owned()]
    });
    let deposit = |row: DepositRow| {
        let photo = photos.remove(&row.place);
        Deposit::of(row, photo, &own)
    };
    Ok(Json(Page::cut(rows, find.limit.get(), Cursor::text, deposit)))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Site, TODAY};

    #[tokio::test]
    async fn readings_are_listed_newest_first() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/households/hh-cam-0003/deposits").await);
    }

    #[tokio::test]
    async fn pages_of_deposits_give_each_once() {
        let site = Site::filled().await;
        let of = |rest: &str| format!("/api/v1/households/hh-good-0001/deposits{rest}");
        let all = site.walk(&of(""), "id").await;
        assert_eq!(all.len(), 5);
        for limit in 1..6 {
            assert_eq!(site.walk(&of(&format!("?limit={limit}")), "id").await, all);
        }
        assert!(site.walk(&of(&format!("?from={TODAY}")), "id").await.is_empty());
    }

    #[tokio::test]
    async fn a_bad_cursor_is_a_problem() {
        let site = Site::filled().await;
        for after in ["x", "1.2", "1.2.x", ""] {
            let path = format!("/api/v1/households/hh-good-0001/deposits?after={after}");
            site.refuses(&path, 400, "after: expected the `next` of the part before")
                .await;
        }
    }
}
