//! Threads for what may come a moment later: folding, charts, editions. They compute for tens of milliseconds at a time,
//! so they give way to the threads that read, store and acknowledge. Must not be asked for what somebody waits for.

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// As `nice` counts: of a processor that both want, an acknowledgement gets about nine tenths.
const NICENESS: i32 = 10;

/// The threads, with timers of their own.
#[derive(Debug)]
pub(crate) struct Behind {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Behind {
    pub(crate) fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("hemu-behind")
            .on_thread_start(give_way)
            .enable_all()
            .build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// Runs something on a thread of its own. A database connection that it opens works on a thread that gives way too,
    /// for threads inherit that.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let handle = self.handle.clone();
        self.handle.spawn_blocking(move || handle.block_on(work))
    }
}

/// Lets the threads go without waiting for them, which an asynchronous caller may not; what runs was told to end before.
impl Drop for Behind {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn give_way() {
    // On Linux this is the calling thread's own. Where it is refused, everything works as well, only less promptly.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "background threads keep the priority of the others");
    }
}
