//! Households that move: a person records the day on which a new occupant began. That day counts for nobody; what was
//! before is the old occupant's, what comes after the new one's, whenever a reading arrives. Nothing is deleted.

use hemu_rules::{Day, Millis};

use super::act::Act;
use super::command::Deed;
use super::refused::{Refused, Why, must};
use crate::db;
use crate::entry::Body;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;

/// Whether a place is of an occupant before the one that lives there now, or mixes the two: the move came on the
/// edition's day or later, or was recorded after the edition was computed. Of whoever was erased, too. `place` and
/// `edition` are joined.
macro_rules! former {
    ($token:literal) => {
        concat!(
            "(exists (select 1 from moved where moved.token = ",
            $token,
            " and moved.undone is null and (moved.day >= edition.day or moved.act > edition.position)) or exists (
                select 1 from erased where erased.token = ",
            $token,
            "))"
        )
    };
}
pub(crate) use former;

/// Who lived under a token, from when to when: one of its periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupancy {
    /// The first day that counts; `None` for whoever was there first.
    pub from: Option<Day>,
    /// The last day that counts; `None` for whoever is there now.
    pub to: Option<Day>,
    /// Who recorded its beginning, and when (ms since 1970 UTC).
    pub recorded: Option<(String, i64)>,
}

impl Ledger {
    /// Everybody who lived under a token, one after the other, the last of whom lives there now.
    pub async fn occupancies(&self, token: &str) -> Result<Vec<Occupancy>> {
        let moves: Vec<(i64, String, i64)> =
            db::query_as("select day, by, at from moved where token = ? and undone is null order by day")
                .bind(token)
                .fetch_all(&self.truth)
                .await
                .of(&self.folder().truth())?;
        let mut periods = vec![Occupancy {
            from: None,
            to: None,
            recorded: None,
        }];
        for (day, by, at) in moves {
            let day = Day::clamped(day);
            if let Some(last) = periods.last_mut() {
                last.to = Some(day.plus(-1));
            }
            periods.push(Occupancy {
                from: Some(day.plus(1)),
                to: None,
                recorded: Some((by, at)),
            });
        }
        Ok(periods)
    }
}

impl Deed<'_> {
    pub(super) async fn on_occupancy(&mut self, act: Act) -> Result<Vec<Body<'static>>> {
        self.person()?;
        if let Act::MovedIn { token, day } | Act::MoveUndone { token, day } = &act {
            self.household(token).await?;
            let recorded = self.move_on(token, *day).await?;
            if let Act::MoveUndone { .. } = act {
                must(recorded.is_some(), Why::WrongState, || {
                    format!("no move of this household is recorded on {day}")
                })?;
            } else {
                let today = Day::of(Millis::clamped(self.now), self.ledger.zone());
                must(*day <= today, Why::InTheFuture, || {
                    format!("expected a day that has begun, came {day}, and today is {today}")
                })?;
                if let Some(act) = recorded {
                    let winner = self.winner_at(act).await?;
                    return Err(Refused::lost(
                        format!("a move on {day} is recorded already"),
                        winner,
                    ));
                }
            }
        }
        Ok(vec![Body::Act(Box::new(act))])
    }

    /// The act that recorded a move which holds.
    async fn move_on(&mut self, token: &str, day: Day) -> Result<Option<i64>> {
        let found = db::query_scalar("select act from moved where token = ? and day = ? and undone is null")
            .bind(token)
            .bind(day.get())
            .fetch_optional(&mut self.tx.link())
            .await;
        self.of(found)
    }

    /// The day of a household's last move.
    pub(super) async fn last_move(&mut self, token: &str) -> Result<Option<Day>> {
        let found = db::query_scalar("select max(day) from moved where token = ? and undone is null")
            .bind(token)
            .fetch_one(&mut self.tx.link())
            .await;
        Ok(self.of::<Option<i64>>(found)?.map(Day::clamped))
    }

    /// Whether somebody moved, or did not after all, since a position.
    pub(super) async fn moved_since(&mut self, position: Position) -> Result<bool> {
        let found = db::query_scalar("select exists (select 1 from moved where act > ?1 or undone > ?1)")
            .bind(position.cast_signed())
            .fetch_one(&mut self.tx.link())
            .await;
        self.of(found)
    }
}
