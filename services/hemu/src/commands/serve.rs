//! `hemu serve`.

use anyhow::Result;

use crate::clock;
use crate::config::Config;
use crate::server::{Occasion, Server};

pub(super) async fn run(config: &Config) -> Result<()> {
    let occasion = Occasion {
        clock: clock::system(),
        speed: 1,
        demo: false,
        site_name: config.site_name.clone(),
    };
    let server = Server::start(config, occasion).await?;
    server.announce();
    server.until_told().await
}
