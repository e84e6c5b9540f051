//! What was said and promised, and what must hold of it. Reads the journal and the projections, and decides by sums and
//! sets of its own; it must not ask the committer or the projector what they think.

use std::collections::{BTreeMap, BTreeSet};

use firmware_sim::device::Receipt;
use firmware_sim::reading::Code;
use hemu_ledger::Ledger;
use hemu_ledger::entry::{Body, Origin};
use hemu_rules::Day;
use serde_json::Value;

/// Device, boot, sequence number.
pub(crate) type Identity = (usize, u64, u64);

/// What is broken, in words.
pub(crate) type Found = Result<(), String>;

/// Weight, weight times quality, readings, grams: of one household.
type Sums = (i64, i64, i64, i64);

/// A household's token.
pub(crate) fn token(household: u64) -> String {
    Code::new("h", household, 4).as_str().to_owned()
}

#[derive(Debug, Default)]
pub(crate) struct Oracle {
    /// What went on the air, by identity.
    said: BTreeMap<Identity, Vec<u8>>,
    /// What a device's flash has taken.
    kept: BTreeSet<Identity>,
    /// What a PUBACK of the endpoint covered.
    acked: BTreeSet<Identity>,
    /// Up to where a device has seen receipts.
    receipted: BTreeMap<(usize, u64), u64>,
    /// The last receipt sent for a device, boot and generation.
    sent: BTreeMap<(usize, u64, u64), u64>,
    /// What the journal has, in the household and sums it counts for.
    journal: BTreeMap<Identity, Option<(String, Sums)>>,
    /// Losses declared in the journal.
    lost: BTreeMap<(usize, u64), Vec<(u64, u64)>>,
    /// The journal is read up to here.
    read: u64,
    /// Promised once, and not in the backup that was restored.
    forgotten: BTreeSet<Identity>,
}

impl Oracle {
    pub(crate) fn kept(&mut self, identity: Identity) {
        self.kept.insert(identity);
    }

    /// A record goes on the air: the same one is always the same.
    pub(crate) fn said(&mut self, identity: Identity, payload: &[u8]) -> Found {
        let before = self.said.insert(identity, payload.to_vec());
        hold(before.is_none_or(|before| before == payload), || {
            format!("{identity:?} changed its content between two sendings")
        })
    }

    /// A PUBACK has come; an `old` one left before the server was restored, and promises what a backup may lack.
    pub(crate) fn acked(&mut self, identity: Identity, old: bool) -> Found {
        if self.stored(identity) {
            self.acked.insert(identity);
        } else if old {
            self.forgotten.insert(identity);
        }
        hold(old || self.stored(identity), || {
            format!("{identity:?} was acknowledged and is not in the journal")
        })
    }

    /// A device has seen a valid receipt; an `old` one is of an earlier generation.
    pub(crate) fn receipt_seen(&mut self, who: usize, receipt: &Receipt, old: bool) {
        let all = (who, receipt.boot, 0)..=(who, receipt.boot, receipt.upto);
        if old {
            let uncovered = self.kept.range(all).filter(|identity| !self.covered(**identity));
            self.forgotten.extend(uncovered.copied().collect::<Vec<_>>());
        } else {
            let seen = self.receipted.entry((who, receipt.boot)).or_default();
            *seen = receipt.upto.max(*seen);
        }
    }

    /// A receipt leaves the server: contiguous, stored, never less than before.
    pub(crate) fn receipt_sent(&mut self, who: usize, receipt: &Receipt) -> Found {
        let Receipt {
            boot,
            upto,
            generation,
            ..
        } = *receipt;
        let before = self
            .sent
            .insert((who, boot, generation), upto)
            .unwrap_or_default();
        hold(upto >= before, || {
            format!(
                "the receipts of device {who}, boot {boot}, generation {generation} went back from {before} to {upto}"
            )
        })?;
        let gap = (1..=upto).find(|&seq| !self.covered((who, boot, seq)));
        hold(gap.is_none(), || {
            format!("a receipt of device {who}, boot {boot} up to {upto} covers {gap:?}, which is not stored")
        })
    }

    fn stored(&self, identity: Identity) -> bool {
        self.journal.contains_key(&identity)
    }

    /// Stored, or declared lost by the device itself.
    fn covered(&self, (who, boot, seq): Identity) -> bool {
        let lost = self.lost.get(&(who, boot));
        self.stored((who, boot, seq))
            || lost.is_some_and(|runs| runs.iter().any(|&(from, to)| (from..=to).contains(&seq)))
    }

    /// Reads what the journal has since the last time: nothing but what was said, word for word.
    pub(crate) async fn read(&mut self, ledger: &Ledger) -> Found {
        let batches = ledger
            .batches(self.read, 1_000_000)
            .await
            .map_err(|error| error.to_string())?;
        for batch in &batches {
            self.read = batch.position;
            for entry in batch.entries() {
                let entry = entry.map_err(|error| error.to_string())?;
                let Origin::Device { device, boot, seq } = entry.origin else {
                    return Err(format!("the journal has what no device said: {:?}", entry.origin));
                };
                let who = device.strip_prefix("bin-").and_then(|n| n.parse().ok());
                let identity = (who.unwrap_or(usize::MAX), boot, seq);
                let said = self.said.get(&identity);
                let said = said.ok_or_else(|| format!("the journal has {identity:?}, which nobody sent"))?;
                hold(same(said, &entry.body), || {
                    format!(
                        "the journal has {identity:?} with other content: {:?}",
                        entry.body
                    )
                })?;
                if let Body::Lost { from, to, .. } = entry.body {
                    self.lost.entry((identity.0, boot)).or_default().push((from, to));
                }
                self.journal.insert(identity, sums(&entry.body));
            }
        }
        Ok(())
    }

    /// An older journal was put in place: promises of since then are forgotten, and owed.
    pub(crate) async fn restored(&mut self, ledger: &Ledger) -> Found {
        (self.journal, self.lost, self.read) = Default::default();
        self.read(ledger).await?;
        let promised = self.promised();
        let forgotten = promised.into_iter().filter(|identity| !self.covered(*identity));
        self.forgotten.extend(forgotten.collect::<Vec<_>>());
        self.acked.retain(|identity| self.journal.contains_key(identity));
        self.receipted.clear();
        Ok(())
    }

    /// Everything a PUBACK or receipt was seen for that a device had kept.
    fn promised(&self) -> BTreeSet<Identity> {
        let receipted = self.receipted.iter().flat_map(|(&(who, boot), &upto)| {
            let all = (who, boot, 0)..=(who, boot, upto);
            self.kept.range(all).copied()
        });
        self.acked.iter().copied().chain(receipted).collect()
    }

    /// Everything is folded: what was promised is stored, each record counts once, and the evidence is theirs.
    pub(crate) async fn check(&self, ledger: &Ledger) -> Found {
        let broken = self
            .promised()
            .into_iter()
            .find(|identity| !self.covered(*identity));
        hold(broken.is_none(), || {
            format!("{broken:?} was promised and is not stored")
        })?;
        let progress = ledger.progress().await.map_err(|error| error.to_string())?;
        let accepted = progress.counters.accepted;
        hold(
            accepted == self.journal.len() as u64 && progress.counters.conflicts == 0,
            || {
                format!(
                    "{} records are stored and counted is {:?}",
                    self.journal.len(),
                    progress.counters
                )
            },
        )?;
        let tail = ledger
            .tail(0, u64::MAX)
            .await
            .map_err(|error| error.to_string())?;
        let (mut seen, mut twice) = (BTreeSet::new(), None);
        let walked = tail.for_each(|_, _, entry| {
            if let Origin::Device { device, boot, seq } = entry.origin
                && !seen.insert((device, boot, seq))
            {
                twice = Some((device, boot, seq));
            }
        });
        walked.map_err(|error| error.to_string())?;
        hold(twice.is_none(), || format!("{twice:?} counts twice"))?;
        self.check_evidence(ledger).await
    }

    async fn check_evidence(&self, ledger: &Ledger) -> Found {
        let mut expected: BTreeMap<&str, Sums> = BTreeMap::new();
        for (household, sums) in self.journal.values().flatten() {
            let sum = expected.entry(household).or_default();
            *sum = (sum.0 + sums.0, sum.1 + sums.1, sum.2 + sums.2, sum.3 + sums.3);
        }
        for (household, sums) in expected {
            let days = ledger
                .household_days(household, Day::clamped(0), Day::clamped(40_000))
                .await;
            let mut counted = Sums::default();
            for (_, day) in days.map_err(|error| error.to_string())? {
                counted.3 += day.participation.grams;
                for (_, _, bucket) in day.buckets {
                    counted = (
                        counted.0 + bucket.w,
                        counted.1 + bucket.g,
                        counted.2 + bucket.n,
                        counted.3,
                    );
                }
            }
            hold(counted == sums, || {
                format!("{household}: the evidence is {counted:?} and should be {sums:?}")
            })?;
        }
        Ok(())
    }

    /// All is quiet and nothing goes wrong any more: `boots` are the devices' own. What an earlier boot of a device
    /// held and its new one overwrote is gone with it, and nobody is judged by it.
    pub(crate) fn healed(&self, boots: &[u64]) -> Found {
        let current = |&&(who, boot, _): &&Identity| boots.get(who) == Some(&boot);
        let owed = self.kept.iter().chain(&self.forgotten);
        let missing = owed.filter(current).find(|identity| !self.covered(**identity));
        hold(missing.is_none(), || {
            format!("{missing:?} was kept by its device and is neither stored nor declared lost")
        })
    }

    /// Whether what is left of an earlier boot is stored.
    pub(crate) fn has(&self, identity: Identity) -> bool {
        self.stored(identity)
    }

    pub(crate) fn figures(&self) -> [u64; 4] {
        let lost = self.lost.values().map(|runs| runs.len() as u64).sum();
        let of = |set: usize| set as u64;
        [
            of(self.journal.len()),
            of(self.acked.len()),
            lost,
            of(self.forgotten.len()),
        ]
    }
}

fn hold(holds: bool, otherwise: impl FnOnce() -> String) -> Found {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// What a deposit of food or recyclables, read by a sure camera, counts for; the rule in one line.
fn sums(body: &Body<'_>) -> Option<(String, Sums)> {
    let Body::Deposit(deposit) = body else { return None };
    let grams = i64::from(deposit.weight.get());
    let times = if deposit.stream == hemu_rules::Stream::Food {
        1
    } else {
        2
    };
    let w = grams * times * 1_000;
    let sums = (w, w * i64::from(deposit.quality), 1, grams);
    Some((deposit.household?.to_owned(), sums))
}

/// Whether a journal record says what the payload said.
fn same(said: &[u8], body: &Body<'_>) -> bool {
    let Ok(said) = serde_json::from_slice::<Value>(said) else {
        return false;
    };
    match body {
        Body::Deposit(deposit) => {
            let quality = said["quality"].as_f64().map(|q| (q * 10_000.0).round());
            said["at"] == deposit.at.get()
                && said["household"].as_str() == deposit.household
                && said["bag"].as_str() == deposit.bag
                && said["stream"].as_str() == Some(&deposit.stream.to_string())
                && said["weight_g"] == deposit.weight.get()
                && quality == Some(f64::from(deposit.quality.get()))
        }
        Body::Lost { at, from, to } => {
            said["at"] == at.get() && said["lost"] == serde_json::json!([from, to])
        }
        Body::Incident(incident) => said["at"] == incident.at.get() && said["kind"] == incident.kind,
        _ => false,
    }
}
