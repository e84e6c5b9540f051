//! GET /api/v1/audit

use axum::Json;
use hemu_ledger::acts::Actor;
use hemu_ledger::privacy::{LookRow, TrailQuery, TrailRow};
use hemu_rules::Day;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::acts::Masked;
use crate::extract::{After, Limit, Looking, Ms, Params, Sees};
use crate::page::{Page, Place};
use crate::problem::Problem;

/// One line of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrailLine {
    /// Where it stands in the journal.
    #[schema(value_type = String, example = "4711.0")]
    place: Place,
    /// ms since 1970 UTC.
    at: i64,
    /// The account; `system` is the machine.
    actor: String,
    #[schema(example = "correct")]
    kind: String,
    edition: Option<u64>,
    /// Whom it is about; null where it is about no household.
    household: Option<Masked>,
    /// In the words of whoever did it; null where nothing was written, where it was erased or is over, and unless an
    /// account asks.
    why: Option<String>,
    /// What it was before and is now, where it changed one thing into another; of an attempt that came too late (`late`),
    /// what was tried, and which rule and act refused it. Null likewise.
    #[schema(example = "draft")]
    before: Option<String>,
    #[schema(example = "noticed")]
    after: Option<String>,
}

impl TrailLine {
    pub(super) fn of(row: TrailRow, looking: Option<&Actor>) -> Self {
        let seen = |text: Option<String>| text.filter(|_| looking.is_some());
        Self {
            place: Place::of(row.act.place),
            at: row.act.at,
            actor: row.act.actor,
            kind: row.act.kind,
            edition: row.act.edition,
            household: row.act.token.as_deref().map(|token| Masked::of(token, looking)),
            why: seen(row.why),
            before: seen(row.before),
            after: seen(row.after),
        }
    }
}

/// That an account looked at a household's page on a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotedLook)]
pub(crate) struct Look {
    actor: String,
    /// The page.
    #[schema(example = "deposits")]
    what: String,
    #[schema(value_type = String, format = Date)]
    day: Day,
    count: i64,
    /// ms since 1970 UTC.
    first_at: i64,
    last_at: i64,
}

impl Look {
    pub(super) fn of(row: LookRow) -> Self {
        Self {
            actor: row.actor,
            what: row.what,
            day: row.day,
            count: row.count,
            first_at: row.first_at,
            last_at: row.last_at,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// Only what this account did.
    actor: Option<String>,
    /// Only acts of this kind.
    kind: Option<String>,
    /// Only what is about this household, by its token.
    household: Option<String>,
    /// From this instant on, ms since 1970 UTC.
    #[param(value_type = Option<i64>)]
    from: Option<Ms>,
    /// Up to this instant.
    #[param(value_type = Option<i64>)]
    to: Option<Ms>,
    /// The `next` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<After>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// Who did what, when, about whom and why, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(Find),
    responses((status = 200, body = Page<TrailLine>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    Sees(sight): Sees,
    Looking(person): Looking,
    Params(find): Params<Find>,
) -> Result<Json<Page<TrailLine>>, Problem> {
    let query = TrailQuery {
        actor: find.actor.as_deref(),
        kind: find.kind.as_deref(),
        token: find.household.as_deref(),
        from: find.from.map(|Ms(at)| at),
        to: find.to.map(|Ms(at)| at),
        before: find.after.map(|After(place)| place.pair()),
        since: None,
        limit: find.limit.probe(),
    };
    let rows = sight.trail(&query).await?;
    Ok(Json(Page::cut(
        rows,
        find.limit.get(),
        |row| Place::of(row.act.place).to_string(),
        |row| TrailLine::of(row, person.as_ref()),
    )))
}

#[cfg(test)]
mod one_each;

#[cfg(test)]
mod tests {
    use hemu_people::Role;
    use serde_json::{Value, json};

    use crate::testing::{Site, acting, answer, body, looking};

    async fn does(site: &Site, path: &str, asked: &Value) -> Value {
        // Whoever keeps the register answers for no household, and the other way round.
        let who = if path.contains("red-opt") { "p1" } else { "keeper" };
        site.let_in("keeper", Role::Admin, i64::MAX).await;
        let (status, answer) = answer(site.send(acting(who, path, asked)).await).await;
        assert!([200, 201].contains(&status), "{path}: {status} {answer}");
        answer
    }

    async fn sees(site: &Site, path: &str) -> Value {
        let who = if path.ends_with("/export") {
            "keeper"
        } else {
            "auditor"
        };
        site.let_in("keeper", Role::Admin, i64::MAX).await;
        let (status, answer) = answer(site.send(looking(who, path)).await).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    #[tokio::test]
    async fn the_trail_says_who_what_when_about_whom_why_and_from_what_to_what() {
        let site = Site::filled().await;
        let (edition, _) = site.published_edition().await;
        let correct = json!({"door": "909"});
        does(&site, "/api/v1/households/hh-good-0001/correct", &correct).await;
        let trail = sees(&site, "/api/v1/audit?kind=correct").await;
        let line = &trail["items"][0];
        assert_eq!(
            (&line["actor"], &line["kind"]),
            (&json!("keeper"), &json!("correct"))
        );
        assert_eq!(line["household"]["household_id"], "hh-good-0001");
        let (before, after) = (line["before"].as_str().unwrap(), line["after"].as_str().unwrap());
        assert!(before.contains("\"301\"") && after.contains("\"909\""), "{line}");
        // It is not for everybody.
        let open = site.send(looking("p1", "/api/v1/audit")).await;
        assert_eq!(open.status(), 403);
        let open = body(open).await;
        assert!(!open.contains("hh-good-0001") && !open.contains("909"), "{open}");
        let of_editions = sees(&site, "/api/v1/audit?kind=notice").await;
        let line = &of_editions["items"][0];
        assert_eq!(
            (&line["edition"], &line["after"]),
            (&json!(edition), &json!("noticed"))
        );
        let nobody = sees(&site, "/api/v1/audit?actor=nobody").await;
        assert_eq!(nobody["items"], json!([]));
        let walked = site.walk("/api/v1/audit?limit=3", "place").await;
        let all = sees(&site, "/api/v1/audit?limit=1000").await;
        assert_eq!(walked.len(), all["items"].as_array().unwrap().len());
    }

    #[tokio::test]
    async fn a_strike_says_why_and_what_it_changed_until_its_household_is_erased() {
        let site = Site::village().await;
        let why = json!({"reason": "the bag was a neighbour's"});
        site.does("p1", "/api/v1/readings/1.35/strike", why).await;
        let line = sees(&site, "/api/v1/audit?kind=strike").await["items"][0].clone();
        assert_eq!(
            (&line["actor"], &line["before"], &line["after"], &line["why"]),
            (
                &json!("p1"),
                &json!("counts"),
                &json!("struck"),
                &json!("the bag was a neighbour's")
            )
        );
        let erase = json!({"reason": "asked for in writing"});
        does(&site, "/api/v1/households/hh-poor-0002/erase", &erase).await;
        let line = sees(&site, "/api/v1/audit?kind=strike").await["items"][0].clone();
        assert_eq!((&line["after"], &line["why"]), (&json!("struck"), &Value::Null));
    }

    #[tokio::test]
    async fn a_household_sees_what_was_done_about_it_and_who_looked() {
        let site = Site::filled().await;
        does(&site, "/api/v1/households/hh-good-0001/red-opt-in", &json!({})).await;
        for _ in 0..2 {
            sees(&site, "/api/v1/households/hh-good-0001/days").await;
        }
        let seen = sees(&site, "/api/v1/households/hh-good-0001/audit").await;
        assert_eq!(seen["acts"]["items"][0]["kind"], "red_opt_in");
        let looks = seen["looks"].as_array().unwrap();
        assert_eq!(looks.len(), 1, "{looks:?}");
        assert_eq!(
            (&looks[0]["actor"], &looks[0]["what"], &looks[0]["count"]),
            (&json!("auditor"), &json!("days"), &json!(2))
        );
        let other = sees(&site, "/api/v1/households/hh-poor-0002/audit").await;
        assert_eq!(
            (&other["looks"], &other["acts"]["items"]),
            (&json!([]), &json!([]))
        );
    }

    #[tokio::test]
    async fn consents_are_a_ledger_with_its_history() {
        let site = Site::filled().await;
        let path = "/api/v1/households/hh-good-0001/consents";
        assert_eq!(sees(&site, path).await["current"][0]["given"], false);
        for step in ["red-opt-in", "red-opt-out", "red-opt-in"] {
            does(
                &site,
                &format!("/api/v1/households/hh-good-0001/{step}"),
                &json!({}),
            )
            .await;
        }
        let consents = sees(&site, path).await;
        let current = &consents["current"][0];
        assert_eq!(
            (&current["purpose"], &current["given"]),
            (&json!("red_list_public"), &json!(true))
        );
        let history = consents["history"].as_array().unwrap();
        let given: Vec<bool> = history
            .iter()
            .map(|row| row["given"].as_bool().unwrap())
            .collect();
        assert_eq!(given, [true, false, true]);
    }

    #[tokio::test]
    async fn an_export_holds_everything_and_an_erased_household_is_not_there() {
        let site = Site::filled().await;
        site.published_edition().await;
        let whole = sees(&site, "/api/v1/households/hh-good-0001/export").await;
        assert_eq!(
            (&whole["form"], &whole["register"]["door"]),
            (&json!("hemu-household-1"), &json!("301"))
        );
        assert!(!whole["readings"].as_array().unwrap().is_empty());
        let objection = &whole["lists"][0]["objections"][0];
        assert!(objection["words"].is_string(), "{whole}");
        assert!(!whole["trail"].as_array().unwrap().is_empty());
        let export = "/api/v1/households/hh-good-0001/export";
        site.refuses(export, 403, "the right export").await;
        // Whoever brings a household's consent on paper has no copy of all that is held about it.
        assert_eq!(site.send(looking("p1", export)).await.status(), 403);
        let own = "/api/v1/households/hh-poor-0002/export";
        assert_eq!(site.send(looking("resident", own)).await.status(), 200);
        assert_eq!(site.send(looking("resident", export)).await.status(), 404);
        let why = json!({"reason": "asked for in writing"});
        does(&site, "/api/v1/households/hh-good-0001/erase", &why).await;
        for page in [
            "",
            "/audit",
            "/consents",
            "/days",
            "/deposits",
            "/rank",
            "/editions",
        ] {
            site.refuses(
                &format!("/api/v1/households/hh-good-0001{page}"),
                404,
                "there is no such household",
            )
            .await;
        }
        let (_, list) = site.text("/api/v1/households?limit=1000").await;
        assert!(!list.contains("hh-good-0001"), "{list}");
        let trail = sees(&site, "/api/v1/audit?kind=erase").await;
        let line = &trail["items"][0];
        assert_eq!(
            (&line["household"]["household_id"], &line["why"]),
            (&json!("hh-good-0001"), &json!("asked for in writing"))
        );
    }
}
