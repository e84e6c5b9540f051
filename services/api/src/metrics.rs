//! What the HTTP face counts. Labels are routes as they are written in the code, never paths: a path may name a person.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use tokio::time::Instant;
use tracing::Instrument;

use crate::api::Api;
use crate::fleet::{Fleet, State as DeviceState};

/// The metrics of the HTTP face. A clone counts into the same ones.
#[derive(Debug, Clone)]
pub struct Metrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    pub(crate) live_clients: IntGauge,
    pub(crate) live_sampled_out: prometheus::IntCounter,
    devices: IntGaugeVec,
}

impl Metrics {
    /// Builds and registers them.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new(
                    "hemu_http_requests_total",
                    "Requests answered, by route and class of status.",
                ),
                &["route", "status"],
            )?,
            seconds: HistogramVec::new(
                HistogramOpts::new(
                    "hemu_http_request_seconds",
                    "Time until an answer began, by route.",
                ),
                &["route"],
            )?,
            live_clients: IntGauge::new(
                "hemu_http_live_clients",
                "Clients that listen to live events now.",
            )?,
            live_sampled_out: prometheus::IntCounter::new(
                "hemu_http_live_sampled_out_total",
                "Journal records not sent as live events because too many came at once.",
            )?,
            devices: IntGaugeVec::new(
                Opts::new(
                    "hemu_devices",
                    "Devices in use: heard within 90 minutes, within a day, or not at all.",
                ),
                &["state"],
            )?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.seconds.clone()))?;
        registry.register(Box::new(metrics.live_clients.clone()))?;
        registry.register(Box::new(metrics.live_sampled_out.clone()))?;
        registry.register(Box::new(metrics.devices.clone()))?;
        Ok(metrics)
    }

    /// Says how many devices are in which state. Their names are no labels.
    pub(crate) fn count_devices(&self, fleet: &Fleet, now: i64) {
        for state in DeviceState::ALL {
            let count = fleet.count(state, now);
            let gauge = self.devices.with_label_values(&[state.as_str()]);
            gauge.set(count.try_into().unwrap_or(i64::MAX));
        }
    }
}

/// `/metrics` in Prometheus' text format, for a listener of its own.
pub fn metrics_router(registry: Registry) -> Router {
    Router::new().route("/metrics", get(text)).with_state(registry)
}

async fn text(State(registry): State<Registry>) -> Response {
    let mut text = Vec::new();
    match TextEncoder::new().encode(&registry.gather(), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Counts and traces a request under its route.
pub(crate) async fn observe(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("other", MatchedPath::as_str);
    let span = tracing::debug_span!("http", http.method = %request.method(), http.route = route);
    let started = Instant::now();
    let response = next.run(request).instrument(span).await;
    let class = match response.status().as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    api.metrics.requests.with_label_values(&[route, class]).inc();
    api.metrics
        .seconds
        .with_label_values(&[route])
        .observe(started.elapsed().as_secs_f64());
    response
}
