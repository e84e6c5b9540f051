//! The endpoint with less behind it than a server has. With nothing, every publish is acknowledged at once and forgotten:
//! what this costs is the least that any server on these sockets can cost, and most of it is the kernel's.

use std::net::SocketAddr;
use std::sync::Arc;

use hemu_endpoint::{
    Backend, Chunk, Config, DeviceId, Endpoint, Limits, LoginError, Metrics, PendingCommand, Presence,
};
use hemu_ingest::{Intake, Submission, accept};
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

use crate::behind::Behind;
use crate::threads::Front;

/// Lets anybody in, and stores what they say where there is a store.
struct Anybody(Option<Intake>);

impl Backend for Anybody {
    async fn login(&self, _: &DeviceId, _: &[u8]) -> Result<(), LoginError> {
        Ok(())
    }

    async fn uplink(&self, device: &DeviceId, chunk: Chunk) {
        let Some(intake) = &self.0 else {
            return chunk.ticket.stored();
        };
        let payloads = chunk
            .publishes
            .iter()
            .map(|publish| (publish.up, &publish.payload[..]));
        let accepted = accept(device, payloads);
        let ticket = chunk.ticket;
        let submission = Submission {
            segments: accepted.segments,
            brief: chunk.brief,
            stored: Box::new(move || ticket.stored()),
        };
        intake.submit(submission).await;
    }

    async fn presence(&self, _: &DeviceId, _: Presence) {}

    async fn commands(&self, _: &DeviceId) -> Vec<PendingCommand> {
        Vec::new()
    }

    async fn command_acknowledged(&self, _: &DeviceId, _: u64) {}
}

/// Runs until killed; its address on stdout.
pub(crate) fn run(behind: &Behind) {
    let front = Front::start().unwrap();
    front.handle().block_on(async {
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            limits: Limits {
                connections_per_address: 10_000,
                ..Limits::default()
            },
        };
        let metrics = Metrics::new(&Registry::new()).unwrap();
        let backend = Anybody(behind.open(front.handle()).await.intake);
        let endpoint = Endpoint::bind(config, Arc::new(backend), metrics).unwrap();
        println!("{}", endpoint.local_addr().unwrap());
        tokio::spawn(endpoint.run(CancellationToken::new()))
            .await
            .unwrap();
    });
}
