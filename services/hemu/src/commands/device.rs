//! `hemu device`. Works beside a running server: both use the registry.

use anyhow::{Result, bail};
use hemu_ledger::registry::key_digest;
use hemu_wire::DeviceId;
use serde_json::json;

use crate::cli::Device;
use crate::clock;
use crate::config::Config;
use crate::site::Site;
use crate::words::Words;

pub(super) async fn run(config: &Config, command: Device, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let ledger = &site.ledger;
    let now = clock::system()();
    match command {
        Device::Add { id, estate, station } => {
            let id = checked(&id, words)?;
            let key = new_key(words)?;
            let digest = key_digest(key.as_bytes());
            ledger
                .add_device(id.as_str(), &digest, estate.as_deref(), station.as_deref(), now)
                .await?;
            println!("{}", json!({ "device": id.as_str(), "key": key }));
        }
        Device::Rotate { id } => {
            let key = new_key(words)?;
            ledger.rotate_device(&id, &key_digest(key.as_bytes())).await?;
            println!("{}", json!({ "device": id, "key": key }));
        }
        Device::Revoke { id } => {
            ledger.revoke_device(&id, now).await?;
            println!("{}", words.say("device-revoked", &[("id", &id)]));
        }
        Device::List => {
            for device in ledger.devices().await? {
                let state = if device.revoked_at.is_some() {
                    "revoked"
                } else {
                    "registered"
                };
                println!(
                    "{}",
                    json!({
                        "device": device.id, "estate": device.estate, "station": device.station, "state": state,
                    })
                );
            }
        }
    }
    Ok(())
}

fn checked(id: &str, words: &Words) -> Result<DeviceId> {
    match DeviceId::try_from(id) {
        Ok(id) => Ok(id),
        Err(_) => bail!(words.say("device-id-wrong", &[("id", &format!("{id:?}"))])),
    }
}

/// 256 bits of the operating system's randomness, as 64 hexadecimal digits.
pub(super) fn new_key(words: &Words) -> Result<String> {
    Ok(super::hex(&crate::site::random(words)?))
}
