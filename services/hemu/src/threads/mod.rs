//! Threads that a server sets apart from those it started with.

mod behind;
mod front;

pub(crate) use behind::Behind;
pub(crate) use front::Front;

use tokio::runtime::{Builder, Handle, Runtime};

/// Threads with timers and sockets of their own. Dropping them lets them go without waiting, which an asynchronous caller
/// may not; what runs was told to end before.
#[derive(Debug)]
struct Threads {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Threads {
    fn start(mut builder: Builder) -> std::io::Result<Self> {
        let runtime = builder.enable_all().build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
