//! GET /api/v1/incidents

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::read::IncidentRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::words::StreamWord;
use crate::api::Api;
use crate::extract::{After, Limit, Params};
use crate::page::{Page, Place};
use crate::problem::Problem;

/// Something a person should look at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Incident {
    /// Event time, ms since 1970 UTC.
    pub(crate) at: i64,
    pub(crate) device: String,
    #[schema(example = "overflow")]
    pub(crate) kind: String,
    pub(crate) stream: Option<StreamWord>,
    pub(crate) note: Option<String>,
    /// An opaque reference; never a face.
    pub(crate) photo: Option<String>,
}

impl Incident {
    fn of(row: IncidentRow) -> Self {
        let IncidentRow {
            at,
            device,
            kind,
            stream,
            note,
            photo,
            ..
        } = row;
        Self {
            at,
            device,
            kind,
            stream: stream.map(Into::into),
            note,
            photo,
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

/// Incidents, newest first.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "devices", params(Find),
    responses((status = 200, body = Page<Incident>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Params(find): Params<Find>,
) -> Result<Json<Page<Incident>>, Problem> {
    let before = find.after.map(|After(place)| place.pair());
    let rows = api.ledger.incidents(before, find.limit.probe()).await?;
    Ok(Json(Page::cut(
        rows,
        find.limit.get(),
        |row| Place::of(row.place).to_string(),
        Incident::of,
    )))
}

#[cfg(test)]
mod tests {
    use crate::testing::Site;

    #[tokio::test]
    async fn incidents_are_listed_newest_first_and_once() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/incidents").await);
        assert_eq!(
            site.walk("/api/v1/incidents?limit=1", "kind").await,
            ["smoke", "overflow"]
        );
    }

    #[tokio::test]
    async fn a_cursor_of_another_kind_is_a_problem() {
        let site = Site::filled().await;
        site.refuses(
            "/api/v1/incidents?after=x",
            400,
            "after: expected a cursor this server gave out",
        )
        .await;
    }
}
