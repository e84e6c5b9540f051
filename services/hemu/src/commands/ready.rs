//! `hemu ready`: asks the server that runs with this configuration whether it can do its work, for supervisors that can
//! only run a command. Must not open the data folder: it may be asked every few seconds.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::config::Config;
use crate::output::out;
use crate::words::Words;

/// A server that takes longer is not ready.
const PATIENCE: Duration = Duration::from_secs(5);
/// More is no answer of ours.
const LONGEST: u64 = 64 << 10;

#[derive(Deserialize)]
struct Readiness {
    ready: bool,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    name: String,
    ok: bool,
    detail: String,
}

pub(super) fn run(config: &Config, words: &Words) -> Result<()> {
    let address = from_here(config.http_listen);
    let answer = ask(address).with_context(|| words.say("ready-no-answer", &[("address", &address)]))?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
    let found: Option<Readiness> = body.and_then(|body| serde_json::from_str(body).ok());
    let Some(found) = found else {
        bail!(words.say("ready-another-answer", &[("address", &address)]));
    };
    for Check { name, ok, detail } in found.checks {
        let detail = words.translate(&detail);
        let line = if ok {
            words.say("finding-ok", &[("what", &format!("{name}: {detail}"))])
        } else {
            words.say("finding-wrong", &[("what", &name), ("trouble", &detail)])
        };
        out!("{line}");
    }
    if !found.ready {
        bail!(words.say("not-ready", &[]));
    }
    Ok(())
}

/// Where this machine reaches what listens there.
fn from_here(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listens.port())
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_reached_over_loopback() {
        for (listens, reached) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("10.0.0.7:80", "10.0.0.7:80"),
            ("127.0.0.1:1", "127.0.0.1:1"),
        ] {
            assert_eq!(from_here(listens.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
