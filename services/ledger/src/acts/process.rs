//! The steps of an edition: told, decided on, published, over. Each is one of the transitions there are, by whoever may
//! take it. Whoever is black was proposed by the rule and confirmed by two persons; nobody is added by hand.

use hemu_rules::Status;

use super::act::{Act, Actor, Audience, Words};
use super::command::Deed;
use super::place::rule_hash;
use super::refused::{Refused, Why, must};
use super::rules::in_force;
use super::state::{EditionRow, EditionState, PLACE, PlaceRow};
use crate::db;
use crate::entry::Body;
use crate::error::Result;
use crate::journal::Position;
use crate::ledger::Ledger;

/// How long a list may be public, in milliseconds: a name does not stand for longer than the evidence it rests on.
const PUBLISHED_MS: i64 = 90 * 24 * 3_600 * 1_000;
/// How long a first warning has been told before the name it announced may be confirmed.
pub const HEED_MS: i64 = 7 * 24 * 3_600 * 1_000;
/// Days an objection window may be open.
const NOTICE_DAYS: std::ops::RangeInclusive<u16> = 1..=90;

/// Why an edition is taken back when its data were restored.
const RESTORED: &str = "数据由备份恢复，此后的决定和异议无从得知。 Restored from a backup: what was decided or objected to since is not known.";

impl Ledger {
    /// After a restore: no edition goes on, for nobody knows who objected, or whose name was taken off, since; the next goes on
    /// from none of them. How many.
    pub(crate) async fn withhold_lists(&self, now: i64) -> Result<u64> {
        let machine = Actor::system();
        let mut deed = self.deed(&machine, now).await?;
        let live = db::query_scalar(
            "select id from edition where state in ('draft', 'noticed', 'deciding', 'published') order by id",
        )
        .fetch_all(&mut deed.tx.link())
        .await;
        let live: Vec<i64> = deed.of(live)?;
        if live.is_empty() {
            return Ok(0);
        }
        let body = |id: &i64| {
            Body::Act(Box::new(Act::Retract {
                edition: id.cast_unsigned(),
                reason: Words::new(RESTORED),
            }))
        };
        deed.store(live.iter().map(body).collect()).await?;
        Ok(live.len() as u64)
    }
}

impl Deed<'_> {
    pub(super) async fn on_edition(&mut self, act: Act) -> Result<Vec<Body<'static>>> {
        match &act {
            Act::Notice { edition, days } => {
                let edition = self.step(*edition, EditionState::Noticed).await?;
                self.by_the_rule_in_force(&edition).await?;
                must(NOTICE_DAYS.contains(days), Why::Malformed, || {
                    format!("expected an objection window of 1 to 90 days, came {days}")
                })?;
            }
            Act::Open { edition } => {
                let edition = self.step(*edition, EditionState::Deciding).await?;
                not_reopened(&edition)?;
                let deadline = edition.deadline.unwrap_or(i64::MAX);
                must(self.now >= deadline, Why::NotYet, || {
                    format!(
                        "households may object until {deadline} (ms since 1970); people decide after that"
                    )
                })?;
            }
            Act::ProposeBlack { edition, token } => self.propose_black(*edition, token).await?,
            Act::ConfirmBlack { edition, token } => self.confirm_black(*edition, token).await?,
            Act::Lift { edition, token, .. } => self.lift(*edition, token).await?,
            Act::ProposePublication {
                edition,
                basis: Words { .. },
                audience,
                expires_at,
            } => self.propose_publication(*edition, *audience, *expires_at).await?,
            Act::Publish { edition } => self.publish(*edition).await?,
            Act::Expire { edition } => {
                let edition = self.step(*edition, EditionState::Expired).await?;
                let expires_at = edition.expires_at.unwrap_or(i64::MAX);
                must(self.now >= expires_at, Why::NotYet, || {
                    format!("it is published until {expires_at} (ms since 1970)")
                })?;
            }
            Act::Retract { edition, .. } => {
                self.person()?;
                self.step(*edition, EditionState::Retracted).await?;
            }
            _ => {}
        }
        Ok(vec![Body::Act(Box::new(act))])
    }

    /// The edition, if it may become what is asked for.
    async fn step(&mut self, id: Position, next: EditionState) -> Result<EditionRow> {
        let edition = self.edition(id).await?;
        if edition.state.may_become(next) {
            return Ok(edition);
        }
        let (state, wanted) = (edition.state.as_str(), next.as_str());
        if edition.state == next {
            let winner = self.winner(word_of(next), Some(id), None).await?;
            return Err(Refused::lost(format!("edition {id} is {state} already"), winner));
        }
        let sentence = format!("edition {id} is {state}, and from there it cannot become {wanted}");
        Err(Refused::error(Why::WrongState, sentence))
    }

    /// Nobody is told by a rule that another one took the place of.
    async fn by_the_rule_in_force(&mut self, edition: &EditionRow) -> Result<()> {
        let rule = in_force(&mut self.tx.link(), edition.day).await;
        let rule = self.of(rule)?;
        must(rule_hash(&rule) == edition.rule_hash, Why::WrongState, || {
            format!(
                "edition {} was computed by version {} of the rule, and version {} is in force for its day; retract it and propose again",
                edition.id, edition.rule_version, rule.version
            )
        })
    }

    /// An edition that is in a state.
    async fn edition_in(&mut self, id: Position, wanted: EditionState) -> Result<EditionRow> {
        let edition = self.edition(id).await?;
        must(edition.state == wanted, Why::WrongState, || {
            let (state, wanted) = (edition.state.as_str(), wanted.as_str());
            format!("edition {id} is {state}; this is for one that is {wanted}")
        })?;
        Ok(edition)
    }

    pub(super) async fn place(&mut self, edition: Position, token: &str) -> Result<Option<PlaceRow>> {
        let sql = format!("{PLACE} where place.edition = ? and place.token = ?");
        let found = db::query_as(sqlx::AssertSqlSafe(sql))
            .bind(edition.cast_signed())
            .bind(token)
            .fetch_optional(&mut self.tx.link())
            .await;
        self.of(found)
    }

    /// A household that the rule proposes as black and nobody took off, whose own window is over.
    async fn undecided(&mut self, id: Position, token: &str) -> Result<PlaceRow> {
        self.person()?;
        let edition = self.edition_in(id, EditionState::Deciding).await?;
        not_reopened(&edition)?;
        self.household(token).await?;
        let place = self.place(id, token).await?;
        let Some(place) = place.filter(|place| place.status == Status::Black) else {
            let sentence = "the rule did not propose this household as black, and nobody is added by hand";
            return Err(Refused::error(Why::WrongState, sentence));
        };
        if place.lifted.is_some() {
            let winner = self.winner("lift", Some(id), Some(token)).await?;
            return Err(Refused::lost("this name was taken off", winner));
        }
        must(!place.former, Why::WrongState, || {
            "this household moved, and the edition speaks of whoever lived there before".to_owned()
        })?;
        must(!place.appeal_open, Why::NotYet, || {
            "an objection of this household is open; it is decided first".to_owned()
        })?;
        self.warned_long_enough(&edition).await?;
        let deadline = self.deadline(&edition, token).await?;
        must(self.now >= deadline, Why::NotYet, || {
            format!("this household may object until {deadline} (ms since 1970)")
        })?;
        self.ledger.rests_on_everything(edition, token).await?;
        Ok(place)
    }

    async fn propose_black(&mut self, id: Position, token: &str) -> Result<()> {
        let place = self.undecided(id, token).await?;
        if place.proposed_by.is_none() {
            return Ok(());
        }
        let winner = self.winner("propose_black", Some(id), Some(token)).await?;
        Err(Refused::lost("this name is proposed already", winner))
    }

    async fn confirm_black(&mut self, id: Position, token: &str) -> Result<()> {
        let place = self.undecided(id, token).await?;
        if place.confirmed_by.is_some() {
            let winner = self.winner("confirm_black", Some(id), Some(token)).await?;
            return Err(Refused::lost("this name is confirmed already", winner));
        }
        let Some(first) = place.proposed_by else {
            let sentence = "a first person proposes a black name before a second confirms it";
            return Err(Refused::error(Why::WrongState, sentence));
        };
        self.second(&first)?;
        self.decided_nothing(id, token).await
    }

    /// Refuses whoever decided on an objection of the household in this edition: nobody decides twice in one case.
    async fn decided_nothing(&mut self, edition: Position, token: &str) -> Result<()> {
        let me = self.actor.name();
        let decided =
            db::query_scalar("select id from objection where token = ? and edition = ? and decided_by = ?")
                .bind(token)
                .bind(edition.cast_signed())
                .bind(me)
                .fetch_optional(&mut self.tx.link())
                .await;
        let decided: Option<i64> = self.of(decided)?;
        must(decided.is_none(), Why::SamePerson, || {
            format!("{me} decided on this household's objection; another person confirms its name")
        })
    }

    /// Refuses whoever took the first step too.
    pub(super) fn second(&self, first: &str) -> Result<()> {
        must(first != self.actor.name(), Why::SamePerson, || {
            format!("{first} took the first step; the second is for another person")
        })
    }

    /// One person may always take a name or a warning off.
    async fn lift(&mut self, id: Position, token: &str) -> Result<()> {
        self.person()?;
        let edition = self.edition(id).await?;
        must(
            edition.state.is_open() || edition.state == EditionState::Published,
            Why::WrongState,
            || {
                format!(
                    "edition {id} is {}; there is nothing to take off",
                    edition.state.as_str()
                )
            },
        )?;
        self.household(token).await?;
        let place = self.place(id, token).await?;
        let warned = |place: &PlaceRow| place.status == Status::Black || place.hits > 0;
        let Some(place) = place.filter(warned) else {
            let sentence = "this household has neither a black name nor a warning in this edition";
            return Err(Refused::error(Why::WrongState, sentence));
        };
        if place.lifted.is_none() {
            return Ok(());
        }
        let winner = self.winner("lift", Some(id), Some(token)).await?;
        Err(Refused::lost("this name was taken off already", winner))
    }

    async fn propose_publication(&mut self, id: Position, audience: Audience, expires_at: i64) -> Result<()> {
        self.person()?;
        let edition = self.edition_in(id, EditionState::Deciding).await?;
        not_reopened(&edition)?;
        let latest = self.now.saturating_add(PUBLISHED_MS);
        must(
            expires_at > self.now && expires_at <= latest,
            Why::Malformed,
            || {
                format!(
                    "expected an end of the publication to {} that lies ahead, by {latest} (ms since 1970) at the latest, came {expires_at}",
                    audience.as_str()
                )
            },
        )?;
        if edition.publication_by.is_none() {
            return Ok(());
        }
        let winner = self.winner("propose_publication", Some(id), None).await?;
        Err(Refused::lost("the publication is proposed already", winner))
    }

    async fn publish(&mut self, id: Position) -> Result<()> {
        self.person()?;
        let edition = self.step(id, EditionState::Published).await?;
        not_reopened(&edition)?;
        self.none_newer_is_public(&edition).await?;
        let (Some(first), Some(expires_at)) = (&edition.publication_by, edition.expires_at) else {
            let sentence = "a first person proposes the publication, with its legal basis, audience and end, before a second publishes";
            return Err(Refused::error(Why::WrongState, sentence));
        };
        self.second(first)?;
        must(expires_at > self.now, Why::WrongState, || {
            format!(
                "the publication was to end at {expires_at} (ms since 1970), which is over; retract the edition"
            )
        })
    }
}

impl Deed<'_> {
    /// However close two editions lie: whoever was warned has a week to sort better.
    async fn warned_long_enough(&mut self, edition: &EditionRow) -> Result<()> {
        let Some(before) = edition.before else {
            return Ok(());
        };
        let told = self.edition(before).await?.noticed_at.unwrap_or(i64::MAX);
        let from = told.saturating_add(HEED_MS);
        must(self.now >= from, Why::NotYet, || {
            format!(
                "the warning was given at {told}; a week later, from {from} on (ms since 1970), people decide"
            )
        })
    }

    /// An old list does not take the place of a newer one.
    async fn none_newer_is_public(&mut self, edition: &EditionRow) -> Result<()> {
        let newer = db::query_scalar("select id from edition where state = 'published' and day > ? limit 1")
            .bind(edition.day.get())
            .fetch_optional(&mut self.tx.link())
            .await;
        let newer: Option<i64> = self.of(newer)?;
        let Some(newer) = newer.map(i64::cast_unsigned) else {
            return Ok(());
        };
        let winner = self.winner("publish", Some(newer), None).await?;
        let sentence = format!("edition {newer}, of a later week, is published already");
        Err(Refused::lost(sentence, winner))
    }
}

/// An edition that lost a reading is not decided on: its corrected revision is.
fn not_reopened(edition: &EditionRow) -> Result<()> {
    must(edition.reopened.is_none(), Why::WrongState, || {
        format!(
            "edition {} lost a reading to an objection; its corrected revision is decided on",
            edition.id
        )
    })
}

/// The act by which an edition becomes something.
const fn word_of(state: EditionState) -> &'static str {
    match state {
        EditionState::Draft => "propose",
        EditionState::Noticed => "notice",
        EditionState::Deciding => "open",
        EditionState::Published => "publish",
        EditionState::Expired => "expire",
        EditionState::Superseded => "supersede",
        EditionState::Retracted => "retract",
    }
}
