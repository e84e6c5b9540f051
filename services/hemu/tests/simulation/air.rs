//! Everything between a device and the server: what the device does with its radio, what becomes of bytes on their way,
//! and what comes back. Part of the world; draws only from its dice.

use firmware_sim::device::{Appended, DeviceError, Receipt, Received, key_digest};
use firmware_sim::mqtt::{Incoming, Version, codec, parse};
use firmware_sim::reading::{Body, By, Code, Deposit, Incident, Stream, Topic};

use crate::bin::Link;
use crate::plan::{HOUSEHOLDS, Moment, Way};
use crate::server::Said;
use crate::world::{BEGIN, Event, World, text};

type Outcome = Result<(), String>;

impl World<'_> {
    /// A bag is dropped, or something happens at the station.
    pub(crate) fn record(&mut self, who: usize) {
        let body = self.something(who);
        let at = BEGIN + self.now;
        let bin = &mut self.bins[who];
        let Some(device) = &mut bin.device else {
            return;
        };
        match device.append(at, &body) {
            Ok(Appended::Stored(seq)) => self.oracle.kept((who, device.boot(), seq)),
            Ok(Appended::Thinned) => {}
            Err(_) => self.lose_power(who),
        }
    }

    fn something(&mut self, who: usize) -> Body {
        if self.dice.chance(0.1) {
            return Body::Incident(Incident {
                kind: "overflow",
                stream: None,
                note: "",
            });
        }
        self.bins[who].bags += 1;
        let household = u64::from(self.dice.below(u32::try_from(HOUSEHOLDS).unwrap_or(1)));
        Body::Deposit(Deposit {
            household: Some(Code::new("h", household, 4)),
            bag: Code::new("b", (who as u64) << 20 | self.bins[who].bags, 8),
            stream: if self.dice.chance(0.5) {
                Stream::Food
            } else {
                Stream::Recyclable
            },
            weight_g: 100 + self.dice.below(2_000),
            quality_bp: 10 * u16::try_from(self.dice.below(1_001)).unwrap_or_default(),
            confidence_pm: 1_000,
            by: By::Camera,
        })
    }

    pub(crate) fn power_fails(&mut self, who: usize, bytes: usize, lasts: i64) {
        if !self.healed {
            self.bins[who].fail_after(bytes);
            // It may be writing nothing for a while; then it is switched off where it stands.
            self.after(lasts, Event::PowerIsBack(who));
        }
    }

    fn lose_power(&mut self, who: usize) {
        self.report.power_cuts += 1;
        self.bins[who].switch_off();
        let delay = self.draw(500, 20_000);
        self.after(delay, Event::PowerIsBack(who));
    }

    pub(crate) fn power_is_back(&mut self, who: usize) -> Outcome {
        self.bins[who].switch_off();
        self.bins[who].switch_on(BEGIN + self.now).map_err(text)?;
        let turn = self.next_number();
        self.bins[who].turn = turn;
        self.after(1, Event::Radio { who, turn });
        Ok(())
    }

    pub(crate) fn boot_lost(&mut self, who: usize) -> Outcome {
        self.report.boots_lost += 1;
        self.bins[who].switch_off();
        self.bins[who].lose_headers();
        self.power_is_back(who)
    }

    /// No radio reaches it for a while.
    pub(crate) fn silence(&mut self, who: usize, lasts: i64) {
        self.bins[who].silent_until = self.now + lasts;
        if let Some(link) = &self.bins[who].link {
            self.hang_up(who, link.number);
        }
    }

    /// The radio's turn: dial, or send what may be sent. One chain of turns a device.
    pub(crate) fn radio(&mut self, who: usize, turn: u64) -> Outcome {
        if self.bins[who].turn != turn {
            return Ok(());
        }
        let busy = match (self.bins[who].way, &self.bins[who].device, &self.bins[who].link) {
            (_, None, _) => return Ok(()),
            _ if self.is_silent(who) => false,
            (Way::Endpoint(version), Some(_), None) => {
                self.dial(who, version.into());
                true
            }
            (Way::Endpoint(version), Some(_), Some(_)) => self.send(who, version.into())?,
            (Way::Broker, Some(_), _) => self.mail_off(who)?,
        };
        let delay = if busy {
            self.draw(20, 800)
        } else {
            self.draw(2_000, 9_000)
        };
        self.after(delay, Event::Radio { who, turn });
        Ok(())
    }

    fn dial(&mut self, who: usize, version: Version) {
        if self.server.is_none() {
            return;
        }
        let number = self.next_number();
        let bin = &mut self.bins[who];
        bin.link = Some(Link::new(number));
        let mut bytes = Vec::new();
        codec::connect(&mut bytes, version, &bin.name, &bin.key, 60);
        let filters = [format!("hemu/v1/{}/receipt", bin.name)];
        codec::subscribe(&mut bytes, version, 0xffff, &filters);
        self.transmit(who, number, bytes);
    }

    fn send(&mut self, who: usize, version: Version) -> Result<bool, String> {
        let now = self.now;
        let Ok(frames) = self.bins[who].next(now) else {
            self.lose_power(who);
            return Ok(true);
        };
        let Some((_, payload)) = Self::parcel(&frames) else {
            return Ok(false);
        };
        for frame in &frames {
            self.oracle.said((who, frame.boot, frame.seq), &frame.payload)?;
        }
        let times = 1 + i32::from(self.mishap(0.08));
        self.report.repeats += u64::from(times > 1);
        for _ in 0..times {
            let bin = &mut self.bins[who];
            let Some(link) = &mut bin.link else { break };
            let (id, number) = (link.begin(&frames), link.number);
            let topic = frames
                .first()
                .map_or(Topic::Status, |frame| frame.topic)
                .of(&bin.name);
            let mut bytes = Vec::new();
            codec::publish(&mut bytes, version, topic.as_bytes(), id, &payload);
            self.transmit(who, number, bytes);
        }
        Ok(true)
    }

    fn mail_off(&mut self, who: usize) -> Result<bool, String> {
        let now = self.now;
        let Ok(frames) = self.bins[who].next(now) else {
            self.lose_power(who);
            return Ok(true);
        };
        let Some((up, payload)) = Self::parcel(&frames) else {
            return Ok(false);
        };
        for frame in &frames {
            self.oracle.said((who, frame.boot, frame.seq), &frame.payload)?;
        }
        self.post(who, up, payload);
        Ok(true)
    }

    /// Bytes go up: in order, late, or cut off with the cable.
    fn transmit(&mut self, who: usize, number: u64, mut bytes: Vec<u8>) {
        let cut = self.mishap(0.03);
        if cut {
            self.report.cut_packets += 1;
            let keep = self.dice.below(u32::try_from(bytes.len()).unwrap_or(1)) as usize;
            bytes.truncate(keep);
        }
        let delay = self.draw(1, 300);
        let now = self.now;
        let Some(link) = &mut self.bins[who].link else {
            return;
        };
        link.up_from = link.up_from.max(now + delay);
        let at = link.up_from;
        self.at(
            at,
            Event::Up {
                who,
                link: number,
                bytes,
            },
        );
        if cut {
            self.at(at, Event::Hangup { who, link: number });
        }
    }

    /// What the server says on a connection, on its way down.
    pub(crate) fn answer(&mut self, who: usize, number: u64, said: Said) {
        let delay = self.draw(1, 300);
        let now = self.now;
        let Some(link) = self.bins[who].link.as_mut().filter(|link| link.number == number) else {
            return;
        };
        link.down_from = link.down_from.max(now + delay);
        let at = link.down_from;
        if !said.output.is_empty() {
            self.at(
                at,
                Event::Down {
                    who,
                    link: number,
                    bytes: said.output,
                },
            );
        }
        if said.closed {
            self.at(at, Event::Hangup { who, link: number });
        }
    }

    pub(crate) fn hang_up(&mut self, who: usize, number: u64) {
        if let Some(server) = &mut self.server {
            server.hung_up(who, number);
        }
        if self.bins[who]
            .link
            .as_ref()
            .is_some_and(|link| link.number == number)
        {
            self.bins[who].link = None;
        }
    }

    pub(crate) fn down(&mut self, who: usize, number: u64, bytes: &[u8]) -> Outcome {
        let Way::Endpoint(version) = self.bins[who].way else {
            return Ok(());
        };
        let Some(link) = self.bins[who].link.as_mut().filter(|link| link.number == number) else {
            return Ok(());
        };
        link.input.extend_from_slice(bytes);
        let input = std::mem::take(&mut link.input);
        let mut taken = 0;
        while let Some((packet, used)) =
            parse(version.into(), input.get(taken..).unwrap_or_default()).map_err(text)?
        {
            taken += used;
            self.heard(who, &packet)?;
        }
        if let Some(link) = &mut self.bins[who].link {
            link.input = input.get(taken..).unwrap_or_default().to_vec();
        }
        Ok(())
    }

    fn heard(&mut self, who: usize, packet: &Incoming<'_>) -> Outcome {
        let now = self.now;
        match packet {
            Incoming::ConnAck { code: 0, .. } => {
                if let Some(link) = &mut self.bins[who].link {
                    link.ready = true;
                }
                self.bins[who].connected(now);
            }
            Incoming::PubAck { id, reason } if *reason < 0x80 => {
                let link = self.bins[who].link.as_mut();
                let old = link.as_ref().is_some_and(|link| link.number < self.restored_at);
                let identities = link.and_then(|link| link.flight.remove(id)).unwrap_or_default();
                for (boot, seq) in identities {
                    self.oracle.acked((who, boot, seq), old)?;
                }
            }
            Incoming::Publish { payload, .. } => self.receipt(who, payload)?,
            Incoming::SubAck(_) => {}
            other => return Err(format!("the server said {other:?}")),
        }
        Ok(())
    }

    /// The broker, or somebody who may publish there, has a receipt for a device; nobody keeps it.
    pub(crate) fn post_comes(&mut self, who: usize, receipt: &str) -> Outcome {
        if self.is_silent(who) {
            return Ok(());
        }
        self.receipt(who, receipt.as_bytes())
    }

    fn is_silent(&self, who: usize) -> bool {
        self.now < self.bins[who].silent_until && !self.healed
    }

    /// A device is shown a receipt.
    fn receipt(&mut self, who: usize, json: &[u8]) -> Outcome {
        let now = self.now;
        let bin = &mut self.bins[who];
        let Some(device) = &mut bin.device else {
            return Ok(());
        };
        let genuine = Receipt::verify(json, &key_digest(&bin.key));
        match (device.on_receipt(json, BEGIN + now), genuine) {
            (Ok(received), Ok(receipt)) => {
                if receipt.boot == device.boot() {
                    let old = receipt.generation != self.generation;
                    self.oracle.receipt_seen(who, &receipt, old);
                }
                if let Received::Released(_) = received {
                    bin.rewarded(now);
                }
                Ok(())
            }
            (Err(DeviceError::Receipt(_)), Err(_)) => Ok(()),
            (Err(DeviceError::Ring(_)), Ok(_)) => {
                self.lose_power(who);
                Ok(())
            }
            (believed, genuine) => Err(format!("device {who} made {believed:?} of {genuine:?}")),
        }
    }

    /// Signed receipts leave the server; some are lost, some come twice, some are forged.
    pub(crate) async fn receipts(&mut self, again: bool) -> Outcome {
        // Whoever had one within the second is owed the next, and hears it when its second is over.
        let again = !again && self.now < self.receipts_at + 1_000;
        (self.due.receipting, self.receipts_at) = (again, self.now);
        if again {
            self.after(1_000, Event::Receipts { again });
        }
        let Some(server) = &mut self.server else {
            return Ok(());
        };
        let (receipts, stored) = server.receipts(self.now).await;
        self.oracle.read(&server.ledger).await?;
        self.tell(stored);
        for (device, receipt) in receipts {
            let Some(who) = self.bins.iter().position(|bin| bin.name == device.as_str()) else {
                continue;
            };
            let digest = key_digest(&self.bins[who].key);
            let genuine = Receipt::verify(receipt.as_bytes(), &digest).map_err(text)?;
            self.oracle.receipt_sent(who, &genuine)?;
            if self.mishap(0.05) {
                self.forge(who, &genuine);
            }
            if !self.mishap(0.2) {
                self.send_receipt(who, &receipt);
            }
        }
        self.perhaps_die(Moment::Receipted).await
    }

    fn send_receipt(&mut self, who: usize, receipt: &str) {
        if self.bins[who].way == Way::Broker {
            let times = 1 + i32::from(self.mishap(0.1));
            for _ in 0..times {
                let delay = self.draw(1, 4_000);
                let receipt = receipt.to_owned();
                self.after(delay, Event::Post { who, receipt });
            }
            return;
        }
        let written = self
            .server
            .as_mut()
            .and_then(|server| server.receipt(who, receipt));
        if let Some((link, output)) = written {
            self.answer(
                who,
                link,
                Said {
                    output,
                    closed: false,
                },
            );
        }
    }

    /// Somebody without the key says that everything is stored.
    fn forge(&mut self, who: usize, genuine: &Receipt) {
        self.report.forged += 1;
        let forged = hemu_wire::Receipt {
            boot: genuine.boot,
            upto: genuine.upto + 1,
            missing: Vec::new(),
            generation: genuine.generation,
        };
        let receipt = hemu_wire::sign(&forged, &hemu_wire::key_digest("a guess"));
        let delay = self.draw(1, 4_000);
        self.after(delay, Event::Post { who, receipt });
    }

    /// Nothing is held that no receipt covers; what an earlier boot left is stored at least.
    pub(crate) fn is_done(&mut self, who: usize) -> bool {
        let Some(device) = &mut self.bins[who].device else {
            return false;
        };
        let orphans = device.orphans().unwrap_or_default();
        device.held() == 0
            && orphans
                .iter()
                .all(|frame| self.oracle.has((who, frame.boot, frame.seq)))
    }
}
