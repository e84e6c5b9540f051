//! What stands behind the API's door for readings that people send: ingest, for as long as the other doors are open.

use std::sync::{Arc, Weak};

use hemu_api::{Refused, Taken};
use hemu_ingest::{Intake, Metrics, handset};
use hemu_wire::DeviceId;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The way in, and what keeps it open until `stop`. The committer ends when nobody can submit any more, and the API outlives
/// it: so the API has the way in only while this task holds it.
pub(crate) fn open(
    intake: &Intake,
    metrics: &Metrics,
    stop: CancellationToken,
) -> (hemu_api::Intake, JoinHandle<()>) {
    let held = Arc::new(intake.clone());
    let (intake, metrics) = (Arc::downgrade(&held), metrics.clone());
    let way_in =
        hemu_api::Intake::new(move |device, payload| take(intake.clone(), metrics.clone(), device, payload));
    let holding = tokio::spawn(async move {
        stop.cancelled().await;
        drop(held);
    });
    (way_in, holding)
}

async fn take(
    intake: Weak<Intake>,
    metrics: Metrics,
    device: String,
    payload: Vec<u8>,
) -> Option<Vec<Taken>> {
    let intake = intake.upgrade()?;
    let device = DeviceId::try_from(device.as_str()).ok()?;
    let taken = handset::take(&intake, &metrics, &device, &payload).await?;
    let told = |taken: handset::Taken| Taken {
        hash: taken.hash,
        refused: taken.refused.map(|refused| Refused {
            reason: refused.reason.as_str(),
            detail: refused.detail,
        }),
    };
    Some(taken.into_iter().map(told).collect())
}
