//! What happens to the packets of one connection. Bytes in, bytes out: no socket here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use firmware_sim::device::Receipt;
use firmware_sim::draw::Dice;
use serde_json::Value;

use super::Shared;
use super::packets::{Packet, puback, publish, read};
use crate::sabotage::Sabotage;

/// What the relay has to do beside writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Go,
    /// Wait before writing.
    Wait,
    /// Cut the connection a moment later.
    CutSoon,
    /// Write, and cut.
    CutNow,
}

/// What was seen of a device.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The newest boot and its largest number.
    newest: Option<(u64, u64)>,
    generation: Option<u64>,
    /// Identities that passed, where somebody asks.
    passed: HashSet<(u64, u64)>,
    invented: u64,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    shared: Arc<Shared>,
    dice: Dice,
    device: String,
    /// PUBACKs still to come for a packet id, where it is not one.
    owed: HashMap<u16, u32>,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, dice: Dice) -> Self {
        Self {
            shared,
            dice,
            device: String::new(),
            owed: HashMap::new(),
        }
    }

    pub(super) fn pause(&mut self) -> Duration {
        Duration::from_millis(u64::from(5 + self.dice.below(35)))
    }

    fn sabotaged(&self, sabotage: Sabotage) -> bool {
        let so = self.shared.sabotage == Some(sabotage);
        if so {
            count(&self.shared.deeds.sabotaged);
        }
        so
    }

    /// A packet of the device's.
    pub(super) fn up(&mut self, packet: &[u8], to_server: &mut Vec<u8>, to_device: &mut Vec<u8>) -> Step {
        match read(packet) {
            Packet::Connect(id) => id.clone_into(&mut self.device),
            Packet::Publish {
                topic,
                id: Some(id),
                payload,
            } => {
                return self.publish(packet, (topic, id, payload), to_server, to_device);
            }
            _ => {}
        }
        to_server.extend_from_slice(packet);
        Step::Go
    }

    fn publish(
        &mut self,
        packet: &[u8],
        (topic, id, payload): (&str, u16, &[u8]),
        to_server: &mut Vec<u8>,
        to_device: &mut Vec<u8>,
    ) -> Step {
        let shared = self.shared.clone();
        let changed = self.seen(payload);
        let packet = changed.map_or_else(|| packet.to_vec(), |payload| publish(topic, Some(id), &payload));
        if self.sabotaged(Sabotage::AckBeforeCommit) {
            to_device.extend_from_slice(&puback(id));
        }
        if self.dice.chance(shared.chaos.forge) {
            to_device.extend(self.forged().unwrap_or_default());
        }
        if self.dice.chance(shared.chaos.cut) {
            count(&shared.deeds.cuts);
            to_server.extend_from_slice(packet.get(..packet.len() / 2).unwrap_or_default());
            return Step::CutNow;
        }
        if self.dice.chance(shared.chaos.lose) {
            count(&shared.deeds.lost);
            return Step::CutSoon;
        }
        to_server.extend_from_slice(&packet);
        if self.dice.chance(shared.chaos.duplicate) {
            count(&shared.deeds.duplicated);
            to_server.extend_from_slice(&packet);
            *self.owed.entry(id).or_default() += 1;
        }
        if self.dice.chance(shared.chaos.delay) {
            count(&shared.deeds.delayed);
            return Step::Wait;
        }
        Step::Go
    }

    /// Remembers the identities of a payload. Where a server without identities is to be imitated, and a record passes
    /// again: the payload with that record a second time, under a number of its own.
    fn seen(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let value: Value = serde_json::from_slice(payload).ok()?;
        let no_dedup = self.shared.sabotage == Some(Sabotage::NoDedup);
        let mut known = self.shared.known.lock().ok()?;
        let known = known.entry(self.device.clone()).or_default();
        let mut records = match value {
            Value::Array(records) => records,
            one => vec![one],
        };
        let mut again = Vec::new();
        for record in &records {
            let number = |name: &str| record.get(name).and_then(Value::as_u64);
            let (Some(boot), Some(seq)) = (number("boot"), number("seq")) else {
                continue;
            };
            let last = known
                .newest
                .filter(|(newest, _)| *newest == boot)
                .map_or(0, |(_, last)| last);
            known.newest = Some((boot, last.max(seq)));
            if no_dedup && !known.passed.insert((boot, seq)) {
                known.invented += 1;
                let mut copy = record.clone();
                copy["boot"] = (boot + 1).into();
                copy["seq"] = known.invented.into();
                again.push(copy);
                count(&self.shared.deeds.sabotaged);
            }
        }
        if again.is_empty() {
            return None;
        }
        // First, so that the last word of the payload, which receipts follow, is the device's own.
        again.append(&mut records);
        Some(Value::Array(again).to_string().into_bytes())
    }

    /// A receipt that claims everything, by somebody without the key; or with it, where devices are to believe anybody.
    fn forged(&mut self) -> Option<Vec<u8>> {
        let receipt = self.greatest(None)?;
        let key = self.shared.keys.get(&self.device).copied()?;
        let key = if self.sabotaged(Sabotage::SkipMac) {
            key
        } else {
            [0; 32]
        };
        count(&self.shared.deeds.forged);
        Some(publish(
            &format!("hemu/v1/{}/receipt", self.device),
            None,
            &receipt.signed(&key),
        ))
    }

    /// A receipt up to the largest number that passed here.
    fn greatest(&self, generation: Option<u64>) -> Option<Receipt> {
        let mut known = self.shared.known.lock().ok()?;
        let known = known.get_mut(&self.device)?;
        known.generation = generation.or(known.generation);
        let (boot, upto) = known.newest?;
        Some(Receipt {
            boot,
            upto,
            missing: Vec::new(),
            generation: known.generation.unwrap_or(1),
        })
    }

    /// A packet of the server's.
    pub(super) fn down(&mut self, packet: &[u8], to_device: &mut Vec<u8>) {
        match read(packet) {
            Packet::PubAck(id) => {
                if self.shared.sabotage == Some(Sabotage::AckBeforeCommit) {
                    return;
                }
                if let Some(owed) = self.owed.get_mut(&id).filter(|owed| **owed > 0) {
                    *owed -= 1;
                    return;
                }
            }
            Packet::Publish { topic, payload, .. } if topic.ends_with("/receipt") => {
                if self.dice.chance(self.shared.chaos.lose_receipt) {
                    return count(&self.shared.deeds.receipts_lost);
                }
                if let Some(receipt) = self.maximal(payload) {
                    return to_device.extend(publish(topic, None, &receipt));
                }
            }
            _ => {}
        }
        to_device.extend_from_slice(packet);
    }

    /// The receipt that a server would send which takes the largest number for the last of a row.
    fn maximal(&self, payload: &[u8]) -> Option<Vec<u8>> {
        let key = self.shared.keys.get(&self.device)?;
        let receipt = Receipt::verify(payload, key).ok()?;
        let greatest = self.greatest(Some(receipt.generation))?;
        (greatest.boot == receipt.boot && self.sabotaged(Sabotage::MaxSeqReceipt))
            .then(|| greatest.signed(key))
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::Chaos;
    use std::sync::Mutex;

    const KEY: [u8; 32] = [7; 32];

    fn session(chaos: Chaos, sabotage: Option<Sabotage>) -> Session {
        let shared = Shared {
            chaos,
            sabotage,
            keys: HashMap::from([("d".to_owned(), KEY)]),
            known: Mutex::default(),
            deeds: Arc::default(),
        };
        let mut session = Session::new(Arc::new(shared), Dice::new(1, "test", 0));
        session.device = "d".into();
        session
    }

    fn record(seq: u64) -> Vec<u8> {
        let payload = format!(r#"{{"boot":5,"seq":{seq},"quality":0.5}}"#);
        publish("hemu/v1/d/deposit", Some(3), payload.as_bytes())
    }

    fn receipt(upto: u64, key: &[u8; 32]) -> Vec<u8> {
        let receipt = Receipt {
            boot: 5,
            upto,
            missing: vec![(upto + 1, upto + 2)],
            generation: 1,
        };
        publish("hemu/v1/d/receipt", None, &receipt.signed(key))
    }

    #[test]
    fn a_publish_that_arrives_twice_is_acknowledged_once() {
        let (mut session, mut up, mut down) = (
            session(
                Chaos {
                    duplicate: 1.0,
                    ..Chaos::default()
                },
                None,
            ),
            Vec::new(),
            Vec::new(),
        );
        session.up(&record(1), &mut up, &mut down);
        assert_eq!(up, [record(1), record(1)].concat());
        session.down(&puback(3), &mut down);
        assert!(down.is_empty());
        session.down(&puback(3), &mut down);
        assert_eq!(down, puback(3));
    }

    #[test]
    fn each_sabotage_does_what_it_is_called_and_nothing_without() {
        for sabotage in [
            None,
            Some(Sabotage::AckBeforeCommit),
            Some(Sabotage::NoDedup),
            Some(Sabotage::MaxSeqReceipt),
        ] {
            let (mut session, mut up, mut down) =
                (session(Chaos::default(), sabotage), Vec::new(), Vec::new());
            session.up(&record(9), &mut up, &mut down);
            assert_eq!(down == puback(3), sabotage == Some(Sabotage::AckBeforeCommit));
            up.clear();
            session.up(&record(9), &mut up, &mut down);
            assert_eq!(up != record(9), sabotage == Some(Sabotage::NoDedup));
            down.clear();
            session.down(&receipt(2, &KEY), &mut down);
            let greatest = Receipt {
                boot: 5,
                upto: 9,
                missing: vec![],
                generation: 1,
            }
            .signed(&KEY);
            let maximal = publish("hemu/v1/d/receipt", None, &greatest);
            assert_eq!(down == maximal, sabotage == Some(Sabotage::MaxSeqReceipt));
        }
    }

    #[test]
    fn a_forged_receipt_is_signed_by_the_device_s_key_only_when_macs_are_to_be_skipped() {
        for (sabotage, believed) in [(None, false), (Some(Sabotage::SkipMac), true)] {
            let (mut session, mut up, mut down) = (
                session(
                    Chaos {
                        forge: 1.0,
                        ..Chaos::default()
                    },
                    sabotage,
                ),
                Vec::new(),
                Vec::new(),
            );
            session.up(&record(4), &mut up, &mut down);
            let Packet::Publish { payload, .. } = read(&down) else {
                panic!("a receipt")
            };
            assert_eq!(Receipt::verify(payload, &KEY).is_ok(), believed);
        }
    }
}
