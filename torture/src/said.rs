//! What the harness's devices say: every record a pure function of its number, so that the oracle knows what was sent
//! without having been told. Must not: read a clock.

use std::sync::Arc;

use firmware_sim::load::{Crowd, Script};
use firmware_sim::reading::{Body, By, Code, Deposit, Incident, Stream};

use crate::journal::Reading;

/// Event time and content of record `seq`.
pub type Says = Arc<dyn Fn(u64) -> (i64, Body) + Send + Sync>;

/// 2026-01-01, the event time of the first record.
pub const FIRST: i64 = 1_767_225_600_000;
/// The largest event time that is stored, ms since 1970: a day before the year 10000, so that every local day has four digits
/// of a year.
pub const LAST: i64 = 253_402_214_399_999;
/// The heaviest bag of the contract, grams.
const HEAVIEST: u32 = 200_000;

/// Registered households for so many records: about two deposits a day each, over some three months.
pub fn crowd(records: u64) -> Arc<Crowd> {
    let households = (records / 180).clamp(100, 200_000);
    let token = |number| Code::new("hx", firmware_sim::draw::mix(number), 10);
    Arc::new(Crowd::Named((0..households).map(token).collect()))
}

/// An estate's usual talk: deposits, one in twenty judged by an inspector as well, now and then an incident.
pub fn usual(script: Script) -> Says {
    Arc::new(move |seq| {
        if seq % 97 == 0 {
            let (kind, note) = ("overflow", "");
            return (
                script.record(seq).0,
                Body::Incident(Incident {
                    kind,
                    stream: Some(Stream::Food),
                    note,
                }),
            );
        }
        let judged = seq % 20 == 0 && (seq - 1) % 97 != 0;
        let (at, deposit) = script.record(if judged { seq - 1 } else { seq });
        let quality_bp = if judged {
            deposit.quality_bp / 2 + 2_500
        } else {
            deposit.quality_bp
        };
        let by = if judged { By::Inspector } else { deposit.by };
        let confidence_pm = if judged { 1_000 } else { deposit.confidence_pm };
        (
            at,
            Body::Deposit(Deposit {
                quality_bp,
                confidence_pm,
                by,
                ..deposit
            }),
        )
    })
}

/// The same, but every tenth record breaks the contract: a bag of four tons.
pub fn poisoned(says: Says) -> Says {
    changed(says, |seq, deposit| {
        if seq % 10 == 3 {
            deposit.weight_g = 4_000_000;
        }
    })
}

/// Another device's content under the same numbers.
pub fn cloned(says: Says) -> Says {
    changed(says, |_, deposit| deposit.weight_g = deposit.weight_g / 2 + 1)
}

fn changed(says: Says, change: impl Fn(u64, &mut Deposit) + Send + Sync + 'static) -> Says {
    Arc::new(move |seq| {
        let (at, mut body) = says(seq);
        if let Body::Deposit(deposit) = &mut body {
            change(seq, deposit);
        }
        (at, body)
    })
}

/// What must become of a record in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// This reading.
    Deposit(Reading),
    /// Kept aside: the contract does not allow it.
    Quarantined,
    /// A status or an incident.
    Other,
}

/// What must become of what a device said, from the contract page alone.
pub fn expected((at, body): (i64, Body)) -> Expected {
    if !(0..=LAST).contains(&at) {
        return Expected::Quarantined;
    }
    match body {
        Body::Deposit(deposit) if deposit.weight_g > HEAVIEST => Expected::Quarantined,
        Body::Deposit(deposit) => Expected::Deposit(reading(at, &deposit)),
        Body::Status(_) | Body::Incident(_) | Body::Lost(..) => Expected::Other,
    }
}

fn reading(at: i64, deposit: &Deposit) -> Reading {
    Reading {
        at,
        household: deposit.household.map(|token| token.as_str().to_owned()),
        bag: Some(deposit.bag.as_str().to_owned()),
        stream: u8::try_from(deposit.stream.index()).unwrap_or(u8::MAX),
        weight_g: deposit.weight_g.into(),
        quality_bp: deposit.quality_bp.into(),
        confidence_pm: deposit.confidence_pm.into(),
        inspector: deposit.by == By::Inspector,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inspectors_reading_is_of_the_bag_before_it_and_poison_is_not_allowed() {
        let says = usual(Script::new(1, crowd(1_000), FIRST, 0, 1, "d"));
        let (Body::Deposit(camera), Body::Deposit(inspector)) = (says(19).1, says(20).1) else {
            panic!("two deposits")
        };
        assert_eq!(
            (camera.bag, camera.household),
            (inspector.bag, inspector.household)
        );
        assert!(matches!(says(97).1, Body::Incident(_)));
        assert_eq!(expected(poisoned(says.clone())(3)), Expected::Quarantined);
        assert_eq!(expected((i64::MAX, says(1).1)), Expected::Quarantined);
        assert_ne!(expected(cloned(says.clone())(1)), expected(says(1)));
    }
}
