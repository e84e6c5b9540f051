//! From a device's payloads to journal entries. Nothing is refused here: what makes no sense is kept, with its reason.

use hemu_ledger::entry::{BinState, Body, Deposit, Incident, Quarantined, Status};
use hemu_ledger::segment::Segment;
use hemu_rules::{Bp, By, Grams, Millis, OutOfRange, Permille, Stream};
use hemu_wire::{DeviceId, Record, Rejected, Up};

/// A device's sequence numbers are kept as signed 64-bit integers in every store.
const SEQ_MAX: u64 = i64::MAX as u64;

/// What some payloads of one device come to.
#[derive(Debug, Default)]
pub struct Accepted {
    pub segments: Vec<Segment>,
    /// Records the contract allows.
    pub records: u64,
    /// Records set aside.
    pub quarantined: u64,
    /// Fields nobody knows, ignored.
    pub unknown_fields: u64,
}

/// Turns payloads into journal entries, in order.
pub fn accept<'p>(device: &DeviceId, payloads: impl IntoIterator<Item = (Up, &'p [u8])>) -> Accepted {
    let mut accepted = Accepted::default();
    for (up, payload) in payloads {
        let parsed = hemu_wire::parse(up, payload);
        accepted.unknown_fields += parsed.unknown_fields;
        for record in parsed.records {
            accepted.enter(device, record);
        }
    }
    accepted
}

impl Accepted {
    /// Adds what came of other payloads.
    pub(crate) fn join(&mut self, other: Self) {
        self.segments.extend(other.segments);
        self.records += other.records;
        self.quarantined += other.quarantined;
        self.unknown_fields += other.unknown_fields;
    }

    /// Adds one record, or sets it aside: then why. One entry a record, in their order.
    pub(crate) fn enter(
        &mut self,
        device: &DeviceId,
        record: Result<Record<'_>, Rejected>,
    ) -> Option<Rejected> {
        let rejected = record.and_then(|record| self.take(device, &record)).err()?;
        self.set_aside(device, &rejected);
        Some(rejected)
    }

    fn take(&mut self, device: &DeviceId, record: &Record<'_>) -> Result<(), Rejected> {
        let stamp = record.stamp();
        let body = body(record)
            .map_err(|error| error.to_string())
            .and_then(|body| plausible(record).map(|()| body))
            .map_err(|detail| {
                // Written out again: it was well formed, so nothing of it is lost.
                let raw = hemu_wire::encode(std::slice::from_ref(record)).unwrap_or_default();
                Rejected {
                    identity: Some((stamp.boot, stamp.seq)),
                    reason: hemu_wire::Reason::OutOfRange,
                    detail,
                    raw_len: raw.len(),
                    raw,
                }
            })?;
        self.records += 1;
        self.segment(device, stamp.boot, stamp.seq).push(stamp.seq, &body);
        Ok(())
    }

    fn set_aside(&mut self, device: &DeviceId, rejected: &Rejected) {
        self.quarantined += 1;
        let body = Body::Quarantined(Quarantined {
            reason: rejected.reason.as_str(),
            detail: &rejected.detail,
            raw: &rejected.raw,
            raw_len: u32::try_from(rejected.raw_len).unwrap_or(u32::MAX),
        });
        if let Some((boot, seq)) = rejected.identity.filter(|(_, seq)| bounded(*seq).is_ok()) {
            self.segment(device, boot, seq).push(seq, &body);
        } else {
            self.open(Segment::is_unidentified, || {
                Segment::unidentified(device.as_str())
            })
            .push_unidentified(&body);
        }
    }

    /// The open segment of a boot, or a new one.
    fn segment(&mut self, device: &DeviceId, boot: u64, seq: u64) -> &mut Segment {
        self.open(
            |last| last.boot() == Some(boot),
            || Segment::of_device(device.as_str(), boot, seq),
        )
    }

    /// The last segment if it fits, or a new one: a segment costs far more than an entry.
    fn open(&mut self, fits: impl Fn(&Segment) -> bool, new: impl FnOnce() -> Segment) -> &mut Segment {
        if !self.segments.last().is_some_and(fits) {
            self.segments.push(new());
        }
        let last = self.segments.len() - 1;
        &mut self.segments[last]
    }
}

fn bounded(seq: u64) -> Result<(), String> {
    if (1..=SEQ_MAX).contains(&seq) {
        return Ok(());
    }
    Err(format!("seq: expected 1..={SEQ_MAX}, got {seq}"))
}

fn plausible(record: &Record<'_>) -> Result<(), String> {
    let seq = record.stamp().seq;
    bounded(seq)?;
    match record {
        // Else a receipt would cover records still to come, and the device would erase them unsent.
        Record::Lost(lost) if lost.to >= seq => {
            let to = lost.to;
            Err(format!(
                "lost: expected records before this one ({seq}), got up to {to}"
            ))
        }
        _ => Ok(()),
    }
}

fn body<'r>(record: &'r Record<'_>) -> Result<Body<'r>, OutOfRange> {
    let at = Millis::new(record.stamp().at)?;
    Ok(match record {
        Record::Deposit(d) => Body::Deposit(Deposit {
            at,
            household: d.household.as_deref(),
            bag: d.bag.as_deref(),
            stream: stream(d.stream),
            weight: Grams::new(d.weight_g.into())?,
            quality: Bp::new(d.quality_bp.into())?,
            confidence: Permille::new(d.confidence_pm.into())?,
            by: match d.by {
                hemu_wire::By::Camera => By::Camera,
                hemu_wire::By::Inspector => By::Inspector,
            },
        }),
        Record::Status(s) => Body::Status(Status {
            at,
            bins: s
                .bins
                .iter()
                .map(|bin| {
                    let fill = bin.fill_bp.map(|fill| Bp::new(fill.into())).transpose()?;
                    Ok(BinState {
                        stream: stream(bin.stream),
                        fill,
                        weight_g: bin.weight_g,
                    })
                })
                .collect::<Result<_, OutOfRange>>()?,
            battery_mv: s.battery_mv,
            rssi_dbm: s.rssi_dbm,
            temperature_cc: s.temperature_cc,
            firmware: s.firmware.as_deref(),
            queued: s.queued,
        }),
        Record::Incident(i) => Body::Incident(Incident {
            at,
            kind: i.kind.as_str(),
            stream: i.stream.map(stream),
            note: i.note.as_deref(),
            photo: i.photo.as_deref(),
        }),
        Record::Lost(lost) => Body::Lost {
            at,
            from: lost.from,
            to: lost.to,
        },
    })
}

fn stream(stream: hemu_wire::Stream) -> Stream {
    match stream {
        hemu_wire::Stream::Food => Stream::Food,
        hemu_wire::Stream::Recyclable => Stream::Recyclable,
        hemu_wire::Stream::Hazardous => Stream::Hazardous,
        hemu_wire::Stream::Residual => Stream::Residual,
    }
}
