//! GET /api/v1/editions/{id}/places

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{Actor, EditionId, PlaceRow, Why};
use hemu_ledger::registry::Household;
use hemu_ledger::{Seen, Sight};
use hemu_rules::Ppb;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{Limit, Looking, Number, NumberAfter, Params, Sees};
use crate::mask;
use crate::page::Page;
use crate::problem::Problem;
use crate::v1::acts::{Masked, StatusWord};

/// A household's place: what the rule made of it, and what people decided about it.
#[derive(Debug, Serialize, ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts of a row, none of which follows from another"
)]
pub(crate) struct EditionPlace {
    #[serde(flatten)]
    household: Masked,
    /// Where it lives, without the door; null where nobody is registered.
    #[schema(example = "12幢1单元 30*")]
    label: Option<String>,
    /// As computed.
    status: StatusWord,
    /// What may be shown of it: black only where two persons said so, nobody lifted it and nobody objects.
    shown: StatusWord,
    /// Within the status; 1 is first.
    rank: u32,
    /// 0..=100.
    score: u8,
    p_black: f64,
    p_red: f64,
    /// Editions in a row that hit.
    hits: u16,
    /// The household is warned by this edition.
    warned: bool,
    deposit_days: u32,
    inspected_days: u32,
    /// The two persons who said that a black name stands, and the one who took it off.
    proposed_by: Option<String>,
    confirmed_by: Option<String>,
    lifted_by: Option<String>,
    /// An objection is pending, or was upheld and the edition is not corrected yet.
    objection_open: bool,
    /// It speaks of whoever lived there before: nobody is named by it.
    former: bool,
    /// The household agreed to be praised in public.
    red_opt_in: bool,
}

impl EditionPlace {
    /// `home` is where the household lives.
    pub(crate) fn of(row: PlaceRow, home: Option<&Household>, looking: Option<&Actor>) -> Self {
        let probability = |ppb: u32| Ppb::clamped(ppb.into()).probability();
        Self {
            household: Masked::of(&row.token, looking),
            label: home.map(mask::label),
            shown: row.shown().into(),
            status: row.status.into(),
            rank: row.rank,
            score: row.score,
            p_black: probability(row.p_black),
            p_red: probability(row.p_red),
            hits: row.hits,
            warned: row.notice,
            deposit_days: row.deposit_days,
            inspected_days: row.inspected_days,
            proposed_by: row.proposed_by,
            confirmed_by: row.confirmed_by,
            lifted_by: row.lifted_by,
            objection_open: row.appeal_open,
            former: row.former,
            red_opt_in: row.red_opt_in,
        }
    }

    /// As it is after an act.
    pub(super) async fn after(
        sight: &Sight,
        edition: EditionId,
        token: &str,
        actor: &Actor,
    ) -> Result<Json<Self>, Problem> {
        let row = sight.place(edition, token).await?;
        let gone = || Problem::broken(Why::WrongState, "the household has no place in this edition");
        let row = row.ok_or_else(gone)?;
        let home = sight.household(token).await?;
        Ok(Json(Self::of(row, home.as_ref().map(Seen::row), Some(actor))))
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// What the rule made of them. Of grey and unrated ones only those that were warned or have hits are kept.
    status: StatusWord,
    /// The `next` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<NumberAfter>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// The places of an edition by rank, for those who decide. What the public may see is `/public`.
#[utoipa::path(get, path = "/api/v1/editions/{id}/places", tag = "editions",
    params(("id" = u64, Path, description = "the edition's number"), Find),
    responses((status = 200, body = Page<EditionPlace>), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Number(id): Number,
    Sees(sight): Sees,
    Looking(person): Looking,
    Params(find): Params<Find>,
) -> Result<Json<Page<EditionPlace>>, Problem> {
    api.edition(id).await?;
    let (status, after) = (find.status.into(), NumberAfter::rank(find.after));
    let mut rows = Vec::new();
    for row in sight.places(id, status, after, find.limit.probe()).await? {
        let home = sight.household(&row.token).await?;
        rows.push((row, home));
    }
    if let Some(person) = &person {
        // A name on a list is no less looked at on the page than in the file.
        let named = rows.iter().take(find.limit.get());
        let tokens: Vec<_> = named.map(|(row, _)| row.token.as_str()).collect();
        api.ledger
            .note_looks(&tokens, person.name(), "list", api.clock.now())
            .await?;
    }
    Ok(Json(Page::cut(
        rows,
        find.limit.get(),
        |(row, _)| row.rank.to_string(),
        |(row, home)| EditionPlace::of(row, home.as_ref().map(Seen::row), person.as_ref()),
    )))
}
