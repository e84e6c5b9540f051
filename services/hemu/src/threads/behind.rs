//! Threads for what may come a moment later: folding, charts, editions. They compute for tens of milliseconds at a time,
//! so they give way to the threads that read, store and acknowledge. Must not be asked for what somebody waits for.

use tokio::runtime::Builder;
use tokio::task::JoinHandle;

use super::Threads;

/// As `nice` counts: of a processor that both want, an acknowledgement gets about nine tenths.
const NICENESS: i32 = 10;

/// The threads behind.
#[derive(Debug)]
pub(crate) struct Behind(Threads);

impl Behind {
    pub(crate) fn start() -> std::io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(1)
            .thread_name("hemu-behind")
            .on_thread_start(give_way);
        Threads::start(builder).map(Self)
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
        let handle = self.0.handle.clone();
        self.0.handle.spawn_blocking(move || handle.block_on(work()))
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
