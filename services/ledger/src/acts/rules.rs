//! Rules as data: a person proposes one from a day on, another adopts it, and editions of that day and later are
//! computed by it. What an edition was computed by stays with the edition; nothing here computes one.

use hemu_rules::{Day, Rule};

use super::act::{Act, Sha};
use super::command::Deed;
use super::place::rule_hash;
use super::refused::{Refused, Why, must};
use crate::db;
use crate::entry::Body;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;

/// A rule's proposal: the position of the batch that holds it.
pub type RuleId = Position;

/// A rule that was proposed, and adopted or not yet.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleRow {
    pub id: RuleId,
    pub rule: Rule,
    pub hash: Sha,
    /// The first edition day it is for.
    pub from: Day,
    pub proposed_by: String,
    pub proposed_at: i64,
    /// Who adopted it, and when (ms since 1970 UTC); `None` while a second person has not.
    pub adopted: Option<(String, i64)>,
}

impl db::FromRow for RuleRow {
    fn from_row(row: &db::Row) -> std::result::Result<Self, sqlx::Error> {
        let by: Option<String> = row.try_get("adopted_by")?;
        let at: Option<i64> = row.try_get("adopted_at")?;
        Ok(Self {
            id: row.try_get::<i64, _>("id")?.cast_unsigned(),
            rule: stored(row.try_get("rule")?)?,
            hash: Sha::stored(row.try_get("rule_hash")?),
            from: Day::clamped(row.try_get("from_day")?),
            proposed_by: row.try_get("proposed_by")?,
            proposed_at: row.try_get("proposed_at")?,
            adopted: by.zip(at),
        })
    }
}

/// A rule as a state table has it.
pub(super) fn stored(json: &str) -> std::result::Result<Rule, sqlx::Error> {
    serde_json::from_str(json).map_err(|error| {
        sqlx::Error::Protocol(format!(
            "a stored rule cannot be read: {error}; run `hemu rebuild`"
        ))
    })
}

/// The rule that editions of a day are computed by.
pub(super) async fn in_force(
    connection: &mut db::Link<'_>,
    day: Day,
) -> std::result::Result<Rule, sqlx::Error> {
    let json: Option<String> = db::query_scalar(
        "select rule from rule_version where adopted is not null and from_day <= ?
         order by from_day desc, adopted desc limit 1",
    )
    .bind(day.get())
    .fetch_optional(connection)
    .await?;
    json.map_or(Ok(Rule::V1), |json| stored(&json))
}

impl Ledger {
    /// The rule that editions of a day are computed by: of those adopted, the one with the latest day up to then;
    /// [`Rule::V1`] before any.
    pub async fn rule_in_force(&self, day: Day) -> Result<Rule> {
        let path = self.folder().truth();
        let mut connection = self.truth.acquire().await.of(&path)?;
        in_force(&mut connection.link(), day).await.of(&path)
    }

    /// Every rule that was proposed, in the order of the days they are for. [`Rule::V1`], which the product comes with
    /// and which is in force before any of them, is not among them.
    pub async fn rules(&self) -> Result<Vec<RuleRow>> {
        db::query_as("select * from rule_version order by from_day, id")
            .fetch_all(&self.truth)
            .await
            .of(&self.folder().truth())
    }
}

impl Deed<'_> {
    pub(super) async fn on_rule(&mut self, act: Act) -> Result<Vec<Body<'static>>> {
        self.person()?;
        match &act {
            Act::ProposeRule { rule, from } => {
                self.is_a_rule(rule).await?;
                self.before_no_told_edition(*from).await?;
                let same = "select id from rule_version where version = ? and from_day = ?";
                let same = db::query_scalar(same)
                    .bind(rule.version)
                    .bind(from.get())
                    .fetch_optional(&mut self.tx.link())
                    .await;
                if let Some(id) = self.of::<Option<i64>>(same)? {
                    let winner = self.winner_at(id).await?;
                    let sentence = format!(
                        "version {} from {from} is proposed already, as {id}",
                        rule.version
                    );
                    return Err(Refused::lost(sentence, winner));
                }
            }
            Act::AdoptRule { proposal } => self.adopt(*proposal).await?,
            _ => {}
        }
        Ok(vec![Body::Act(Box::new(act))])
    }

    /// Its constants make a rule, its bytes lead back to it, and its version number is not another rule's.
    pub(super) async fn is_a_rule(&mut self, rule: &Rule) -> Result<()> {
        rule.validate()
            .map_err(|error| Refused::error(Why::Malformed, error.to_string()))?;
        let json = serde_json::to_string(rule).unwrap_or_default();
        must(stored(&json).ok().as_ref() == Some(rule), Why::Malformed, || {
            "expected constants that are the same when they are written out and read again".to_owned()
        })?;
        let version = rule.version;
        let sentence = || {
            format!("version {version} is another rule already; expected a version number that is not taken")
        };
        must(
            *rule == Rule::V1 || version != Rule::V1.version,
            Why::AlreadyDecided,
            sentence,
        )?;
        let other = db::query_scalar(
            "select id from (select id, version, rule_hash from rule_version
                 union all select id, version, rule_hash from shadow_rule) as known
             where version = ? and rule_hash <> ? order by id limit 1",
        )
        .bind(version)
        .bind(rule_hash(rule).as_str())
        .fetch_optional(&mut self.tx.link())
        .await;
        let Some(id) = self.of::<Option<i64>>(other)? else {
            return Ok(());
        };
        let winner = self.winner_at(id).await?;
        Err(Refused::lost(sentence(), winner))
    }

    /// Households were told of an edition by the rule that was in force then: no other one comes in behind it.
    async fn before_no_told_edition(&mut self, from: Day) -> Result<()> {
        let told = db::query_scalar(
            "select max(day) from edition where noticed_at is not null and state <> 'retracted'",
        )
        .fetch_one(&mut self.tx.link())
        .await;
        let told = self.of::<Option<i64>>(told)?.map(Day::clamped);
        must(told.is_none_or(|told| from > told), Why::WrongState, || {
            let told = told.unwrap_or(from);
            format!(
                "households were told of the edition of {told}; expected a rule for a later day, came {from}"
            )
        })
    }

    async fn adopt(&mut self, id: RuleId) -> Result<()> {
        let found = db::query_as("select * from rule_version where id = ?")
            .bind(id.cast_signed())
            .fetch_optional(&mut self.tx.link())
            .await;
        let Some(row) = self.of::<Option<RuleRow>>(found)? else {
            return Err(Refused::error(
                Why::UnknownRule,
                format!("no rule was proposed as {id}"),
            ));
        };
        if let Some((by, _)) = &row.adopted {
            let sentence = format!(
                "version {} from {} was adopted by {by} already",
                row.rule.version, row.from
            );
            let winner = self.adoption(id).await?;
            return Err(Refused::lost(sentence, winner));
        }
        self.second(&row.proposed_by)?;
        self.before_no_told_edition(row.from).await
    }

    async fn adoption(&mut self, id: RuleId) -> Result<Option<super::Winner>> {
        let act = db::query_scalar("select adopted from rule_version where id = ?")
            .bind(id.cast_signed())
            .fetch_one(&mut self.tx.link())
            .await;
        match self.of::<Option<i64>>(act)? {
            Some(act) => self.winner_at(act).await,
            None => Ok(None),
        }
    }
}
