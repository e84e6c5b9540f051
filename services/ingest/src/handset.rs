//! The door for bags that people grade: readings that come in a request, and what was made of each, told once they are
//! stored. Must not ask who speaks: the device is the account's, and whoever calls has found that out.

use hemu_ledger::segment::Segment;
use hemu_wire::{By, DeviceId, Record, Rejected, Up};
use tokio::sync::oneshot;

use crate::accept::Accepted;
use crate::commit::{Intake, Submission};
use crate::metrics::Metrics;

/// One reading as it is in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Of its content, as the ledger judges repeats and conflicts by.
    pub hash: u64,
    /// Why it was set aside, where it was.
    pub refused: Option<Rejected>,
}

/// Takes a payload of the deposit topic in as a person's readings; one answer a record, in their order, once all of them
/// are on the disk. `None` when the server ends before that: they may be stored or not, and sending them again is harmless.
pub async fn take(
    intake: &Intake,
    metrics: &Metrics,
    device: &DeviceId,
    payload: &[u8],
) -> Option<Vec<Taken>> {
    let mut accepted = Accepted::default();
    let parsed = hemu_wire::parse(Up::Deposit, payload);
    let mut refused = Vec::with_capacity(parsed.records.len());
    for record in parsed.records {
        refused.push(accepted.enter(device, record.map(by_a_person)));
    }
    metrics.quarantined.inc_by(accepted.quarantined);
    metrics.unknown_fields.inc_by(parsed.unknown_fields);
    let marks = accepted.segments.iter().flat_map(Segment::marks);
    let taken = marks
        .zip(refused)
        .map(|(mark, refused)| Taken {
            hash: mark.hash,
            refused,
        })
        .collect();
    let (told, stored) = oneshot::channel();
    let submission = Submission {
        segments: accepted.segments,
        brief: true,
        stored: Box::new(move || {
            // Whoever asked may be gone by then.
            let _ = told.send(());
        }),
    };
    intake.submit(submission).await;
    stored.await.ok()?;
    Some(taken)
}

/// A camera has no account.
fn by_a_person(record: Record<'_>) -> Record<'_> {
    match record {
        Record::Deposit(deposit) => Record::Deposit(hemu_wire::Deposit {
            by: By::Inspector,
            ..deposit
        }),
        other => other,
    }
}
