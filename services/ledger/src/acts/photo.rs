//! Which picture goes with a bag that a person graded: a reference to one that is kept elsewhere. The journal has its hash;
//! the words are the household's and go with it. Must not know the picture, nor tell who inspects.

use std::collections::HashMap;

use hemu_rules::Day;
use serde::{Deserialize, Serialize};

use super::act::{Act, Actor, ReadingAt, Words};
use super::command::Deed;
use crate::db;
use crate::entry::Body;
use crate::error::{Error, InFile, Result};
use crate::ledger::Ledger;
use crate::read::DepositRow;

/// Characters of a reference, at most.
pub const MAX_PHOTO: usize = 200;

/// What became of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhotoFate {
    /// It stands with the reading, since now or since before.
    Noted,
    /// Another was noted before, and stays.
    FirstStays,
    /// Nothing is there to note it with: no reading of the account has the number, or its bag is of nobody who is
    /// registered and lives there now.
    NotKept,
}

/// As it is kept. Whoever knows how a camera counts could try its numbers against a hash, so it is salted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    photo: String,
    salt: String,
}

/// A reading whose bag is a household's.
struct Graded {
    place: ReadingAt,
    token: String,
}

impl Ledger {
    /// Notes which pictures go with readings that the account made on a phone, each by its number in the boot; what became of
    /// each, in their order. A reading's first reference stays, and sending it again changes nothing.
    pub async fn name_photos(
        &self,
        account: &Actor,
        now: i64,
        boot: u64,
        photos: &[(u64, String)],
    ) -> Result<Vec<PhotoFate>> {
        let handset: Actor;
        let mut deed = self.deed(account, now).await?;
        let Some(device) = deed.own_handset().await? else {
            return Ok(vec![PhotoFate::NotKept; photos.len()]);
        };
        let (mut fates, mut new) = (Vec::with_capacity(photos.len()), HashMap::new());
        let mut bodies = Vec::new();
        for (seq, photo) in photos {
            let Some(graded) = deed.graded(&device, boot, *seq).await? else {
                fates.push(PhotoFate::NotKept);
                continue;
            };
            let known = match new.get(&graded.place) {
                Some(&known) => Some(known == photo),
                None => deed.is_named(&graded, photo).await?,
            };
            fates.push(match known {
                Some(false) => PhotoFate::FirstStays,
                Some(true) | None => PhotoFate::Noted,
            });
            if known.is_none() {
                new.insert(graded.place, photo);
                let act = self.naming(graded, photo)?;
                deed.is_its_duty(&act).await?;
                bodies.push(Body::Act(Box::new(act)));
            }
        }
        if !bodies.is_empty() {
            // Under the name that the readings stand under: which device an account is, the journal says of nobody.
            handset = device.parse().map_err(|_| Error::Rejected(device))?;
            deed.actor = &handset;
            deed.store(bodies).await?;
        }
        Ok(fates)
    }

    fn naming(&self, graded: Graded, photo: &str) -> Result<Act> {
        let reference = Reference {
            photo: photo.to_owned(),
            salt: self.vault.salt()?,
        };
        Ok(Act::NamePhoto {
            token: graded.token,
            reading: graded.place,
            reference: Words::new(serde_json::to_string(&reference).unwrap_or_default()),
        })
    }

    /// Which pictures go with some of a household's readings, as far as that was noted and not erased.
    pub(crate) async fn photos(
        &self,
        token: &str,
        readings: &[DepositRow],
    ) -> Result<HashMap<ReadingAt, String>> {
        let named = named(&self.truth, token).await.of(&self.folder().truth())?;
        let mut photos = HashMap::new();
        for row in readings {
            let Some(words) = named.get(&row.place) else {
                continue;
            };
            let photo = self.photo(token, words).await?;
            photos.extend(photo.map(|photo| (row.place, photo)));
        }
        Ok(photos)
    }

    /// The reference that an act named; `None` when it was erased.
    pub(crate) async fn photo(&self, token: &str, reference: &Words) -> Result<Option<String>> {
        let text = self.words(reference.hash(), Some(token)).await?;
        let reference = text.and_then(|text| serde_json::from_str::<Reference>(&text).ok());
        Ok(reference.map(|reference| reference.photo))
    }
}

impl Deed<'_> {
    /// The device's reading under a number, if its bag is of a registered household's present occupant.
    async fn graded(&mut self, device: &str, boot: u64, seq: u64) -> Result<Option<Graded>> {
        let path = self.ledger.folder().projections();
        let row: Option<(i64, u32, i64, String)> = db::query_as(
            "select reading.position, reading.idx, reading.day, household.token from reading
             join device on device.no = reading.device join household on household.no = reading.household
             where device.name = ? and reading.boot = ? and reading.seq = ? and reading.reading_id is null",
        )
        .bind(device)
        .bind(boot.cast_signed())
        .bind(seq.cast_signed())
        .fetch_optional(&self.ledger.projections)
        .await
        .of(&path)?;
        let Some((position, index, day, token)) = row else {
            return Ok(None);
        };
        match self.household(&token).await {
            Err(error) if error.refused().is_some() => return Ok(None),
            known => known?,
        }
        // What is of an earlier occupant is nobody's to see.
        let moved = self.last_move(&token).await?;
        let own = moved.is_none_or(|moved| moved < Day::clamped(day));
        Ok(own.then_some(Graded {
            place: (position.cast_unsigned(), index),
            token,
        }))
    }

    /// Whether a reading has this reference; `None` where it has none yet. One that was erased is another.
    async fn is_named(&mut self, graded: &Graded, photo: &str) -> Result<Option<bool>> {
        let named = named(&mut self.tx.link(), &graded.token).await;
        let Some(reference) = self.of(named)?.remove(&graded.place) else {
            return Ok(None);
        };
        let kept = self.ledger.photo(&graded.token, &reference).await?;
        Ok(Some(kept.as_deref() == Some(photo)))
    }
}

/// A household's readings of which a picture was named.
async fn named(truth: impl db::Runner<'_>, token: &str) -> db::Outcome<HashMap<ReadingAt, Words>> {
    let bodies: Vec<String> =
        db::query_scalar("select body from act where token = ? and kind = 'name_photo'")
            .bind(token)
            .fetch_all(truth)
            .await?;
    let named = |body: &String| match serde_json::from_str(body) {
        Ok(Act::NamePhoto {
            reading, reference, ..
        }) => Some((reading, reference)),
        _ => None,
    };
    Ok(bodies.iter().filter_map(named).collect())
}
