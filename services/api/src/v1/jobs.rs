//! GET /api/v1/jobs, POST /api/v1/jobs/{id}/cancel: long jobs, how far they are, and the way to stop one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Lease;
use hemu_ledger::work::Stage;
use hemu_rules::Day;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Acting, Id};
use crate::jobs::{Entry, Kind, NotStopped, Outcome};
use crate::problem::Problem;

/// A long job of this server. Instants are ms since 1970 UTC.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobLine {
    /// By which it is cancelled; null where another server does it.
    #[schema(example = "server-1f2e3d4c5b6a7988.3")]
    id: Option<String>,
    kind: KindWord,
    /// The edition's local day, where it computes one.
    #[schema(value_type = Option<String>, format = Date)]
    day: Option<Day>,
    /// The edition it is about, or made.
    edition: Option<u64>,
    /// The account that began it; `system` is the machine, or a run before this one.
    by: String,
    since: i64,
    /// Null where it has ended.
    stage: Option<StageWord>,
    /// Of the stage: days of evidence while it reads, households while it judges or writes.
    done: u64,
    of: u64,
    /// Null while it runs.
    ended: Option<End>,
    /// Who cancelled it.
    cancelled_by: Option<String>,
}

/// How a job ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobEnd)]
struct End {
    at: i64,
    outcome: OutcomeWord,
    /// The rule that forbade it; only where one did.
    detail: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobKind)]
enum KindWord {
    Edition,
    Revision,
    Shadow,
    DryRun,
    Export,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobStage)]
enum StageWord {
    /// For its turn.
    Waiting,
    Reading,
    Judging,
    Writing,
    /// It can no longer be cancelled.
    Storing,
    /// It was cancelled, and ends.
    Stopping,
    /// On another server on the same data.
    Elsewhere,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobOutcome)]
enum OutcomeWord {
    Done,
    /// Nothing was stored; nor was it by the next three.
    Cancelled,
    Refused,
    Failed,
    /// The server was restarted.
    BrokenOff,
}

/// Long jobs: those that run, and the last that ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobList {
    /// The server's clock.
    at: i64,
    items: Vec<JobLine>,
}

impl From<Kind> for KindWord {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Edition => Self::Edition,
            Kind::Revision => Self::Revision,
            Kind::Shadow => Self::Shadow,
            Kind::DryRun => Self::DryRun,
            Kind::Export => Self::Export,
        }
    }
}

impl From<Stage> for StageWord {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Waiting => Self::Waiting,
            Stage::Reading => Self::Reading,
            Stage::Judging => Self::Judging,
            Stage::Writing => Self::Writing,
            Stage::Storing => Self::Storing,
            Stage::Stopped => Self::Stopping,
        }
    }
}

impl End {
    fn of(at: i64, outcome: Outcome) -> Self {
        let (outcome, detail) = match outcome {
            Outcome::Done(_) => (OutcomeWord::Done, None),
            Outcome::Stopped => (OutcomeWord::Cancelled, None),
            Outcome::Refused(sentence) => (OutcomeWord::Refused, Some(sentence)),
            Outcome::Failed => (OutcomeWord::Failed, None),
            Outcome::BrokenOff => (OutcomeWord::BrokenOff, None),
        };
        Self { at, outcome, detail }
    }
}

impl JobLine {
    fn of(entry: Entry) -> Self {
        let progress = entry.progress();
        let made = match &entry.ended {
            Some((_, Outcome::Done(made))) => *made,
            _ => None,
        };
        Self {
            id: Some(entry.id),
            kind: entry.kind.into(),
            day: entry.about.day,
            edition: made.or(entry.about.edition),
            by: entry.by,
            since: entry.since,
            stage: entry.ended.is_none().then(|| progress.stage.into()),
            done: progress.done,
            of: progress.of,
            ended: entry.ended.map(|(at, outcome)| End::of(at, outcome)),
            cancelled_by: entry.stopped_by,
        }
    }

    fn elsewhere(lease: &Lease) -> Self {
        Self {
            id: None,
            kind: KindWord::Edition,
            day: Some(lease.day),
            edition: None,
            by: "system".to_owned(),
            since: lease.since,
            stage: Some(StageWord::Elsewhere),
            done: 0,
            of: 0,
            ended: None,
            cancelled_by: None,
        }
    }
}

/// Long jobs of this server, the latest first: how far each is and what became of it; and editions that another server on
/// the same data computes. It is forgotten when the server restarts, but for an edition that this broke off.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", responses((status = 200, body = JobList)))]
pub(crate) async fn list(State(api): State<Arc<Api>>) -> Result<Json<JobList>, Problem> {
    let at = api.clock.now();
    // The leases first: one of our own that ends in between is then in the list of what ended.
    let mut leases = api.ledger.leases(at).await?;
    let entries = api.jobs.all();
    // A computation of our own shows itself.
    leases.retain(|lease| !api.jobs.owns(&lease.holder));
    let elsewhere = leases.iter().map(JobLine::elsewhere);
    let items = elsewhere.chain(entries.into_iter().map(JobLine::of)).collect();
    Ok(Json(JobList { at, items }))
}

/// Ends a job before it stores anything: nothing of it is left. What the machine does by itself it tries again after an
/// hour.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/cancel", tag = "jobs",
    params(("id" = String, Path, description = "the job's `id`")),
    responses((status = 200, body = JobLine),
        (status = 404, body = Problem, description = "no such job on this server, or it is long over"),
        (status = 409, body = Problem, description = "it has ended, or is being stored")))]
pub(crate) async fn cancel(
    State(api): State<Arc<Api>>,
    Id(id): Id,
    Acting(actor): Acting,
) -> Result<Json<JobLine>, Problem> {
    match api.jobs.stop(&id, actor.name()) {
        Ok(entry) => {
            tracing::info!(job.id = id, "a long job was cancelled");
            Ok(Json(JobLine::of(entry)))
        }
        Err(NotStopped::Unknown) => Err(Problem::not_found(
            "no such job runs on this server; /api/v1/jobs lists those that do",
        )),
        Err(NotStopped::TooLate) => Err(Problem::broken(
            hemu_ledger::acts::Why::WrongState,
            "the job has ended or is being stored, and can no longer be cancelled; /api/v1/jobs says what it came to",
        )),
    }
}

#[cfg(test)]
mod tests {
    use hemu_ledger::acts::EditionQuery;
    use hemu_ledger::work::Stage;
    use serde_json::{Value, json};

    use crate::jobs::{About, Kind};
    use crate::testing::{NOON, Site, TODAY, acting, answer, day};

    async fn jobs(site: &Site) -> Vec<Value> {
        let list = site.seen("p1", "/api/v1/jobs").await;
        list["items"].as_array().unwrap().clone()
    }

    #[tokio::test]
    async fn a_job_says_how_far_it_is_and_who_began_it_and_is_cancelled_once() {
        let site = Site::filled().await;
        let api = site.api();
        let job = api.jobs.begin(Kind::Edition, About::day(day(TODAY)), "p2");
        job.work().begin(Stage::Judging, 4).unwrap();
        job.work().at(3).unwrap();
        let running = jobs(&site).await;
        insta::assert_json_snapshot!(running);
        let cancel = format!("/api/v1/jobs/{}/cancel", running[0]["id"].as_str().unwrap());
        let (status, _) = site.post("a1", &cancel, json!({})).await;
        assert_eq!(status, 403, "who only looks cancels nothing");
        let line = site.does("p1", &cancel, json!({})).await;
        assert_eq!(
            (&line["stage"], &line["cancelled_by"]),
            (&json!("stopping"), &json!("p1"))
        );
        let stopped = job.work().goes_on().map(|()| 0);
        job.made(stopped).unwrap_err();
        let ended = jobs(&site).await.remove(0);
        assert_eq!(
            ended["ended"],
            json!({"at": NOON, "outcome": "cancelled", "detail": null})
        );
        assert_eq!(
            (&ended["stage"], &ended["cancelled_by"]),
            (&Value::Null, &json!("p1"))
        );
        site.forbids("p1", &cancel, json!({}), 409, "wrong_state").await;
        let (status, _) = site.post("p1", "/api/v1/jobs/x/cancel", json!({})).await;
        assert_eq!(status, 404);
    }

    #[tokio::test]
    async fn what_was_computed_and_exported_and_refused_is_remembered() {
        let site = Site::village().await;
        let edition = site.second_edition().await;
        let (status, _) = site.text(&format!("/api/v1/editions/{edition}/export.csv")).await;
        assert_eq!(status, 200);
        let (status, _) = site
            .post("p1", "/api/v1/editions", json!({"day": "2026-05-21"}))
            .await;
        assert_eq!(status, 409);
        let jobs = jobs(&site).await;
        let told = |line: &Value| {
            (
                line["kind"].clone(),
                line["ended"]["outcome"].clone(),
                line["edition"].clone(),
            )
        };
        assert_eq!(told(&jobs[0]), (json!("edition"), json!("refused"), Value::Null));
        assert!(
            jobs[0]["ended"]["detail"]
                .as_str()
                .unwrap()
                .contains("2026-05-21")
        );
        assert_eq!(told(&jobs[1]), (json!("export"), json!("done"), json!(edition)));
        assert_eq!(jobs[1]["done"], jobs[1]["of"]);
        assert_eq!(told(&jobs[2]), (json!("edition"), json!("done"), json!(edition)));
        assert_eq!(jobs[2]["by"], "p1");
    }

    #[tokio::test]
    async fn an_edition_that_is_cancelled_while_it_is_asked_for_leaves_nothing() {
        let site = Site::village().await;
        let writing = site.hold_writers().await;
        let path = "/api/v1/editions";
        let asked = json!({"day": TODAY});
        let asking = site.send(acting("p1", path, &asked));
        let cancelling = async {
            let id = loop {
                if let Some(job) = jobs(&site).await.first() {
                    break job["id"].as_str().unwrap().to_owned();
                }
                tokio::task::yield_now().await;
            };
            site.does("p2", &format!("/api/v1/jobs/{id}/cancel"), json!({}))
                .await;
            drop(writing);
        };
        let (asked, ()) = tokio::join!(asking, cancelling);
        let (status, problem) = answer(asked).await;
        assert_eq!((status, &problem["rule"]), (409, &json!("stopped")), "{problem}");
        let editions = site.ledger.editions(&EditionQuery::newest(9)).await.unwrap();
        assert!(editions.is_empty());
        assert_eq!(site.ledger.leases(NOON).await.unwrap(), []);
        let ended = jobs(&site).await.remove(0);
        assert_eq!(ended["ended"]["outcome"], "cancelled");
        let line = site.does("p1", path, json!({"day": TODAY})).await;
        assert_eq!(line["state"], "draft");
    }

    #[tokio::test]
    async fn another_servers_edition_is_shown_without_a_way_to_cancel_it() {
        let site = Site::filled().await;
        let foreign = site.lease(day(TODAY), "server-2").await;
        let line = jobs(&site).await.remove(0);
        assert_eq!((&line["stage"], &line["id"]), (&json!("elsewhere"), &Value::Null));
        assert_eq!((&line["day"], &line["since"]), (&json!(TODAY), &json!(foreign)));
        site.lease(day(TODAY), "server-1").await;
        assert_eq!(jobs(&site).await, Vec::<Value>::new());
    }

    #[tokio::test]
    async fn what_a_restart_broke_off_is_said() {
        let site = Site::filled().await;
        site.api().jobs.broken_off(day(TODAY), NOON - 60_000);
        let line = jobs(&site).await.remove(0);
        assert_eq!(line["ended"]["outcome"], "broken_off");
        assert_eq!(
            (&line["by"], &line["since"]),
            (&json!("system"), &json!(NOON - 60_000))
        );
    }
}
