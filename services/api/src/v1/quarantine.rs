//! GET /api/v1/quarantine

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Sha;
use hemu_ledger::read::QuarantineRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{After, Limit, Params};
use crate::page::{Page, Place};
use crate::problem::Problem;

/// Bits of an id that number the record within its batch.
const INDEX_BITS: u32 = 20;

/// Something set aside because it means nothing to the contract.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Quarantined {
    /// One for each; rises with the journal.
    id: u64,
    /// When it arrived, ms since 1970 UTC.
    at: i64,
    device: String,
    /// A stable word.
    #[schema(example = "wrong_type")]
    reason: String,
    /// What was expected and what came.
    detail: String,
    /// A u64 as text; null when it could not be read.
    boot: Option<String>,
    seq: Option<u64>,
    /// What came, as far as it is text; at most 4 KiB are kept. `sha256:` and its hash once it is older than
    /// `keep_quarantine_bytes_days`: it may hold anything, of people too.
    raw: String,
    /// How long it really was.
    bytes: u32,
}

impl Quarantined {
    /// Without its bytes where it came before an instant.
    fn of(row: QuarantineRow, shown_from: i64) -> Self {
        let (position, index) = row.place;
        Self {
            id: (position << INDEX_BITS) | u64::from(index),
            at: row.at,
            device: row.device,
            reason: row.reason,
            detail: row.detail,
            boot: row.boot.map(|boot| boot.to_string()),
            seq: row.seq,
            raw: if row.at >= shown_from {
                String::from_utf8_lossy(&row.raw).into_owned()
            } else {
                format!("sha256:{}", Sha::of(&row.raw).as_str())
            },
            bytes: row.raw_len,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// The `next` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<After>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// What was set aside, newest first.
#[utoipa::path(get, path = "/api/v1/quarantine", tag = "devices", params(Find),
    responses((status = 200, body = Page<Quarantined>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Params(find): Params<Find>,
) -> Result<Json<Page<Quarantined>>, Problem> {
    let before = find.after.map(|After(place)| place.pair());
    let rows = api.ledger.quarantine(before, find.limit.probe()).await?;
    let shown_from = api.clock.now() - api.raw_shown_ms;
    Ok(Json(Page::cut(
        rows,
        find.limit.get(),
        |row| Place::of(row.place).to_string(),
        |row| Quarantined::of(row, shown_from),
    )))
}

#[cfg(test)]
mod tests {
    use crate::testing::Site;

    #[tokio::test]
    async fn quarantine_shows_reason_and_bytes_newest_first() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/quarantine").await);
    }

    #[tokio::test]
    async fn bytes_are_shown_as_long_as_they_are_told_to_be_and_then_a_hash() {
        let mut site = Site::filled().await;
        let before = site.json("/api/v1/quarantine").await["items"][0]["raw"].clone();
        site.parts().raw_shown_ms = -1;
        let items = site.json("/api/v1/quarantine").await["items"].clone();
        let hidden = items[0]["raw"].as_str().unwrap();
        assert!(
            hidden.starts_with("sha256:") && hidden.len() == 71 && before != hidden,
            "{items}"
        );
    }

    #[tokio::test]
    async fn pages_of_quarantine_give_each_once() {
        let site = Site::filled().await;
        let all = site.walk("/api/v1/quarantine", "detail").await;
        assert_eq!(all.len(), 2);
        assert_eq!(site.walk("/api/v1/quarantine?limit=1", "detail").await, all);
    }

    #[tokio::test]
    async fn a_cursor_of_another_kind_is_a_problem() {
        let site = Site::filled().await;
        site.refuses(
            "/api/v1/quarantine?after=7",
            400,
            "after: expected a cursor this server gave out",
        )
        .await;
    }
}
