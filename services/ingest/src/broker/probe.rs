//! One look at the broker from outside a running server, for whoever asks what is wrong. Must not keep a session there,
//! and must not join a group: it would take messages from those who store them.

use std::time::Duration;

use super::client::{self, Event, Session};
use super::watch::{COUNTERS, Counters};
use super::{Dice, Settings, Trouble, tls};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a broker that says what it dropped may take to say so.
const FIGURE: Duration = Duration::from_secs(1);

/// Logs in beside whoever serves, subscribes to nobody's messages, and reads what the broker dropped since it was
/// started, if it says so.
pub async fn probe(settings: &Settings, mut dice: Dice) -> Result<Option<u64>, Trouble> {
    let settings = Settings {
        client_id: format!("{}-doctor", settings.client_id),
        group: None,
        ..settings.clone()
    };
    let look = look(&settings, &mut dice);
    let silent = |_| Trouble::Silent(PATIENCE.as_secs());
    tokio::time::timeout(PATIENCE, look).await.map_err(silent)?
}

async fn look(settings: &Settings, dice: &mut Dice) -> Result<Option<u64>, Trouble> {
    let tunnel = tls::Tunnel::open_if_needed(settings, dice).await?;
    let (client, mut events) = client::new(settings, Session::Passing, tunnel.as_ref(), 0);
    loop {
        match events.poll().await? {
            Event::Connected { .. } => client.subscribe(&COUNTERS.map(str::to_owned), 0)?,
            Event::Subscribed(_) => break,
            _ => {}
        }
    }
    let figure = async {
        loop {
            if let Event::Message(message) = events.poll().await?
                && let Some(figure) = Counters::figure(&message.topic, &message.payload)
            {
                return Ok(figure);
            }
        }
    };
    match tokio::time::timeout(FIGURE, figure).await {
        Ok(figure) => figure.map(Some),
        Err(_) => Ok(None),
    }
}
