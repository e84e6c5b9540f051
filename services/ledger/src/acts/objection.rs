//! Objections: a household names readings of its own and says why; a person who has no part in it decides.

use hemu_rules::{By, Day};

use super::act::{Act, EditionId, MAX_READINGS, ReadingAt};
use super::command::Deed;
use super::occupancy::former;
use super::refused::{Refused, Why, must};
use super::state::{EditionRow, EditionState, ObjectionRow};
use crate::db;
use crate::entry::Body;
use crate::error::Result;

impl Deed<'_> {
    pub(super) async fn object(&mut self, act: Act) -> Result<Vec<Body<'static>>> {
        if let Act::Object {
            edition,
            token,
            readings,
            ..
        } = &act
        {
            self.person()?;
            let edition = self.edition(*edition).await?;
            self.household(token).await?;
            self.of_the_occupant(edition.id, token).await?;
            self.in_window(&edition, token).await?;
            self.nothing_pending(edition.id, token).await?;
            self.own_readings(&edition, token, readings).await?;
        }
        Ok(vec![Body::Act(Box::new(act))])
    }

    /// Whoever lives there now objects to what an edition says of them.
    async fn of_the_occupant(&mut self, edition: EditionId, token: &str) -> Result<()> {
        let former = db::query_scalar(concat!("select ", former!("?2"), " from edition where id = ?1"))
            .bind(edition.cast_signed())
            .bind(token)
            .fetch_one(&mut self.tx.link())
            .await;
        must(!self.of::<bool>(former)?, Why::WrongState, || {
            "this household moved, and the edition speaks of whoever lived there before".to_owned()
        })
    }

    async fn in_window(&mut self, edition: &EditionRow, token: &str) -> Result<()> {
        let id = edition.id;
        must(edition.state != EditionState::Draft, Why::NotYet, || {
            format!("edition {id} is a draft; households may object once they were told")
        })?;
        let open = matches!(edition.state, EditionState::Noticed | EditionState::Deciding);
        let deadline = self.deadline(edition, token).await?;
        must(open && self.now < deadline, Why::WindowClosed, || {
            let state = edition.state.as_str();
            format!("objections to edition {id} ({state}) were open until {deadline} (ms since 1970)")
        })
    }

    /// A household's own end of the window: it stood still while its objections were pending.
    pub(super) async fn deadline(&mut self, edition: &EditionRow, token: &str) -> Result<i64> {
        let waited = waited(&mut self.tx.link(), edition.id, token).await;
        Ok(edition.deadline.unwrap_or(0).saturating_add(self.of(waited)?))
    }

    async fn nothing_pending(&mut self, edition: EditionId, token: &str) -> Result<()> {
        let pending = db::query_scalar(
            "select count(*) from objection where edition = ? and token = ? and state = 'pending'",
        )
        .bind(edition.cast_signed())
        .bind(token)
        .fetch_one(&mut self.tx.link())
        .await;
        let pending: i64 = self.of(pending)?;
        if pending == 0 {
            return Ok(());
        }
        let winner = self.winner("object", Some(edition), Some(token)).await?;
        let sentence = "an objection of this household is pending; it is decided first";
        Err(Refused::lost(sentence, winner))
    }

    /// Readings of that household, of the days the edition looked at.
    async fn own_readings(
        &mut self,
        edition: &EditionRow,
        token: &str,
        readings: &[ReadingAt],
    ) -> Result<()> {
        must(
            (1..=MAX_READINGS).contains(&readings.len()),
            Why::Malformed,
            || {
                let came = readings.len();
                format!("expected 1 to {MAX_READINGS} readings that are objected to, came {came}")
            },
        )?;
        let (from, to) = crate::read::window(edition.day);
        let moved = self.last_move(token).await?;
        let from = moved.map_or(from, |moved| from.max(moved.plus(1)));
        for (nth, place) in (0..).zip(readings) {
            let (position, index) = *place;
            let (row, of) = self.reading(*place).await?;
            let own = of.as_deref() == Some(token) && (from..to).contains(&row.reading.day);
            let twice = readings.iter().take(nth).any(|other| other == place);
            must(own && !twice, Why::NoSuchReading, || {
                format!(
                    "no reading of this household that edition {} looked at stands at {position}/{index}, or it is named twice",
                    edition.id
                )
            })?;
        }
        Ok(())
    }

    pub(super) async fn decide_objection(&mut self, act: Act) -> Result<Vec<Body<'static>>> {
        let Act::DecideObjection {
            objection, upheld, ..
        } = &act
        else {
            return Ok(Vec::new());
        };
        let (id, upheld) = (*objection, *upheld);
        self.person()?;
        let found = db::query_as("select * from objection where id = ?")
            .bind(id.cast_signed())
            .fetch_optional(&mut self.tx.link())
            .await;
        let found: Option<ObjectionRow> = self.of(found)?;
        let Some(objection) = found else {
            return Err(Refused::error(
                Why::UnknownObjection,
                format!("there is no objection {id}"),
            ));
        };
        if let Some(upheld) = objection.upheld {
            let winner = self.decision(id).await?;
            let outcome = if upheld { "upheld" } else { "rejected" };
            return Err(Refused::lost(
                format!("objection {id} was {outcome} already"),
                winner,
            ));
        }
        let days = self.has_no_part(&objection).await?;
        let mut bodies = vec![Body::Act(Box::new(act))];
        if upheld {
            for reading in objection.readings {
                if self.struck(reading).await?.is_none() {
                    bodies.push(Body::Act(Box::new(Act::Strike {
                        reading,
                        reason: None,
                    })));
                }
            }
            let looked = |from, to| days.iter().any(|day| (from..to).contains(day));
            bodies.extend(self.reopen(looked).await?);
        }
        Ok(bodies)
    }

    /// Refuses the objector and the inspectors who made the readings; the readings' days.
    async fn has_no_part(&mut self, objection: &ObjectionRow) -> Result<Vec<Day>> {
        let me = self.actor.name();
        must(objection.by != me, Why::SamePerson, || {
            format!("{me} raised this objection; another person decides on it")
        })?;
        let phone = self.own_handset().await?;
        let mut days = Vec::new();
        for place in &objection.readings {
            let (row, _) = self.reading(*place).await?;
            let own = row.device == me || Some(&row.device) == phone.as_ref();
            let mine = row.reading.by == By::Inspector && own;
            must(!mine, Why::SamePerson, || {
                format!("{me} made one of the readings; another person decides on the objection")
            })?;
            days.push(row.reading.day);
        }
        Ok(days)
    }

    /// Under which name readings stand that the account made on a phone; `None` where the site never had a key for it.
    pub(super) async fn own_handset(&mut self) -> Result<Option<String>> {
        let key = db::query_scalar("select key from site_key")
            .fetch_optional(&mut self.tx.link())
            .await;
        let key: Option<Vec<u8>> = self.of(key)?;
        let key = key.and_then(|key| <[u8; 32]>::try_from(key).ok());
        Ok(key.map(|key| hemu_people::handset(self.actor.name(), &key)))
    }

    async fn decision(&mut self, objection: u64) -> Result<Option<super::Winner>> {
        let row: std::result::Result<Option<(String, i64, i64)>, _> = db::query_as(
            "select act.actor, act.at, act.position from act
             join objection on objection.id = ? and act.actor = objection.decided_by and act.at = objection.decided_at
             where act.kind = 'decide_objection' and act.token = objection.token order by act.position desc limit 1",
        )
        .bind(objection.cast_signed())
        .fetch_optional(&mut self.tx.link())
        .await;
        let winner = |(actor, at, position): (String, i64, i64)| super::Winner {
            actor,
            at,
            what: "decide_objection".to_owned(),
            position: position.cast_unsigned(),
        };
        Ok(self.of(row)?.map(winner))
    }
}

/// How long a household's decided objections to an edition took, in ms.
pub(super) async fn waited(
    connection: &mut db::Link<'_>,
    edition: EditionId,
    token: &str,
) -> std::result::Result<i64, sqlx::Error> {
    db::query_scalar(
        "select cast(coalesce(sum(case when decided_at > at then decided_at - at else 0 end), 0) as bigint) from objection
         where edition = ? and token = ? and decided_at is not null",
    )
    .bind(edition.cast_signed())
    .bind(token)
    .fetch_one(connection)
    .await
}
