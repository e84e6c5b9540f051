//! GET /api/v1/delays: how late each device's newest records came, and which came again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::read;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::problem::Problem;

/// Records looked at.
const NEWEST: u64 = 20_000;
/// From when on a record is late: a device with a network sends within seconds.
const LATE_MS: i64 = 15 * 60 * 1_000;

/// Devices by how late their newest records came.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delays {
    /// The server's clock, ms since 1970 UTC.
    at: i64,
    /// When the first of the records looked at arrived; null where there are none.
    since: Option<i64>,
    /// How long after what it tells of a record is late.
    late_ms: i64,
    /// By device; those that sent none of them are not in here.
    items: Vec<Delay>,
}

/// A device's part of the newest records.
#[derive(Debug, Serialize, ToSchema)]
struct Delay {
    device: String,
    records: u64,
    /// Those that say when something happened.
    timed: u64,
    /// Those of them that came late.
    late: u64,
    /// The longest time that one took.
    longest_ms: i64,
    /// Those that were known when they came. Most repeats are recognised before they are journalled, and are not counted.
    repeats: u64,
}

impl Delay {
    fn of((device, delay): (String, read::Delay)) -> Self {
        let read::Delay {
            records,
            timed,
            late,
            longest_ms,
            repeats,
        } = delay;
        Self {
            device,
            records,
            timed,
            late,
            longest_ms,
            repeats,
        }
    }
}

/// How late each device's records came, and which came again, of about the newest 20000 of the site. Earlier ones are not
/// counted.
#[utoipa::path(get, path = "/api/v1/delays", tag = "devices", responses((status = 200, body = Delays)))]
pub(crate) async fn list(State(api): State<Arc<Api>>) -> Result<Json<Delays>, Problem> {
    let read::Delays { since, devices } = api.ledger.delays(NEWEST, LATE_MS).await?;
    Ok(Json(Delays {
        at: api.clock.now(),
        since,
        late_ms: LATE_MS,
        items: devices.into_iter().map(Delay::of).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Site;

    #[tokio::test]
    async fn a_device_says_how_many_of_how_many_came_late_or_again() {
        let site = Site::filled().await;
        let delays = site.json("/api/v1/delays").await;
        let of = |name: &str| -> Value {
            let items = delays["items"].as_array().unwrap();
            items.iter().find(|item| item["device"] == name).unwrap().clone()
        };
        // Its camera told of an hour ago, as did a bag nobody's, and the first of them came twice.
        assert_eq!(
            of("st01"),
            json!({"device": "st01", "records": 6, "timed": 6, "late": 4, "longest_ms": 3_600_000, "repeats": 1})
        );
        let ahead = of("st02");
        assert_eq!(
            (&ahead["late"], &ahead["longest_ms"]),
            (&json!(0), &json!(30_000))
        );
        assert_eq!(of("insp1")["late"], of("insp1")["timed"]);
    }
}
