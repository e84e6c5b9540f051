//! `hemu serve`.

use anyhow::Result;

use crate::clock;
use crate::config::Config;
use crate::server::{Occasion, Server};
use crate::words::Words;

pub(super) async fn run(config: &Config, words: &Words) -> Result<()> {
    let occasion = Occasion {
        clock: clock::system(),
        speed: 1,
        demo: false,
        site_name: config.site_name.clone(),
    };
    let mut server = Server::start(config, occasion, words).await?;
    server.keep_lists();
    server.announce();
    server.until_told(words).await
}
