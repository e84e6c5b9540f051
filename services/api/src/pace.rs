//! How fast one address may ask. This machine's own requests are not counted: they are the operator's, or those of a proxy
//! that is not named in the configuration, stands for many people and has to keep its own pace.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use hemu_people::network;

use crate::api::Api;
use crate::asker;
use crate::problem::Problem;

/// Requests a second, and at once after a pause: an office behind one address has several dashboards open.
const A_SECOND: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
const AT_ONCE: NonZeroU32 = NonZeroU32::new(400).expect("not zero");
/// Addresses remembered before those that have long been quiet are forgotten.
const REMEMBERED: usize = 10_000;

/// The pace of every address that asked lately.
#[derive(Debug)]
pub struct Pace(DefaultKeyedRateLimiter<IpAddr>);

impl Default for Pace {
    fn default() -> Self {
        Self::of(A_SECOND, AT_ONCE)
    }
}

impl Pace {
    fn of(a_second: NonZeroU32, at_once: NonZeroU32) -> Self {
        Self(RateLimiter::keyed(
            Quota::per_second(a_second).allow_burst(at_once),
        ))
    }

    /// Whether an address may ask now.
    fn admits(&self, address: IpAddr) -> bool {
        let address = network(address);
        if address.is_loopback() {
            return true;
        }
        if self.0.len() >= REMEMBERED {
            self.0.retain_recent();
        }
        self.0.check_key(&address).is_ok()
    }
}

pub(crate) async fn keep(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if asker::address(request.extensions()).is_some_and(|asker| !api.pace.admits(asker)) {
        return Err(Problem::too_fast(format!(
            "expected at most {A_SECOND} requests a second from one address, came more; go on in a second"
        )));
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_that_asks_too_fast_waits_and_the_others_do_not() {
        let pace = Pace::of(NonZeroU32::MIN, NonZeroU32::new(3).unwrap());
        let admitted = |text: &str| (0..10).filter(|_| pace.admits(address(text))).count();
        assert_eq!(admitted("10.0.0.7"), 3);
        assert_eq!(admitted("10.0.0.8"), 3);
        assert_eq!(admitted("127.0.0.1"), 10);
        assert_eq!(admitted("::ffff:127.0.0.1"), 10);
    }

    #[test]
    fn a_network_of_ipv6_is_one_who_asks() {
        assert_eq!(network(address("2001:db8:1:2:3::4")), address("2001:db8:1:2::"));
        assert_eq!(network(address("::ffff:10.0.0.7")), address("10.0.0.7"));
        assert_eq!(network(address("::1")), address("::1"));
    }
}
