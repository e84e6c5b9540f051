//! Who asks, where a proxy of the operator's stands in between: what the proxy says is believed from the proxy alone. The
//! door does not go by it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;

use crate::api::Api;
use crate::serve::OverTls;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// In a request's extensions: the address that stands behind the proxies, where there are any.
#[derive(Debug, Clone, Copy)]
struct Asker(IpAddr);

/// The address that asks: the peer's, or the one its proxy names. `None` where the peer is not known.
pub(crate) fn address(extensions: &Extensions) -> Option<IpAddr> {
    if let Some(Asker(address)) = extensions.get() {
        return Some(*address);
    }
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(peer.ip())
}

/// Notes who asks, and whether they came over TLS, on a request of a proxy.
pub(crate) async fn name(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical());
    let proxies = &api.door.proxies;
    if let Some(peer) = peer.filter(|peer| proxies.contains(peer)) {
        let asker = behind(peer, request.headers(), proxies);
        let encrypted = request
            .headers()
            .get(FORWARDED_PROTO)
            .is_some_and(|proto| proto == "https");
        request.extensions_mut().insert(Asker(asker));
        if encrypted {
            request.extensions_mut().insert(OverTls);
        }
    }
    next.run(request).await
}

/// The last address of the header that is no proxy of ours: what stands left of it anybody may have written. A header that
/// makes no sense leaves the proxy itself.
fn behind(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    let named = lines
        .into_iter()
        .rev()
        .flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for text in named {
        let Ok(address) = text.trim().parse::<IpAddr>() else {
            return peer;
        };
        let address = address.to_canonical();
        if !proxies.contains(&address) {
            return address;
        }
    }
    peer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_address_that_is_no_proxy_asks() {
        let proxies = [address("10.0.0.1"), address("10.0.0.2")];
        let asks = |lines: &[&str]| {
            let lines = lines.iter().map(|line| (FORWARDED_FOR, line.parse().unwrap()));
            behind(proxies[0], &lines.collect::<HeaderMap>(), &proxies).to_string()
        };
        assert_eq!(asks(&["192.0.2.7"]), "192.0.2.7");
        assert_eq!(asks(&["192.0.2.7, 10.0.0.2"]), "192.0.2.7");
        assert_eq!(asks(&["::ffff:192.0.2.7"]), "192.0.2.7");
        // Whoever asks may have sent a header of their own; the proxy wrote the last part.
        assert_eq!(asks(&["203.0.113.9, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(asks(&["203.0.113.9", "192.0.2.7"]), "192.0.2.7");
        for nobody in [
            &[][..],
            &["unknown"],
            &["192.0.2.7, unknown"],
            &["10.0.0.2"],
            &[""],
        ] {
            assert_eq!(asks(nobody), "10.0.0.1", "{nobody:?}");
        }
    }
}
