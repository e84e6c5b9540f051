//! GET /api/v1/editions/{id}/letters: what is printed and put into the letter boxes of households that an edition is about.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::PlaceRow;
use hemu_ledger::registry::Household;
use hemu_ledger::{Seen, Sight};
use hemu_people::Right;
use hemu_rules::{Ppb, Status};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{Limit, Number, NumberAfter, Params, Sees, Viewing};
use crate::mask;
use crate::page::Page;
use crate::problem::Problem;
use crate::v1::acts::StatusWord;

/// One letter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Letter {
    /// The end of the token.
    #[schema(example = "···4f2a")]
    household: String,
    /// Where it goes: with the door for those who may see doors, without it for others.
    #[schema(example = "12幢1单元 301")]
    address: Option<String>,
    /// As computed: BLACK is proposed for the black list, GREY and UNRATED are warned.
    status: StatusWord,
    /// 0..=100.
    score: u8,
    p_black: f64,
    /// Of 45 days.
    deposit_days: u32,
    /// Of 60 days.
    inspected_days: u32,
}

impl Letter {
    fn of(row: &PlaceRow, home: Option<&Household>, doors: bool) -> Self {
        let address = if doors { mask::address } else { mask::label };
        Self {
            household: mask::token(&row.token),
            address: home.map(address),
            status: row.status.into(),
            score: row.score,
            p_black: Ppb::clamped(row.p_black.into()).probability(),
            deposit_days: row.deposit_days,
            inspected_days: row.inspected_days,
        }
    }
}

/// Which letters.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum About {
    /// Households that the rule proposes for the black list.
    Black,
    /// Households that are warned and on no list.
    Grey,
    /// Households that are warned and not rated any more.
    Unrated,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    #[param(inline)]
    about: About,
    /// The `next` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<NumberAfter>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// The letters by which households are told of an edition. Whoever prints them is noted as having looked at each.
#[utoipa::path(get, path = "/api/v1/editions/{id}/letters", tag = "editions",
    params(("id" = u64, Path, description = "the edition's number"), Find),
    responses((status = 200, body = Page<Letter>), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Number(id): Number,
    Sees(sight): Sees,
    Viewing(viewer): Viewing,
    Params(find): Params<Find>,
) -> Result<Json<Page<Letter>>, Problem> {
    api.edition(id).await?;
    let status = match find.about {
        About::Black => Status::Black,
        About::Grey => Status::Grey,
        About::Unrated => Status::Unrated,
    };
    let after = NumberAfter::rank(find.after);
    let rows = sight.places(id, status, after, find.limit.probe()).await?;
    let doors = viewer.may(Right::KeepHouseholds) || viewer.may(Right::Consent);
    let addressed = addressed(&sight, rows).await?;
    let page = Page::cut(
        addressed,
        find.limit.get(),
        |(row, _)| row.rank.to_string(),
        std::convert::identity,
    );
    let items: Vec<_> = page.items.into_iter().filter(|(row, _)| is_told(row)).collect();
    let tokens: Vec<&str> = items.iter().map(|(row, _)| row.token.as_str()).collect();
    api.ledger
        .note_looks(&tokens, viewer.actor.name(), "letter", api.clock.now())
        .await?;
    let letter =
        |(row, home): &(PlaceRow, Option<Seen>)| Letter::of(row, home.as_ref().map(Seen::row), doors);
    Ok(Json(Page {
        items: items.iter().map(letter).collect(),
        next: page.next,
    }))
}

/// Whether whoever lives there now is told by letter: not of what is an earlier occupant's, and not what was taken off.
fn is_told(row: &PlaceRow) -> bool {
    (row.status == Status::Black || row.notice) && !row.former && row.lifted.is_none()
}

async fn addressed(sight: &Sight, rows: Vec<PlaceRow>) -> Result<Vec<(PlaceRow, Option<Seen>)>, Problem> {
    let mut addressed = Vec::with_capacity(rows.len());
    for row in rows {
        let home = sight.household(&row.token).await?;
        addressed.push((row, home));
    }
    Ok(addressed)
}
