//! How many connections there may be at once, in all and from one address, so that no single neighbour takes every place.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use hemu_people::network;

/// Places for connections; clones share them.
#[derive(Debug, Clone)]
pub struct Places {
    most: usize,
    most_of_one: usize,
    /// Which stand for many people and have no share of their own.
    proxies: Arc<[IpAddr]>,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by: HashMap<IpAddr, usize>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    address: IpAddr,
    taken: Arc<Mutex<Taken>>,
}

impl Places {
    /// At most so many in all, and so many of one address that is not a proxy's.
    pub fn new(most: usize, most_of_one: usize, proxies: &[IpAddr]) -> Self {
        Self {
            most,
            most_of_one,
            proxies: proxies.into(),
            taken: Arc::default(),
        }
    }

    /// A place for an address, if there is one left.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Place> {
        let is_proxy = self.proxies.contains(&address.to_canonical());
        let address = network(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = taken.by.get(&address).copied().unwrap_or_default();
        let crowded = of_one >= self.most_of_one && !is_proxy;
        if taken.all >= self.most || crowded {
            return None;
        }
        taken.all += 1;
        taken.by.insert(address, of_one + 1);
        drop(taken);
        Some(Place {
            address,
            taken: Arc::clone(&self.taken),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(count) = taken.by.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.by.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_takes_its_share_and_what_it_leaves_is_free_again() {
        let places = Places::new(4, 3, &[]);
        let [a, b]: [IpAddr; 2] = ["10.0.0.7", "10.0.0.8"].map(|text| text.parse().unwrap());
        let mut held: Vec<Place> = (0..9).filter_map(|_| places.take(a)).collect();
        assert_eq!(held.len(), 3);
        let other = places.take(b).unwrap();
        assert!(places.take(b).is_none(), "the house is full");
        held.clear();
        assert!(places.take(b).is_some());
        drop(other);
        let taken = places.taken.lock().unwrap();
        assert_eq!((taken.all, taken.by.len()), (0, 0), "nobody is remembered");
    }

    #[test]
    fn all_addresses_of_one_network_are_one() {
        let places = Places::new(9, 3, &[]);
        let held: Vec<Place> = (1..9)
            .filter_map(|nth| places.take(format!("2001:db8::{nth}").parse().unwrap()))
            .collect();
        assert_eq!(held.len(), 3);
        assert!(places.take("2001:db8:0:1::1".parse().unwrap()).is_some());
    }

    #[test]
    fn a_proxy_has_the_house_and_no_more() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let places = Places::new(4, 3, &[proxy]);
        let held: Vec<Place> = (0..9).filter_map(|_| places.take(proxy)).collect();
        assert_eq!(held.len(), 4);
    }
}
