//! Attempts that came too late: what another person had done or decided by then is refused, and the attempt has a line in
//! the trail. Other refusals leave none: they say what is not possible, to the one who asked.

use super::act::Act;
use super::command::Deed;
use super::refused::Winner;
use crate::db;
use crate::entry::Body;
use crate::error::{Error, Result};

impl Act {
    /// The act itself, or what was tried too late.
    pub(crate) fn tried(&self) -> &Self {
        match self {
            Self::Late { act, .. } => act,
            _ => self,
        }
    }
}

impl Deed<'_> {
    /// A refusal on its way to whoever asked. Where another person was faster, the attempt is stored in the transaction that
    /// saw it, which has written nothing else: a check writes nothing.
    pub(crate) async fn refused(self, act: Act, error: Error) -> Error {
        let winner = error.refused().and_then(|refused| refused.winner.clone());
        // Who asks for the same twice races nobody, and the machine looks again by itself.
        let raced = |winner: &Winner| self.actor.is_person() && winner.actor != self.actor.name();
        let Some(winner) = winner.filter(raced) else {
            return error;
        };
        let late = Act::Late {
            act: Box::new(act),
            by: winner.actor,
            winner: winner.position,
        };
        // Refused it is in any case; a full disk must not make a failure of it.
        if let Err(cause) = self.store_once(late).await {
            tracing::warn!(%cause, "that an act came too late could not be stored");
        }
        error
    }

    /// Whoever only repeats what was refused makes the journal no longer.
    async fn store_once(mut self, late: Act) -> Result<()> {
        let newest =
            db::query_scalar("select body from act where actor = ? order by position desc, idx desc limit 1")
                .bind(self.actor.name())
                .fetch_optional(&mut self.tx.link())
                .await;
        let newest: Option<String> = self.of(newest)?;
        let repeated =
            newest.is_some_and(|body| serde_json::from_str(&body).is_ok_and(|act: Act| act == late));
        if !repeated {
            self.store(vec![Body::Act(Box::new(late))]).await?;
        }
        Ok(())
    }
}
