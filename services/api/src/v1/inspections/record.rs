//! POST /api/v1/inspections: what inspectors found in bags they opened, stored by the time of the answer.

mod sent;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{Actor, PhotoFate};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use self::sent::Sent;
use crate::api::Api;
use crate::extract::{Body, Viewing};
use crate::intake::Taken;
use crate::problem::Problem;
use crate::v1::words::StreamWord;

/// Gaps that are named.
const GAPS_SHOWN: usize = 64;

/// Readings of one boot, 1 to 256. Sending them again is harmless.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Batch {
    #[schema(value_type = Vec<Graded>, min_items = 1, max_items = 256)]
    readings: Vec<Box<RawValue>>,
}

/// A bag as a person graded it: a deposit of the device contract, and the photo beside. It is the account's own, whatever else
/// it says of itself.
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
    /// What a picture of it is called where it is kept; not a picture, and not an address that says more than that. Noted with
    /// the household's own things, once the reading is stored.
    #[schema(min_length = 1, max_length = 200, example = "IMG_0042")]
    photo: Option<String>,
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

/// What became of one reading. It need not be sent again, whatever it is, unless its photo is for `later`.
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
    /// What became of the photo it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    photo: Option<Photo>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NamedPhoto)]
enum Photo {
    /// It stands with the reading, since now or since before.
    Noted,
    /// Another was noted before, and stays.
    FirstStays,
    /// The reading was set aside, or its bag is of nobody who is registered and lives there now.
    NotKept,
    /// The reading is stored and not folded yet: send the same again in a moment.
    Later,
}

impl From<PhotoFate> for Photo {
    fn from(fate: PhotoFate) -> Self {
        match fate {
            PhotoFate::Noted => Self::Noted,
            PhotoFate::FirstStays => Self::FirstStays,
            PhotoFate::NotKept => Self::NotKept,
        }
    }
}

/// Stores what the account found in bags. The answer comes when all of it is on the disk; a reading that makes no sense is
/// kept aside with its reason and does not hold up the others.
#[utoipa::path(post, path = "/api/v1/inspections", tag = "inspections", request_body = Batch,
    responses((status = 200, body = Recorded),
        (status = 422, body = Problem, description = "no or too many readings, or one without a number of the one boot, or with a photo that is no reference; nothing is stored"),
        (status = 503, body = Problem, description = "not stored for certain; send the same again")))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Viewing(viewer): Viewing,
    Body(batch): Body<Batch>,
) -> Result<Json<Recorded>, Problem> {
    let sent = Sent::read(&batch.readings)?;
    let boot = sent.boot;
    let seqs: Vec<u64> = sent.readings.iter().map(|reading| reading.seq).collect();
    let device = api.people.handset(viewer.actor.name());
    let before = api.ledger.accepted(&device, boot, &seqs).await?;
    let taken = api.intake.take(&device, sent.payload()).await?;
    // They are stored; only whether they contradict each other waits for the projector.
    let judged = api.inspections.caught_up(&api.ledger).await.is_ok();
    let after = api.ledger.accepted(&device, boot, &seqs).await?;
    let stand = api.ledger.cursor(&device, Some(boot)).await?.stand;
    let fate = |(seq, taken): (u64, Taken)| {
        let known = |hashes: &HashMap<u64, u64>| hashes.get(&seq).copied();
        Fate::of(seq, taken, known(&before), known(&after))
    };
    let mut fates: Vec<Fate> = seqs.iter().copied().zip(taken).map(fate).collect();
    name_photos(&api, &viewer.actor, &sent, &mut fates, (judged, &after)).await?;
    Ok(Json(Recorded {
        boot: boot.to_string(),
        upto: stand.as_ref().map_or(0, |(_, cursor)| cursor.upto()),
        missing: stand.map_or_else(Vec::new, |(_, cursor)| cursor.missing(GAPS_SHOWN)),
        judged,
        readings: fates,
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
            photo: None,
        }
    }
}

/// Notes which pictures go with what is stored, and says so of each. Only what is folded has a place in the journal by which
/// an act names it.
async fn name_photos(
    api: &Api,
    account: &Actor,
    sent: &Sent,
    fates: &mut [Fate],
    (judged, after): (bool, &HashMap<u64, u64>),
) -> Result<(), Problem> {
    let mut named = Vec::new();
    for (reading, fate) in sent.readings.iter().zip(fates) {
        let Some(photo) = &reading.photo else { continue };
        let stands = matches!(fate.outcome, Outcome::Stored | Outcome::Repeat);
        if stands && after.contains_key(&reading.seq) {
            named.push((fate, (reading.seq, photo.clone())));
        } else {
            fate.photo = Some(if stands && !judged {
                Photo::Later
            } else {
                Photo::NotKept
            });
        }
    }
    if named.is_empty() {
        return Ok(());
    }
    let (fates, photos): (Vec<_>, Vec<_>) = named.into_iter().unzip();
    let told = api
        .ledger
        .name_photos(account, api.clock.now(), sent.boot, &photos)
        .await?;
    for (fate, told) in fates.into_iter().zip(told) {
        fate.photo = Some(told.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
