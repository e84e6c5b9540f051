//! GET /api/v1/editions/{id}/export.csv, /api/v1/editions/{id}/export.xlsx: the places of an edition as a file to hand in,
//! as `places` shows them. Whoever takes one is noted as having looked at everybody in it.

mod csv;
mod xlsx;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hemu_ledger::Sight;
use hemu_ledger::acts::{Actor, EditionId, EditionRow, EditionState, PlaceRow};
use hemu_ledger::work::Stage;
use hemu_rules::{Ppb, Status};

use self::xlsx::Heading;
use crate::api::Api;
use crate::extract::{Acting, Number, Sees};
use crate::jobs::{About, Job, Kind, Outcome};
use crate::mask;
use crate::problem::Problem;

/// Places read at once.
const PAGE: u32 = 500;
/// Places of a sheet, which is made in memory; a list that is longer comes as CSV, which is not.
const SHEET_MOST: usize = 20_000;
/// Black first: they are what is decided on.
const STATUSES: [Status; 4] = [Status::Black, Status::Grey, Status::Unrated, Status::Red];

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Text(String),
    Number(f64),
}

impl Cell {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn yes(yes: bool) -> Self {
        Self::text(if yes { "是" } else { "" })
    }

    fn of(name: Option<&str>) -> Self {
        Self::text(name.unwrap_or_default())
    }
}

const COLUMNS: [&str; 18] = [
    "榜别",
    "名次",
    "住户码（末位）",
    "门牌",
    "得分",
    "低于60分的把握",
    "高于85分的把握",
    "连续期数",
    "45天内投放天数",
    "60天内督导员查看天数",
    "提醒",
    "可公示",
    "提议人",
    "确认人",
    "撤下人",
    "异议待处理",
    "同意公开表扬",
    "已搬离",
];

const fn listed(status: Status) -> &'static str {
    match status {
        Status::Red => "红榜",
        Status::Black => "黑榜",
        Status::Grey => "不在榜",
        Status::Unrated => "未评分",
    }
}

const fn state(state: EditionState) -> &'static str {
    match state {
        EditionState::Draft => "草案",
        EditionState::Noticed => "异议期",
        EditionState::Deciding => "审议中",
        EditionState::Published => "已公示",
        EditionState::Expired => "已期满",
        EditionState::Superseded => "已被取代",
        EditionState::Retracted => "已收回",
    }
}

/// Whether a publication names it: as it may be shown, and a red one with its consent. Nothing of a list that was taken back
/// or is over may be shown any more.
fn is_named(state: EditionState, place: &PlaceRow) -> bool {
    if matches!(
        state,
        EditionState::Expired | EditionState::Superseded | EditionState::Retracted
    ) {
        return false;
    }
    match place.shown() {
        Status::Black => true,
        Status::Red => place.red_opt_in,
        Status::Grey | Status::Unrated => false,
    }
}

fn row(state: EditionState, place: &PlaceRow, label: String) -> [Cell; COLUMNS.len()] {
    let percent = |ppb: u32| {
        let probability = Ppb::clamped(ppb.into()).probability();
        // What is nearly certain is not called certain.
        Cell::text(if probability > 0.999 {
            ">99.9%".to_owned()
        } else {
            format!("{:.1}%", 100.0 * probability)
        })
    };
    [
        Cell::text(listed(place.status)),
        Cell::Number(place.rank.into()),
        Cell::text(mask::token(&place.token)),
        Cell::text(label),
        match place.status {
            Status::Unrated => Cell::text(""),
            Status::Red | Status::Black | Status::Grey => Cell::Number(place.score.into()),
        },
        percent(place.p_black),
        percent(place.p_red),
        Cell::Number(place.hits.into()),
        Cell::Number(place.deposit_days.into()),
        Cell::Number(place.inspected_days.into()),
        Cell::yes(place.notice),
        Cell::yes(is_named(state, place)),
        Cell::of(place.proposed_by.as_deref()),
        Cell::of(place.confirmed_by.as_deref()),
        Cell::of(place.lifted_by.as_deref()),
        Cell::yes(place.appeal_open),
        Cell::yes(place.red_opt_in),
        Cell::yes(place.former),
    ]
}

/// The places of an edition, a page at a time, and who takes them away.
struct Places {
    api: Arc<Api>,
    sight: Sight,
    by: Actor,
    edition: EditionId,
    state: EditionState,
    /// Where the next page begins: the status, and the rank after which.
    next: Option<(usize, u32)>,
    /// While it is written. Whoever goes away in the middle takes it along.
    job: Option<Job>,
    written: u64,
}

impl Places {
    async fn of(api: Arc<Api>, sight: Sight, by: Actor, edition: &EditionRow) -> Result<Self, Problem> {
        let over = edition
            .expires_at
            .is_some_and(|expires_at| api.clock.now() >= expires_at);
        let (edition, state) = match edition.state {
            // The machine looks now and then.
            EditionState::Published if over => (edition.id, EditionState::Expired),
            state => (edition.id, state),
        };
        let job = api.jobs.begin(Kind::Export, About::edition(edition), by.name());
        let places = api.ledger.count_places(edition).await?;
        job.work().begin(Stage::Writing, places)?;
        Ok(Self {
            api,
            sight,
            by,
            edition,
            state,
            next: Some((0, 0)),
            job: Some(job),
            written: 0,
        })
    }

    /// The next rows, which are noted as looked at before they leave; `None` at the end.
    async fn page(&mut self) -> Result<Option<Vec<[Cell; COLUMNS.len()]>>, Problem> {
        let page = self.read().await;
        let outcome = match &page {
            Ok(Some(rows)) => {
                self.written += rows.len() as u64;
                return Ok(page?);
            }
            Ok(None) => Outcome::Done(Some(self.edition)),
            Err(error) => Outcome::of(error),
        };
        if let Some(job) = self.job.take() {
            job.end(outcome);
        }
        Ok(page?)
    }

    async fn read(&mut self) -> hemu_ledger::Result<Option<Vec<[Cell; COLUMNS.len()]>>> {
        if let Some(job) = &self.job {
            job.work().at(self.written)?;
        }
        let Some((nth, after)) = self.next else {
            return Ok(None);
        };
        let Some(status) = STATUSES.get(nth) else {
            self.next = None;
            return Ok(None);
        };
        let places = self.sight.places(self.edition, *status, after, PAGE).await?;
        self.next = Some(match places.last() {
            Some(last) if places.len() >= PAGE as usize => (nth, last.rank),
            _ => (nth + 1, 0),
        });
        let mut rows = Vec::with_capacity(places.len());
        for place in &places {
            // The address is of whoever lives there now.
            let home = if place.former {
                None
            } else {
                self.sight.household(&place.token).await?
            };
            let label = home.map(|seen| mask::label(seen.row())).unwrap_or_default();
            rows.push(row(self.state, place, label));
        }
        let tokens: Vec<&str> = places.iter().map(|place| place.token.as_str()).collect();
        let now = self.api.clock.now();
        self.api
            .ledger
            .note_looks(&tokens, self.by.name(), "list_export", now)
            .await?;
        Ok(Some(rows))
    }
}

/// The places of an edition as a table for programs and spreadsheets, in UTF-8 with a byte order mark.
#[utoipa::path(get, path = "/api/v1/editions/{id}/export.csv", tag = "editions",
    params(("id" = u64, Path, description = "the edition's number")),
    responses((status = 200, body = String, content_type = "text/csv", description = "a line a household"),
        (status = 404, body = Problem)))]
pub(crate) async fn csv(
    State(api): State<Arc<Api>>,
    Number(id): Number,
    Sees(sight): Sees,
    Acting(by): Acting,
) -> Result<Response, Problem> {
    let edition = api.edition(id).await?;
    let lines = csv::lines(Places::of(api, sight, by, &edition).await?);
    Ok(file(
        &edition,
        "csv",
        "text/csv; charset=utf-8",
        Body::from_stream(lines),
    ))
}

/// The same as a sheet to sign and hand in, for at most 20000 households.
#[utoipa::path(get, path = "/api/v1/editions/{id}/export.xlsx", tag = "editions",
    params(("id" = u64, Path, description = "the edition's number")),
    responses((status = 200, body = Vec<u8>, description = "the workbook",
            content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (status = 400, body = Problem, description = "more households than a sheet holds"),
        (status = 404, body = Problem)))]
pub(crate) async fn xlsx(
    State(api): State<Arc<Api>>,
    Number(id): Number,
    Sees(sight): Sees,
    Acting(by): Acting,
) -> Result<Response, Problem> {
    let edition = api.edition(id).await?;
    let basis = match &edition.basis {
        Some(hash) => api.ledger.words(hash, None).await?,
        None => None,
    };
    let heading = Heading::of(&api, &edition, basis, by.name());
    let mut places = Places::of(api, sight, by, &edition).await?;
    let mut rows = Vec::new();
    while let Some(more) = places.page().await? {
        rows.extend(more);
        if rows.len() > SHEET_MOST {
            return Err(Problem::bad_request(format!(
                "expected at most {SHEET_MOST} households in a sheet, came more; take export.csv"
            )));
        }
    }
    // Packing a sheet is arithmetic: not on a thread that others wait for.
    let made = tokio::task::spawn_blocking(move || xlsx::workbook(&heading, &rows)).await;
    let bytes = made.map_err(|_| Problem::internal())?.map_err(|error| {
        tracing::error!(%error, "a sheet could not be made");
        Problem::internal()
    })?;
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(file(&edition, "xlsx", kind, Body::from(bytes)))
}

fn file(edition: &EditionRow, ending: &str, kind: &'static str, body: Body) -> Response {
    let name = format!(
        "attachment; filename=\"hemu-{}-r{}.{ending}\"",
        edition.day, edition.revision
    );
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

#[cfg(test)]
mod tests;
