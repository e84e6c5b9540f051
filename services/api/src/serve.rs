//! The two listeners, from a bound socket until shutdown: connections, their bounds, and TLS. What they answer is decided
//! in `router` and `metrics`.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::Registry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::api::Api;
use crate::places::Places;
use crate::{metrics_router, router};

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a request's head may take, and how long a connection may wait for its next request.
const HEAD: Duration = Duration::from_secs(30);

/// In a request's extensions: it came over TLS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OverTls;

/// Serves the API, the probes and the dashboards, over TLS where there is an acceptor. A connection for which there is no
/// place is closed at once.
pub async fn serve(
    mut listener: TcpListener,
    tls: Option<TlsAcceptor>,
    places: Places,
    api: Arc<Api>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let router = router(api);
    let connections = TaskTracker::new();
    // A failure of `accept` is waited out in there.
    while let Some((socket, peer)) = shutdown
        .run_until_cancelled(Listener::accept(&mut listener))
        .await
    {
        let Some(place) = places.take(peer.ip()) else {
            continue;
        };
        let connection = Connection {
            peer,
            router: router.clone(),
            shutdown: shutdown.clone(),
        };
        let tls = tls.clone();
        connections.spawn(async move {
            connection.run(socket, tls).await;
            drop(place);
        });
    }
    connections.close();
    connections.wait().await;
    Ok(())
}

struct Connection {
    peer: SocketAddr,
    router: Router,
    shutdown: CancellationToken,
}

impl Connection {
    async fn run(self, socket: TcpStream, tls: Option<TlsAcceptor>) {
        // Live events are small and should not wait for each other.
        let _ = socket.set_nodelay(true);
        let Some(tls) = tls else {
            return self.talk(socket, None).await;
        };
        // A stranger's failed handshake is nobody's trouble here.
        if let Ok(Ok(socket)) = tokio::time::timeout(HANDSHAKE, tls.accept(socket)).await {
            self.talk(socket, Some(OverTls)).await;
        }
    }

    async fn talk(self, io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, over: Option<OverTls>) {
        let Self {
            peer,
            router,
            shutdown,
        } = self;
        let service = hyper::service::service_fn(move |request| answer(router.clone(), request, peer, over));
        let mut builder = Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
        let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(io), service));
        // What goes wrong on a connection is between it and its peer; requests are counted and logged above.
        tokio::select! {
            _ = connection.as_mut() => return,
            () = shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}

/// The door admits by the peer's address, so every request has to carry it.
async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    over: Option<OverTls>,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    if let Some(over) = over {
        request.extensions_mut().insert(over);
    }
    router.oneshot(request).await
}

/// Serves `/metrics`.
pub async fn serve_metrics(
    listener: TcpListener,
    registry: Registry,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let metrics = metrics_router(registry);
    axum::serve(listener, metrics)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
}
