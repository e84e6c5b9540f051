//! POST /api/v1/logout, /api/v1/logout/everywhere

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::Api;
use crate::extract::Viewing;
use crate::people::Caller;
use crate::problem::Problem;

/// Ends this session.
#[utoipa::path(post, path = "/api/v1/logout", tag = "people", responses((status = 204, description = "ended")))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Viewing(viewer): Viewing,
) -> Result<Response, Problem> {
    if let Some(session) = viewer.session() {
        api.ledger.end_session(&session).await?;
    }
    Ok(gone(&caller))
}

/// Ends every session of the account.
#[utoipa::path(post, path = "/api/v1/logout/everywhere", tag = "people",
    responses((status = 204, description = "ended")))]
pub(crate) async fn everywhere(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Viewing(viewer): Viewing,
) -> Result<Response, Problem> {
    api.ledger.end_sessions(viewer.actor.name()).await?;
    Ok(gone(&caller))
}

fn gone(caller: &Caller) -> Response {
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, caller.forget())]).into_response()
}
