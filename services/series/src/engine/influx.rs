//! InfluxDB 2: line protocol in, Flux out, through the crate `influxdb2`.
//!
//! The crate writes the lines and asks the questions. It has no time-out, unwraps what a garbled answer gives it, and keeps
//! an answer's headers to itself: so a question is a task of its own that may fall, and lines go out by [`Server`], which
//! sees `Retry-After`.

use std::time::Duration;

use fallible_iterator::FallibleIterator;
use influxdb2::api::query::FluxRecord;
use influxdb2::models::Query as Flux;
use influxdb2::{Client, ClientBuilder, RequestError};
use influxdb2_structmap::value::Value;

use super::http::{ANSWER_WITHIN, Kind, Server, cause, trouble, words};
use super::lines::{lines, measurement};
use super::{Bucket, Found, Trouble, UrlError};
use crate::query::{Field, Query};

#[derive(Debug)]
pub(super) struct Influx {
    client: Client,
    server: Server,
    org: String,
    bucket: String,
    site: String,
}

impl Influx {
    pub(super) fn new(
        base: String,
        org: String,
        bucket: String,
        token: Option<&str>,
        site: &str,
    ) -> Result<Self, UrlError> {
        // Ours is the one that looks at the token's letters.
        let server = Server::new(base.clone(), token.map(|token| format!("Token {token}")))?;
        let client = ClientBuilder::new(base, &org, token.unwrap_or_default()).build();
        Ok(Self {
            client: client.map_err(|error| UrlError::Client(error.to_string()))?,
            server,
            org,
            bucket,
            site: site.to_owned(),
        })
    }

    pub(super) async fn write(&self, buckets: &[Bucket]) -> Result<(), Trouble> {
        let parameters = [
            ("org", self.org.as_str()),
            ("bucket", &self.bucket),
            ("precision", "ms"),
        ];
        let body = lines(buckets.iter(), &self.site)?;
        self.server
            .post("/api/v2/write", &parameters, Kind::Lines, body)
            .await
            .map(drop)
    }

    pub(super) async fn wipe(&self) -> Result<(), Trouble> {
        let parameters = [("org", self.org.as_str()), ("bucket", &self.bucket)];
        let all = serde_json::json!({
            "start": "1970-01-01T00:00:00Z",
            "stop": "2200-01-01T00:00:00Z",
            "predicate": format!("site={}", quoted(&self.site)),
        });
        let path = "/api/v2/delete";
        self.server
            .post(path, &parameters, Kind::Json, all.to_string())
            .await
            .map(drop)
    }

    /// `None` when there is more than was asked for.
    pub(super) async fn read(
        &self,
        query: &Query,
        from: i64,
        to: i64,
    ) -> Result<Option<Vec<Found>>, Trouble> {
        let most = query.limit.saturating_mul(query.fields().len());
        let records = self
            .ask(self.flux(query, from, to, most.saturating_add(1)))
            .await?;
        if records.len() > most {
            return Ok(None);
        }
        records.into_iter().map(found).collect::<Result<_, _>>().map(Some)
    }

    /// The newest version of the buckets that begin in `from..to`.
    fn flux(&self, query: &Query, from: i64, to: i64, most: usize) -> String {
        let width = query.step.width_ms();
        let either = |column: &str, values: &[&str]| {
            let terms: Vec<_> = values
                .iter()
                .map(|value| format!("r.{column} == {}", quoted(value)))
                .collect();
            format!("\n  |> filter(fn: (r) => {})", terms.join(" or "))
        };
        let devices: Vec<_> = query.devices.iter().map(String::as_str).collect();
        let fields: Vec<_> = query.fields().iter().map(|field| field.as_str()).collect();
        let stream = query.stream.map(|stream| either("stream", &[stream.as_str()]));
        [
            format!(
                "from(bucket: {})\n  |> range(start: {}, stop: {})",
                quoted(&self.bucket),
                from / 1_000,
                to / 1_000
            ),
            either("_measurement", &[measurement(query.step)]),
            either("site", &[&self.site]),
            either("measure", &[query.measure.kept_as().as_str()]),
            either("_field", &fields),
            either("device", &devices),
            stream.unwrap_or_default(),
            format!(
                "\n  |> aggregateWindow(every: {}s, offset: {}s, fn: last, createEmpty: false, timeSrc: \"_start\")",
                width / 1_000,
                from.rem_euclid(width) / 1_000
            ),
            "\n  |> keep(columns: [\"_time\", \"_value\", \"_field\", \"device\", \"stream\"])\n  |> group()".to_owned(),
            format!("\n  |> limit(n: {most})"),
        ]
        .concat()
    }

    async fn ask(&self, flux: String) -> Result<Vec<FluxRecord>, Trouble> {
        let client = self.client.clone();
        let asking = async move {
            let answer = client.query_raw_iter(Some(Flux::new(flux))).await?;
            answer.result().collect::<Vec<_>>()
        };
        let task = tokio::spawn(tokio::time::timeout(ANSWER_WITHIN, asking));
        match task.await {
            Ok(Ok(Ok(records))) => Ok(records),
            Ok(Ok(Err(error))) => Err(self.trouble(error)),
            Ok(Err(_)) => Err(Trouble::Slow {
                seconds: ANSWER_WITHIN.as_secs(),
            }),
            Err(_) => Err(unreadable("a number or a time that is none")),
        }
    }

    fn trouble(&self, error: RequestError) -> Trouble {
        match error {
            RequestError::Http { status, text } => {
                trouble(status.as_u16(), words(text.as_bytes()), None::<Duration>)
            }
            RequestError::ReqwestProcessing { source } => Trouble::Unreachable {
                address: self.server.base().to_owned(),
                why: cause(&source),
            },
            RequestError::Serializing { source } => unreadable(&source.to_string()),
            RequestError::Deserializing { text } => unreadable(&text),
        }
    }
}

/// One row of an answer.
fn found(mut record: FluxRecord) -> Result<Found, Trouble> {
    // An answer that goes wrong on its way ends in a table that says so.
    if let Some(Value::String(error)) = record.values.get("error") {
        return Err(unreadable(&words(error.as_bytes())));
    }
    let mut text = |column: &str| match record.values.remove(column) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(unreadable(&format!("no {column}"))),
    };
    let (device, stream, name) = (text("device")?, text("stream")?, text("_field")?);
    let field = Field::ALL.into_iter().find(|field| field.as_str() == name);
    let (Some(field), Some(Value::TimeRFC(time)), Some(Value::Long(value))) =
        (field, record.values.get("_time"), record.values.get("_value"))
    else {
        return Err(unreadable("no _field of ours, _time or whole _value"));
    };
    Ok(Found {
        device,
        stream,
        start: time.timestamp_millis(),
        field,
        value: *value,
    })
}

fn unreadable(what: &str) -> Trouble {
    Trouble::Unreadable {
        what: what.to_owned(),
    }
}

/// A text of Flux, which would also look into `${}`.
fn quoted(text: &str) -> String {
    let text = text
        .replace('\\', r"\\")
        .replace('"', r#"\""#)
        .replace("${", r"\${");
    format!("\"{text}\"")
}
