//! GET /api/v1/households/{id}/days: what a score is made of, day by day.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::read::{DepositRow, Standing};
use hemu_rules::{Bp, Bucket, Day, DayEvidence, Participation, Rule, Source, Stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{Found, Params, span};
use crate::problem::Problem;
use crate::v1::words::{StreamWord, places};

/// Days an edition looks at.
const DAYS: i32 = 90;

/// Days with a deposit, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HouseholdDays {
    items: Vec<HouseholdDay>,
}

/// One local day.
#[derive(Debug, Serialize, ToSchema)]
struct HouseholdDay {
    #[schema(value_type = String, format = Date)]
    day: Day,
    /// Bags; one read twice is one.
    bags: i64,
    weight_g: i64,
    streams: Vec<StreamWord>,
    /// Evidence before decay, in days judged by an inspector; days the edition no longer looks at have none.
    evidence: f64,
    /// The same after decay: these add up to the score's.
    decayed: f64,
    /// Calibrated mean, 0..=1; null without evidence.
    quality: Option<f64>,
    sources: Vec<DaySource>,
}

/// What one source said of one stream.
#[derive(Debug, Serialize, ToSchema)]
struct DaySource {
    /// A device, or `inspector`.
    #[schema(example = "st01")]
    source: String,
    stream: StreamWord,
    /// Mean as read, 0..=1.
    quality: f64,
    readings: i64,
    /// False for a camera that too few inspections have calibrated: its word is no evidence.
    counts: bool,
}

/// Readings of one source and stream, summed.
#[derive(Debug, Default)]
struct Said {
    sums: Bucket,
    /// Sum of qualities, for readings too light to weigh.
    plain: i64,
    counts: bool,
}

impl Said {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a mean of basis points, shown with four places"
    )]
    fn quality(&self) -> f64 {
        let (sum, of) = if self.sums.w > 0 {
            (self.sums.g, self.sums.w)
        } else {
            (self.plain, self.sums.n.max(1))
        };
        places(sum as f64 / of as f64 / f64::from(Bp::MAX.get()), 4)
    }
}

/// Sums by source and stream, in order of source.
type Sources = BTreeMap<(Source, Stream), (String, Said)>;

fn sources(deposits: &[DepositRow], standing: &Standing) -> BTreeMap<Day, Sources> {
    let mut days = BTreeMap::<Day, Sources>::new();
    for row in deposits {
        // A reading that does not count (its clock ran ahead) is among the deposits, not here.
        let Some((key, sums)) = Bucket::of(&row.reading) else {
            continue;
        };
        let name = match key.source {
            Source::Inspector => "inspector",
            Source::Camera(_) => &row.device,
        };
        let streams = days.entry(key.day).or_default();
        let (_, said) = streams
            .entry((key.source, key.stream))
            .or_insert_with(|| (name.to_owned(), Said::default()));
        said.sums += sums;
        said.plain += i64::from(row.reading.quality);
        said.counts = match key.source {
            Source::Inspector => true,
            Source::Camera(device) => standing.calibration.reliability(device) > 0,
        };
    }
    days
}

impl HouseholdDay {
    fn of(
        rule: &Rule,
        day: Day,
        bags: Participation,
        evidence: Option<&DayEvidence>,
        sources: Sources,
    ) -> Self {
        let source = |((_, stream), (source, said)): ((Source, Stream), (String, Said))| DaySource {
            source,
            stream: stream.into(),
            quality: said.quality(),
            readings: said.sums.n,
            counts: said.counts,
        };
        let streams = Stream::ALL.into_iter().filter(|&stream| bags.bags_of(stream) > 0);
        Self {
            day,
            bags: bags.bags(),
            weight_g: bags.grams,
            streams: streams.map(Into::into).collect(),
            evidence: evidence.map_or(0.0, |day| places(day.e as f64 / rule.day() as f64, 4)),
            decayed: evidence.map_or(0.0, |day| places(day.decayed as f64 / rule.unit() as f64, 4)),
            quality: evidence
                .and_then(|day| day.quality)
                .map(|bp| Bp::clamped(bp).share()),
            sources: sources.into_iter().map(source).collect(),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// First local day; without it the 90 days that end with `to`.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Day>,
    /// Last local day; without it today. At most 400 days.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Day>,
}

/// A household day by day: what it brought, who judged it, and how much that counts.
#[utoipa::path(get, path = "/api/v1/households/{id}/days", tag = "households",
    params(("id" = String, Path, description = "token"), Find),
    responses((status = 200, body = HouseholdDays), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Found(seen): Found,
    Params(find): Params<Find>,
) -> Result<Json<HouseholdDays>, Problem> {
    let (from, to) = span(find.from, find.to, api.clock.today(api.ledger.zone()), DAYS)?;
    let kept = api.standings.newest().await?;
    let standing = &kept.standing;
    let evidence = standing.days_of(&seen.evidence(standing.edition).await?);
    let evidence: BTreeMap<Day, &DayEvidence> = evidence.iter().map(|day| (day.day, day)).collect();
    let bags: BTreeMap<Day, Participation> = seen.participation(from, to).await?.into_iter().collect();
    let mut said = sources(&seen.deposits(from, to).await?, standing);
    let mut days: Vec<Day> = said.keys().chain(bags.keys()).copied().collect();
    days.sort_unstable();
    days.dedup();
    let item = |day: Day| {
        let bags = bags.get(&day).copied().unwrap_or_default();
        HouseholdDay::of(
            standing.rule(),
            day,
            bags,
            evidence.get(&day).copied(),
            said.remove(&day).unwrap_or_default(),
        )
    };
    Ok(Json(HouseholdDays {
        items: days.into_iter().map(item).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Site, TODAY, day};

    #[tokio::test]
    async fn days_show_what_the_score_is_made_of() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/households/hh-good-0001/days").await);
    }

    #[tokio::test]
    async fn decayed_evidence_of_the_days_adds_up_to_the_scores() {
        let site = Site::filled().await;
        let days = site.json("/api/v1/households/hh-poor-0002/days").await;
        let sum: f64 = days["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| day["decayed"].as_f64().unwrap())
            .sum();
        let score = site.json("/api/v1/households/hh-poor-0002").await["score"]["evidence"]
            .as_f64()
            .unwrap();
        assert!(score > 3.0 && (sum - score).abs() < 0.01, "{sum} {score}");
    }

    #[tokio::test]
    async fn an_uncalibrated_camera_is_shown_and_does_not_count() {
        let site = Site::filled().await;
        let days = site.json("/api/v1/households/hh-cam-0003/days").await;
        insta::assert_json_snapshot!(days);
        assert_eq!(days["items"][0]["sources"][0]["counts"], false);
        assert_eq!(days["items"][0]["evidence"], 0.0);
    }

    #[tokio::test]
    async fn days_are_asked_for_from_to() {
        let site = Site::filled().await;
        let of = |from, to| format!("/api/v1/households/hh-good-0001/days?from={from}&to={to}");
        let (two, one) = (day(TODAY).plus(-2), day(TODAY).plus(-1));
        assert_eq!(
            site.json(&of(two, one)).await["items"].as_array().unwrap().len(),
            2
        );
        site.refuses(&of(one, two), 400, "expected from <= to").await;
        let bad = "/api/v1/households/hh-good-0001/days?from=2026-02-30";
        site.refuses(bad, 400, "from: a day is written YYYY-MM-DD and must exist")
            .await;
    }
}
