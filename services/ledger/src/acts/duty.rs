//! Whose duty an act is. The API asks the same before a handler runs; here it is asked again inside the transaction, so
//! that duties stay separate and residents act for their own household whatever a handler forgot. Names without an
//! account are the machine's and the operator's at the command line.

use hemu_people::{Right, Role};

use super::act::Act;
use super::command::Deed;
use super::refused::{Why, must};
use crate::db;
use crate::error::Result;
use crate::people::OWN_HOUSEHOLDS;

impl Act {
    /// The right that an account needs for it; `None` for a change of accounts, which asks for itself.
    pub fn right(&self) -> Option<Right> {
        Some(match self {
            Self::Strike { .. }
            | Self::Restore { .. }
            | Self::ClockChecked { .. }
            | Self::DeviceChecked { .. } => Right::MendReadings,
            Self::NamePhoto { .. } => Right::GradeBags,
            Self::CardLost { .. }
            | Self::CardFound { .. }
            | Self::MovedIn { .. }
            | Self::MoveUndone { .. } => Right::KeepCards,
            Self::RedOptIn { .. } | Self::RedOptOut { .. } => Right::Consent,
            Self::Notice { .. }
            | Self::Open { .. }
            | Self::ProposeBlack { .. }
            | Self::ProposePublication { .. } => Right::PrepareLists,
            Self::ConfirmBlack { .. }
            | Self::Lift { .. }
            | Self::Publish { .. }
            | Self::Expire { .. }
            | Self::Retract { .. }
            | Self::DecideObjection { .. } => Right::DecideLists,
            Self::Object { .. } => Right::Object,
            Self::ProposeRule { .. }
            | Self::AdoptRule { .. }
            | Self::ShadowRule { .. }
            | Self::EndShadow { .. } => Right::SetRules,
            Self::Correct { .. } | Self::Erase { .. } => Right::KeepHouseholds,
            Self::Bank(deal) => deal.right(),
            Self::Account(_) => return None,
            Self::Late { act, .. } => return act.right(),
        })
    }
}

impl Deed<'_> {
    /// Refuses what is not the account's to do: by its role, or as a household's own or delegate.
    pub(crate) async fn is_its_duty(&mut self, act: &Act) -> Result<()> {
        let (Some(role), Some(right)) = (self.role().await?, act.right()) else {
            return Ok(());
        };
        let own = match act.about().token {
            Some(token) if matches!(right, Right::Object | Right::Consent | Right::Spend) => {
                self.is_own(token).await?
            }
            _ => false,
        };
        // A household that is not theirs is none they know of.
        let known = own || role.is_staff() || act.about().token.is_none();
        must(known, Why::UnknownHousehold, || {
            "no household is registered under this token".to_owned()
        })?;
        must(own || role.may(right), Why::NotYourDuty, || {
            format!("expected an account whose role may do this, came {role}")
        })
    }

    /// The role of the account that acts; `None` of a name that has no account.
    pub(crate) async fn role(&mut self) -> Result<Option<Role>> {
        let Some((role, disabled)) = self.standing().await? else {
            return Ok(None);
        };
        // It may have been disabled since the request came in; and a name at the command line is held to the same.
        must(disabled.is_none(), Why::NotYourDuty, || {
            "expected an account that may log in, came one that is disabled".to_owned()
        })?;
        Ok(Some(role))
    }

    /// The account's role, and since when it is disabled.
    async fn standing(&mut self) -> Result<Option<(Role, Option<i64>)>> {
        let found = db::query_as("select role, disabled_at from account where name = ?")
            .bind(self.actor.name())
            .fetch_optional(&mut self.tx.link())
            .await;
        let found: Option<(String, Option<i64>)> = self.of(found)?;
        // A word that a newer version wrote grants nothing here.
        Ok(found.map(|(word, disabled)| (word.parse().unwrap_or(Role::Collector), disabled)))
    }

    /// Whether a resident asks.
    pub(crate) async fn is_a_residents(&mut self) -> Result<bool> {
        let standing = self.standing().await?;
        Ok(standing.is_some_and(|(role, _)| role == Role::Resident))
    }

    /// Whether the account acts for a household as its own or as its delegate.
    pub(crate) async fn is_own(&mut self, token: &str) -> Result<bool> {
        let sql = sqlx::AssertSqlSafe(format!("{OWN_HOUSEHOLDS} and token = ?"));
        let found = db::query_scalar(sql)
            .bind(self.actor.name())
            .bind(token)
            .fetch_optional(&mut self.tx.link())
            .await;
        let found: Option<String> = self.of(found)?;
        Ok(found.is_some())
    }
}
