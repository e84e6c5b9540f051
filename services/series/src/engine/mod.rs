//! The engines that may stand beside the rollups. Each keeps what a bucket held, version by version, and answers charts
//! from the newest; none adds anything up. Nothing here knows what has been sent: that is [`crate::due`]'s.
//!
//! A version's time is the bucket's start plus as many milliseconds as it has points. A bucket only ever gets more points,
//! so that the latest time in it is the newest version, whatever was sent twice, late or by several.

mod http;
mod influx;
mod lines;
mod url;
mod victoria;

use std::collections::BTreeMap;
use std::time::Duration;

use hemu_rules::Zone;

pub use self::url::UrlError;
use crate::query::{Field, Line, Query, Step};
use crate::{Error, Result};

/// Where a line is kept that has no stream: engines know no empty tags.
const NO_STREAM: &str = "none";

/// What a bucket holds.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) grain: Step,
    pub(crate) device: String,
    pub(crate) measure: &'static str,
    /// `""` for none.
    pub(crate) stream: String,
    /// In ms since 1970.
    pub(crate) start: i64,
    /// In the order of [`Field::ALL`].
    pub(crate) fields: [i64; Field::ALL.len()],
}

impl Bucket {
    /// The version's time.
    fn at(&self) -> i64 {
        let [n, ..] = self.fields;
        self.start + n.min(self.grain.width_ms() - 1)
    }
}

/// One number an engine answered.
#[derive(Debug)]
struct Found {
    device: String,
    stream: String,
    /// The bucket's start in ms since 1970.
    start: i64,
    field: Field,
    value: i64,
}

/// What is wrong with an engine.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("does not answer at {address} ({why}); start it, or set series_url to where it is")]
    Unreachable { address: String, why: String },
    #[error("did not answer within {seconds} seconds; see what keeps it busy")]
    Slow { seconds: u64 },
    #[error("does not let us in (HTTP {status}); set series_token to one that may read and write there")]
    Token { status: u16 },
    #[error(
        "does not know what series_url names (HTTP 404: {text}); make the bucket there, or mend series_url"
    )]
    Unknown { text: String },
    #[error("cannot do it just now (HTTP {status}: {text})")]
    Busy {
        status: u16,
        text: String,
        /// How long it asked to be left alone.
        wait: Option<Duration>,
    },
    #[error("does not take what it is sent (HTTP {status}: {text})")]
    Refused { status: u16, text: String },
    #[error("answers what cannot be read ({what})")]
    Unreadable { what: String },
}

/// An engine, not yet spoken to.
#[derive(Debug)]
pub struct Engine {
    kind: Kind,
    /// What of `series_url` tells engines apart, and the site.
    target: String,
}

#[derive(Debug)]
enum Kind {
    Influx(influx::Influx),
    Victoria(victoria::Victoria),
}

impl Engine {
    /// The engine that `series_url` names. `site` keeps sites apart that share it.
    pub fn new(url: &str, token: Option<&str>, site: &str) -> std::result::Result<Self, UrlError> {
        let (kind, place) = match url::Place::parse(url)? {
            url::Place::Victoria { base, write } => {
                let place = format!("victoriametrics {write}");
                let engine = victoria::Victoria::new(base, write, token, site)?;
                (Kind::Victoria(engine), place)
            }
            url::Place::Influx { base, org, bucket } => {
                let place = format!("influxdb {base} {org} {bucket}");
                let engine = influx::Influx::new(base, org, bucket, token, site)?;
                (Kind::Influx(engine), place)
            }
        };
        let target = format!("{place} {site}");
        Ok(Self { kind, target })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match &self.kind {
            Kind::Influx(_) => "InfluxDB",
            Kind::Victoria(_) => "VictoriaMetrics",
        }
    }

    pub(crate) fn target(&self) -> String {
        self.target.clone()
    }

    /// For how long an engine that dies may forget what it took, if it may: the way it writes to its disk.
    pub(crate) fn forgets_for_ms(&self) -> Option<i64> {
        match &self.kind {
            // It answers when it has written.
            Kind::Influx(_) => None,
            Kind::Victoria(_) => Some(victoria::FORGETS_FOR_MS),
        }
    }

    /// Which run of the engine this is, if it tells.
    pub(crate) async fn instance(&self) -> Result<Option<String>> {
        let instance = match &self.kind {
            Kind::Influx(_) => Ok(None),
            Kind::Victoria(engine) => engine.instance().await,
        };
        instance.map_err(|trouble| self.error(trouble))
    }

    /// Sends buckets; all are there afterwards, or it fails and some are.
    pub(crate) async fn write(&self, buckets: &[Bucket]) -> Result<()> {
        let mut parts = vec![buckets];
        while let Some(part) = parts.pop() {
            let written = match &self.kind {
                Kind::Influx(engine) => engine.write(part).await,
                Kind::Victoria(engine) => engine.write(part).await,
            };
            match written {
                // Too much at once, for it or for a proxy before it.
                Err(Trouble::Refused { status: 413, .. }) if part.len() > 1 => {
                    let (one, other) = part.split_at(part.len() / 2);
                    parts.extend([one, other]);
                }
                written => written.map_err(|trouble| self.error(trouble))?,
            }
        }
        Ok(())
    }

    /// Deletes everything of the site.
    pub(crate) async fn wipe(&self) -> Result<()> {
        let wiped = match &self.kind {
            Kind::Influx(engine) => engine.wipe().await,
            Kind::Victoria(engine) => engine.wipe().await,
        };
        wiped.map_err(|trouble| self.error(trouble))
    }

    /// Reads a chart.
    pub(crate) async fn read(&self, query: &Query, zone: Zone) -> Result<Vec<Line>> {
        let (from, to) = query.starts(zone);
        if from >= to || query.devices.is_empty() {
            return Ok(Vec::new());
        }
        let found = match &self.kind {
            Kind::Influx(engine) => engine.read(query, from, to).await,
            Kind::Victoria(engine) => engine.read(query, from, to).await,
        };
        match found {
            Ok(Some(found)) => lines_of(query, found),
            Ok(None) => Err(Error::TooMany { limit: query.limit }),
            Err(trouble) => Err(self.error(trouble)),
        }
    }

    fn error(&self, trouble: Trouble) -> Error {
        let engine = self.name();
        Error::Engine { engine, trouble }
    }
}

/// The numbers of a bucket that were asked for.
type Numbers = [Option<i64>; Field::ALL.len()];

/// The chart that was asked for, in the order of its devices.
fn lines_of(query: &Query, found: Vec<Found>) -> Result<Vec<Line>> {
    let mut kept: BTreeMap<(String, String), BTreeMap<i64, Numbers>> = BTreeMap::new();
    for one in found {
        let line = kept.entry((one.device, one.stream)).or_default();
        let numbers = line.entry(one.start).or_default();
        for (number, field) in numbers.iter_mut().zip(Field::ALL) {
            if field == one.field {
                *number = Some(one.value);
            }
        }
    }
    let mut lines = Vec::new();
    let mut left = query.limit;
    for device in &query.devices {
        for ((_, stream), buckets) in kept.iter().filter(|((of, _), _)| of == device) {
            // Of a bucket that is just being written a number may not be there yet.
            let shown = |(start, numbers): (&i64, &Numbers)| {
                let number = |field| numbers.iter().zip(Field::ALL).find(|(_, of)| *of == field);
                let value = query.shown(|field| number(field).and_then(|(number, _)| *number).ok_or(()));
                value.ok().map(|value| (*start, value))
            };
            let points: Vec<_> = buckets.iter().filter_map(shown).collect();
            left = left
                .checked_sub(points.len())
                .ok_or(Error::TooMany { limit: query.limit })?;
            lines.push(Line {
                device: device.clone(),
                stream: stream.parse().ok(),
                points,
            });
        }
    }
    Ok(lines)
}
