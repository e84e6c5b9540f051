//! Where people and whoever collects the metrics come in: bound first of all, so that an address that is taken is said
//! before anything works.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use hemu_api::Places;
use hemu_endpoint::tls;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::http::Pages;
use crate::roles::Role;
use crate::words::Words;

/// Bound, and not served yet.
pub(super) struct Listeners {
    /// `None` on a node that leaves people to another.
    pub(super) pages: Option<Pages>,
    pub(super) metrics: TcpListener,
}

/// Where they listen.
pub(super) struct Addresses {
    pub(super) http: Option<SocketAddr>,
    pub(super) https: Option<SocketAddr>,
    pub(super) metrics: SocketAddr,
}

impl Listeners {
    pub(super) async fn bind(config: &Config, words: &Words) -> Result<Self> {
        let pages = if config.roles.has(Role::Api) {
            Some(pages(config, words).await?)
        } else {
            None
        };
        let metrics = bind(words, "metrics_listen", config.metrics_listen).await?;
        Ok(Self { pages, metrics })
    }

    pub(super) fn addresses(&self) -> Result<Addresses> {
        let (plain, encrypted) = match &self.pages {
            Some(pages) => (Some(&pages.plain), pages.encrypted.as_ref()),
            None => (None, None),
        };
        Ok(Addresses {
            http: plain.map(TcpListener::local_addr).transpose()?,
            https: encrypted.map(|(listener, _)| listener.local_addr()).transpose()?,
            metrics: self.metrics.local_addr()?,
        })
    }
}

async fn pages(config: &Config, words: &Words) -> Result<Pages> {
    let plain = bind(words, "http_listen", config.http_listen).await?;
    let encrypted = match (config.https_listen, &config.tls_certificate, &config.tls_key) {
        (Some(address), Some(certificate), Some(key)) => {
            let tls = tls::acceptor(certificate, key)?;
            Some((bind(words, "https_listen", address).await?, tls))
        }
        _ => None,
    };
    let places = Places::new(
        config.http_connections,
        config.http_connections_per_address,
        &config.trusted_proxies,
    );
    Ok(Pages {
        plain,
        encrypted,
        places,
    })
}

async fn bind(words: &Words, setting: &str, address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| taken(words, setting, address))
}

/// That a setting's address cannot be listened on.
pub(super) fn taken(words: &Words, setting: &str, address: SocketAddr) -> String {
    words.say("cannot-listen", &[("address", &address), ("setting", &setting)])
}
