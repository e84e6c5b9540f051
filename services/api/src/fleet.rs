//! Devices as both the registry and the journal know them, and whether one is well.

use std::collections::BTreeMap;

use hemu_ledger::read::{BinRow, Conflicting, DeviceState};
use hemu_ledger::registry;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;

/// Bins report every half hour: after three reports missed, one is silent.
const SILENT_AFTER_MS: i64 = 90 * 60 * 1_000;
/// After a day it is offline, unless it is connected and merely says nothing.
const OFFLINE_AFTER_MS: i64 = 24 * 60 * 60 * 1_000;

/// Whether something was heard lately: `online` within 90 minutes, `silent` within a day or while connected,
/// else `offline`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Offline,
    Silent,
    Online,
}

impl State {
    pub(crate) const ALL: [Self; 3] = [Self::Offline, Self::Silent, Self::Online];

    /// Its word, as it is in answers.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Silent => "silent",
            Self::Online => "online",
        }
    }

    fn of(last_at: Option<i64>, connected: bool, now: i64) -> Self {
        let quiet = last_at.map_or(i64::MAX, |at| now.saturating_sub(at));
        if quiet <= SILENT_AFTER_MS {
            Self::Online
        } else if connected || quiet <= OFFLINE_AFTER_MS {
            Self::Silent
        } else {
            Self::Offline
        }
    }
}

/// All devices by name.
#[derive(Debug, Default)]
pub(crate) struct Fleet(BTreeMap<String, Member>);

/// One device.
#[derive(Debug, Default)]
pub(crate) struct Member {
    pub(crate) estate: Option<String>,
    pub(crate) station: Option<String>,
    pub(crate) revoked: bool,
    pub(crate) connected: bool,
    /// What the journal says of it; `None` when it never spoke.
    pub(crate) seen: Option<DeviceState>,
    /// Its boots that said two things under one number.
    pub(crate) conflicting: Vec<Conflicting>,
}

impl Member {
    pub(crate) fn last_at(&self) -> Option<i64> {
        self.seen.as_ref().and_then(|seen| seen.last_at)
    }

    pub(crate) fn bins(&self) -> &[BinRow] {
        self.seen.as_ref().map_or(&[], |seen| &seen.bins)
    }

    pub(crate) fn state(&self, now: i64) -> State {
        State::of(self.last_at(), self.connected, now)
    }
}

impl Fleet {
    pub(crate) async fn read(api: &Api) -> hemu_ledger::Result<Self> {
        let registered = api.ledger.devices().await?;
        let places = api.ledger.stations(None).await?;
        let estates: BTreeMap<&str, &str> = places
            .iter()
            .map(|station| (station.id.as_str(), station.estate.as_str()))
            .collect();
        let mut fleet = BTreeMap::<String, Member>::new();
        for registry::Device {
            id,
            estate,
            station,
            revoked_at,
            ..
        } in registered
        {
            let of_station = station
                .as_deref()
                .and_then(|station| estates.get(station))
                .map(ToString::to_string);
            let member = Member {
                estate: estate.or(of_station),
                station,
                revoked: revoked_at.is_some(),
                ..Member::default()
            };
            fleet.insert(id, member);
        }
        for seen in api.ledger.device_states().await? {
            let member = fleet.entry(seen.name.clone()).or_default();
            member.seen = Some(seen);
        }
        for boot in api.ledger.conflicting().await? {
            fleet
                .entry(boot.device.clone())
                .or_default()
                .conflicting
                .push(boot);
        }
        for (name, member) in &mut fleet {
            member.connected = api.presence.connected(name);
        }
        Ok(Self(fleet))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Member> {
        self.0.get(name)
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Member> {
        self.0.remove(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.0.iter().map(|(name, member)| (name.as_str(), member))
    }

    pub(crate) fn into_iter(self) -> impl Iterator<Item = (String, Member)> {
        self.0.into_iter()
    }

    /// Devices not revoked that are in a state.
    pub(crate) fn count(&self, state: State, now: i64) -> usize {
        let in_use = self.0.values().filter(|member| !member.revoked);
        in_use.filter(|member| member.state(now) == state).count()
    }

    /// Names and devices of a station.
    pub(crate) fn at<'f>(&'f self, station: &'f str) -> impl Iterator<Item = (&'f str, &'f Member)> {
        self.iter()
            .filter(move |(_, member)| member.station.as_deref() == Some(station))
    }

    /// The station of a device.
    pub(crate) fn station_of(&self, name: &str) -> Option<String> {
        self.get(name).and_then(|member| member.station.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_silent_before_it_is_offline() {
        let minute = 60_000;
        let check = |minutes: i64, connected, expected| {
            assert_eq!(
                State::of(Some(0), connected, minutes * minute),
                expected,
                "{minutes} min, {connected}"
            );
        };
        check(0, false, State::Online);
        check(90, false, State::Online);
        check(91, false, State::Silent);
        check(1440, false, State::Silent);
        check(1441, false, State::Offline);
        check(1441, true, State::Silent);
        assert_eq!(State::of(None, false, 0), State::Offline);
        assert_eq!(State::of(None, true, 0), State::Silent);
        assert_eq!(
            State::of(Some(10), false, 0),
            State::Online,
            "an event of the future is no silence"
        );
    }
}
