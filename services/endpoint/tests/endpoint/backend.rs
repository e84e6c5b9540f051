//! What stands behind the endpoint in these tests, an endpoint to stand before it, and a client that speaks bytes.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hemu_endpoint::codec::Version;
use hemu_endpoint::{
    Backend, Chunk, Config, DeviceId, Downlink, Endpoint, Limits, LoginError, Metrics, PendingCommand,
    Presence, Publish, Ticket, TlsConfig,
};
use prometheus::Registry;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::packets::{KEY, connect};

/// After this a test has failed; none waits that long for anything that comes.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what)
        .await
        .expect("this should have happened long ago")
}

/// A backend whose tests hold every string: what came in, when it is stored, who may log in.
pub(crate) struct Desk {
    chunks: mpsc::UnboundedSender<(DeviceId, Vec<Publish>, Ticket)>,
    presence: mpsc::UnboundedSender<(DeviceId, Presence)>,
    acknowledged: mpsc::UnboundedSender<u64>,
    pub(crate) logins: Mutex<VecDeque<Result<(), LoginError>>>,
    /// Logins that were begun.
    pub(crate) asked: AtomicUsize,
    pub(crate) commands: Mutex<Vec<PendingCommand>>,
    /// A permit for every login, and for every chunk that may come in.
    pub(crate) doors: Semaphore,
    pub(crate) room: Semaphore,
}

impl Backend for Desk {
    async fn login(&self, _device: &DeviceId, key: &[u8]) -> Result<(), LoginError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.doors.acquire().await.unwrap().forget();
        let planned = self.logins.lock().unwrap().pop_front();
        planned.unwrap_or(if key == KEY {
            Ok(())
        } else {
            Err(LoginError::Refused)
        })
    }

    async fn uplink(&self, device: &DeviceId, chunk: Chunk) {
        self.room.acquire().await.unwrap().forget();
        self.chunks
            .send((device.clone(), chunk.publishes, chunk.ticket))
            .unwrap();
    }

    async fn presence(&self, device: &DeviceId, presence: Presence) {
        // A test that looks no more at presence has dropped its end.
        let _ = self.presence.send((device.clone(), presence));
    }

    async fn commands(&self, _device: &DeviceId) -> Vec<PendingCommand> {
        self.commands.lock().unwrap().clone()
    }

    async fn command_acknowledged(&self, _device: &DeviceId, id: u64) {
        self.commands.lock().unwrap().retain(|command| command.id != id);
        self.acknowledged.send(id).unwrap();
    }
}

/// A running endpoint.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) tls_address: Option<SocketAddr>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) chunks: mpsc::UnboundedReceiver<(DeviceId, Vec<Publish>, Ticket)>,
    pub(crate) presence: mpsc::UnboundedReceiver<(DeviceId, Presence)>,
    pub(crate) acknowledged: mpsc::UnboundedReceiver<u64>,
    pub(crate) downlink: Downlink,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

pub(crate) fn start() -> Running {
    start_with(Limits::default(), None)
}

pub(crate) fn start_with(limits: Limits, tls: Option<TlsConfig>) -> Running {
    let (chunk_sender, chunks) = mpsc::unbounded_channel();
    let (presence_sender, presence) = mpsc::unbounded_channel();
    let (acknowledged_sender, acknowledged) = mpsc::unbounded_channel();
    let desk = Arc::new(Desk {
        chunks: chunk_sender,
        presence: presence_sender,
        acknowledged: acknowledged_sender,
        logins: Mutex::default(),
        asked: AtomicUsize::default(),
        commands: Mutex::default(),
        doors: Semaphore::new(Semaphore::MAX_PERMITS),
        room: Semaphore::new(Semaphore::MAX_PERMITS),
    });
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        tls,
        limits,
    };
    let endpoint = Endpoint::bind(config, Arc::clone(&desk), metrics.clone()).unwrap();
    let shutdown = CancellationToken::new();
    Running {
        address: endpoint.local_addr().unwrap(),
        tls_address: endpoint.tls_addr(),
        downlink: endpoint.downlink(),
        task: tokio::spawn(endpoint.run(shutdown.clone())),
        desk,
        chunks,
        presence,
        acknowledged,
        metrics,
        shutdown,
    }
}

impl Running {
    pub(crate) async fn dial(&self) -> Client<TcpStream> {
        Client {
            stream: TcpStream::connect(self.address).await.unwrap(),
        }
    }

    /// A client that is logged in.
    pub(crate) async fn login(&self, version: Version, device: &str) -> Client<TcpStream> {
        let mut client = self.dial().await;
        client.send(connect(version, device, KEY)).await;
        client.expect_connack(version, 0).await;
        client
    }

    pub(crate) async fn chunk(&mut self) -> (Vec<Publish>, Ticket) {
        let (_, publishes, ticket) = soon(self.chunks.recv()).await.unwrap();
        (publishes, ticket)
    }

    pub(crate) async fn expect_presence(&mut self, expected: Presence) {
        assert_eq!(soon(self.presence.recv()).await.unwrap().1, expected);
    }

    pub(crate) fn nothing_came(&mut self) {
        assert!(
            self.chunks.try_recv().is_err(),
            "nothing should have been handed over"
        );
    }
}

/// Speaks bytes and expects bytes.
pub(crate) struct Client<S> {
    pub(crate) stream: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    pub(crate) async fn expect(&mut self, expected: impl AsRef<[u8]>) {
        let mut bytes = vec![0; expected.as_ref().len()];
        soon(self.stream.read_exact(&mut bytes)).await.unwrap();
        assert_eq!(bytes, expected.as_ref());
    }

    /// A CONNACK with this code, its properties skipped.
    pub(crate) async fn expect_connack(&mut self, version: Version, code: u8) {
        let mut head = [0; 4];
        soon(self.stream.read_exact(&mut head)).await.unwrap();
        assert_eq!((head[0], head[2], head[3]), (0x20, 0, code), "CONNACK {head:x?}");
        let mut rest = vec![0; usize::from(head[1]) - 2];
        soon(self.stream.read_exact(&mut rest)).await.unwrap();
        assert_eq!(rest.is_empty(), version == Version::V311);
    }

    /// These are the last bytes; then the connection is closed.
    pub(crate) async fn expect_end(&mut self, expected: impl AsRef<[u8]>) {
        let mut bytes = Vec::new();
        let end = soon(self.stream.read_to_end(&mut bytes)).await;
        // What was still on its way to the endpoint when it closed makes the kernel say it harder.
        assert!(end.is_ok() || end.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
        assert_eq!(bytes, expected.as_ref());
    }
}

pub(crate) fn device(name: &str) -> DeviceId {
    DeviceId::try_from(name).unwrap()
}

pub(crate) fn command(id: u64) -> PendingCommand {
    PendingCommand {
        id,
        payload: Bytes::from(format!("command {id}")),
    }
}
