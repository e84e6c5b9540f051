//! What the broker says it dropped. Mosquitto counts it under `$SYS`; a broker that says nothing is not watched. Must
//! not: take a figure that the broker kept for a loss, that is its past.

use std::collections::HashMap;

use bytes::Bytes;

/// Mosquitto's counter: messages lost to its queues' limits since it started.
pub(super) const COUNTERS: [&str; 1] = ["$SYS/broker/publish/messages/dropped"];

/// The last figure of each counter.
#[derive(Debug, Default)]
pub(super) struct Counters(HashMap<Bytes, u64>);

impl Counters {
    /// Whether a topic is a counter's.
    pub(super) fn is_one(topic: &[u8]) -> bool {
        COUNTERS.iter().any(|counter| counter.as_bytes() == topic)
    }

    /// What a counter says; nothing when it is none, or says nonsense.
    pub(super) fn figure(topic: &[u8], payload: &[u8]) -> Option<u64> {
        let text = std::str::from_utf8(payload).ok()?;
        Self::is_one(topic).then(|| text.trim().parse().ok()).flatten()
    }

    /// How much more was dropped than when the counter was last heard. The first figure heard is the broker's past where
    /// it was retained. Where it was not, it has moved just now, by how much nobody knows: all of it is told rather than
    /// nothing.
    pub(super) fn rise(&mut self, topic: &Bytes, payload: &[u8], retained: bool) -> u64 {
        let Some(figure) = Self::figure(topic, payload) else {
            return 0;
        };
        match self.0.insert(topic.clone(), figure) {
            // A broker that was restarted counts from nothing: all of it is new.
            Some(last) if figure < last => figure,
            Some(last) => figure - last,
            None if retained => 0,
            None => figure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rise_is_a_loss() {
        let topic = Bytes::from_static(COUNTERS[0].as_bytes());
        assert!(Counters::is_one(&topic) && !Counters::is_one(b"$SYS/broker/uptime"));
        let rises = |kept| {
            let mut counters = Counters::default();
            ["7", "7", "nonsense", "12", "2", "3"].map(|figure| {
                let retained = kept && figure == "7";
                counters.rise(&topic, figure.as_bytes(), retained)
            })
        };
        // Seven were lost before we came; two since the broker was restarted.
        assert_eq!(rises(true), [0, 0, 0, 5, 2, 1]);
        // A broker that keeps nothing tells what moved, and nothing before.
        assert_eq!(rises(false), [7, 0, 0, 5, 2, 1]);
    }
}
