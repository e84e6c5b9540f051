//! POST /api/v1/inspections: what inspectors found in bags they opened, stored by the time of the answer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Body, Viewing};
use crate::intake::Taken;
use crate::problem::Problem;
use crate::v1::words::StreamWord;

/// Most readings of one request.
const READINGS_MOST: usize = 256;
/// Numbers are kept as signed 64-bit integers in every store.
const SEQ_MAX: u64 = i64::MAX as u64;
/// Gaps that are named.
const GAPS_SHOWN: usize = 64;

/// Readings of one boot, 1 to 256. Sending them again is harmless.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Batch {
    #[schema(value_type = Vec<Graded>, min_items = 1, max_items = 256)]
    readings: Vec<Box<RawValue>>,
}

/// A bag as a person graded it: a deposit of the device contract. It is the account's own, whatever else it says of itself.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "a shape for the document; readings are judged by the contract's parser"
)]
struct Graded {
    /// A number that a phone draws at random when it begins to count.
    boot: u64,
    /// From 1, one more for each reading of the phone, without gaps. With the account and the boot it is the reading's
    /// identity.
    #[schema(minimum = 1)]
    seq: u64,
    /// When the bag was opened by the site's clock, ms since 1970 UTC.
    at: i64,
    /// The household's token; absent of a bag that is nobody's.
    #[schema(min_length = 1, max_length = 64)]
    household: Option<String>,
    /// The bag's number, the same as the camera's reading has.
    #[schema(min_length = 1, max_length = 64)]
    bag: Option<String>,
    stream: StreamWord,
    #[schema(maximum = 200_000)]
    weight_g: u32,
    /// The part that belongs into this stream, at most 4 decimals.
    #[schema(minimum = 0, maximum = 1)]
    quality: f64,
    /// How sure the person is, at most 3 decimals; 1 where it is left out.
    #[schema(minimum = 0, maximum = 1)]
    confidence: Option<f64>,
}

/// What became of the readings: every one of them is on the disk.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Recorded {
    /// The device that the account is, on whatever phone.
    device: String,
    /// A u64 as text.
    boot: String,
    /// Readings of the boot up to this number are all stored and folded.
    upto: u64,
    /// Gaps seen beyond it, inclusive; the first 64.
    missing: Vec<(u64, u64)>,
    /// Whether what came is folded by now. If not, a conflict with a reading that came just before it may not be seen yet;
    /// `/api/v1/devices` shows it then.
    judged: bool,
    /// One for each reading, in their order.
    readings: Vec<Fate>,
}

/// What became of one reading. It need not be sent again, whatever it is.
#[derive(Debug, Serialize, ToSchema)]
struct Fate {
    seq: u64,
    outcome: Outcome,
    /// Why it was set aside, a stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "out_of_range")]
    reason: Option<&'static str>,
    /// What was expected, and what came.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// Stored now.
    Stored,
    /// Stored before, and the same.
    Repeat,
    /// Kept aside: it is not what the contract allows.
    Quarantined,
    /// Kept aside: the same number came before with other content. Nothing of this boot counts until a person has looked.
    Conflict,
}

/// Which reading of its device something is.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Identity {
    boot: u64,
    seq: u64,
}

/// Stores what the account found in bags. The answer comes when all of it is on the disk; a reading that makes no sense is
/// kept aside with its reason and does not hold up the others.
#[utoipa::path(post, path = "/api/v1/inspections", tag = "inspections", request_body = Batch,
    responses((status = 200, body = Recorded),
        (status = 422, body = Problem, description = "no or too many readings, or one without a number of the one boot; nothing is stored"),
        (status = 503, body = Problem, description = "not stored for certain; send the same again")))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Viewing(viewer): Viewing,
    Body(batch): Body<Batch>,
) -> Result<Json<Recorded>, Problem> {
    let identities = identities(&batch.readings)?;
    let boot = identities.first().map_or(0, |first| first.boot);
    let seqs: Vec<u64> = identities.iter().map(|identity| identity.seq).collect();
    let device = api.people.handset(viewer.actor.name());
    let before = api.ledger.accepted(&device, boot, &seqs).await?;
    let taken = api.intake.take(&device, payload(&batch.readings)).await?;
    // They are stored; only whether they contradict each other waits for the projector.
    let judged = api.inspections.caught_up(&api.ledger).await.is_ok();
    let after = api.ledger.accepted(&device, boot, &seqs).await?;
    let stand = api.ledger.cursor(&device, Some(boot)).await?.stand;
    let fate = |(seq, taken): (u64, Taken)| {
        let known = |hashes: &std::collections::HashMap<u64, u64>| hashes.get(&seq).copied();
        Fate::of(seq, taken, known(&before), known(&after))
    };
    Ok(Json(Recorded {
        boot: boot.to_string(),
        upto: stand.as_ref().map_or(0, |(_, cursor)| cursor.upto()),
        missing: stand.map_or_else(Vec::new, |(_, cursor)| cursor.missing(GAPS_SHOWN)),
        judged,
        readings: seqs.into_iter().zip(taken).map(fate).collect(),
        device,
    }))
}

impl Fate {
    /// `before` and `after` the content that the number has in the journal.
    fn of(seq: u64, taken: Taken, before: Option<u64>, after: Option<u64>) -> Self {
        let other = |known: Option<u64>| known.is_some_and(|hash| hash != taken.hash);
        let outcome = match &taken.refused {
            _ if other(before) || other(after) => Outcome::Conflict,
            Some(_) => Outcome::Quarantined,
            None if before.is_some() => Outcome::Repeat,
            None => Outcome::Stored,
        };
        let (reason, detail) = taken
            .refused
            .map(|refused| (refused.reason, refused.detail))
            .unzip();
        Self {
            seq,
            outcome,
            reason,
            detail,
        }
    }
}

/// What no answer could name is refused with everything beside it: the phone would never hear of it.
fn identities(readings: &[Box<RawValue>]) -> Result<Vec<Identity>, Problem> {
    if !(1..=READINGS_MOST).contains(&readings.len()) {
        return Err(Problem::malformed(format!(
            "readings: expected 1 to {READINGS_MOST}, came {}",
            readings.len()
        )));
    }
    let mut identities = Vec::with_capacity(readings.len());
    for (index, reading) in readings.iter().enumerate() {
        let known: Option<Identity> = serde_json::from_str(reading.get()).ok();
        let known = known.filter(|identity| (1..=SEQ_MAX).contains(&identity.seq));
        let known = known.ok_or_else(|| {
            Problem::malformed(format!(
                "readings[{index}]: expected an object with boot, a whole number, and seq, one from 1; came another"
            ))
        })?;
        identities.push(known);
    }
    let boots = identities.iter().map(|identity| identity.boot);
    if let Some(other) = boots.clone().zip(boots.skip(1)).find(|(a, b)| a != b) {
        return Err(Problem::malformed(format!(
            "readings: expected those of one boot, came {} and {}; send them apart",
            other.0, other.1
        )));
    }
    Ok(identities)
}

/// The readings as they came, as a payload of the contract.
fn payload(readings: &[Box<RawValue>]) -> Vec<u8> {
    let mut payload = vec![b'['];
    for (index, reading) in readings.iter().enumerate() {
        if index > 0 {
            payload.push(b',');
        }
        payload.extend_from_slice(reading.get().as_bytes());
    }
    payload.push(b']');
    payload
}

#[cfg(test)]
mod tests;
