//! GET /api/v1/devices, /api/v1/devices/{id}

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::words::hundredths;
use crate::api::Api;
use crate::extract::{Id, Limit, Params};
use crate::fleet::{self, Fleet, Member};
use crate::page::Page;
use crate::problem::Problem;

/// A device as the registry and the journal know it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Device {
    id: String,
    estate: Option<String>,
    station: Option<String>,
    state: fleet::State,
    /// Whether it holds a connection right now.
    connected: bool,
    /// Event time of the latest record, ms since 1970 UTC.
    last_at: Option<i64>,
    /// The boot of its latest records, a u64 as text; null while it never sent a record of its own.
    #[schema(example = "1")]
    boot: Option<String>,
    /// Records of that boot up to this number are all here.
    upto: Option<u64>,
    /// Gaps seen beyond `upto`, inclusive; the first 64.
    missing: Vec<(u64, u64)>,
    firmware: Option<String>,
    battery_mv: Option<u32>,
    rssi_dbm: Option<i32>,
    temperature_c: Option<f64>,
    /// Records waiting in its flash.
    queued: Option<u64>,
    records: u64,
    quarantined: u64,
    /// Records that came under a number that other content has.
    conflicts: u64,
    /// Boots with such records that nobody has looked at, each a u64 as text: nothing of them counts.
    frozen: Vec<String>,
    /// Readings that do not count because of it.
    held: u64,
    /// It may not log in any more.
    revoked: bool,
}

impl Device {
    fn of(id: String, member: Member, now: i64) -> Self {
        let state = member.state(now);
        let Member {
            estate,
            station,
            revoked,
            connected,
            seen,
            conflicting,
        } = member;
        let open = conflicting.iter().filter(|boot| boot.open > 0);
        let device = Self {
            id,
            estate,
            station,
            state,
            connected,
            last_at: None,
            boot: None,
            upto: None,
            missing: Vec::new(),
            firmware: None,
            battery_mv: None,
            rssi_dbm: None,
            temperature_c: None,
            queued: None,
            records: 0,
            quarantined: 0,
            conflicts: conflicting.iter().map(|boot| boot.records).sum(),
            frozen: open.map(|boot| boot.boot.to_string()).collect(),
            held: conflicting.iter().map(|boot| boot.held).sum(),
            revoked,
        };
        let Some(seen) = seen else { return device };
        // A device known from an import alone has no sequence of its own.
        let numbered = seen.boot != 0 || seen.upto != 0 || !seen.missing.is_empty();
        Self {
            last_at: seen.last_at,
            boot: numbered.then(|| seen.boot.to_string()),
            upto: numbered.then_some(seen.upto),
            missing: seen.missing,
            firmware: seen.firmware,
            battery_mv: seen.battery_mv,
            rssi_dbm: seen.rssi_dbm,
            temperature_c: seen.temperature_cc.map(hundredths),
            queued: seen.queued,
            records: seen.records,
            quarantined: seen.quarantined,
            ..device
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// The `next` of the part before.
    after: Option<String>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// Devices by id.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", params(Find),
    responses((status = 200, body = Page<Device>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Params(find): Params<Find>,
) -> Result<Json<Page<Device>>, Problem> {
    let now = api.clock.now();
    let after = find.after.unwrap_or_default();
    let rest = Fleet::read(&api).await?.into_iter().filter(|(id, _)| *id > after);
    let rows: Vec<_> = rest.take(find.limit.get() + 1).collect();
    Ok(Json(Page::cut(
        rows,
        find.limit.get(),
        |(id, _)| id.clone(),
        |(id, member)| Device::of(id, member, now),
    )))
}

/// One device.
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = "devices", params(("id" = String, Path, description = "device id")),
    responses((status = 200, body = Device), (status = 404, body = Problem)))]
pub(crate) async fn get(State(api): State<Arc<Api>>, Id(id): Id) -> Result<Json<Device>, Problem> {
    let member = Fleet::read(&api).await?.take(&id);
    let member =
        member.ok_or_else(|| Problem::not_found("there is no such device; /api/v1/devices lists them"))?;
    Ok(Json(Device::of(id, member, api.clock.now())))
}

#[cfg(test)]
mod tests {
    use crate::testing::Site;

    #[tokio::test]
    async fn a_device_shows_its_state_and_gaps() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/devices/st01").await);
    }

    #[tokio::test]
    async fn a_device_that_never_spoke_is_offline() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/devices/st03").await);
    }

    #[tokio::test]
    async fn pages_of_devices_give_each_once() {
        let site = Site::filled().await;
        let ids = site.walk("/api/v1/devices?limit=2", "id").await;
        assert_eq!(ids, ["insp1", "st01", "st02", "st03"]);
    }

    #[tokio::test]
    async fn unknown_devices_and_bad_pages_are_problems() {
        let site = Site::filled().await;
        site.refuses("/api/v1/devices/st99", 404, "there is no such device")
            .await;
        site.refuses(
            "/api/v1/devices?limit=0",
            400,
            "limit: expected a whole number from 1 to 1000, came \"0\"",
        )
        .await;
        site.refuses("/api/v1/devices/%FF", 400, "percent-encoded UTF-8")
            .await;
    }
}
