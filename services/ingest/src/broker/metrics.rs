//! What the broker's door counts. Must never carry a device id as a label.

use prometheus::{IntCounter, IntGauge, Registry};

use crate::counted::metrics;

metrics! {
    /// Metrics of the door behind a broker.
    struct Metrics;
    /// 1 while the broker is connected and every subscription granted.
    connected: IntGauge = "hemu_broker_connected";
    /// Connections to the broker that ended or could not be had.
    reconnects: IntCounter = "hemu_broker_reconnects_total";
    /// Subscriptions the broker refused or weakened.
    refused: IntCounter = "hemu_broker_refused_subscriptions_total";
    /// Messages from the broker.
    messages: IntCounter = "hemu_broker_messages_total";
    /// Messages that wait for their acknowledgement.
    in_flight: IntGauge = "hemu_broker_in_flight";
    /// Acknowledgements of an earlier connection, not sent: the broker delivers those messages again.
    stale: IntCounter = "hemu_broker_stale_acknowledgements_total";
    /// Messages on topics that are no device's, passed over.
    foreign: IntCounter = "hemu_broker_foreign_topics_total";
    /// Messages of devices nobody registered, or whose key is revoked, passed over.
    unregistered: IntCounter = "hemu_broker_unregistered_total";
    /// Messages without an acknowledgement passed over because too many waited.
    unacknowledgeable: IntCounter = "hemu_broker_qos0_dropped_total";
    /// Receipts handed to the broker.
    receipts: IntCounter = "hemu_broker_receipts_total";
    /// Receipts dropped because too many waited for the broker; the next one covers them.
    receipts_dropped: IntCounter = "hemu_broker_receipts_dropped_total";
    /// Messages the broker says it dropped since it is watched.
    dropped: IntCounter = "hemu_broker_dropped_by_broker_total";
}
