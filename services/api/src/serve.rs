//! The two listeners, from a bound socket until shutdown. What they answer is decided in `router` and `metrics`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use prometheus::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::{metrics_router, router};

/// Serves the API, the probes and the dashboards.
pub async fn serve(listener: TcpListener, api: Arc<Api>, shutdown: CancellationToken) -> io::Result<()> {
    // The door admits by the peer's address, so every request has to carry it.
    let pages = router(api).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, pages)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
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
