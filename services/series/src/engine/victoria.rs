//! VictoriaMetrics, single or cluster: line protocol in, `PromQL` out.

use serde::Deserialize;

use super::http::{Answer, Kind, Server};
use super::lines::{lines, measurement};
use super::{Bucket, Found, Trouble, UrlError};
use crate::query::{Field, HOUR_MS, Query};

/// Steps of one request; a server answers 30,000 unless it is told otherwise.
const STEPS: i64 = 10_000;
/// It brings what it took to its disk within five seconds.
pub(super) const FORGETS_FOR_MS: i64 = 30_000;

#[derive(Debug)]
pub(super) struct Victoria {
    read: Server,
    write: Server,
    site: String,
}

/// An answer to a query.
#[derive(Deserialize)]
struct Reply {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    metric: Metric,
    /// (seconds, number); of a query over a range.
    #[serde(default)]
    values: Vec<(f64, String)>,
    /// The same of one instant.
    value: Option<(f64, String)>,
}

#[derive(Deserialize)]
struct Metric {
    #[serde(default, rename = "__name__")]
    name: String,
    #[serde(default)]
    device: String,
    #[serde(default)]
    stream: String,
}

impl Victoria {
    pub(super) fn new(
        base: String,
        write: String,
        token: Option<&str>,
        site: &str,
    ) -> Result<Self, UrlError> {
        let authorization = || token.map(|token| format!("Bearer {token}"));
        Ok(Self {
            read: Server::new(base, authorization())?,
            write: Server::new(write, authorization())?,
            site: site.to_owned(),
        })
    }

    /// When the server was started. A cluster's door does not tell of what is behind it.
    pub(super) async fn instance(&self) -> Result<Option<String>, Trouble> {
        let metrics = match self.write.get("/metrics").await {
            Ok(Answer::Body(metrics)) => metrics,
            Ok(Answer::TooLong) | Err(Trouble::Unknown { .. } | Trouble::Refused { .. }) => return Ok(None),
            Err(trouble) => return Err(trouble),
        };
        let metrics = String::from_utf8_lossy(&metrics);
        let started = metrics
            .lines()
            .find_map(|line| line.strip_prefix("vm_app_start_timestamp "));
        Ok(started.map(str::to_owned))
    }

    pub(super) async fn write(&self, buckets: &[Bucket]) -> Result<(), Trouble> {
        // It knows no time before 1970, where a zone's first day may begin.
        let known = buckets.iter().filter(|bucket| bucket.start >= 0);
        let body = lines(known, &self.site)?;
        let parameters = [("precision", "ms")];
        let path = "/api/v2/write";
        self.write
            .post(path, &parameters, Kind::Lines, body)
            .await
            .map(drop)
    }

    pub(super) async fn wipe(&self) -> Result<(), Trouble> {
        let all = format!(
            r#"{{__name__=~"hemu_(hour|day)_.*",site="{}"}}"#,
            quoted(&self.site)
        );
        let path = "/api/v1/admin/tsdb/delete_series";
        self.read.post_form(path, &[("match[]", &all)]).await.map(drop)
    }

    /// `None` when there is more than was asked for.
    pub(super) async fn read(
        &self,
        query: &Query,
        from: i64,
        to: i64,
    ) -> Result<Option<Vec<Found>>, Trouble> {
        let width = query.step.width_ms();
        let (mut from, to) = if (to - from) / width > STEPS {
            let Some((first, last)) = self.extent(query, from, to).await? else {
                return Ok(Some(Vec::new()));
            };
            // Whole steps, counted from where the chart begins.
            let first = from + (first - from).div_euclid(width) * width;
            (first, to.min(last + width))
        } else {
            (from, to)
        };
        let mut found = Vec::new();
        while from < to {
            let until = to.min(from + STEPS * width);
            let Some(more) = self.steps(query, from, until).await? else {
                return Ok(None);
            };
            found.extend(more);
            from = until;
        }
        Ok(Some(found))
    }

    /// The newest version of the buckets that begin in `from..to`.
    async fn steps(&self, query: &Query, from: i64, to: i64) -> Result<Option<Vec<Found>>, Trouble> {
        let width = query.step.width_ms();
        // A step's time is a bucket's last millisecond, and what it sees is the bucket.
        let promql = format!("last_over_time({}[{}ms])", self.selector(query), width);
        let (start, end) = (seconds(from + width - 1), seconds(to - 1));
        let step = (width / 1_000).to_string();
        let fields = [
            ("query", promql.as_str()),
            ("start", &start),
            ("end", &end),
            ("step", &step),
            // What is kept from earlier answers does not know what came late.
            ("nocache", "1"),
        ];
        let Some(rows) = self.rows("/api/v1/query_range", &fields).await? else {
            return Ok(None);
        };
        let mut found = Vec::new();
        for row in rows {
            let Some(field) = field(&row.metric.name) else {
                continue;
            };
            for (at, value) in &row.values {
                found.push(Found {
                    device: row.metric.device.clone(),
                    stream: row.metric.stream.clone(),
                    start: millis(*at) + 1 - width,
                    field,
                    value: number(value)?,
                });
            }
        }
        Ok(Some(found))
    }

    /// The first and the last version's time in `from..to`; `None` when there is none.
    async fn extent(&self, query: &Query, from: i64, to: i64) -> Result<Option<(i64, i64)>, Trouble> {
        let mut ends = Vec::new();
        // A window that reaches before 1970, or nearly, finds nothing at all.
        let window = to - 1 - from.max(HOUR_MS);
        for (function, of_all) in [("tfirst_over_time", "min"), ("tlast_over_time", "max")] {
            let selector = self.selector(query);
            let promql = format!("{of_all}({function}({selector}[{window}ms]))");
            let time = seconds(to - 1);
            let fields = [("query", promql.as_str()), ("time", &time), ("nocache", "1")];
            let rows = self.rows("/api/v1/query", &fields).await?.unwrap_or_default();
            for (_, value) in rows.into_iter().filter_map(|row| row.value) {
                let at: f64 = value.parse().map_err(|_| unreadable(&value))?;
                ends.push(millis(at));
            }
        }
        Ok(match ends[..] {
            [first, last] => Some((first, last)),
            _ => None,
        })
    }

    fn selector(&self, query: &Query) -> String {
        let fields: Vec<_> = query.fields().iter().map(|field| field.as_str()).collect();
        let devices: Vec<_> = query.devices.iter().map(|device| literal(device)).collect();
        let stream = query
            .stream
            .map(|stream| format!(r#",stream="{}""#, stream.as_str()))
            .unwrap_or_default();
        format!(
            r#"{{__name__=~"{}_({})",site="{}",measure="{}",device=~"{}"{stream}}}"#,
            measurement(query.step),
            fields.join("|"),
            quoted(&self.site),
            query.measure.kept_as().as_str(),
            quoted(&devices.join("|")),
        )
    }

    async fn rows(&self, path: &str, fields: &[(&str, &str)]) -> Result<Option<Vec<Row>>, Trouble> {
        let Answer::Body(body) = self.read.post_form(path, fields).await? else {
            return Ok(None);
        };
        let reply: Reply = serde_json::from_slice(&body).map_err(|error| unreadable(&error.to_string()))?;
        Ok(Some(reply.data.result))
    }
}

fn unreadable(what: &str) -> Trouble {
    Trouble::Unreadable {
        what: what.to_owned(),
    }
}

fn field(metric: &str) -> Option<Field> {
    let (_, name) = metric.rsplit_once('_')?;
    Field::ALL.into_iter().find(|field| field.as_str() == name)
}

/// Milliseconds as the seconds that are asked for.
fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms.div_euclid(1_000), ms.rem_euclid(1_000))
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds of any year fit")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

/// A whole number, which was stored as one; it may come with an exponent.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and in the range where every one is itself"
)]
fn number(text: &str) -> Result<i64, Trouble> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match text.parse::<f64>() {
        Ok(value) if value.fract() == 0.0 && value.abs() <= EXACT => Ok(value as i64),
        _ => Err(unreadable(text)),
    }
}

/// A text inside the quotes of a query.
fn quoted(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', r#"\""#)
}

/// A pattern that only this text matches.
fn literal(text: &str) -> String {
    let letter = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => letter.to_string(),
        other => format!(r"\{other}"),
    };
    text.chars().map(letter).collect()
}
