//! Who may come in at all: this machine alone, unless the site is for others too, and under its own names.
//!
//! The peer's address keeps other machines out; the host's name keeps out a page in this machine's browser whose
//! name was pointed here after it was loaded (DNS rebinding).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;

use crate::api::Api;
use crate::problem::Problem;

/// The door's settings.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// Lets other machines in.
    pub allow_remote: bool,
    /// Names beside `localhost` and loopback addresses under which the site is reached, without port.
    pub hosts: Vec<String>,
    /// Proxies of the operator's, whose word on who asks is believed.
    pub proxies: Vec<IpAddr>,
}

impl Door {
    /// Whether a request from `peer` naming `hosts` may come in. Without a known peer it may not.
    pub(crate) fn admit<'h>(
        &self,
        peer: Option<IpAddr>,
        hosts: impl IntoIterator<Item = &'h str>,
    ) -> Result<(), Problem> {
        if !self.allow_remote && !peer.is_some_and(|peer| peer.to_canonical().is_loopback()) {
            return Err(Problem::forbidden(
                "expected a request from this machine, came one from another; open the dashboard on the server itself, \
                 or through `ssh -L`",
            ));
        }
        if !hosts.into_iter().all(|host| self.knows(host)) {
            return Err(Problem::forbidden(
                "expected localhost, a loopback address or the configured name as the host, came another; use one of \
                 these, or add the name to the configuration",
            ));
        }
        Ok(())
    }

    fn knows(&self, host: &str) -> bool {
        let name = without_port(host);
        let bare = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
            .unwrap_or(name);
        let loopback = bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback());
        loopback
            || name.eq_ignore_ascii_case("localhost")
            || self.hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
    }
}

/// A host as HTTP writes it, without its port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

pub(crate) async fn guard(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| peer.ip());
    // A host that is not text is nobody's: the empty name is not known.
    let named = request
        .headers()
        .get_all(header::HOST)
        .iter()
        .map(|host| host.to_str().unwrap_or_default());
    api.door.admit(peer, named.chain(request.uri().host()))?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(door: &Door, peer: &str, host: &str) -> bool {
        door.admit(Some(peer.parse().unwrap()), [host]).is_ok()
    }

    #[test]
    fn only_this_machine_comes_in() {
        let door = Door::default();
        for peer in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(check(&door, peer, "localhost"), "{peer}");
        }
        for peer in ["10.0.0.7", "192.168.1.2", "fe80::1", "::ffff:10.0.0.7", "0.0.0.0"] {
            assert!(!check(&door, peer, "localhost"), "{peer}");
            assert!(
                check(
                    &Door {
                        allow_remote: true,
                        ..Door::default()
                    },
                    peer,
                    "localhost"
                ),
                "{peer}"
            );
        }
        assert!(
            door.admit(None, []).is_err(),
            "an unknown peer is no loopback peer"
        );
    }

    #[test]
    fn only_its_own_names_come_in() {
        let door = Door {
            hosts: vec!["Hemu.example".into()],
            ..Door::default()
        };
        let good = [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:8080",
            "::1",
            "hemu.example:443",
        ];
        for host in good {
            assert!(check(&door, "127.0.0.1", host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "",
            ":80",
            "[::2]",
        ] {
            assert!(!check(&door, "127.0.0.1", host), "{host}");
        }
        assert!(
            door.admit(Some("::1".parse().unwrap()), ["localhost", "evil.example"])
                .is_err(),
            "every name counts"
        );
    }
}
