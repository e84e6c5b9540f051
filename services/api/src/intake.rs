//! Where readings that people send go: handed over by the composition root, and absent on a node that takes none in.
//!
//! Must not answer before what came is on the disk.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};

use crate::problem::Problem;

type Take = dyn Fn(String, Vec<u8>) -> BoxFuture<'static, Option<Vec<Taken>>> + Send + Sync;

/// The way into the journal.
#[derive(Clone, Default)]
pub struct Intake(Option<Arc<Take>>);

/// One reading as it is in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Of its content, as the ledger judges repeats and conflicts by.
    pub hash: u64,
    /// Why it was set aside, where it was.
    pub refused: Option<Refused>,
}

/// What was wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// A stable word.
    pub reason: &'static str,
    /// What was expected and what came.
    pub detail: String,
}

impl Intake {
    /// `take` is given a device and a payload of the contract's deposit topic, and answers one a record once all of them are
    /// stored; `None` when the server ends before.
    pub fn new<F>(take: impl Fn(String, Vec<u8>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Option<Vec<Taken>>> + Send + 'static,
    {
        Self(Some(Arc::new(move |device, payload| {
            take(device, payload).boxed()
        })))
    }

    pub(crate) async fn take(&self, device: &str, payload: Vec<u8>) -> Result<Vec<Taken>, Problem> {
        let Some(take) = &self.0 else {
            return Err(Problem::unavailable(
                "this server takes no readings in; send them to one that has the role endpoint or ingest",
            ));
        };
        let taken = take(device.to_owned(), payload).await;
        taken.ok_or_else(|| {
            Problem::unavailable("the server ends; send the same again, which is harmless if it was stored")
        })
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Intake").field(&self.0.is_some()).finish()
    }
}
