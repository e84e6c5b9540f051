//! GET /api/v1/editions/{id}/public

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{Audience, PlaceRow};
use hemu_ledger::registry::Ends;
use hemu_rules::Status;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{Limit, Number, NumberAfter, Params};
use crate::mask;
use crate::page::Page;
use crate::problem::Problem;

/// A household on a public list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicPlace {
    /// The end of the token: four characters, or as many more as it takes to tell it from every other.
    #[schema(example = "···4f2a")]
    household: String,
    /// 1 is first; ranks of those who are not shown are left out.
    rank: u32,
}

impl PublicPlace {
    fn of(row: &PlaceRow, ends: &Ends) -> Self {
        Self {
            household: mask::end(&row.token, ends.shown(&row.token)),
            rank: row.rank,
        }
    }
}

/// One of the two lists.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
enum List {
    Red,
    Black,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    #[param(inline)]
    status: List,
    /// The `next` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<NumberAfter>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// A list as everybody may see it: while it is published to everybody, households masked; black are those that two
/// persons confirmed and that nobody lifted or objects to, red are those that agreed.
#[utoipa::path(get, path = "/api/v1/editions/{id}/public", tag = "editions",
    params(("id" = u64, Path, description = "the edition's number"), Find),
    responses((status = 200, body = Page<PublicPlace>), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Number(id): Number,
    Params(find): Params<Find>,
) -> Result<Json<Page<PublicPlace>>, Problem> {
    let (edition, now) = (api.ledger.edition_row(id).await?, api.clock.now());
    // Whoever lives in a building cannot be told from others yet: what is for a building is shown to nobody here.
    let shown = edition.is_some_and(|row| row.is_public(now) && row.audience == Some(Audience::Masked));
    if !shown {
        let detail =
            "no edition of this number is published to everybody now; /api/v1/editions says how far each is";
        return Err(Problem::not_found(detail));
    }
    let status = match find.status {
        List::Red => Status::Red,
        List::Black => Status::Black,
    };
    let (after, probe) = (NumberAfter::rank(find.after), find.limit.probe());
    let rows = api.ledger.public_places(id, now, status, after, probe).await?;
    let ends = api.ends.of(&api, id).await?;
    let page = Page::cut(
        rows,
        find.limit.get(),
        |row| row.rank.to_string(),
        std::convert::identity,
    );
    // Whoever was registered since may have an end that tells nobody apart any more.
    let named = |row: &&PlaceRow| status != Status::Black || ends.tells(&row.token);
    Ok(Json(Page {
        items: page
            .items
            .iter()
            .filter(named)
            .map(|row| PublicPlace::of(row, &ends))
            .collect(),
        next: page.next,
    }))
}
