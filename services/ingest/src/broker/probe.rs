//! One look at the broker from outside a running server, for whoever asks what is wrong. Must not keep a session there,
//! and must not join a group: it would take messages from those who store them.

use std::time::Duration;

use super::client::{self, Event, Session};
use super::watch::{COUNTERS, Counters};
use super::{Dice, Settings, Trouble, tls};

/// How long it may take until the broker has let us in.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a broker may take to say what it dropped. One that keeps its figures says so at once; the shipped Mosquitto keeps
/// none, and says every ten seconds what moved.
const FIGURE: Duration = Duration::from_secs(11);

/// Logs in beside whoever serves, subscribes to nobody's messages, and reads what the broker dropped since it was
/// started, if it says so.
pub async fn probe(settings: &Settings, mut dice: Dice) -> Result<Option<u64>, Trouble> {
    let settings = Settings {
        client_id: format!("{}-doctor", settings.client_id),
        group: None,
        ..settings.clone()
    };
    let let_in = async {
        let tunnel = tls::Tunnel::open_if_needed(&settings, &mut dice).await?;
        let (client, mut events) = client::new(&settings, Session::Passing, tunnel.as_ref(), 0);
        loop {
            match events.poll().await? {
                Event::Connected { .. } => client.subscribe(&COUNTERS.map(str::to_owned), 0)?,
                // The tunnel carries what is read next.
                Event::Subscribed(_) => return Ok::<_, Trouble>((tunnel, client, events)),
                _ => {}
            }
        }
    };
    let silent = |_| Trouble::Silent(PATIENCE.as_secs());
    let (_tunnel, _client, mut events) = tokio::time::timeout(PATIENCE, let_in).await.map_err(silent)??;
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
