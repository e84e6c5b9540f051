//! `hemu serve`.

use anyhow::Result;
use hemu_people::Secret;

use crate::clock;
use crate::config::Config;
use crate::server::{Occasion, Server};
use crate::site::random;
use crate::words::Words;

/// Days the first admin's code is good.
const FIRST_DAYS: i64 = 1;
const DAY_MS: i64 = 86_400_000;

pub(super) async fn run(config: &Config, words: &Words) -> Result<()> {
    let occasion = Occasion {
        clock: clock::system(),
        speed: 1,
        demo: false,
        site_name: config.site_name.clone(),
    };
    let Some(mut server) = Server::start(config, occasion, words).await? else {
        return Ok(());
    };
    server.keep_lists();
    first_admin(&server, words).await?;
    if let Err(error) = server.announce() {
        tracing::warn!(%error, "where the server listens could not be printed; it serves all the same");
    }
    server.until_told(words).await
}

/// Where nobody keeps the accounts, whoever reads this terminal is let in to begin: there is no default password.
async fn first_admin(server: &Server, words: &Words) -> Result<()> {
    let Some(http) = server.http() else { return Ok(()) };
    let (code, now) = (Secret::code(random(words)?), clock::system()());
    if server
        .ledger
        .make_first_code(&code.digest(), now, now + FIRST_DAYS * DAY_MS)
        .await?
    {
        let (url, code) = (format!("http://{http}"), code.tell());
        let said = words.say(
            "first-admin",
            &[("url", &url), ("code", &code), ("days", &FIRST_DAYS)],
        );
        eprintln!("{said}");
    }
    Ok(())
}
