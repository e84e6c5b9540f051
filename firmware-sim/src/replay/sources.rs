//! The recordings' formats: `LoRa` ultrasonic sensors (JSON, levels like `{52}`), daily levels of solar
//! compactors (CSV), collections with weights (CSV). Must not: judge a value.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::ReplayError;
use super::row::Row;

/// Europe/London and Australia/Melbourne by their rules of those years, so that no zone files are needed.
const LONDON: &str = "GMT0BST,M3.5.0/1,M10.5.0";
const MELBOURNE: &str = "AEST-10AEDT,M10.1.0,M4.1.0/3";

/// All rows of a file, in its order.
pub(super) fn parse(text: &str) -> Result<Vec<Row>, ReplayError> {
    if text.trim_start().starts_with('{') {
        return lora(text);
    }
    let header = text.lines().next().unwrap_or_default();
    if header.split(',').any(|column| column == "Fullness") {
        compactor(text)
    } else if header.contains("Fill level before collection") {
        collection(text)
    } else {
        Err(ReplayError::Unknown)
    }
}

#[derive(Deserialize)]
struct LoraFile<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct LoraFrame {
    node_eui: String,
    time: String,
    data: String,
    rssi: Option<i64>,
}

/// `{"data":[{"node_eui","time","data":"{52}","rssi"}...]}`, newest first.
fn lora(text: &str) -> Result<Vec<Row>, ReplayError> {
    let file: LoraFile<'_> = serde_json::from_str(text)?;
    let row = |raw: &&RawValue| {
        let frame: LoraFrame = serde_json::from_str(raw.get())?;
        let inner = frame
            .data
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        Ok(Row {
            unit: unit("dtu", &frame.node_eui),
            raw: raw.get().to_owned(),
            at: frame
                .time
                .parse::<jiff::Timestamp>()
                .ok()
                .map(jiff::Timestamp::as_millisecond),
            fill: inner
                .and_then(|digits| digits.parse::<f64>().ok())
                .map(|percent| percent / 100.0),
            value: frame.data,
            time: frame.time,
            weight_g: None,
            rssi_dbm: frame.rssi,
        })
    };
    file.data.iter().map(row).collect()
}

/// `Bin ID,Fullness,fullnessThreshold,timestamp,reason`: levels in tenths, days as dd-mm-yyyy. 254 and 255
/// are what a compactor says when its sensor fails.
fn compactor(text: &str) -> Result<Vec<Row>, ReplayError> {
    rows(text, |fields| {
        let (value, time) = (fields.get("Fullness"), fields.get("timestamp"));
        Row {
            unit: unit("wyndham", fields.get("Bin ID")),
            raw: fields.raw(),
            at: Date::strptime("%d-%m-%Y", time)
                .ok()
                .and_then(|d| instant(d.at(0, 0, 0, 0), MELBOURNE)),
            time: time.to_owned(),
            fill: value.parse::<f64>().ok().map(|tenths| tenths / 10.0),
            value: value.to_owned(),
            weight_g: None,
            rssi_dbm: None,
        }
    })
}

/// One row a collection: level in percent and kilograms just before, local British time.
fn collection(text: &str) -> Result<Vec<Row>, ReplayError> {
    rows(text, |fields| {
        let (value, time) = (
            fields.get("Fill level before collection"),
            fields.get("Date & Time of bin collection"),
        );
        Row {
            unit: unit("edinburgh", fields.get("Site")),
            raw: fields.raw(),
            at: DateTime::strptime("%Y-%m-%d %H:%M:%S", time)
                .ok()
                .and_then(|t| instant(t, LONDON)),
            time: time.to_owned(),
            fill: value.parse::<f64>().ok().map(|percent| percent / 100.0),
            value: value.to_owned(),
            weight_g: fields
                .get("Weight (kg)")
                .parse::<f64>()
                .ok()
                .map(|kilograms| (kilograms * 1_000.0).round()),
            rssi_dbm: None,
        }
    })
}

/// One CSV record with its header.
struct Fields<'a> {
    header: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
}

impl Fields<'_> {
    /// The value under the column of this name, or else the first whose name begins so; empty if none.
    fn get(&self, name: &str) -> &str {
        let exact = self.header.iter().position(|column| column == name);
        let place = exact.or_else(|| self.header.iter().position(|column| column.starts_with(name)));
        place.and_then(|at| self.record.get(at)).unwrap_or_default()
    }

    fn raw(&self) -> String {
        self.record.iter().collect::<Vec<_>>().join("\u{1f}")
    }
}

fn rows(text: &str, make: impl Fn(&Fields<'_>) -> Row) -> Result<Vec<Row>, ReplayError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        Ok(make(&Fields {
            header: &header,
            record: &record?,
        }))
    };
    reader.records().map(row).collect()
}

fn instant(local: DateTime, zone: &str) -> Option<i64> {
    let zone = TimeZone::posix(zone).ok()?;
    Some(local.to_zoned(zone).ok()?.timestamp().as_millisecond())
}

/// A device id from whatever the recording calls its bins.
fn unit(source: &str, name: &str) -> String {
    let clean: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(40)
        .collect();
    format!("{source}-{clean}")
}
