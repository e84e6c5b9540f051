//! GET /api/v1/editions, /api/v1/editions/{id}

pub(super) mod acts;
pub(super) mod confirm_black;
pub(super) mod expire;
pub(super) mod export;
pub(super) mod letters;
pub(super) mod lift;
pub(super) mod moved;
pub(super) mod notice;
pub(super) mod open;
pub(super) mod places;
pub(super) mod propose;
pub(super) mod propose_black;
pub(super) mod propose_publication;
pub(super) mod public;
pub(super) mod publish;
pub(super) mod retract;
pub(super) mod revise;
#[cfg(test)]
mod tests;
pub(super) mod words;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{EditionId, EditionQuery, EditionRow, HEED_MS};
use hemu_rules::Day;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::words::{AudienceWord, StateWord};
use crate::api::Api;
use crate::extract::{Limit, Number, NumberAfter, Params};
use crate::page::Page;
use crate::problem::Problem;

/// Households by what the rule made of them.
#[derive(Debug, Serialize, ToSchema)]
struct Counts {
    red: u64,
    black: u64,
    grey: u64,
    unrated: u64,
}

/// An edition of the lists. Instants are ms since 1970 UTC.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Edition {
    id: EditionId,
    /// Evidence is of days before this local day.
    #[schema(value_type = String, format = Date)]
    day: Day,
    /// 1 is the first of its day.
    revision: u32,
    state: StateWord,
    /// Whether others than the households themselves may see it now.
    public: bool,
    rule_version: u16,
    /// SHA-256 of the whole rule.
    rule_hash: String,
    /// It was computed from the journal up to here.
    position: u64,
    /// The edition whose states and warnings it goes on from.
    before: Option<EditionId>,
    counts: Counts,
    /// Households that were warned by it.
    notices: u64,
    /// SHA-256 of everybody's place; `hemu edition recompute` computes it again.
    digest: String,
    proposed_at: i64,
    /// The edition it corrects, and the one that corrects it.
    revises: Option<EditionId>,
    superseded_by: Option<EditionId>,
    /// It lost a reading to an objection or a strike: a corrected revision is due, and this one is not decided on.
    reopened: bool,
    noticed_at: Option<i64>,
    /// The end of the objection window; a household's own is later by the time its objections took.
    deadline: Option<i64>,
    audience: Option<AudienceWord>,
    /// The end of its publication.
    expires_at: Option<i64>,
    /// The two persons of its publication.
    publication_by: Option<String>,
    published_by: Option<String>,
    published_at: Option<i64>,
}

impl Edition {
    pub(crate) fn of(row: EditionRow, now: i64) -> Self {
        let public = row.is_public(now);
        let [red, black, grey, unrated] = row.counts;
        Self {
            id: row.id,
            day: row.day,
            revision: row.revision,
            state: row.state.into(),
            public,
            rule_version: row.rule_version,
            rule_hash: row.rule_hash.as_str().to_owned(),
            position: row.position,
            before: row.before,
            counts: Counts {
                red,
                black,
                grey,
                unrated,
            },
            notices: row.notices,
            digest: row.digest.as_str().to_owned(),
            proposed_at: row.proposed_at,
            revises: row.revises,
            superseded_by: row.superseded_by,
            reopened: row.reopened.is_some(),
            noticed_at: row.noticed_at,
            deadline: row.deadline,
            audience: row.audience.map(Into::into),
            expires_at: row.expires_at,
            publication_by: row.publication_by,
            published_by: row.published_by,
            published_at: row.published_at,
        }
    }

    /// As it is after an act.
    async fn after(api: &Api, id: EditionId) -> Result<Json<Self>, Problem> {
        let row = api.edition(id).await?;
        Ok(Json(Self::of(row, api.clock.now())))
    }
}

/// One edition and why it may be published.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditionDetail {
    #[serde(flatten)]
    edition: Edition,
    /// The legal basis of its publication, as the first of the two persons wrote it.
    basis: Option<String>,
    /// From when on people decide about its black names, ms since 1970 UTC: the end of the window, or a week after the
    /// earlier warning was told, whichever is later. Null before the households were told.
    decided_from: Option<i64>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// Editions of one local day.
    #[param(value_type = Option<String>, format = Date)]
    day: Option<Day>,
    state: Option<StateWord>,
    /// The `next` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<NumberAfter>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// Editions, newest first.
#[utoipa::path(get, path = "/api/v1/editions", tag = "editions", params(Find),
    responses((status = 200, body = Page<Edition>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Params(find): Params<Find>,
) -> Result<Json<Page<Edition>>, Problem> {
    let query = EditionQuery {
        day: find.day,
        state: find.state.map(Into::into),
        before: find.after.map(|NumberAfter(id)| id),
        limit: find.limit.probe(),
    };
    let (rows, now) = (api.ledger.editions(&query).await?, api.clock.now());
    Ok(Json(Page::cut(
        rows,
        find.limit.get(),
        |row| row.id.to_string(),
        |row| Edition::of(row, now),
    )))
}

/// One edition: how far it is, what it was computed from, and who published it on which basis.
#[utoipa::path(get, path = "/api/v1/editions/{id}", tag = "editions",
    params(("id" = u64, Path, description = "the edition's number")),
    responses((status = 200, body = EditionDetail), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Number(id): Number,
) -> Result<Json<EditionDetail>, Problem> {
    let row = api.edition(id).await?;
    let basis = match &row.basis {
        Some(hash) => api.ledger.words(hash, None).await?,
        None => None,
    };
    let decided_from = decided_from(&api, &row).await?;
    let edition = Edition::of(row, api.clock.now());
    Ok(Json(EditionDetail {
        edition,
        basis,
        decided_from,
    }))
}

/// The rule is the ledger's, which refuses whoever is earlier.
async fn decided_from(api: &Api, row: &EditionRow) -> Result<Option<i64>, Problem> {
    let Some(before) = row.before else {
        return Ok(row.deadline);
    };
    let told = api.edition(before).await?.noticed_at;
    let heeded = told.map(|told| told.saturating_add(HEED_MS));
    Ok(row
        .deadline
        .zip(heeded)
        .map(|(deadline, heeded)| deadline.max(heeded)))
}
