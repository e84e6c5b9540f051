//! The socket of one connection and what it holds: buffers that grow and shrink, and their share of the gauges.
//! Knows neither packets nor sessions.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::metrics::Metrics;

/// For the last words to a client that is being closed.
pub(crate) const FAREWELL: Duration = Duration::from_secs(1);

/// Bytes asked of a socket at once while little comes.
const SMALL_READ: usize = 2048;

/// A socket with its receive buffer, which grows while much comes and shrinks again.
pub(crate) struct Wire<S> {
    stream: S,
    pub(crate) input: BytesMut,
    want: usize,
    received: prometheus::IntCounter,
    sent: prometheus::IntCounter,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) fn new(stream: S, metrics: &Metrics) -> Self {
        let (received, sent) = (metrics.received_bytes.clone(), metrics.sent_bytes.clone());
        Self {
            stream,
            input: BytesMut::new(),
            want: SMALL_READ,
            received,
            sent,
        }
    }

    /// Reads once, at most about `limit` bytes. False at the end of the stream. Nothing is lost when dropped.
    pub(crate) async fn read(&mut self, limit: usize) -> bool {
        self.want = self.want.min(limit.max(SMALL_READ));
        if self.input.is_empty() && self.input.capacity() > 4 * self.want {
            self.input = BytesMut::new();
        }
        if self.input.capacity() - self.input.len() < self.want / 2 {
            self.make_room();
        }
        let room = self.input.capacity() - self.input.len();
        let Ok(read) = self.stream.read_buf(&mut self.input).await else {
            return false;
        };
        if read == room {
            self.want = (self.want * 2).min(limit.max(SMALL_READ));
        } else if read < self.want / 8 {
            self.want = (self.want / 2).max(SMALL_READ);
        }
        self.received.inc_by(read as u64);
        read > 0
    }

    /// In the buffer that is there, or in one of just the size: `reserve` would make it as large as it ever was.
    fn make_room(&mut self) {
        if !self.input.try_reclaim(self.want) {
            let mut larger = BytesMut::with_capacity(self.input.len() + self.want);
            larger.extend_from_slice(&self.input);
            self.input = larger;
        }
    }

    /// Writes all of `output`. False when the socket is broken. What was written is off the front even when dropped.
    pub(crate) async fn write(&mut self, output: &mut BytesMut) -> bool {
        while output.has_remaining() {
            // One piece, so `send`; `write_buf` would ask for `writev`, which costs the kernel more.
            match self.stream.write(output).await {
                Ok(written) if written > 0 => {
                    output.advance(written);
                    self.sent.inc_by(written as u64);
                }
                Ok(_) | Err(_) => return false,
            }
        }
        self.stream.flush().await.is_ok()
    }

    /// Last words. What the client still sends is read away for a moment, for a socket closed over unread bytes is
    /// reset, and the words would be lost with it.
    pub(crate) async fn close(&mut self, output: &mut BytesMut) {
        let _ = timeout(FAREWELL, async {
            if !self.write(output).await || self.stream.shutdown().await.is_err() {
                return;
            }
            self.input = BytesMut::with_capacity(SMALL_READ);
            for _ in 0..64 {
                self.input.clear();
                if !matches!(self.stream.read_buf(&mut self.input).await, Ok(read) if read > 0) {
                    return;
                }
            }
        })
        .await;
    }
}

/// This connection's part of the gauges; taken out again when it ends, whatever way.
pub(crate) struct Held {
    metrics: Metrics,
    unacknowledged: i64,
    bytes: i64,
}

impl Held {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            metrics: metrics.clone(),
            unacknowledged: 0,
            bytes: 0,
        }
    }

    pub(crate) fn set(&mut self, unacknowledged: usize, bytes: usize) {
        let unacknowledged = i64::try_from(unacknowledged).unwrap_or(i64::MAX);
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        // The gauges are shared by all connections: they are touched only for a difference.
        if unacknowledged != self.unacknowledged {
            self.metrics
                .unacknowledged
                .add(unacknowledged - self.unacknowledged);
        }
        if bytes != self.bytes {
            self.metrics.held_bytes.add(bytes - self.bytes);
        }
        (self.unacknowledged, self.bytes) = (unacknowledged, bytes);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0, 0);
    }
}
