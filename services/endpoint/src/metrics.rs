//! What the endpoint counts. Built once by the composition root with its registry; the doc comment of each metric is
//! its HELP text. Must never carry a device id as a label.

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ident = $name:literal $($label:literal)?;)+) => {
        /// The metrics of the endpoint.
        #[derive(Debug, Clone)]
        pub struct Metrics {
            $($(#[doc = $help])+ pub $field: $kind,)+
        }

        impl Metrics {
            /// Builds and registers every metric.
            pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
                Ok(Self { $($field: register(registry, $kind::build($name, concat!($($help),+).trim(), &[$($label)?])?)?,)+ })
            }
        }
    };
}

metrics! {
    /// Connections open now, logged in or not.
    connections: IntGauge = "hemu_endpoint_connections";
    /// Devices logged in now.
    sessions: IntGauge = "hemu_endpoint_sessions";
    /// Connections accepted.
    accepted: IntCounter = "hemu_endpoint_connections_total";
    /// Connections closed at once because all places, or those of their address, were taken.
    turned_away: IntCounter = "hemu_endpoint_connections_turned_away_total";
    /// Logins that succeeded.
    logins: IntCounter = "hemu_endpoint_logins_total";
    /// Connections refused before or at their login, by reason.
    logins_refused: IntCounterVec = "hemu_endpoint_logins_refused_total" "reason";
    /// Time the backend took to check a login.
    login_seconds: Histogram = "hemu_endpoint_login_seconds";
    /// Connections of a device closed because it logged in again.
    take_overs: IntCounter = "hemu_endpoint_take_overs_total";
    /// Packets received from devices that were logged in.
    packets: IntCounter = "hemu_endpoint_packets_total";
    /// Publishes handed over to be stored.
    publishes: IntCounter = "hemu_endpoint_publishes_total";
    /// Publishes to, and filters of, topics that are not the device's own.
    foreign: IntCounter = "hemu_endpoint_foreign_topics_total";
    /// Sessions ended by the endpoint, by reason.
    sessions_ended: IntCounterVec = "hemu_endpoint_sessions_ended_total" "reason";
    /// Waits that ran out, by what was waited for.
    timeouts: IntCounterVec = "hemu_endpoint_timeouts_total" "wait";
    /// Bytes received.
    received_bytes: IntCounter = "hemu_endpoint_received_bytes_total";
    /// Bytes sent.
    sent_bytes: IntCounter = "hemu_endpoint_sent_bytes_total";
    /// Publishes that wait for their acknowledgement.
    unacknowledged: IntGauge = "hemu_endpoint_unacknowledged_publishes";
    /// Bytes held for publishes that are not stored yet, and for packets and answers on their way.
    held_bytes: IntGauge = "hemu_endpoint_held_bytes";
    /// Receipts dropped because a device did not take them fast enough; the next one covers them.
    receipts_dropped: IntCounter = "hemu_endpoint_receipts_dropped_total";
    /// Receipts and commands not sent because the device takes only smaller packets.
    oversized: IntCounter = "hemu_endpoint_oversized_total";
}

trait Build: Sized {
    fn build(name: &str, help: &str, labels: &[&str]) -> Result<Self, prometheus::Error>;
}

impl Build for IntGauge {
    fn build(name: &str, help: &str, _: &[&str]) -> Result<Self, prometheus::Error> {
        Self::new(name, help)
    }
}

impl Build for IntCounter {
    fn build(name: &str, help: &str, _: &[&str]) -> Result<Self, prometheus::Error> {
        Self::new(name, help)
    }
}

impl Build for IntCounterVec {
    fn build(name: &str, help: &str, labels: &[&str]) -> Result<Self, prometheus::Error> {
        Self::new(Opts::new(name, help), labels)
    }
}

impl Build for Histogram {
    fn build(name: &str, help: &str, _: &[&str]) -> Result<Self, prometheus::Error> {
        Self::with_opts(HistogramOpts::new(name, help))
    }
}

fn register<M: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    metric: M,
) -> Result<M, prometheus::Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_registered_with_its_doc_as_help() {
        let registry = Registry::new();
        let metrics = Metrics::new(&registry).unwrap();
        metrics.take_overs.inc();
        let families = registry.gather();
        let found = families
            .iter()
            .find(|family| family.name() == "hemu_endpoint_take_overs_total")
            .unwrap();
        assert_eq!(
            found.help(),
            "Connections of a device closed because it logged in again."
        );
        assert!(Metrics::new(&registry).is_err(), "the same names twice");
    }
}
