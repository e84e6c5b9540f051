//! A line to a PostgreSQL that breaks when a test says so: it swallows an answer, or is cut where it is.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of what is said on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Sound,
    /// The next answer never arrives, and it is cut.
    Swallows,
    /// Nobody gets through, and whoever was connected is not any more.
    Cut,
}

/// A line, gone with its test.
#[derive(Debug)]
pub(crate) struct Line {
    addr: SocketAddr,
    state: watch::Sender<State>,
}

impl Line {
    /// Of a `postgres://user@host:port/database`.
    pub(crate) async fn to(url: &str) -> Self {
        let server: SocketAddr = host_and_port(url).parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (state, _) = watch::channel(State::Sound);
        let ours = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if *ours.borrow() != State::Cut {
                    tokio::spawn(carry(stream, server, ours.clone()));
                }
            }
        });
        Self { addr, state }
    }

    /// The same URL over this line.
    pub(crate) fn of(&self, url: &str) -> String {
        url.replace(host_and_port(url), &self.addr.to_string())
    }

    pub(crate) fn swallow_the_next_answer(&self) {
        self.state.send_replace(State::Swallows);
    }

    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    pub(crate) fn mend(&self) {
        self.state.send_replace(State::Sound);
    }
}

fn host_and_port(url: &str) -> &str {
    let after = url.split_once('@').unwrap().1;
    after.split('/').next().unwrap()
}

async fn cut(changes: &mut watch::Receiver<State>) {
    drop(changes.wait_for(|state| *state == State::Cut).await);
}

/// Until either side ends, or the line is cut.
async fn carry(mut client: TcpStream, server: SocketAddr, state: watch::Sender<State>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    let mut changes = state.subscribe();
    let (mut up, mut down) = (Vec::new(), Vec::new());
    loop {
        tokio::select! {
            read = client.read_buf(&mut up) => {
                if !matches!(read, Ok(1..)) || server.write_all(&up).await.is_err() {
                    return;
                }
                up.clear();
            }
            read = server.read_buf(&mut down) => {
                if state.send_if_modified(|state| {
                    let swallows = *state == State::Swallows;
                    if swallows {
                        *state = State::Cut;
                    }
                    swallows
                }) {
                    return;
                }
                if !matches!(read, Ok(1..)) || client.write_all(&down).await.is_err() {
                    return;
                }
                down.clear();
            }
            () = cut(&mut changes) => return,
        }
    }
}
