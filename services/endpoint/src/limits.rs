//! Every bound of the endpoint, with its default, and the count of connections per address. Names numbers and
//! counts places; closes nothing by itself.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What one connection, one address and all together may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one packet after the login (contract: 64 KiB).
    pub packet_bytes: usize,
    /// Bytes of a CONNECT: what a stranger may make us hold.
    pub connect_bytes: usize,
    /// `QoS` 1 publishes of one connection without their PUBACK (contract: 1,024).
    pub receive_maximum: u16,
    /// Bytes of publishes handed over by one connection and not stored yet; beyond them it is read no further.
    pub unstored_bytes: usize,
    /// Publishes of one chunk.
    pub chunk_publishes: usize,
    /// Bytes of one chunk, exceeded by at most one packet.
    pub chunk_bytes: usize,
    /// Bytes up to which what one connection has handed over, and is not stored yet, counts as brief ([`crate::Chunk`]).
    pub brief_bytes: usize,
    /// Bytes asked of a socket at once, when it is busy.
    pub read_bytes: usize,
    /// Bytes that all connections hold together before each of them is read in small pieces only.
    pub crowded_bytes: usize,
    /// Those pieces.
    pub crowded_read_bytes: usize,
    /// Connections in all.
    pub connections: usize,
    /// Connections of one IPv4 address or one IPv6 /64. Devices of one estate may share one.
    pub connections_per_address: u32,
    /// Logins being checked at the same time.
    pub logins_at_once: usize,
    /// Receipts waiting in one connection; more are dropped, as the next receipt covers them.
    pub receipts_queued: usize,
    /// From accept to the end of the TLS handshake.
    pub handshake_timeout: Duration,
    /// From there to a whole CONNECT.
    pub connect_timeout: Duration,
    /// For the backend to check a login.
    pub login_timeout: Duration,
    /// For a client to take what is written to it.
    pub write_timeout: Duration,
    /// For outstanding commits when the endpoint stops.
    pub drain_timeout: Duration,
    /// Seconds given to a v5 client that asked for no keep-alive.
    pub server_keep_alive: u16,
    /// Seconds of the longest keep-alive granted; also the bound for a 3.1.1 client that asked for none.
    pub longest_keep_alive: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            packet_bytes: 64 * 1024,
            connect_bytes: 16 * 1024,
            receive_maximum: 1024,
            unstored_bytes: 512 * 1024,
            chunk_publishes: 256,
            chunk_bytes: 64 * 1024,
            brief_bytes: 4 * 1024,
            read_bytes: 64 * 1024,
            crowded_bytes: 64 * 1024 * 1024,
            crowded_read_bytes: 8 * 1024,
            connections: 10_000,
            connections_per_address: 8_000,
            logins_at_once: 64,
            receipts_queued: 4,
            handshake_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            login_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(5),
            server_keep_alive: 300,
            longest_keep_alive: 3600,
        }
    }
}

/// Counts places for connections.
#[derive(Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    by_address: Arc<Mutex<HashMap<IpAddr, u32>>>,
    per_address: u32,
}

/// One place; dropping it frees it.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    address: IpAddr,
    by_address: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

impl Places {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS))),
            by_address: Arc::default(),
            per_address: limits.connections_per_address,
        }
    }

    /// A place for a connection from `peer`, if there is one.
    pub(crate) fn take(&self, peer: IpAddr) -> Option<Place> {
        let permit = Arc::clone(&self.all).try_acquire_owned().ok()?;
        let address = network(peer);
        let mut counts = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Place {
            _permit: permit,
            address,
            by_address: Arc::clone(&self.by_address),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: an IPv6 host owns a whole /64.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections: usize, connections_per_address: u32) -> Places {
        Places::new(&Limits {
            connections,
            connections_per_address,
            ..Limits::default()
        })
    }

    #[test]
    fn places_are_counted_in_all_and_come_back() {
        let places = places(2, 9);
        let address = IpAddr::from([10, 0, 0, 1]);
        let first = places.take(address).unwrap();
        let _second = places.take(address).unwrap();
        assert!(places.take(address).is_none());
        drop(first);
        assert!(places.take(address).is_some());
    }

    #[test]
    fn one_address_cannot_take_every_place() {
        let places = places(9, 1);
        let held = places.take(IpAddr::from([10, 0, 0, 1])).unwrap();
        assert!(places.take(IpAddr::from([10, 0, 0, 1])).is_none());
        assert!(
            places.take("::ffff:10.0.0.1".parse().unwrap()).is_none(),
            "the same host, written as IPv6"
        );
        assert!(places.take(IpAddr::from([10, 0, 0, 2])).is_some());
        drop(held);
        assert!(places.take(IpAddr::from([10, 0, 0, 1])).is_some());
        assert!(
            places.by_address.lock().unwrap().is_empty(),
            "no entry outlives its connections"
        );
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        let places = places(9, 1);
        let _held = places.take("2001:db8::1".parse().unwrap()).unwrap();
        assert!(places.take("2001:db8::2".parse().unwrap()).is_none());
        assert!(places.take("2001:db8:0:1::1".parse().unwrap()).is_some());
    }
}
