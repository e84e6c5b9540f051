//! GET /api/v1/objections, /api/v1/objections/{id}

pub(super) mod decide;
pub(super) mod object;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::Sight;
use hemu_ledger::acts::{Actor, EditionId, ObjectionId, ObjectionQuery, ObjectionRow, Why};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{Limit, Looking, Number, NumberAfter, Params, Sees};
use crate::page::{Page, Place};
use crate::problem::Problem;
use crate::v1::acts::Masked;

/// How far an objection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ObjectionState {
    Pending,
    /// The readings are struck.
    Upheld,
    Rejected,
}

/// A household's objection to what some of its readings say. Instants are ms since 1970 UTC.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Objection {
    id: ObjectionId,
    /// The edition it is about; a corrected revision takes it over.
    edition: EditionId,
    #[serde(flatten)]
    household: Masked,
    state: ObjectionState,
    /// The account that raised it.
    by: String,
    at: i64,
    /// Places of the readings.
    #[schema(value_type = Vec<String>, example = json!(["4711.0"]))]
    readings: Vec<Place>,
    decided_by: Option<String>,
    decided_at: Option<i64>,
}

impl Objection {
    pub(crate) fn of(row: &ObjectionRow, looking: Option<&Actor>) -> Self {
        Self {
            id: row.id,
            edition: row.edition,
            household: Masked::of(&row.token, looking),
            state: match row.upheld {
                None => ObjectionState::Pending,
                Some(true) => ObjectionState::Upheld,
                Some(false) => ObjectionState::Rejected,
            },
            by: row.by.clone(),
            at: row.at,
            readings: row.readings.iter().copied().map(Place::of).collect(),
            decided_by: row.decided_by.clone(),
            decided_at: row.decided_at,
        }
    }
}

/// An objection with what people wrote.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObjectionDetail {
    #[serde(flatten)]
    objection: Objection,
    /// What the household wrote; null when it was erased, and to the public.
    words: Option<String>,
    /// Why it was decided so; null likewise.
    reason: Option<String>,
    #[serde(skip)]
    token: String,
}

impl ObjectionDetail {
    async fn read(
        api: &Api,
        sight: &Sight,
        id: ObjectionId,
        looking: Option<&Actor>,
    ) -> Result<Self, Problem> {
        let row = sight.objection(id).await?;
        let row = row.ok_or_else(|| {
            let detail = format!("there is no objection {id}; /api/v1/objections lists those there are");
            Problem::broken(Why::UnknownObjection, detail)
        })?;
        Ok(Self {
            objection: Objection::of(&row, looking),
            words: api.written(Some(&row.words), &row.token, looking).await?,
            reason: api.written(row.reason.as_ref(), &row.token, looking).await?,
            token: row.token,
        })
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// Objections to one edition.
    edition: Option<EditionId>,
    /// Only those that nobody has decided.
    #[serde(default)]
    pending: bool,
    /// The `next` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<NumberAfter>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// Objections, oldest first.
#[utoipa::path(get, path = "/api/v1/objections", tag = "objections",
    params(Find),
    responses((status = 200, body = Page<Objection>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    Sees(sight): Sees,
    Looking(person): Looking,
    Params(find): Params<Find>,
) -> Result<Json<Page<Objection>>, Problem> {
    let query = ObjectionQuery {
        edition: find.edition,
        pending: find.pending,
        after: find.after.map(|NumberAfter(id)| id),
        limit: find.limit.probe(),
    };
    let rows = sight.objections(&query).await?;
    Ok(Json(Page::cut(
        rows,
        find.limit.get(),
        |row| row.id.to_string(),
        |row| Objection::of(&row, person.as_ref()),
    )))
}

/// One objection; what was written only for a person who acts.
#[utoipa::path(get, path = "/api/v1/objections/{id}", tag = "objections",
    params(("id" = u64, Path, description = "the objection's number")),
    responses((status = 200, body = ObjectionDetail), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Number(id): Number,
    Sees(sight): Sees,
    Looking(person): Looking,
) -> Result<Json<ObjectionDetail>, Problem> {
    let objection = ObjectionDetail::read(&api, &sight, id, person.as_ref()).await?;
    if let (Some(person), Some(token)) = (person, sight.is_staffs().then_some(&objection.token)) {
        let at = api.clock.now();
        api.ledger
            .note_look(token, person.name(), "objection", at)
            .await?;
    }
    Ok(Json(objection))
}
