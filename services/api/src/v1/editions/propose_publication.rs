//! POST /api/v1/editions/{id}/propose-publication

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{Act, Words};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Edition;
use super::words::AudienceWord;
use crate::api::Api;
use crate::extract::{Acting, Body, Number};
use crate::problem::Problem;
use crate::v1::acts::Refusals;

/// On which legal basis, for whom, and until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Publication {
    /// The legal basis, 1 to 4000 characters.
    basis: String,
    audience: AudienceWord,
    /// The end of the publication, ms since 1970 UTC.
    expires_at: i64,
}

/// Proposes, as the first of two persons, to publish.
#[utoipa::path(post, path = "/api/v1/editions/{id}/propose-publication", tag = "editions", request_body = Publication,
    params(("id" = u64, Path, description = "the edition's number")),
    responses((status = 200, body = Edition), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Number(edition): Number,
    Acting(actor): Acting,
    Body(asked): Body<Publication>,
) -> Result<Json<Edition>, Problem> {
    let act = Act::ProposePublication {
        edition,
        basis: Words::new(asked.basis),
        audience: asked.audience.into(),
        expires_at: asked.expires_at,
    };
    api.act(&actor, act).await?;
    Edition::after(&api, edition).await
}
