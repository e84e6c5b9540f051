//! How often somebody may try. Counted in the store, so that several servers count together, and under a key that says
//! nothing of whom it counts.

use std::net::{IpAddr, Ipv6Addr};

use hmac::Mac;

use crate::keyed::keyed;

/// How long failed attempts are remembered, from the first of them on.
pub const ATTEMPTS_WINDOW_MS: i64 = 10 * 60_000;

/// Whose attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trying<'a> {
    /// On an account, whether it exists or not.
    Account(&'a str),
    /// From a machine; of version 6, from a network of the smallest size that is given to one customer.
    Address(IpAddr),
}

impl Trying<'_> {
    /// Failed attempts that are looked at within the window.
    pub const fn most(&self) -> i64 {
        match self {
            Self::Account(_) => 10,
            Self::Address(_) => 20,
        }
    }

    /// What it is counted under: nobody without the site's key can tell whom it counts.
    pub fn key(&self, site: &[u8; 32]) -> [u8; 32] {
        let mut mac = keyed(site);
        match self {
            Self::Account(name) => {
                mac.update(b"attempts on an account\0");
                mac.update(name.as_bytes());
            }
            Self::Address(address) => {
                mac.update(b"attempts from an address\0");
                match network(*address) {
                    IpAddr::V4(address) => mac.update(&address.octets()),
                    IpAddr::V6(network) => mac.update(&(network.to_bits() >> 64).to_be_bytes()),
                }
            }
        }
        mac.finalize().into_bytes().into()
    }
}

/// What counts as one address: whoever has one address of IPv6 has its whole /64.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_counted_together_has_one_key() {
        let key = |address: &str| Trying::Address(address.parse().unwrap()).key(&[1; 32]);
        assert_eq!(key("10.0.0.7"), key("::ffff:10.0.0.7"));
        assert_ne!(key("10.0.0.7"), key("10.0.0.8"));
        assert_eq!(
            key("2001:db8:1:2::1"),
            key("2001:db8:1:2:ffff::9"),
            "one customer's network"
        );
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        let name = Trying::Account("10.0.0.7").key(&[1; 32]);
        assert_ne!(name, key("10.0.0.7"));
        assert_ne!(name, Trying::Account("10.0.0.7").key(&[2; 32]), "another site");
    }
}
