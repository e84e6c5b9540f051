//! Readiness: what `/readyz` asks before it says that the server can do its work.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use hemu_ledger::Ledger;

/// What a check found, in a few words; `Err` when the server cannot do its work.
pub type Outcome = Result<String, String>;

/// A check that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(3);

/// One thing that must be well.
#[derive(Clone)]
pub struct Check {
    pub(crate) name: &'static str,
    run: Arc<dyn Fn() -> BoxFuture<'static, Outcome> + Send + Sync>,
}

impl Check {
    pub fn new<F>(name: &'static str, run: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        Self {
            name,
            run: Arc::new(move || run().boxed()),
        }
    }

    /// The ledger's files answer.
    pub fn store(ledger: &Ledger) -> Self {
        let ledger = ledger.clone();
        Self::new("store", move || {
            let ledger = ledger.clone();
            async move {
                let head = ledger.head().await.map_err(|error| error.to_string())?;
                Ok(format!("the journal is at {head}"))
            }
        })
    }

    /// The projections are at most `most` batches behind the journal.
    pub fn lag(ledger: &Ledger, most: u64) -> Self {
        let ledger = ledger.clone();
        Self::new("projections", move || {
            let ledger = ledger.clone();
            async move {
                let applied = ledger
                    .progress()
                    .await
                    .map_err(|error| error.to_string())?
                    .applied;
                let head = ledger.head().await.map_err(|error| error.to_string())?;
                let behind = head.saturating_sub(applied);
                let found = format!("{behind} batches behind the journal, at most {most} expected");
                if behind <= most { Ok(found) } else { Err(found) }
            }
        })
    }

    pub(crate) async fn run(&self) -> Outcome {
        let late = |_| Err(format!("no answer within {} s", PATIENCE.as_secs()));
        tokio::time::timeout(PATIENCE, (self.run)())
            .await
            .unwrap_or_else(late)
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}
