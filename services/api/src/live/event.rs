//! What listeners are told, written out once for all of them.

use std::sync::Arc;

use hemu_ledger::entry::{Body, Entry, Status};
use serde::Serialize;
use utoipa::ToSchema;

use crate::fleet::{self, Fleet};
use crate::page::Place;
use crate::v1::deposits::LiveDeposit;
use crate::v1::incidents::Incident;
use crate::v1::words::{StreamWord, hundredths, share};

/// An event on its way out. Events of the journal have a place to go on from.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) place: Option<Place>,
    pub(crate) name: &'static str,
    pub(crate) data: Arc<str>,
}

impl Message {
    pub(crate) fn of(name: &'static str, place: Option<Place>, content: &impl Serialize) -> Self {
        // Every shape here has text for keys, so that writing it cannot fail.
        let data = serde_json::to_string(content).unwrap_or_default().into();
        Self { place, name, data }
    }

    /// A reader missed this many.
    pub(crate) fn lag(skipped: u64, place: Option<Place>) -> Self {
        Self::of("lag", place, &Lag { skipped })
    }
}

/// `status`: a device's report of itself and its bins.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiveStatus {
    at: i64,
    device: String,
    station: Option<String>,
    bins: Vec<LiveBin>,
    battery_mv: Option<u32>,
    rssi_dbm: Option<i32>,
    temperature_c: Option<f64>,
    firmware: Option<String>,
    queued: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
struct LiveBin {
    stream: StreamWord,
    fill: Option<f64>,
    weight_g: Option<u32>,
}

/// `incident`: something a person should look at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiveIncident {
    #[serde(flatten)]
    incident: Incident,
    station: Option<String>,
}

/// `device`: a device is heard again, or no longer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiveDevice<'a> {
    pub(crate) device: &'a str,
    pub(crate) state: fleet::State,
}

/// `lag`: this many events were not sent to this reader.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Lag {
    skipped: u64,
}

/// What a record is called among listeners; `None` for what is not theirs (quarantine, declared
/// losses, what accounts did).
pub(crate) const fn name_of(body: &Body<'_>) -> Option<&'static str> {
    match body {
        Body::Deposit(_) => Some("deposit"),
        Body::Status(_) => Some("status"),
        Body::Incident(_) => Some("incident"),
        Body::Lost { .. } | Body::Quarantined(_) | Body::Act(_) | Body::Proposal(_) => None,
    }
}

/// A record of the journal as listeners see it; `None` for what is not theirs.
pub(crate) fn translate(fleet: &Fleet, place: Place, entry: &Entry<'_>) -> Option<Message> {
    let device = entry.origin.device();
    let station = fleet.station_of(device);
    let name = name_of(&entry.body)?;
    Some(match &entry.body {
        Body::Deposit(deposit) => Message::of(
            name,
            Some(place),
            &LiveDeposit::of(place, device, station, deposit),
        ),
        Body::Status(report) => Message::of(name, Some(place), &status(device, station, report)),
        Body::Incident(seen) => {
            let incident = Incident {
                at: seen.at.get(),
                device: device.to_owned(),
                kind: seen.kind.to_owned(),
                stream: seen.stream.map(Into::into),
                note: seen.note.map(str::to_owned),
                photo: seen.photo.map(str::to_owned),
            };
            Message::of(name, Some(place), &LiveIncident { incident, station })
        }
        Body::Lost { .. } | Body::Quarantined(_) | Body::Act(_) | Body::Proposal(_) => return None,
    })
}

fn status(device: &str, station: Option<String>, report: &Status<'_>) -> LiveStatus {
    let bins = report.bins.iter();
    LiveStatus {
        at: report.at.get(),
        device: device.to_owned(),
        station,
        bins: bins
            .map(|bin| LiveBin {
                stream: bin.stream.into(),
                fill: share(bin.fill),
                weight_g: bin.weight_g,
            })
            .collect(),
        battery_mv: report.battery_mv,
        rssi_dbm: report.rssi_dbm,
        temperature_c: report.temperature_cc.map(hundredths),
        firmware: report.firmware.map(str::to_owned),
        queued: report.queued,
    }
}
