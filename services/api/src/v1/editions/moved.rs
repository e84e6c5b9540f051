//! GET /api/v1/editions/{id}/moved

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_rules::State as Stands;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{Limit, Looking, Number, NumberAfter, Params};
use crate::page::Page;
use crate::problem::Problem;
use crate::v1::acts::{Masked, StatusWord};

/// A household that stands otherwise than in the edition that was corrected.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Move {
    #[serde(flatten)]
    household: Masked,
    /// Null: on no list and not warned.
    from: Option<Stand>,
    to: Option<Stand>,
}

/// Where it stood or stands, as computed.
#[derive(Debug, Serialize, ToSchema)]
struct Stand {
    status: StatusWord,
    /// Editions in a row that hit.
    hits: u16,
}

impl Stand {
    fn of(state: Stands) -> Self {
        Self {
            status: state.status.into(),
            hits: state.hits,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// The `next` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<NumberAfter>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// Who stands otherwise in an edition than in the one it corrects; nobody where it corrects none.
#[utoipa::path(get, path = "/api/v1/editions/{id}/moved", tag = "editions",
    params(("id" = u64, Path, description = "the edition's number"), Find),
    responses((status = 200, body = Page<Move>), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Number(id): Number,
    Looking(person): Looking,
    Params(find): Params<Find>,
) -> Result<Json<Page<Move>>, Problem> {
    api.edition(id).await?;
    // Both are as computed and never change, so that how many were seen is where it goes on.
    let seen = find.after.map_or(0, |NumberAfter(seen)| seen);
    let all = (1_u64..).zip(api.ledger.moved(id).await?);
    let unseen = all.filter(|(nth, _)| *nth > seen);
    Ok(Json(Page::cut(
        unseen.take(find.limit.get() + 1).collect(),
        find.limit.get(),
        |(nth, _)| nth.to_string(),
        |(_, moved)| Move {
            household: Masked::of(&moved.token, person.as_ref()),
            from: moved.from.map(Stand::of),
            to: moved.to.map(Stand::of),
        },
    )))
}
