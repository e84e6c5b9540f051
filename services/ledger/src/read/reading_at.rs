//! One reading, found by its place in the journal.

use hemu_rules::{Day, Zone};

use super::Outcome;
use crate::acts::ReadingAt;
use crate::db;
use crate::entry::Body;
use crate::journal;

/// What the journal says of a deposit, as far as its row is found by it.
pub(crate) struct Named {
    place: ReadingAt,
    pub(crate) day: Day,
    pub(crate) token: Option<String>,
    bag: String,
}

impl Named {
    /// `None` when no deposit stands there.
    pub(crate) async fn find(
        truth: impl db::Runner<'_>,
        zone: Zone,
        place: ReadingAt,
    ) -> Outcome<Option<Self>> {
        let row = db::query("select * from journal where position = ?")
            .bind(place.0.cast_signed())
            .fetch_optional(truth)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let body: Vec<u8> = row.try_get("body")?;
        let entry = journal::entries(&body).nth(place.1 as usize).and_then(Result::ok);
        let Some(Body::Deposit(deposit)) = entry.map(|entry| entry.body) else {
            return Ok(None);
        };
        Ok(Some(Self {
            place,
            day: Day::of(deposit.at, zone),
            token: deposit.household.map(str::to_owned),
            bag: deposit.bag.unwrap_or("").to_owned(),
        }))
    }

    /// Its row with its device's name; `None` when it is not folded, or was a repeat or a conflict.
    pub(crate) async fn row(&self, projections: &mut db::Link<'_>) -> Outcome<Option<db::Row>> {
        db::query(
            "select reading.*, device.name from reading join device on device.no = reading.device
             where day = ? and bag = ? and position = ? and idx = ?
             and household = coalesce((select no from household where token = ?), 0)",
        )
        .bind(self.day.get())
        .bind(&self.bag)
        .bind(self.place.0.cast_signed())
        .bind(self.place.1)
        .bind(&self.token)
        .fetch_optional(projections)
        .await
    }
}
