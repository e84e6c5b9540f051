//! The endpoint with nothing behind it: every publish is acknowledged at once and forgotten. What this costs is the
//! least that any server on these sockets can cost, and most of it is the kernel's.

use std::net::SocketAddr;
use std::sync::Arc;

use hemu_endpoint::{
    Backend, Chunk, Config, DeviceId, Endpoint, Limits, LoginError, Metrics, PendingCommand, Presence,
};
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

struct Forgetful;

impl Backend for Forgetful {
    async fn login(&self, _: &DeviceId, _: &[u8]) -> Result<(), LoginError> {
        Ok(())
    }

    async fn uplink(&self, _: &DeviceId, chunk: Chunk) {
        chunk.ticket.stored();
    }

    async fn presence(&self, _: &DeviceId, _: Presence) {}

    async fn commands(&self, _: &DeviceId) -> Vec<PendingCommand> {
        Vec::new()
    }

    async fn command_acknowledged(&self, _: &DeviceId, _: u64) {}
}

/// Runs until killed; its address on stdout.
pub(crate) fn run() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            limits: Limits {
                connections_per_address: 10_000,
                ..Limits::default()
            },
        };
        let metrics = Metrics::new(&Registry::new()).unwrap();
        let endpoint = Endpoint::bind(config, Arc::new(Forgetful), metrics).unwrap();
        println!("{}", endpoint.local_addr().unwrap());
        endpoint.run(CancellationToken::new()).await;
    });
}
