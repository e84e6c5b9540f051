//! The address under which nodes find their database, whoever has it: what an operator's virtual address does when another
//! server takes over. Must not: look at what goes through it.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// An address on loopback, gone when dropped.
#[derive(Debug)]
pub struct Address {
    /// Where to connect.
    pub addr: SocketAddr,
    holder: watch::Sender<SocketAddr>,
    task: JoinHandle<()>,
}

impl Address {
    /// Listens on a free port for a server.
    pub async fn of(holder: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (holder, seen) = watch::channel(holder);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut seen = seen.clone();
                // Whichever side ends, the other ends with it: that is all there is to say of an error.
                tokio::spawn(async move { drop(carry(stream, &mut seen).await) });
            }
        });
        Ok(Self { addr, holder, task })
    }

    /// From now on another server has it; connections to the one before are cut.
    pub fn moves_to(&self, holder: SocketAddr) {
        self.holder.send_replace(holder);
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut node: TcpStream, holder: &mut watch::Receiver<SocketAddr>) -> std::io::Result<()> {
    let to = *holder.borrow_and_update();
    let mut server = TcpStream::connect(to).await?;
    node.set_nodelay(true)?;
    server.set_nodelay(true)?;
    tokio::select! {
        carried = tokio::io::copy_bidirectional(&mut node, &mut server) => carried.map(|_| ()),
        // The address itself is gone, too, when nobody can move it any more.
        _ = holder.changed() => Ok(()),
    }
}
