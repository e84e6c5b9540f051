//! How much of a token's end everybody may see on a public list, kept for a while: finding it reads every registered token,
//! and whoever asks need not be known.

use std::sync::Arc;
use std::time::Duration;

use hemu_ledger::acts::EditionId;
use hemu_ledger::registry::Ends;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::api::Api;
use crate::problem::Problem;

/// Of the list that was asked for last.
#[derive(Debug)]
pub struct PublicEnds {
    fresh_for: Duration,
    newest: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    edition: EditionId,
    at: Instant,
    ends: Arc<Ends>,
}

impl PublicEnds {
    /// `fresh_for` is real time.
    pub fn new(fresh_for: Duration) -> Self {
        Self {
            fresh_for,
            newest: Mutex::default(),
        }
    }

    pub(crate) async fn of(&self, api: &Api, edition: EditionId) -> Result<Arc<Ends>, Problem> {
        // Held while reading, so that only one reads.
        let mut newest = self.newest.lock().await;
        if let Some(kept) = &*newest
            && kept.edition == edition
            && kept.at.elapsed() < self.fresh_for
        {
            return Ok(kept.ends.clone());
        }
        let ends = Arc::new(api.ledger.ends(edition).await?);
        *newest = Some(Kept {
            edition,
            at: Instant::now(),
            ends: ends.clone(),
        });
        Ok(ends)
    }
}
