//! One connection, one task: moves bytes between a socket and a [`Session`], chunks to the backend, and its answers
//! back. Owns time and I/O; every protocol decision is the session's.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use crate::backend::{Backend, Chunk, LoginError, Presence, Publish, Stored, Ticket};
use crate::codec::{self, DecodeError, Reason};
use crate::greeting::{self, Caller, Refusal};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::registry::{Message, Registry, Seat};
use crate::server::Open;
use crate::session::{Counts, Ending, Session, Step};
use crate::socket::{Held, Wire};

/// What all connections have in common.
pub(crate) struct Shared<B> {
    pub(crate) backend: Arc<B>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) registry: Arc<Registry>,
    pub(crate) logins: Semaphore,
    pub(crate) stop: CancellationToken,
}

impl<B> Shared<B> {
    /// Bytes to ask of a socket. A buffer for each of thousands of devices that come back at once is more memory than
    /// what they wait for; in small pieces they are read as fast as they are stored.
    fn read_bytes(&self) -> usize {
        let held = usize::try_from(self.metrics.held_bytes.get()).unwrap_or(0);
        if held > self.limits.crowded_bytes {
            self.limits.crowded_read_bytes
        } else {
            self.limits.read_bytes
        }
    }
}

/// Why a session is over.
#[derive(Debug)]
enum Ended {
    /// By the client's own packets.
    Client(Ending),
    /// The socket was closed or broke.
    Gone,
    /// Nothing came for one and a half keep-alives.
    Silent,
    /// The client did not read what was written to it.
    NotReading,
    /// A ticket was dropped.
    NotStored,
    /// Taken over, or its key revoked.
    Dismissed(Reason),
    /// The endpoint stops.
    Stopping,
}

/// Serves one connection from its first byte to its last.
pub(crate) async fn serve<B: Backend, S: AsyncRead + AsyncWrite + Unpin>(
    shared: Arc<Shared<B>>,
    stream: S,
    peer: SocketAddr,
) {
    let mut wire = Wire::new(stream, &shared.metrics);
    let greeted = tokio::select! {
        greeted = hear_connect(&mut wire, &shared) => greeted,
        () = shared.stop.cancelled() => return,
    };
    let Some(greeted) = greeted else { return };
    let admitted = match greeted {
        Err(refusal) => Err(refusal),
        Ok(caller) => tokio::select! {
            admitted = admit(&shared, caller, peer) => admitted,
            () = shared.stop.cancelled() => return,
        },
    };
    match admitted {
        Ok((caller, seat)) => {
            shared.metrics.logins.inc();
            Connection::new(shared, wire, caller, seat, peer).run().await;
        }
        Err(refusal) => {
            debug!(%peer, reason = refusal.error.reason.name(), what = refusal.error.what, "not let in");
            shared
                .metrics
                .logins_refused
                .with_label_values(&[refusal.error.reason.name()])
                .inc();
            wire.close(&mut refusal.connack()).await;
        }
    }
}

/// Reads until the first packet is whole. `None` when there is nobody to answer.
async fn hear_connect<B, S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    shared: &Shared<B>,
) -> Option<Result<Caller, Refusal>> {
    let limit = shared.limits.connect_bytes;
    let frame = timeout(shared.limits.connect_timeout, async {
        loop {
            match codec::frame_length(&wire.input, limit) {
                Err(error) => return Some(Err(error)),
                Ok(Some(length)) if length <= wire.input.len() => {
                    return Some(Ok(wire.input.split_to(length)));
                }
                Ok(_) => {}
            }
            if !wire.read(limit).await {
                return None;
            }
        }
    });
    match frame.await {
        Ok(Some(Ok(frame))) => Some(greeting::greet(&frame)),
        Ok(Some(Err(error))) => Some(Err(Refusal { version: None, error })),
        Ok(None) => None,
        Err(_) => {
            shared.metrics.timeouts.with_label_values(&["connect"]).inc();
            None
        }
    }
}

/// Checks the login and takes the device's seat, which ends an older connection of it, before anything is answered.
async fn admit<B: Backend>(
    shared: &Shared<B>,
    caller: Caller,
    peer: SocketAddr,
) -> Result<(Caller, Seat), Refusal> {
    let revocations = shared.registry.revocations();
    let caller = check_login(shared, caller, peer).await?;
    let (seat, taken_over) = shared
        .registry
        .take_seat(&caller.device, shared.limits.receipts_queued)
        .await;
    if taken_over {
        shared.metrics.take_overs.inc();
    }
    if shared.registry.revocations() == revocations {
        return Ok((caller, seat));
    }
    Ok((check_login(shared, caller, peer).await?, seat))
}

/// Asks the backend. What the client has sent behind its CONNECT stays unread until this has said yes.
async fn check_login<B: Backend>(
    shared: &Shared<B>,
    caller: Caller,
    peer: SocketAddr,
) -> Result<Caller, Refusal> {
    let answer = timeout(shared.limits.login_timeout, async {
        let _turn = shared.logins.acquire().await;
        let _timer = shared.metrics.login_seconds.start_timer();
        shared.backend.login(&caller.device, caller.key.as_bytes()).await
    });
    match answer.await {
        Ok(Ok(())) => Ok(caller),
        Ok(Err(LoginError::Refused)) => {
            info!(device.id = %caller.device, %peer, "login refused");
            Err(caller.refuse(Reason::BadUserNameOrPassword, "unknown device or wrong key"))
        }
        Ok(Err(LoginError::Unavailable)) | Err(_) => {
            debug!(device.id = %caller.device, %peer, "login could not be checked");
            Err(caller.refuse(Reason::ServerUnavailable, "the login could not be checked"))
        }
    }
}

struct Connection<B, S> {
    shared: Arc<Shared<B>>,
    wire: Wire<S>,
    session: Session,
    seat: Seat,
    /// Chunks handed over and not stored yet, oldest first.
    tickets: VecDeque<Stored>,
    /// When the client was last known to be there.
    heard: Instant,
    /// The silence it may keep, and a timer that is only moved when it rings.
    silence: Duration,
    alarm: Pin<Box<Sleep>>,
    peer: SocketAddr,
    held: Held,
    warned: bool,
    _open: Open,
}

impl<B: Backend, S: AsyncRead + AsyncWrite + Unpin> Connection<B, S> {
    fn new(shared: Arc<Shared<B>>, wire: Wire<S>, caller: Caller, seat: Seat, peer: SocketAddr) -> Self {
        let (session, silence) = caller.accept(&shared.limits);
        debug!(device.id = %session.device(), %peer, "logged in");
        Self {
            held: Held::new(&shared.metrics),
            _open: Open::new(&shared.metrics.sessions),
            wire,
            session,
            seat,
            tickets: VecDeque::new(),
            heard: Instant::now(),
            silence,
            alarm: Box::pin(sleep(silence)),
            peer,
            warned: false,
            shared,
        }
    }

    async fn run(mut self) {
        let dismissed = self.seat.dismissed();
        let ended = tokio::select! {
            biased;
            reason = dismissed => Ended::dismissed(reason),
            ended = self.converse() => ended,
        };
        if matches!(ended, Ended::Stopping) {
            // What is stored in time is acknowledged; the rest the device sends again.
            let _ = timeout(self.shared.limits.drain_timeout, self.drain()).await;
        }
        self.account();
        self.report(&ended);
        if let Some(presence) = ended.presence() {
            self.shared
                .backend
                .presence(self.session.device(), presence)
                .await;
        }
        if let Some((reason, what)) = ended.words() {
            self.session.close(reason, what);
        }
        let Self {
            mut wire,
            mut session,
            seat,
            ..
        } = self;
        // From here on nothing is delivered: the device's next connection may start.
        drop(seat);
        wire.close(session.output()).await;
    }

    async fn converse(&mut self) -> Ended {
        let backend = Arc::clone(&self.shared.backend);
        let device = self.session.device().clone();
        backend.presence(&device, Presence::Connected).await;
        loop {
            let step = self.session.step(&mut self.wire.input);
            self.account();
            let outcome = match step {
                Step::Read => self.wait(true).await,
                Step::Wait => self.wait(false).await,
                Step::Deliver(publishes) => self.deliver(publishes).await,
                Step::Commands => {
                    let pending = backend.commands(&device).await;
                    self.session.commands(&pending);
                    Ok(())
                }
                Step::CommandAcknowledged(id) => {
                    backend.command_acknowledged(&device, id).await;
                    Ok(())
                }
                Step::Close(ending) => Err(Ended::Client(ending)),
            };
            if let Err(ended) = outcome {
                return ended;
            }
        }
    }

    /// Writes what there is to write, then waits for the next thing to happen.
    async fn wait(&mut self, reading: bool) -> Result<(), Ended> {
        self.flush().await?;
        tokio::select! {
            biased;
            stored = next_stored(&mut self.tickets) => self.release(stored),
            message = self.seat.message() => {
                match message {
                    Message::Receipt(payload) => { self.session.receipt(&payload); }
                    Message::CommandsWaiting => self.session.wake_commands(),
                }
                Ok(())
            }
            open = self.wire.read(self.shared.read_bytes()), if reading => {
                if open { Ok(()) } else { Err(Ended::Gone) }
            }
            () = self.alarm.as_mut() => {
                // While we do not read, silence is ours.
                if !reading {
                    self.heard = Instant::now();
                }
                self.check_silence()
            }
        }
    }

    fn check_silence(&mut self) -> Result<(), Ended> {
        let end = self.heard + self.silence;
        if Instant::now() >= end {
            return Err(Ended::Silent);
        }
        self.alarm.as_mut().reset(end);
        Ok(())
    }

    /// Hands a chunk over. The backend may take its time: meanwhile earlier chunks are acknowledged.
    async fn deliver(&mut self, publishes: Vec<Publish>) -> Result<(), Ended> {
        let (ticket, stored) = Ticket::new();
        let backend = Arc::clone(&self.shared.backend);
        let device = self.session.device().clone();
        let chunk = Chunk {
            publishes,
            brief: self.session.is_brief(),
            ticket,
        };
        let mut uplink = pin!(backend.uplink(&device, chunk));
        loop {
            tokio::select! {
                biased;
                () = &mut uplink => break,
                earlier = next_stored(&mut self.tickets) => self.release(earlier)?,
            }
            self.flush().await?;
        }
        self.tickets.push_back(stored);
        self.heard = Instant::now();
        Ok(())
    }

    /// Acknowledges the oldest chunk and every one behind it that is stored as well: one write for all.
    fn release(&mut self, stored: bool) -> Result<(), Ended> {
        let mut answer = Some(stored);
        while let Some(stored) = answer {
            if !stored {
                return Err(Ended::NotStored);
            }
            self.tickets.pop_front();
            self.session.stored();
            answer = self.tickets.front_mut().and_then(Stored::poll_now);
        }
        Ok(())
    }

    async fn drain(&mut self) -> Result<(), Ended> {
        while !self.tickets.is_empty() {
            let stored = next_stored(&mut self.tickets).await;
            self.release(stored)?;
        }
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        if self.session.output().is_empty() {
            return Ok(());
        }
        match timeout(
            self.shared.limits.write_timeout,
            self.wire.write(self.session.output()),
        )
        .await
        {
            Ok(true) => Ok(()),
            Ok(false) => Err(Ended::Gone),
            Err(_) => Err(Ended::NotReading),
        }
    }

    /// Brings the metrics up to what the session has seen.
    fn account(&mut self) {
        let counts = self.session.take_counts();
        // Counters are shared by all connections: they are touched only for something.
        if counts != Counts::default() {
            self.heard = Instant::now();
            let metrics = &self.shared.metrics;
            metrics.packets.inc_by(counts.packets);
            metrics.publishes.inc_by(counts.publishes);
            metrics.foreign.inc_by(counts.foreign);
            metrics.oversized.inc_by(counts.oversized);
        }
        if counts.foreign > 0 && !std::mem::replace(&mut self.warned, true) {
            info!(device.id = %self.session.device(), peer = %self.peer, "topics of others refused");
        }
        self.held.set(
            self.session.unacknowledged(),
            self.session.held_bytes() + self.wire.input.len(),
        );
    }

    fn report(&self, ended: &Ended) {
        let metrics = &self.shared.metrics;
        match ended {
            Ended::Silent => metrics.timeouts.with_label_values(&["keep_alive"]).inc(),
            Ended::NotReading => metrics.timeouts.with_label_values(&["write"]).inc(),
            _ => {}
        }
        let Some((reason, what)) = ended.words() else {
            return;
        };
        metrics.sessions_ended.with_label_values(&[reason.name()]).inc();
        let (device, peer) = (self.session.device(), self.peer);
        match ended {
            Ended::Dismissed(_) | Ended::Stopping => debug!(device.id = %device, %peer, what, "closed"),
            _ => info!(device.id = %device, %peer, reason = reason.name(), what, "closed"),
        }
    }
}

async fn next_stored(tickets: &mut VecDeque<Stored>) -> bool {
    match tickets.front_mut() {
        Some(oldest) => oldest.await,
        None => std::future::pending().await,
    }
}

impl Ended {
    const fn dismissed(reason: Reason) -> Self {
        match reason {
            Reason::ServerShuttingDown => Self::Stopping,
            reason => Self::Dismissed(reason),
        }
    }

    /// What becomes of the device in the eyes of others; nothing when another connection of it goes on.
    const fn presence(&self) -> Option<Presence> {
        match self {
            Self::Dismissed(Reason::SessionTakenOver) => None,
            Self::Client(Ending::Goodbye) | Self::Dismissed(_) | Self::NotStored | Self::Stopping => {
                Some(Presence::Disconnected)
            }
            Self::Client(_) | Self::Gone | Self::Silent | Self::NotReading => Some(Presence::Lost),
        }
    }

    /// Why the endpoint closes, when it is the one that does.
    const fn words(&self) -> Option<(Reason, &'static str)> {
        match self {
            Self::Client(Ending::Broken(DecodeError { reason, what })) => Some((*reason, what)),
            Self::Client(_) | Self::Gone => None,
            Self::Silent => Some((
                Reason::KeepAliveTimeout,
                "nothing came for one and a half keep-alives",
            )),
            Self::NotReading => Some((Reason::ServerBusy, "the client does not read")),
            Self::NotStored => Some((Reason::ServerBusy, "publishes could not be stored")),
            Self::Dismissed(Reason::SessionTakenOver) => {
                Some((Reason::SessionTakenOver, "the device logged in again"))
            }
            Self::Dismissed(reason) => Some((*reason, "the device's key was revoked")),
            Self::Stopping => Some((Reason::ServerShuttingDown, "the endpoint stops")),
        }
    }
}
