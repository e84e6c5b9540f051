//! Somebody at the bank's counter: one connection to the server's HTTP face, which may be gone at any moment. Must not:
//! decide whether an answer is right.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Before the same is asked again.
const BREATH: Duration = Duration::from_millis(20);
/// Longest answer that is read.
const MOST: usize = 1 << 20;

/// An account's program with a token.
#[derive(Debug)]
pub struct Teller {
    token: String,
    /// Where the server is, after every start anew.
    address: watch::Receiver<String>,
    line: Option<BufReader<TcpStream>>,
    /// How often an answer did not come and the same was asked again.
    pub again: u64,
}

impl Teller {
    pub fn new(token: String, address: watch::Receiver<String>) -> Self {
        Self {
            token,
            address,
            line: None,
            again: 0,
        }
    }

    /// Asks until there is an answer that is final: neither a broken line nor a server that is not ready.
    pub async fn ask(&mut self, path: &str, body: &Value) -> (u16, Value) {
        loop {
            match timeout(PATIENCE, self.once(path, body)).await {
                Ok(Some((status, answer))) if status < 500 => return (status, answer),
                Ok(Some(_)) => {}
                _ => self.line = None,
            }
            self.again += 1;
            sleep(BREATH).await;
        }
    }

    async fn once(&mut self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let host = self.address.borrow_and_update().clone();
        let mut line = match self.line.take() {
            Some(line) => line,
            None => BufReader::new(TcpStream::connect(&host).await.ok()?),
        };
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        line.write_all(request.as_bytes()).await.ok()?;
        let answer = read(&mut line).await?;
        self.line = Some(line);
        Some(answer)
    }
}

/// One answer with a length.
async fn read(line: &mut BufReader<TcpStream>) -> Option<(u16, Value)> {
    let mut text = String::new();
    line.read_line(&mut text).await.ok()?;
    let status: u16 = text.split(' ').nth(1)?.parse().ok()?;
    let mut length = 0;
    loop {
        text.clear();
        if line.read_line(&mut text).await.ok()? == 0 {
            return None;
        }
        let Some((name, value)) = text.trim_end().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value
                .trim()
                .parse::<usize>()
                .ok()
                .filter(|length| *length <= MOST)?;
        }
    }
    let mut bytes = vec![0; length];
    line.read_exact(&mut bytes).await.ok()?;
    Some((status, serde_json::from_slice(&bytes).ok()?))
}
