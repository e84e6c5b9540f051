//! The recordings' formats: LoRa ultrasonic sensors (JSON, levels like `{52}`), daily levels of solar
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
    rows(text, |get, raw| {
        let (value, time) = (get("Fullness"), get("timestamp"));
        Row {
            unit: unit("wyndham", get("Bin ID")),
            raw,
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
    rows(text, |get, raw| {
        let (value, time) = (
            get("Fill level before collection"),
            get("Date & Time of bin collection"),
        );
        Row {
            unit: unit("edinburgh", get("Site")),
            raw,
            at: DateTime::strptime("%Y-%m-%d %H:%M:%S", time)
                .ok()
                .and_then(|t| instant(t, LONDON)),
            time: time.to_owned(),
            fill: value.parse::<f64>().ok().map(|percent| percent / 100.0),
            value: value.to_owned(),
            weight_g: get("Weight (kg)")
                .parse::<f64>()
                .ok()
                .map(|kilograms| (kilograms * 1_000.0).round()),
            rssi_dbm: None,
        }
    })
}

/// Reads CSV; `make` gets a look-up by the beginning of a column's name, exact names first.
fn rows(text: &str, make: impl Fn(&dyn Fn(&str) -> &str, String) -> Row) -> Result<Vec<Row>, ReplayError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let place = |name: &str| {
        let exact = header.iter().position(|column| column == name);
        exact.or_else(|| header.iter().position(|column| column.starts_with(name)))
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let raw = record.iter().collect::<Vec<_>>().join("\u{1f}");
        let get = |name: &str| place(name).and_then(|at| record.get(at)).unwrap_or_default();
        // The compiler cannot see that the closure's borrows end with the row.
        rows.push(make(&|name| get(name), raw));
    }
    Ok(rows)
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
