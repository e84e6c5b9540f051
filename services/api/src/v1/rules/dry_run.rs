//! POST /api/v1/rules/dry-run: who would move by another rule, and why. Publishes and stores nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::read::{DryRun as Run, Edition, Otherwise};
use hemu_rules::{Day, Rule, Status};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};
use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, ToSchema};

use super::Move;
use crate::api::Api;
use crate::extract::{Acting, Body};
use crate::jobs::{About, Kind, Outcome};
use crate::mask;
use crate::problem::Problem;
use crate::v1::acts::problems;

/// Households that are named, masked.
const NAMED: usize = 1_000;

/// Who has the one dry run that is computed at a time: each judges everybody twice.
#[derive(Debug, Clone, Default)]
pub struct DryRuns(Arc<Mutex<()>>);

impl DryRuns {
    fn turn(&self) -> Result<OwnedMutexGuard<()>, Problem> {
        self.0.clone().try_lock_owned().map_err(|_| {
            Problem::unavailable(
                "another dry run is being computed, and they go one at a time; try again in a few seconds",
            )
        })
    }
}

/// What is tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Try {
    /// Every constant, as `rule` of `/api/v1/rules` shows them.
    #[schema(value_type = Object)]
    rule: Rule,
    /// The day whose edition is computed, by evidence of the days before; today where it is left out, and not one to come.
    #[schema(value_type = Option<String>, format = Date)]
    edition: Option<Day>,
}

/// An edition by the rule in force and by the one tried.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DryRun {
    #[schema(value_type = String, format = Date)]
    edition: Day,
    /// The journal's position that both were computed from.
    position: u64,
    /// The edition that both go on from, as people left it; null where there is none of the two weeks before, and then
    /// nobody can be black yet.
    before: Option<u64>,
    /// Version in force on that day.
    in_force: u16,
    /// Version tried.
    tried: u16,
    /// Red, black, grey, unrated by the rule in force.
    counts: [usize; 4],
    /// The same by the rule tried.
    new_counts: [usize; 4],
    /// Households of another status.
    moved: usize,
    /// How many from where to where.
    moves: Vec<Move>,
    /// The first thousand of them.
    households: Vec<Differs>,
}

/// A household of another status.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DryRunHousehold)]
struct Differs {
    /// The token, masked.
    #[schema(example = "···4f2a")]
    household: String,
    #[schema(example = "BLACK")]
    from: &'static str,
    #[schema(example = "GREY")]
    to: &'static str,
    /// Gates that made the difference, each with whether the household passes it by the rule tried. Empty where it is how
    /// many editions in a row hit, or what the list as a whole is sure of.
    #[schema(example = json!({"inspected_days": false}))]
    gates: BTreeMap<&'static str, bool>,
    /// 0..=100, by the rule in force.
    score: u8,
    new_score: u8,
    /// Editions in a row that hit, by the rule in force.
    hits: u16,
    new_hits: u16,
    /// Black by the rule tried, had the list as a whole been sure enough.
    cut: bool,
}

impl Differs {
    fn of(household: Otherwise<'_>) -> Self {
        let (from, to) = words(&household);
        let Otherwise { token, was, is } = household;
        Self {
            household: mask::token(token),
            from,
            to,
            gates: household
                .gates()
                .map(|(gate, passes)| (gate.as_str(), passes))
                .collect(),
            score: was.score,
            new_score: is.score,
            hits: was.hits,
            new_hits: is.hits,
            cut: is.cut,
        }
    }
}

fn words(household: &Otherwise<'_>) -> (&'static str, &'static str) {
    let (from, to) = household.ends();
    (from.as_str(), to.as_str())
}

fn counts(edition: &Edition) -> [usize; 4] {
    let places = || edition.places.iter();
    Status::ALL.map(|status| places().filter(|place| place.outcome.status == status).count())
}

impl DryRun {
    fn of(run: &Run, before: Option<u64>) -> Self {
        Self {
            edition: run.tried.day,
            position: run.tried.position,
            before,
            in_force: run.in_force.city.rule().version,
            tried: run.tried.city.rule().version,
            counts: counts(&run.in_force),
            new_counts: counts(&run.tried),
            moved: run.otherwise().count(),
            moves: Move::counted(run.otherwise().map(|household| words(&household))),
            households: run.otherwise().take(NAMED).map(Differs::of).collect(),
        }
    }
}

/// The problems that a dry run may answer.
struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            ("400", "the body cannot be read"),
            ("409", "the day is not over"),
            ("415", "the body is not JSON"),
            (
                "422",
                "a constant is missing, unknown or wrong; the detail names it",
            ),
            (
                "503",
                "another dry run is being computed; Retry-After says when to ask again",
            ),
        ])
    }
}

/// Computes the edition of a day by the rule in force and by another: who would move, and why. A change of the rule is
/// tried by it before anybody proposes it. Nothing is published or stored.
#[utoipa::path(post, path = "/api/v1/rules/dry-run", tag = "rules", request_body = Try,
    responses((status = 200, body = DryRun), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(asks): Acting,
    Body(Try { rule, edition }): Body<Try>,
) -> Result<Json<DryRun>, Problem> {
    let turn = api.dry_runs.turn()?;
    let today = api.clock.today(api.ledger.zone());
    let day = edition.unwrap_or(today);
    let job = api.jobs.begin(Kind::DryRun, About::day(day), asks.name());
    let ledger = api.ledger.watched(job.work());
    let runtime = Handle::current();
    // Seconds of arithmetic for a whole city: not on a thread that others wait for. The turn is over when it has ended,
    // not when whoever asked has gone.
    let computing = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let tried = runtime.block_on(ledger.try_rule(&rule, day, today));
        job.end(tried.as_ref().map_or_else(Outcome::of, |_| Outcome::Done(None)));
        let (run, before) = tried?;
        Ok::<_, Problem>(DryRun::of(&run, before))
    });
    Ok(Json(computing.await.map_err(|_| Problem::internal())??))
}

#[cfg(test)]
mod tests {
    use hemu_rules::Rule;
    use serde_json::{Value, json};

    use crate::testing::{Site, TODAY, acting, answer, day};

    const PATH: &str = "/api/v1/rules/dry-run";

    /// Asks for more days of inspections than anybody has.
    const STRICT: Rule = Rule {
        version: 2,
        inspection_days_least: 60,
        ..Rule::V1
    };

    #[tokio::test]
    async fn a_stricter_rule_moves_a_black_name_and_names_the_gate_and_nothing_is_stored() {
        let site = Site::village().await;
        let second = site.second_edition().await;
        let before = site.truth().await;
        let came = site.does("p1", PATH, json!({"rule": STRICT})).await;
        assert_eq!(
            (&came["edition"], &came["in_force"], &came["tried"]),
            (&TODAY.into(), &1.into(), &2.into())
        );
        let first = site.ledger.edition_row(second).await.unwrap().unwrap().before;
        assert_eq!(came["before"], json!(first), "as the edition of the day itself");
        assert_eq!(
            (&came["counts"][1], &came["new_counts"][1]),
            (&1.into(), &0.into())
        );
        assert_eq!(
            came["counts"],
            json!(site.ledger.edition_row(second).await.unwrap().unwrap().counts)
        );
        assert_eq!(
            came["moves"],
            json!([{"from": "BLACK", "to": "GREY", "households": 1}])
        );
        assert_eq!(came["moved"], 1);
        let household = &came["households"][0];
        assert_eq!(household["gates"], json!({"inspected_days": false}));
        assert_eq!(
            (&household["hits"], &household["new_hits"]),
            (&2.into(), &0.into())
        );
        assert!(!came.to_string().contains("hh-"), "{came}");
        assert_eq!(site.truth().await, before);
    }

    #[tokio::test]
    async fn the_rule_in_force_moves_nobody_on_any_day() {
        let site = Site::village().await;
        site.second_edition().await;
        for edition in [day(TODAY), day(TODAY).plus(-7), day(TODAY).plus(-400)] {
            let asked = json!({"rule": Rule::V1, "edition": edition});
            let came = site.does("p1", PATH, asked).await;
            assert_eq!((&came["edition"], &came["moved"]), (&json!(edition), &0.into()));
            assert_eq!(came["counts"], came["new_counts"]);
            assert_eq!(came["households"], json!([]));
        }
    }

    #[tokio::test]
    async fn what_is_no_rule_and_a_day_to_come_are_refused_with_what_is_wrong() {
        let site = Site::village().await;
        let asked = |change: fn(&mut Value)| {
            let mut asked = json!({"rule": STRICT});
            change(&mut asked);
            asked
        };
        for (asked, status, rule, says) in [
            (
                asked(|asked| asked["rule"]["black_editions"] = 1.into()),
                422,
                "malformed",
                "black_editions",
            ),
            (
                asked(|asked| {
                    asked["rule"].as_object_mut().unwrap().remove("tenure_days");
                }),
                422,
                "malformed",
                "tenure_days",
            ),
            (asked(|asked| asked["luck"] = 7.into()), 422, "malformed", "luck"),
            (
                asked(|asked| asked["edition"] = "tomorrow".into()),
                422,
                "malformed",
                "edition",
            ),
            (
                asked(|asked| asked["edition"] = "2026-05-21".into()),
                409,
                "in_the_future",
                "2026-05-21",
            ),
        ] {
            let problem = site.forbids("p1", PATH, asked, status, rule).await;
            assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
        }
        let mut broken = acting("p1", PATH, &json!({}));
        *broken.body_mut() = "{\"rule\": ".into();
        let (status, problem) = answer(site.send(broken).await).await;
        assert_eq!((status, &problem["title"]), (400, &"bad request".into()));
    }

    #[tokio::test]
    async fn a_second_dry_run_is_sent_away_until_the_first_has_ended() {
        let site = Site::village().await;
        let asked = json!({"rule": STRICT});
        let turn = site.api().dry_runs.turn().unwrap();
        let response = site.send(acting("p1", PATH, &asked)).await;
        assert_eq!(response.headers()["retry-after"], "5");
        let (status, problem) = answer(response).await;
        assert_eq!(status, 503);
        assert!(
            problem["detail"].as_str().unwrap().contains("one at a time"),
            "{problem}"
        );
        drop(turn);
        site.does("p1", PATH, asked.clone()).await;
        site.does("p1", PATH, asked).await;
    }
}
