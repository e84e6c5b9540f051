//! Folds an act into the state tables of `hemu.db`. The only place that writes them: a command, a check and a rebuild
//! all come through here, and nothing here refuses or looks at a clock.

use super::act::{Act, Placed, Proposal, Proposed};
use super::place::rule_hash;
use crate::db;
use crate::entry::Body;
use crate::journal::Position;
use crate::rows::Rows;

pub(super) type Outcome = Result<(), sqlx::Error>;

const DAY_MS: i64 = 86_400_000;

/// Where an act stands, when it was done, and by whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp<'a> {
    pub(crate) position: Position,
    pub(crate) index: u32,
    pub(crate) at: i64,
    pub(crate) actor: &'a str,
}

/// One statement with its parameters.
macro_rules! run {
    ($connection:expr, $sql:literal $(, $value:expr)* $(,)?) => {
        db::query($sql)$(.bind($value))*.execute(&mut *$connection).await.map(|_| ())
    };
}
pub(super) use run;

impl Stamp<'_> {
    pub(crate) fn id(&self) -> i64 {
        self.position.cast_signed()
    }

    pub(crate) async fn apply(&self, connection: &mut db::Link<'_>, body: &Body<'_>) -> Outcome {
        match body {
            Body::Act(act) => {
                self.note(connection, act).await?;
                match **act {
                    Act::Strike { .. }
                    | Act::Restore { .. }
                    | Act::ClockChecked { .. }
                    | Act::CardLost { .. }
                    | Act::CardFound { .. }
                    | Act::RedOptIn { .. }
                    | Act::RedOptOut { .. } => self.of_evidence(connection, act).await,
                    Act::ProposeBlack { .. } | Act::ConfirmBlack { .. } | Act::Lift { .. } => {
                        self.of_place(connection, act).await
                    }
                    Act::Object { .. } | Act::DecideObjection { .. } => {
                        self.of_objection(connection, act).await
                    }
                    Act::ShadowRule { .. } | Act::EndShadow { .. } => self.of_shadow(connection, act).await,
                    Act::MovedIn { .. } | Act::MoveUndone { .. } => self.of_occupancy(connection, act).await,
                    Act::Correct { .. } | Act::Erase { .. } => self.of_register(connection, act).await,
                    Act::ProposeRule { .. } | Act::AdoptRule { .. } => self.of_rule(connection, act).await,
                    Act::Bank(_) => self.of_bank(connection, act).await,
                    // Only noted: what they change is in tables that are not folded, or folded with the readings.
                    Act::Account(_)
                    | Act::DeviceChecked { .. }
                    | Act::NamePhoto { .. }
                    | Act::Late { .. } => Ok(()),
                    _ => self.of_edition(connection, act).await,
                }
            }
            Body::Proposal(proposal) => self.of_proposal(connection, proposal).await,
            _ => Ok(()),
        }
    }

    /// The audit trail.
    async fn note(&self, connection: &mut db::Link<'_>, act: &Act) -> Outcome {
        let about = act.about();
        let (mut edition, mut token) = (about.edition, about.token.map(str::to_owned));
        if let Act::DecideObjection { objection, .. } = act.tried() {
            let of: Option<(i64, String)> = db::query_as("select edition, token from objection where id = ?")
                .bind(objection.cast_signed())
                .fetch_optional(&mut *connection)
                .await?;
            (edition, token) = of.map(|(id, token)| (id.cast_unsigned(), token)).unzip();
        }
        let body = serde_json::to_string(act).unwrap_or_default();
        self.note_as(connection, act.kind(), (edition, token), body).await
    }

    async fn note_as(
        &self,
        connection: &mut db::Link<'_>,
        kind: &str,
        (edition, token): (Option<Position>, Option<String>),
        body: String,
    ) -> Outcome {
        run!(
            connection,
            "insert into act (position, idx, at, actor, kind, edition, token, body) values (?, ?, ?, ?, ?, ?, ?, ?)",
            self.id(),
            self.index,
            self.at,
            self.actor,
            kind,
            edition.map(u64::cast_signed),
            token,
            body
        )
    }

    async fn of_evidence(&self, connection: &mut db::Link<'_>, act: &Act) -> Outcome {
        match act {
            Act::Strike {
                reading: (at, idx), ..
            } => run!(
                connection,
                "insert into struck (position, idx, act) values (?, ?, ?) on conflict do nothing",
                at.cast_signed(),
                idx,
                self.id()
            ),
            Act::Restore { reading: (at, idx) } => run!(
                connection,
                "delete from struck where position = ? and idx = ?",
                at.cast_signed(),
                idx
            ),
            Act::ClockChecked { reading: (at, idx) } => run!(
                connection,
                "insert into clock_checked (position, idx, act) values (?, ?, ?) on conflict do nothing",
                at.cast_signed(),
                idx,
                self.id()
            ),
            Act::CardLost { token, since } => run!(
                connection,
                "insert into lost_card (token, since, act) values (?, ?, ?)
                 on conflict (token) do update set since = excluded.since, act = excluded.act",
                token,
                since,
                self.id()
            ),
            Act::CardFound { token } => run!(connection, "delete from lost_card where token = ?", token),
            Act::RedOptIn { token } => run!(
                connection,
                "insert into red_opt_in (token, act) values (?, ?)
                 on conflict (token) do update set act = excluded.act",
                token,
                self.id()
            ),
            Act::RedOptOut { token } => run!(connection, "delete from red_opt_in where token = ?", token),
            _ => Ok(()),
        }
    }

    async fn of_place(&self, connection: &mut db::Link<'_>, act: &Act) -> Outcome {
        match act {
            Act::ProposeBlack { edition, token } => run!(
                connection,
                "update place set proposed_by = ? where edition = ? and token = ?",
                self.actor,
                edition.cast_signed(),
                token
            ),
            Act::ConfirmBlack { edition, token } => run!(
                connection,
                "update place set confirmed_by = ?, confirmed = ? where edition = ? and token = ?",
                self.actor,
                self.id(),
                edition.cast_signed(),
                token
            ),
            Act::Lift { edition, token, .. } => run!(
                connection,
                // What rests on a warning that was wrong is wrong with it: revisions, and weeks already computed.
                "update place set lifted_by = ?1, lifted = ?2
                 where token = ?4 and lifted is null and edition in (
                     select id from edition where id = ?3
                         or (day >= (select day from edition where id = ?3)
                             and state in ('draft', 'noticed', 'deciding', 'published')))",
                self.actor,
                self.id(),
                edition.cast_signed(),
                token
            ),
            _ => Ok(()),
        }
    }

    async fn of_edition(&self, connection: &mut db::Link<'_>, act: &Act) -> Outcome {
        match act {
            Act::Notice { edition, days } => run!(
                connection,
                "update edition set state = 'noticed', noticed_at = ?1, deadline = ?2 where id = ?3",
                self.at,
                self.at.saturating_add(i64::from(*days) * DAY_MS),
                edition.cast_signed()
            ),
            Act::Open { edition } => run!(
                connection,
                "update edition set state = 'deciding' where id = ?",
                edition.cast_signed()
            ),
            Act::ProposePublication {
                edition,
                basis,
                audience,
                expires_at,
            } => run!(
                connection,
                "update edition set basis = ?, audience = ?, expires_at = ?, publication_by = ? where id = ?",
                basis.hash().as_str(),
                audience.as_str(),
                expires_at,
                self.actor,
                edition.cast_signed()
            ),
            Act::Publish { edition } => self.publish(connection, edition.cast_signed()).await,
            Act::Expire { edition } => run!(
                connection,
                "update edition set state = 'expired' where id = ?",
                edition.cast_signed()
            ),
            Act::Retract { edition, .. } => run!(
                connection,
                "update edition set state = 'retracted' where id = ?",
                edition.cast_signed()
            ),
            _ => Ok(()),
        }
    }

    /// The edition of the day that was public until now gives way, and objections to it go on here; the lists of weeks
    /// before are over.
    async fn publish(&self, connection: &mut db::Link<'_>, id: i64) -> Outcome {
        run!(
            connection,
            "update objection set edition = ?1 where edition in (
                 select old.id from edition old join edition new on new.day = old.day
                 where new.id = ?1 and old.id <> ?1 and old.state = 'published')",
            id
        )?;
        run!(
            connection,
            "update edition set state = 'superseded', superseded_by = ?1
             where state = 'published' and id <> ?1 and day = (select day from edition where id = ?1)",
            id
        )?;
        run!(
            connection,
            "update edition set state = 'expired'
             where state = 'published' and day < (select day from edition where id = ?1)",
            id
        )?;
        run!(
            connection,
            "update edition set state = 'published', published_by = ?, published_at = ? where id = ?",
            self.actor,
            self.at,
            id
        )
    }

    async fn of_objection(&self, connection: &mut db::Link<'_>, act: &Act) -> Outcome {
        match act {
            Act::Object {
                edition,
                token,
                readings,
                words,
            } => run!(
                connection,
                "insert into objection (id, edition, token, by, at, words, readings, state)
                 values (?, ?, ?, ?, ?, ?, ?, 'pending')",
                self.id(),
                edition.cast_signed(),
                token,
                self.actor,
                self.at,
                words.hash().as_str(),
                serde_json::to_string(readings).unwrap_or_default()
            ),
            Act::DecideObjection {
                objection,
                upheld,
                reason,
            } => run!(
                connection,
                "update objection set state = ?, decided_by = ?, decided_at = ?, reason = ? where id = ?",
                if *upheld { "upheld" } else { "rejected" },
                self.actor,
                self.at,
                reason.hash().as_str(),
                objection.cast_signed()
            ),
            _ => Ok(()),
        }
    }

    async fn of_occupancy(&self, connection: &mut db::Link<'_>, act: &Act) -> Outcome {
        match act {
            Act::MovedIn { token, day } => run!(
                connection,
                "insert into moved (token, day, act, by, at) values (?, ?, ?, ?, ?)",
                token,
                day.get(),
                self.id(),
                self.actor,
                self.at
            ),
            Act::MoveUndone { token, day } => run!(
                connection,
                "update moved set undone = ? where token = ? and day = ? and undone is null",
                self.id(),
                token,
                day.get()
            ),
            _ => Ok(()),
        }
    }

    /// The register itself is no fold: what an act changes there is changed beside (`register.rs`).
    async fn of_register(&self, connection: &mut db::Link<'_>, act: &Act) -> Outcome {
        let Act::Erase { token, .. } = act else {
            return Ok(());
        };
        run!(connection, "delete from red_opt_in where token = ?", token)?;
        self.close_accounts(connection, token).await?;
        run!(
            connection,
            "insert into erased (token, act, at) values (?, ?, ?) on conflict do nothing",
            token,
            self.id(),
            self.at
        )
    }

    async fn of_rule(&self, connection: &mut db::Link<'_>, act: &Act) -> Outcome {
        match act {
            Act::ProposeRule { rule, from } => run!(
                connection,
                "insert into rule_version (id, version, rule, rule_hash, from_day, proposed_by, proposed_at)
                 values (?, ?, ?, ?, ?, ?, ?)",
                self.id(),
                rule.version,
                serde_json::to_string(rule).unwrap_or_default(),
                rule_hash(rule).as_str(),
                from.get(),
                self.actor,
                self.at
            ),
            Act::AdoptRule { proposal } => run!(
                connection,
                "update rule_version set adopted = ?, adopted_by = ?, adopted_at = ? where id = ?",
                self.id(),
                self.actor,
                self.at,
                proposal.cast_signed()
            ),
            _ => Ok(()),
        }
    }

    async fn of_proposal(&self, connection: &mut db::Link<'_>, proposal: &Proposal) -> Outcome {
        match proposal {
            Proposal::Roll { hash, part, .. } => run!(
                connection,
                "insert into roll (hash, part, body) values (?, ?, ?) on conflict do nothing",
                hash.as_str(),
                part,
                serde_json::to_string(proposal).unwrap_or_default()
            ),
            Proposal::Edition(proposed) => self.propose(connection, proposed).await,
            Proposal::Places { places } => self.places(connection, places).await,
            Proposal::Groups(groups) => run!(
                connection,
                "insert into edition_groups (edition, part, estate, body) values (?, ?, ?, ?)",
                self.id(),
                self.index,
                &groups.estate,
                serde_json::to_string(proposal).unwrap_or_default()
            ),
            Proposal::Shadow(shadowed) => self.shadow(connection, shadowed).await,
            Proposal::ShadowPlaces { places } => self.shadow_places(connection, places).await,
            Proposal::Reopen { editions } => {
                for edition in editions {
                    let id = edition.cast_signed();
                    run!(
                        connection,
                        "update edition set reopened = ? where id = ?",
                        self.id(),
                        id
                    )?;
                }
                Ok(())
            }
        }
    }

    async fn propose(&self, connection: &mut db::Link<'_>, proposed: &Proposed) -> Outcome {
        let [red, black, grey, unrated] = proposed.counts.map(u64::cast_signed);
        let rule = serde_json::to_string(&proposed.rule).unwrap_or_default();
        let body = serde_json::to_string(proposed).unwrap_or_default();
        self.note_as(connection, "propose", (Some(self.position), None), body)
            .await?;
        run!(
            connection,
            "insert into edition (id, day, revision, state, rule_version, rule, rule_hash, position, before, known, roll,
               red, black, grey, unrated, notices, digest, proposed_at, revises)
             values (?, ?, ?, 'draft', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self.id(),
            proposed.day.get(),
            proposed.revision,
            proposed.rule.version,
            rule,
            proposed.rule_hash.as_str(),
            proposed.position.cast_signed(),
            proposed.before.map(u64::cast_signed),
            proposed.known.cast_signed(),
            proposed.roll.as_str(),
            red,
            black,
            grey,
            unrated,
            proposed.notices.cast_signed(),
            proposed.digest.as_str(),
            self.at,
            proposed.revises.map(u64::cast_signed)
        )?;
        let Some(old) = proposed.revises.map(u64::cast_signed) else {
            return Ok(());
        };
        if proposed.inherits {
            run!(
                connection,
                "update edition set state = old.state, noticed_at = old.noticed_at, deadline = old.deadline
                 from (select * from edition where id = ?2) as old
                 where edition.id = ?1 and old.state in ('noticed', 'deciding')",
                self.id(),
                old
            )?;
        }
        let open = "('draft', 'noticed', 'deciding')";
        let moved = format!(
            "update objection set edition = ?1
             where edition = (select id from edition where id = ?2 and state in {open})"
        );
        db::query(sqlx::AssertSqlSafe(moved))
            .bind(self.id())
            .bind(old)
            .execute(&mut *connection)
            .await?;
        // A published one stays until a person publishes the revision.
        let gives_way = format!(
            "update edition set superseded_by = ?1, state = case when state in {open} then 'superseded' else state end
             where id = ?2"
        );
        db::query(sqlx::AssertSqlSafe(gives_way))
            .bind(self.id())
            .bind(old)
            .execute(&mut *connection)
            .await
            .map(|_| ())
    }

    /// The places of the edition that this batch proposes. Who was lifted from the edition it corrects stays lifted.
    async fn places(&self, connection: &mut db::Link<'_>, places: &[Placed]) -> Outcome {
        let insert = Rows::new(
            "insert into place (edition, token, status, hits, notice, score, p_black, p_red, deposit_days, inspected_days, rank)",
            11,
            "",
        );
        insert
            .write(connection, places, |b, place| {
                b.bits(self.position)
                    .add(place.token.clone())
                    .add(place.status.code());
                b.add(place.hits).add(place.notice).add(place.score);
                b.add(place.p_black.get()).add(place.p_red.get());
                b.add(place.deposit_days)
                    .add(place.inspected_days)
                    .add(place.rank);
            })
            .await?;
        run!(
            connection,
            "update place set lifted_by = old.lifted_by, lifted = old.lifted
             from place as old where place.edition = ?1 and old.token = place.token and old.lifted is not null
               and old.edition = (select revises from edition where id = ?1)",
            self.id()
        )
    }
}
