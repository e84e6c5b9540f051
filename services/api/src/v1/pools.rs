//! GET /api/v1/pools

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::page::Page;
use crate::problem::Problem;

/// A pool that points come from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pool {
    #[schema(example = "spring")]
    name: String,
    /// What it has.
    points: i64,
    /// What it was given in all, and what households got of it.
    funded: i64,
    awarded: i64,
}

/// All pools, by name. Operators fill them (`hemu bank fund`).
#[utoipa::path(get, path = "/api/v1/pools", tag = "bank", responses((status = 200, body = Page<Pool>)))]
pub(crate) async fn list(State(api): State<Arc<Api>>) -> Result<Json<Page<Pool>>, Problem> {
    let pools = api.ledger.pools().await?;
    let pool = |row: hemu_ledger::bank::Pool| Pool {
        name: row.name,
        points: row.points,
        funded: row.funded,
        awarded: row.awarded,
    };
    Ok(Json(Page {
        items: pools.into_iter().map(pool).collect(),
        next: None,
    }))
}
