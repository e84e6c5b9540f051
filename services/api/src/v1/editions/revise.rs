//! POST /api/v1/editions/{id}/revise

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Edition;
use super::propose::beside;
use crate::api::Api;
use crate::extract::{Acting, Number};
use crate::jobs::{About, Kind};
use crate::problem::Problem;
use crate::v1::acts::Refusals;

/// Has the machine compute the corrected revision of an edition that lost a reading, which it does by itself in a
/// moment. An edition that is still open gives way to it; a published one stays until the revision is published.
#[utoipa::path(post, path = "/api/v1/editions/{id}/revise", tag = "editions",
    params(("id" = u64, Path, description = "the edition's number")),
    responses((status = 201, body = Edition), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Number(id): Number,
    Acting(asks): Acting,
) -> Result<(StatusCode, Json<Edition>), Problem> {
    let job = api.jobs.begin(Kind::Revision, About::edition(id), asks.name());
    let ledger = api.ledger.watched(job.work());
    let (holder, now) = (api.holder.clone(), api.clock.now());
    let id = beside(async move { job.made(ledger.revise(id, now, &holder).await) }).await?;
    Ok((StatusCode::CREATED, Edition::after(&api, id).await?))
}
