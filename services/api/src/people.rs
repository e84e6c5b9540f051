//! What logging in needs beside the ledger: a clock that is never fast, randomness, the cookie, and a bound on how many
//! passwords are looked at at once.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, header};
use hemu_ledger::read::SiteKey;
use hemu_people::{Digest, Lasting, Secret, Trying};
use tokio::sync::Semaphore;

use crate::api::{Api, Clock};
use crate::asker;
use crate::problem::Problem;
use crate::serve::OverTls;

/// Passwords that are looked at at once: each takes a processor and 19 MiB.
const AT_ONCE: usize = 2;
/// And that wait for it.
const WAITING: usize = 64;

/// Randomness of the operating system's.
type Fill = dyn Fn(&mut [u8]) -> io::Result<()> + Send + Sync;

/// What logging in needs.
pub struct People {
    /// The machine's: people log in by it also where a demo's clock is fast.
    pub(crate) clock: Clock,
    key: SiteKey,
    fill: Arc<Fill>,
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("People")
    }
}

impl People {
    /// `fill` fills bytes with randomness.
    pub fn new(
        key: SiteKey,
        clock: Clock,
        fill: impl Fn(&mut [u8]) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            clock,
            key,
            fill: Arc::new(fill),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(WAITING)),
        }
    }

    /// The device that an account is while it grades bags.
    pub(crate) fn handset(&self, account: &str) -> String {
        hemu_people::handset(account, self.key.bytes())
    }

    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], Problem> {
        let mut bytes = [0; N];
        (self.fill)(&mut bytes).map_err(|error| {
            tracing::error!(%error, "the operating system gives no randomness");
            Problem::internal()
        })?;
        Ok(bytes)
    }

    /// Works on a password, away from the threads that serve others.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let full =
            |_| Problem::unavailable("too many are logging in at this moment; try again in a few seconds");
        let _place = self.waiting.clone().try_acquire_owned().map_err(full)?;
        let turn = self.at_once.clone().acquire_owned().await;
        let turn = turn.map_err(|_| Problem::internal())?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| Problem::internal())
    }
}

/// An attempt that was counted. It is held against whoever tried, unless it succeeds.
pub(crate) struct Attempt(Vec<[u8; 32]>);

impl Api {
    /// Counts an attempt to log in before it is looked at; a problem where there were too many.
    pub(crate) async fn attempt(&self, trying: &[Trying<'_>]) -> Result<Attempt, Problem> {
        let now = self.people.clock.now();
        let mut keys = Vec::with_capacity(trying.len());
        for trying in trying {
            let key = trying.key(self.people.key.bytes());
            if let Some(again) = self.ledger.attempt(&key, trying.most(), now).await? {
                return Err(Problem::too_many(again.saturating_sub(now)));
            }
            keys.push(key);
        }
        Ok(Attempt(keys))
    }

    /// It succeeded.
    pub(crate) async fn forgive(&self, attempt: Attempt) -> Result<(), Problem> {
        for key in attempt.0 {
            self.ledger.forgive(&key).await?;
        }
        Ok(())
    }
}

/// What a request comes from: a machine, and a browser on it or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) peer: IpAddr,
    /// The session that its cookie names.
    pub(crate) session: Option<Digest>,
    tls: bool,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.extensions, &parts.headers).ok_or_else(Problem::internal)
    }
}

impl Caller {
    /// `None` where the peer is not known, whom the door lets in nowhere.
    pub(crate) fn of(extensions: &Extensions, headers: &HeaderMap) -> Option<Self> {
        let peer = asker::address(extensions)?;
        let tls = extensions.get::<OverTls>().is_some();
        Some(Self {
            peer,
            session: session(headers, cookie(tls)),
            tls,
        })
    }

    /// Has its browser keep a session.
    pub(crate) fn keep(&self, session: &Secret, lasting: Lasting) -> HeaderValue {
        self.set_cookie(session.tell(), lasting.most_ms / 1_000)
    }

    /// Has it forget the one it keeps.
    pub(crate) fn forget(&self) -> HeaderValue {
        self.set_cookie("", 0)
    }

    fn set_cookie(&self, value: &str, seconds: i64) -> HeaderValue {
        let secure = if self.tls { "; Secure" } else { "" };
        let name = cookie(self.tls);
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// A browser keeps a cookie that begins with `__Host-` for this host alone and takes it over TLS alone; without TLS it
/// takes none of that name.
const fn cookie(tls: bool) -> &'static str {
    if tls {
        "__Host-hemu_session"
    } else {
        "hemu_session"
    }
}

fn session(headers: &HeaderMap, cookie: &str) -> Option<Digest> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let cookies = cookies.filter_map(|cookies| cookies.to_str().ok());
    let pairs = cookies.flat_map(|cookies| cookies.split(';'));
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    let (_, secret) = pairs.find(|(name, _)| *name == cookie)?;
    Some(hemu_people::digest(secret))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;

    use super::*;

    fn caller(tls: bool, cookies: &str) -> Caller {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
        if tls {
            extensions.insert(OverTls);
        }
        let headers = HeaderMap::from_iter([(header::COOKIE, cookies.parse().unwrap())]);
        Caller::of(&extensions, &headers).unwrap()
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_and_from_other_sites() {
        let session = Secret::session([1; 32]);
        let lasting = hemu_people::Role::Inspector.session();
        let kept = caller(true, "").keep(&session, lasting);
        let kept = kept.to_str().unwrap();
        assert!(kept.starts_with("__Host-hemu_session=0101"), "{kept}");
        for part in ["Path=/", "HttpOnly", "SameSite=Strict", "Secure", "Max-Age=43200"] {
            assert!(kept.contains(part), "{kept}");
        }
        let plain = caller(false, "").keep(&session, lasting);
        let plain = plain.to_str().unwrap();
        assert!(
            plain.starts_with("hemu_session=") && !plain.contains("Secure"),
            "{plain}"
        );
        assert!(caller(true, "").forget().to_str().unwrap().contains("Max-Age=0"));
        // What was set without TLS, perhaps by somebody in between, is nobody's over TLS.
        let both = format!("a=b; {}; {}", kept.replace("0101", "0202"), plain);
        assert_eq!(caller(false, &both).session, Some(session.digest()));
        assert_ne!(caller(true, &both).session, Some(session.digest()));
        assert_eq!(caller(true, plain).session, None);
    }
}
