//! GET /api/v1/series

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::read;
use hemu_rules::{Day, Millis};
use hemu_series::{Agg, Line, Measure, Query, Step};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::words::{StreamWord, places};
use crate::api::Api;
use crate::extract::{DAYS_MOST, Ms, Params};
use crate::fleet::Fleet;
use crate::problem::Problem;

/// Most points of one chart.
const POINTS_MOST: usize = 10_000;
const DAY_MS: i64 = 86_400_000;

/// A chart.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Series {
    #[schema(value_type = MeasureWord)]
    measure: &'static str,
    step: StepWord,
    agg: AggWord,
    /// Of the values: `ratio`, `g`, `1`, `mV`, `dBm`, `C` or `bp`.
    unit: &'static str,
    /// ms since 1970 UTC.
    from: i64,
    to: i64,
    #[serde(rename = "series")]
    lines: Vec<ChartLine>,
}

/// One device and stream.
#[derive(Debug, Serialize, ToSchema)]
struct ChartLine {
    device: String,
    stream: Option<StreamWord>,
    /// Start of the step in ms since 1970 UTC, and its value, in order of time.
    points: Vec<(i64, f64)>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Measure)]
enum MeasureWord {
    Fill,
    BinWeight,
    Deposits,
    DepositWeight,
    Quality,
    /// The share of deposits that name a household: the sum is how many do, the count is all there are.
    Attributed,
    Battery,
    Rssi,
    Temperature,
    /// A camera's quality less the inspector's on the same bags, in basis points; by day.
    CameraApart,
    /// An inspector's quality less the colleagues' on the same bags, in basis points; by day.
    InspectorApart,
}

/// Width of a step; days begin at local midnight.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Step)]
enum StepWord {
    #[default]
    Hour,
    Day,
}

/// What a step shows of its points.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Agg)]
enum AggWord {
    #[default]
    Mean,
    Min,
    Max,
    Sum,
    Count,
    Last,
}

/// Where a measure is kept.
#[derive(Debug, Clone, Copy)]
enum Kept {
    Series(Measure),
    /// With the sums of readings of one bag. Such a sum changes afterwards: a late reading of the bag makes it a pair, a
    /// struck one undoes it. The series only add, so it is read where it is exact.
    Ledger(Apart),
}

#[derive(Debug, Clone, Copy)]
enum Apart {
    Cameras,
    Inspectors,
}

impl From<MeasureWord> for Kept {
    fn from(word: MeasureWord) -> Self {
        Self::Series(match word {
            MeasureWord::Fill => Measure::Fill,
            MeasureWord::BinWeight => Measure::BinWeight,
            MeasureWord::Deposits => Measure::Deposits,
            MeasureWord::DepositWeight => Measure::DepositWeight,
            MeasureWord::Quality => Measure::Quality,
            MeasureWord::Attributed => Measure::Attributed,
            MeasureWord::Battery => Measure::Battery,
            MeasureWord::Rssi => Measure::Rssi,
            MeasureWord::Temperature => Measure::Temperature,
            MeasureWord::CameraApart => return Self::Ledger(Apart::Cameras),
            MeasureWord::InspectorApart => return Self::Ledger(Apart::Inspectors),
        })
    }
}

impl From<StepWord> for Step {
    fn from(word: StepWord) -> Self {
        match word {
            StepWord::Hour => Self::Hour,
            StepWord::Day => Self::Day,
        }
    }
}

impl From<AggWord> for Agg {
    fn from(word: AggWord) -> Self {
        match word {
            AggWord::Mean => Self::Mean,
            AggWord::Min => Self::Min,
            AggWord::Max => Self::Max,
            AggWord::Sum => Self::Sum,
            AggWord::Count => Self::Count,
            AggWord::Last => Self::Last,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// All devices of a station. Give this or `device`.
    station: Option<String>,
    /// One device.
    device: Option<String>,
    measure: MeasureWord,
    /// One stream instead of all.
    stream: Option<StreamWord>,
    /// Steps that begin at or after this, ms since 1970 UTC.
    #[param(value_type = i64)]
    from: Ms,
    /// And before this; at most 400 days later.
    #[param(value_type = i64)]
    to: Ms,
    #[serde(default)]
    step: StepWord,
    #[serde(default)]
    agg: AggWord,
}

impl Find {
    fn span(&self) -> Result<(i64, i64), Problem> {
        let (Ms(from), Ms(to)) = (self.from, self.to);
        if from >= to {
            return Err(Problem::bad_request(format!(
                "expected from < to, came from={from} and to={to}"
            )));
        }
        if to - from > i64::from(DAYS_MOST) * DAY_MS {
            let days = (to - from) / DAY_MS;
            return Err(Problem::bad_request(format!(
                "expected at most {DAYS_MOST} days, came {days}; ask for less"
            )));
        }
        Ok((from, to))
    }

    async fn devices(&self, api: &Api) -> Result<Vec<String>, Problem> {
        match (&self.station, &self.device) {
            (Some(station), None) => {
                if !api
                    .ledger
                    .stations(None)
                    .await?
                    .iter()
                    .any(|known| known.id == *station)
                {
                    return Err(Problem::not_found(
                        "there is no such station; /api/v1/stations lists them",
                    ));
                }
                Ok(Fleet::read(api)
                    .await?
                    .at(station)
                    .map(|(name, _)| name.to_owned())
                    .collect())
            }
            (None, Some(device)) => {
                let known = Fleet::read(api).await?.take(device).map(|_| vec![device.clone()]);
                known.ok_or_else(|| Problem::not_found("there is no such device; /api/v1/devices lists them"))
            }
            (None, None) | (Some(_), Some(_)) => Err(Problem::bad_request(
                "expected either station= or device=, came none or both",
            )),
        }
    }
}

impl Find {
    /// How far devices are from others on the same bags, day by day.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a day's sums of basis points are small"
    )]
    async fn apart(&self, api: &Api, who: Apart) -> Result<Series, Problem> {
        let (from, to) = self.span()?;
        let value: fn(&read::Apart) -> f64 = match (self.step, self.agg, self.stream) {
            (StepWord::Day, AggWord::Mean, None) => |day| places(day.apart as f64 / day.n as f64, 1),
            (StepWord::Day, AggWord::Count, None) => |day| day.n as f64,
            _ => {
                return Err(Problem::bad_request(
                    "readings of the same bags are compared by the day and of all streams: expected step=day, agg=mean \
                     or agg=count, and no stream=",
                ));
            }
        };
        let (measure, days) = match who {
            Apart::Cameras => ("camera_apart", api.ledger.cameras_apart(self.days(api)).await?),
            Apart::Inspectors => (
                "inspector_apart",
                api.ledger.inspectors_apart(self.days(api)).await?,
            ),
        };
        let devices = self.devices(api).await?;
        let zone = api.ledger.zone();
        let mut lines: Vec<ChartLine> = Vec::new();
        for day in days.into_iter().filter(|day| devices.contains(&day.device)) {
            let point = (day.day.start(zone).get(), value(&day));
            match lines.last_mut() {
                Some(line) if line.device == day.device => line.points.push(point),
                _ => lines.push(ChartLine {
                    device: day.device,
                    stream: None,
                    points: vec![point],
                }),
            }
        }
        if lines.iter().map(|line| line.points.len()).sum::<usize>() > POINTS_MOST {
            return Err(Problem::bad_request(format!(
                "expected a chart of at most {POINTS_MOST} points; ask for fewer days or one device"
            )));
        }
        Ok(Series {
            measure,
            step: self.step,
            agg: self.agg,
            unit: if matches!(self.agg, AggWord::Count) {
                "1"
            } else {
                "bp"
            },
            from,
            to,
            lines,
        })
    }

    /// The local days that begin in the span.
    fn days(&self, api: &Api) -> (Day, Day) {
        let zone = api.ledger.zone();
        let first = |Ms(at): Ms| {
            let day = Day::of(Millis::clamped(at), zone);
            if day.start(zone).get() < at {
                day.plus(1)
            } else {
                day
            }
        };
        (first(self.from), first(self.to))
    }
}

/// A measure over time, by hour or by day: at most 10,000 points.
#[utoipa::path(get, path = "/api/v1/series", tag = "stations", params(Find),
    responses((status = 200, body = Series), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Params(find): Params<Find>,
) -> Result<Json<Series>, Problem> {
    let (from, to) = find.span()?;
    let measure = match Kept::from(find.measure) {
        Kept::Series(measure) => measure,
        Kept::Ledger(who) => return find.apart(&api, who).await.map(Json),
    };
    let query = Query {
        devices: find.devices(&api).await?,
        measure,
        stream: find.stream.map(Into::into),
        from,
        to,
        step: find.step.into(),
        agg: find.agg.into(),
        limit: POINTS_MOST,
    };
    let line = |Line {
                    device,
                    stream,
                    points,
                }| ChartLine {
        device,
        stream: stream.map(Into::into),
        points,
    };
    let unit = match (measure, find.agg) {
        (_, AggWord::Count) | (Measure::Attributed, AggWord::Sum) => "1",
        (measure, _) => measure.unit(),
    };
    Ok(Json(Series {
        measure: measure.as_str(),
        step: find.step,
        agg: find.agg,
        unit,
        from,
        to,
        lines: api.series.read(&query).await?.into_iter().map(line).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use hemu_rules::{By, Millis, Stream};
    use hemu_series::{Measure, Point};

    use crate::testing::{NOON, Site};

    const HOUR: i64 = 3_600_000;

    async fn site() -> Site {
        let site = Site::filled().await;
        let point = |hours: i64, stream, value| Point {
            device: "st01",
            measure: Measure::Fill,
            stream: Some(stream),
            at: Millis::clamped(NOON + hours * HOUR),
            value,
        };
        let points = [
            point(0, Stream::Food, 2_500),
            point(1, Stream::Food, 7_500),
            point(1, Stream::Residual, 100),
        ];
        assert!(site.series.write(0, 1, &points).await.unwrap());
        site
    }

    fn path(more: &str) -> String {
        format!(
            "/api/v1/series?measure=fill&from={}&to={}{more}",
            NOON - 24 * HOUR,
            NOON + 24 * HOUR
        )
    }

    #[tokio::test]
    async fn a_chart_has_a_line_for_each_device_and_stream() {
        let site = site().await;
        insta::assert_json_snapshot!(site.json(&path("&station=s1")).await);
        let days = site
            .json(&path("&device=st01&stream=food&step=day&agg=max"))
            .await;
        assert_eq!(
            days["series"][0]["points"],
            serde_json::json!([[NOON - 12 * HOUR, 0.75]])
        );
        assert_eq!(days["series"].as_array().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn attribution_is_a_share_with_its_numerator_and_its_denominator() {
        let site = Site::filled().await;
        let named = |minutes: i64, value| Point {
            device: "st01",
            measure: Measure::Attributed,
            stream: Some(Stream::Food),
            at: Millis::clamped(NOON + minutes * 60_000),
            value,
        };
        let deposits = [named(1, 10_000), named(2, 0), named(3, 10_000), named(4, 10_000)];
        assert!(site.series.write(0, 1, &deposits).await.unwrap());
        for (agg, unit, value) in [("mean", "ratio", 0.75), ("sum", "1", 3.0), ("count", "1", 4.0)] {
            let to = NOON + HOUR;
            let path = format!("/api/v1/series?station=s1&measure=attributed&from={NOON}&to={to}&agg={agg}");
            let chart = site.json(&path).await;
            assert_eq!(chart["unit"], unit, "{agg}");
            assert_eq!(
                chart["series"][0]["points"],
                serde_json::json!([[NOON, value]]),
                "{agg}"
            );
        }
    }

    #[tokio::test]
    async fn disagreement_is_a_chart_by_day_of_the_ledgers_sums() {
        let site = site().await;
        site.disagree(10, 600).await;
        site.bag("st01", By::Camera, "hh-cam-0003", "P1").await;
        let day = NOON - 12 * HOUR;
        let of = |device: &str, rest: &str| {
            let span = format!("from={}&to={}", day - 3 * 24 * HOUR, day + 24 * HOUR);
            format!("/api/v1/series?device={device}&{span}&{rest}")
        };
        let chart = site.json(&of("insp2", "measure=inspector_apart&step=day")).await;
        assert_eq!(
            (&chart["unit"], &chart["measure"]),
            (&"bp".into(), &"inspector_apart".into())
        );
        let points: Vec<_> = (1..=3)
            .rev()
            .map(|ago| serde_json::json!([day - ago * 24 * HOUR, -600.0]))
            .collect();
        assert_eq!(chart["series"][0]["points"], serde_json::json!(points));
        let camera = of("st01", "measure=camera_apart&step=day");
        assert_eq!(site.json(&camera).await["series"], serde_json::json!([]));
        // An inspector's reading of the bag comes late, and its pair is there.
        site.bag("insp1", By::Inspector, "hh-cam-0003", "P1").await;
        assert_eq!(
            site.json(&camera).await["series"][0]["points"],
            serde_json::json!([[day, 0.0]])
        );
        let bags = site
            .json(&of("insp1", "measure=inspector_apart&step=day&agg=count"))
            .await;
        assert_eq!(
            (&bags["unit"], &bags["series"][0]["points"][0][1]),
            (&"1".into(), &1.0.into())
        );
        site.refuses(&of("insp1", "measure=inspector_apart"), 400, "step=day")
            .await;
    }

    #[tokio::test]
    async fn a_chart_asks_for_one_place_that_exists() {
        let site = site().await;
        site.refuses(&path(""), 400, "either station= or device=").await;
        site.refuses(
            &path("&station=s1&device=st01"),
            400,
            "either station= or device=",
        )
        .await;
        site.refuses(&path("&station=s9"), 404, "there is no such station")
            .await;
        site.refuses(&path("&device=st99"), 404, "there is no such device")
            .await;
    }

    #[tokio::test]
    async fn a_chart_has_a_known_measure_and_a_bounded_time() {
        let site = site().await;
        let of = |rest: &str| format!("/api/v1/series?station=s1&{rest}");
        site.refuses(
            &of("measure=noise&from=0&to=1"),
            400,
            "measure: unknown variant `noise`, expected one of `fill`",
        )
        .await;
        site.refuses(&of("measure=fill&from=5&to=5"), 400, "expected from < to")
            .await;
        site.refuses(
            &of("measure=fill&from=0&to=soon"),
            400,
            "to: expected milliseconds since 1970",
        )
        .await;
        let long = format!("measure=fill&from=0&to={}", 401 * 24 * HOUR);
        site.refuses(&of(&long), 400, "expected at most 400 days").await;
    }

    #[tokio::test]
    async fn a_chart_of_too_many_points_says_which_step_to_use() {
        let site = site().await;
        let mut points = Vec::new();
        for hour in 0..5_100 {
            for stream in [Stream::Food, Stream::Residual] {
                let at = Millis::clamped(NOON + hour * HOUR);
                points.push(Point {
                    device: "st02",
                    measure: Measure::Fill,
                    stream: Some(stream),
                    at,
                    value: 1,
                });
            }
        }
        assert!(site.series.write(1, 2, &points).await.unwrap());
        let path = format!(
            "/api/v1/series?device=st02&measure=fill&from={NOON}&to={}",
            NOON + 5_100 * HOUR
        );
        site.refuses(&path, 400, "ask for days instead of hours").await;
        assert_eq!(site.get(&format!("{path}&step=day")).await.0, 200);
    }
}
