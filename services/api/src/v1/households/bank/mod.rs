//! GET /api/v1/households/{id}/bank, and what is done with minutes and points below it.

pub(crate) mod award;
pub(crate) mod confirm;
pub(crate) mod redeem;
pub(crate) mod reverse;
pub(crate) mod service;
pub(crate) mod transfer;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Actor;
use hemu_ledger::bank::{Deal, EntryRow, Help, ServiceRow, Side};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, IntoResponses, ToSchema};

use crate::api::Api;
use crate::extract::{After, Found, Limit, Looking, Params, Sees};
use crate::page::{Page, Place};
use crate::problem::Problem;
use crate::v1::acts::{Done, Masked, problems};

/// Services shown at most: the newest.
const SERVICES: u32 = 100;

/// What was done for a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Help)]
pub(crate) enum HelpWord {
    Meal,
    Company,
    Errand,
    Cleaning,
    Doctor,
    Repair,
    /// At the bin.
    Sorting,
    Other,
}

impl From<Help> for HelpWord {
    fn from(help: Help) -> Self {
        match help {
            Help::Meal => Self::Meal,
            Help::Company => Self::Company,
            Help::Errand => Self::Errand,
            Help::Cleaning => Self::Cleaning,
            Help::Doctor => Self::Doctor,
            Help::Repair => Self::Repair,
            Help::Sorting => Self::Sorting,
            Help::Other => Self::Other,
        }
    }
}

impl From<HelpWord> for Help {
    fn from(word: HelpWord) -> Self {
        match word {
            HelpWord::Meal => Self::Meal,
            HelpWord::Company => Self::Company,
            HelpWord::Errand => Self::Errand,
            HelpWord::Cleaning => Self::Cleaning,
            HelpWord::Doctor => Self::Doctor,
            HelpWord::Repair => Self::Repair,
            HelpWord::Sorting => Self::Sorting,
            HelpWord::Other => Self::Other,
        }
    }
}

/// What went to a household or from it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BankEntry {
    /// Where it stands in the journal; its first number names it to whoever takes it back.
    #[schema(value_type = String, example = "4711.0")]
    place: Place,
    /// ms since 1970 UTC.
    at: i64,
    /// `minutes` or `points`.
    #[schema(example = "points")]
    currency: &'static str,
    /// `award`, `redeem`, `service`, `transfer`, `reverse` or `close`.
    #[schema(example = "award")]
    kind: String,
    /// Below zero: the household gave it.
    amount: i64,
    /// The pool on the other side.
    pool: Option<String>,
    /// The household on the other side.
    with: Option<Masked>,
    /// The service it rewards.
    service: Option<u64>,
    /// What the help was.
    #[schema(value_type = Option<HelpWord>)]
    help: Option<HelpWord>,
    /// What it was for, in the words of whoever recorded it.
    why: Option<String>,
    /// The account that recorded it.
    by: String,
    /// The entry it takes back.
    reverses: Option<u64>,
    /// The one that took it back.
    reversed: Option<u64>,
}

/// Help that an officer recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BankService {
    id: u64,
    /// Whether this household was the one that was helped, and says whether it was so.
    was_helped: bool,
    with: Masked,
    help: HelpWord,
    /// Sign-in and sign-out, ms since 1970 UTC.
    began: i64,
    ended: i64,
    minutes: i64,
    /// `pending`, `confirmed`, `declined` or `reversed`.
    #[schema(example = "pending")]
    state: &'static str,
    by: String,
    at: i64,
}

/// What a household has, and whence.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BankAccount {
    /// Of service: another currency than points.
    minutes: i64,
    points: i64,
    /// Newest first.
    entries: Page<BankEntry>,
    /// The newest hundred, newest first.
    services: Vec<BankService>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// The `next` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<After>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// What the present occupant of a household has of minutes and points, every entry, and the services that wait for a word.
#[utoipa::path(get, path = "/api/v1/households/{id}/bank", tag = "bank",
    params(("id" = String, Path, description = "token"), Find),
    responses((status = 200, body = BankAccount), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Sees(sight): Sees,
    Found(seen): Found,
    Looking(person): Looking,
    Params(find): Params<Find>,
) -> Result<Json<BankAccount>, Problem> {
    let has = seen.balances().await?;
    let before = find.after.map(|After(place)| place.pair());
    let rows = seen.entries(before, find.limit.probe()).await?;
    // A household is told that it was a household, and not which.
    let staff = person.as_ref().filter(|_| sight.is_staffs());
    let token = &seen.row().token;
    let page = Page::cut(
        rows,
        find.limit.get(),
        |row| Place::of(row.place).to_string(),
        |row| row,
    );
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        let why = api.written(row.words.as_ref(), token, person.as_ref()).await?;
        items.push(entry(row, why, staff));
    }
    let services = seen.services(SERVICES).await?;
    Ok(Json(BankAccount {
        minutes: has.minutes,
        points: has.points,
        entries: Page {
            items,
            next: page.next,
        },
        services: services
            .into_iter()
            .map(|row| service_of(row, token, staff))
            .collect(),
    }))
}

fn entry(row: EntryRow, why: Option<String>, staff: Option<&Actor>) -> BankEntry {
    let other = if row.gets { row.debit } else { row.credit };
    let (pool, with) = match other {
        Side::Issued => (None, None),
        Side::Pool(name) => (Some(name), None),
        Side::Home(token) => (None, Some(Masked::of(&token, staff))),
    };
    BankEntry {
        place: Place::of(row.place),
        at: row.at,
        currency: row.currency.as_str(),
        kind: row.kind,
        amount: if row.gets { row.amount } else { -row.amount },
        pool,
        with,
        service: row.service,
        help: row.help.map(HelpWord::from),
        why,
        by: row.by,
        reverses: row.reverses,
        reversed: row.reversed,
    }
}

fn service_of(row: ServiceRow, token: &str, staff: Option<&Actor>) -> BankService {
    let was_helped = row.helped == token;
    let other = if was_helped { row.helper } else { row.helped };
    BankService {
        id: row.id,
        was_helped,
        with: Masked::of(&other, staff),
        help: row.help.into(),
        began: row.began,
        ended: row.ended,
        minutes: row.minutes,
        state: row.state.as_str(),
        by: row.by,
        at: row.at,
    }
}

/// The problems that a deal may answer.
pub(crate) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        problems(&[
            ("400", "the body cannot be read"),
            (
                "404",
                "there is no such household, pool, entry or service; `rule` says which",
            ),
            (
                "409",
                "there is not enough, it is decided already, another has to say it, or the key stands for another request; `rule` names the rule",
            ),
            ("415", "the body is not JSON"),
            ("422", "the body is not what the deal needs"),
            (
                "429",
                "more than a day allows, or too many requests from one address; Retry-After says when to go on",
            ),
        ])
    }
}

impl Api {
    /// Does it now, once for its key: a repeat gets the first one's answer.
    pub(crate) async fn deal(&self, actor: &Actor, deal: Deal) -> Result<Done, Problem> {
        let dealt = self.ledger.deal(actor, self.clock.now(), deal).await?;
        Ok(Done {
            position: dealt.position,
            at: dealt.at,
        })
    }
}

#[cfg(test)]
mod tests;
