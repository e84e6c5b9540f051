//! What the broker's door counts. Must never carry a device id as a label.

use prometheus::{IntCounter, IntGauge, Opts, Registry};

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ident = $name:literal;)+) => {
        /// Metrics of the door behind a broker.
        #[derive(Debug, Clone)]
        pub struct Metrics {
            $($(#[doc = $help])+ pub $field: $kind,)+
        }

        impl Metrics {
            /// Registers the metrics.
            pub fn new(registry: &Registry) -> prometheus::Result<Self> {
                $(
                    let $field = $kind::with_opts(Opts::new(concat!("hemu_broker_", $name), concat!($($help),+).trim()))?;
                    registry.register(Box::new($field.clone()))?;
                )+
                Ok(Self { $($field),+ })
            }
        }
    };
}

metrics! {
    /// 1 while the broker is connected and every subscription granted.
    connected: IntGauge = "connected";
    /// Connections to the broker that ended or could not be had.
    reconnects: IntCounter = "reconnects_total";
    /// Subscriptions the broker refused or weakened.
    refused: IntCounter = "refused_subscriptions_total";
    /// Messages from the broker.
    messages: IntCounter = "messages_total";
    /// Messages that wait for their acknowledgement.
    in_flight: IntGauge = "in_flight";
    /// Acknowledgements of an earlier connection, not sent: the broker delivers those messages again.
    stale: IntCounter = "stale_acknowledgements_total";
    /// Messages on topics that are no device's, passed over.
    foreign: IntCounter = "foreign_topics_total";
    /// Messages of devices nobody registered, or whose key is revoked, passed over.
    unregistered: IntCounter = "unregistered_total";
    /// Messages without an acknowledgement passed over because too many waited.
    unacknowledgeable: IntCounter = "qos0_dropped_total";
    /// Receipts handed to the broker.
    receipts: IntCounter = "receipts_total";
    /// Receipts dropped because too many waited for the broker; the next one covers them.
    receipts_dropped: IntCounter = "receipts_dropped_total";
    /// Messages the broker says it dropped since it is watched.
    dropped: IntCounter = "dropped_by_broker_total";
}
