//! The listeners: accept, count places, hand every connection to a task of its own, and stop in order. Speaks no MQTT.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::backend::Backend;
use crate::connection::{self, Shared};
use crate::limits::{Limits, Places};
use crate::metrics::Metrics;
use crate::registry::{Downlink, Registry};
use crate::socket::FAREWELL;
use crate::tls;

/// Connections the kernel keeps for us while we are busy.
const BACKLOG: u32 = 1024;

/// Rest after an accept that failed, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the endpoint listens on.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address of the plain listener; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The TLS listener, if there is one.
    pub tls: Option<TlsConfig>,
    /// Every bound.
    pub limits: Limits,
}

/// A listener with a certificate.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// Address; port 0 takes any free one.
    pub listen: SocketAddr,
    /// PEM file of the certificate chain.
    pub certificate: PathBuf,
    /// PEM file of the private key.
    pub key: PathBuf,
}

/// The bound endpoint; nothing is accepted before [`Endpoint::run`].
pub struct Endpoint<B> {
    plain: TcpListener,
    tls: Option<(TcpListener, TlsAcceptor)>,
    places: Places,
    shared: Arc<Shared<B>>,
}

impl<B> std::fmt::Debug for Endpoint<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("plain", &self.plain)
            .finish_non_exhaustive()
    }
}

impl<B: Backend> Endpoint<B> {
    /// Binds the listeners and reads the certificate. Must be called inside a tokio runtime.
    pub fn bind(config: Config, backend: Arc<B>, metrics: Metrics) -> io::Result<Self> {
        let plain = listen(config.listen)?;
        let tls = match &config.tls {
            Some(tls) => Some((listen(tls.listen)?, tls::acceptor(&tls.certificate, &tls.key)?)),
            None => None,
        };
        let shared = Shared {
            backend,
            metrics,
            registry: Arc::new(Registry::default()),
            logins: Semaphore::new(config.limits.logins_at_once.clamp(1, Semaphore::MAX_PERMITS)),
            stop: CancellationToken::new(),
            limits: config.limits,
        };
        Ok(Self {
            plain,
            tls,
            places: Places::new(&shared.limits),
            shared: Arc::new(shared),
        })
    }

    /// Where the plain listener is.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.plain.local_addr()
    }

    /// Where the TLS listener is, if there is one.
    pub fn tls_addr(&self) -> Option<SocketAddr> {
        self.tls
            .as_ref()
            .and_then(|(listener, _)| listener.local_addr().ok())
    }

    /// The way down to devices.
    pub fn downlink(&self) -> Downlink {
        Downlink::new(
            Arc::clone(&self.shared.registry),
            self.shared.metrics.receipts_dropped.clone(),
        )
    }

    /// Serves until `shutdown`, then reads no more, acknowledges what is stored within the drain time-out, and closes.
    pub async fn run(self, shutdown: CancellationToken) {
        // Also when this future is dropped, no connection outlives it for long.
        let stop = Stop(Arc::clone(&self.shared));
        let tasks = TaskTracker::new();
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.accept(&self.plain, None, &tasks) => {}
            () = self.accept_tls(&tasks) => {}
        }
        drop(stop);
        tasks.close();
        let patience = self.shared.limits.drain_timeout + 2 * FAREWELL;
        if timeout(patience, tasks.wait()).await.is_err() {
            warn!(
                connections = tasks.len(),
                "connections did not end in time, leaving them"
            );
        }
    }

    async fn accept_tls(&self, tasks: &TaskTracker) {
        match &self.tls {
            Some((listener, acceptor)) => self.accept(listener, Some(acceptor), tasks).await,
            None => std::future::pending().await,
        }
    }

    async fn accept(&self, listener: &TcpListener, tls: Option<&TlsAcceptor>, tasks: &TaskTracker) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.admit(stream, peer, tls, tasks),
                Err(error) => {
                    warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Gives the connection a task, or closes it when there is no place: before its CONNECT there are no words for no.
    fn admit(&self, stream: TcpStream, peer: SocketAddr, tls: Option<&TlsAcceptor>, tasks: &TaskTracker) {
        let metrics = &self.shared.metrics;
        let Some(place) = self.places.take(peer.ip()) else {
            metrics.turned_away.inc();
            debug!(%peer, "no place for another connection");
            return;
        };
        metrics.accepted.inc();
        let open = Open::new(&metrics.connections);
        let shared = Arc::clone(&self.shared);
        let tls = tls.cloned();
        tasks.spawn(async move {
            let _held = (place, open);
            // Acknowledgements are small and waited for; a socket that refuses this still works.
            let _ = stream.set_nodelay(true);
            match tls {
                None => connection::serve(shared, stream, peer).await,
                Some(acceptor) => {
                    let wait = shared.limits.handshake_timeout;
                    match timeout(wait, acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => connection::serve(shared, stream, peer).await,
                        Ok(Err(error)) => debug!(%peer, %error, "TLS handshake failed"),
                        Err(_) => shared.metrics.timeouts.with_label_values(&["handshake"]).inc(),
                    }
                }
            }
        });
    }
}

/// Ends every connection when dropped: those that talk, and those still at the door.
struct Stop<B>(Arc<Shared<B>>);

impl<B> Drop for Stop<B> {
    fn drop(&mut self) {
        self.0.stop.cancel();
        self.0.registry.stop();
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit it: a peer that vanished under a long keep-alive is noticed by the kernel.
    socket.set_keepalive(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// One more in a gauge for as long as it lives, whatever way it ends.
pub(crate) struct Open(prometheus::IntGauge);

impl Open {
    pub(crate) fn new(gauge: &prometheus::IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
