//! POST /api/v1/editions

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hemu_ledger::acts::EditionId;
use hemu_rules::Day;
use serde::Deserialize;
use tokio::runtime::Handle;
use utoipa::ToSchema;

use super::Edition;
use crate::api::Api;
use crate::extract::{Acting, Body};
use crate::jobs::{About, Kind};
use crate::problem::Problem;
use crate::v1::acts::Refusals;

/// Which edition.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Propose {
    /// Evidence is of days before this local day; not one to come.
    #[schema(value_type = String, format = Date)]
    day: Day,
}

/// Has the machine compute the edition of a day as a draft, which its schedule does by itself. Whoever asks adds nothing
/// to it, and the audit trail names the machine. How far it is, and the way to stop it, is in `/api/v1/jobs` meanwhile,
/// also for whoever does not wait for the answer.
#[utoipa::path(post, path = "/api/v1/editions", tag = "editions", request_body = Propose,
    responses((status = 201, body = Edition), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(asks): Acting,
    Body(Propose { day }): Body<Propose>,
) -> Result<(StatusCode, Json<Edition>), Problem> {
    let job = api.jobs.begin(Kind::Edition, About::day(day), asks.name());
    let ledger = api.ledger.watched(job.work());
    let (holder, now) = (api.holder.clone(), api.clock.now());
    let work = async move {
        let made = match ledger.rule_in_force(day).await {
            Ok(rule) => ledger.propose_edition(&rule, day, now, &holder).await,
            Err(error) => Err(error),
        };
        job.made(made)
    };
    let id = beside(work).await?;
    Ok((StatusCode::CREATED, Edition::after(&api, id).await?))
}

/// Computing a city takes seconds of arithmetic: on a thread that nobody waits for, and to its end even where whoever
/// asked has gone.
pub(super) async fn beside(
    work: impl Future<Output = hemu_ledger::Result<EditionId>> + Send + 'static,
) -> Result<EditionId, Problem> {
    let runtime = Handle::current();
    let computing = tokio::task::spawn_blocking(move || runtime.block_on(work));
    Ok(computing.await.map_err(|_| Problem::internal())??)
}
