//! Threads between the devices and the journal: sockets, the protocol, the committer. Nothing else runs here, so that no
//! page keeps an acknowledgement waiting.

use std::thread::available_parallelism;

use tokio::runtime::{Builder, Handle};

use super::Threads;

/// The threads in front.
#[derive(Debug)]
pub(crate) struct Front(Threads);

impl Front {
    pub(crate) fn start() -> std::io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers()).thread_name("hemu-front");
        Threads::start(builder).map(Self)
    }

    /// To run something here.
    pub(crate) fn handle(&self) -> &Handle {
        &self.0.handle
    }
}

/// Half the processors: the journal's thread and folding need the others. Each message is little work, and most of what a
/// further thread does is waking the others (docs/benchmarks.md).
fn workers() -> usize {
    available_parallelism().map_or(1, |all| (all.get() / 2).max(1))
}
