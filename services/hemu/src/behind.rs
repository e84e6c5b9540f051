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
        self.make(move || work)
    }

    /// The same for work that is begun on its thread and does not leave it.
    pub(crate) fn make<T: Send + 'static, F: Future<Output = T>>(
        &self,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> JoinHandle<T> {
        let handle = self.handle.clone();
        self.handle.spawn_blocking(move || handle.block_on(work()))
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

/// On Linux niceness is a thread's own; elsewhere it would be the whole program's.
fn give_way() {
    // Where it is refused, everything works as well, only less promptly.
    if cfg!(target_os = "linux")
        && let Err(error) = rustix::process::setpriority_process(None, NICENESS)
    {
        tracing::debug!(%error, "background threads keep the priority of the others");
    }
}
