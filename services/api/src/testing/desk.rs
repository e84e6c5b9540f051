//! A real committer behind the site's door for what people graded, one batch at a time.

use std::sync::Arc;

use hemu_ingest::{Committer, Metrics, handset};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{NOON, Site};
use crate::{Intake, Refused, Taken};

pub(crate) struct Desk(Committer);

impl Desk {
    /// Stores the next batch.
    pub(crate) async fn store(&mut self) {
        assert!(self.0.step(&CancellationToken::new()).await);
    }
}

impl Site {
    /// Opens the door. Nothing is stored before the desk is told to.
    pub(crate) async fn desk(&mut self) -> Desk {
        let metrics = Metrics::new(&prometheus::Registry::new()).unwrap();
        let (_, checkpoints) = watch::channel(0);
        let clock = Arc::new(|| NOON);
        let desk = Committer::new(&self.ledger, clock, metrics.clone(), checkpoints).await;
        let (committer, intake, _) = desk.unwrap();
        self.parts().intake = Intake::new(move |device, payload| {
            let (intake, metrics) = (intake.clone(), metrics.clone());
            async move {
                let device = device.parse().unwrap();
                let taken = handset::take(&intake, &metrics, &device, &payload).await?;
                Some(taken.into_iter().map(told).collect())
            }
        });
        Desk(committer)
    }
}

fn told(taken: handset::Taken) -> Taken {
    Taken {
        hash: taken.hash,
        refused: taken.refused.map(|refused| Refused {
            reason: refused.reason.as_str(),
            detail: refused.detail,
        }),
    }
}
