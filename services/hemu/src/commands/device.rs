//! `hemu device`. Works beside a running server: both use the registry.

use std::path::Path;

use anyhow::{Context, Result, bail};
use hemu_ingest::fold;
use hemu_ledger::Ledger;
use hemu_ledger::acts::Act;
use hemu_ledger::registry::key_digest;
use hemu_wire::{Command, DeviceId};
use serde_json::json;

use super::mosquitto;
use crate::cli::{Device, Mosquitto};
use crate::clock;
use crate::config::Config;
use crate::output::out;
use crate::site::{Site, random};
use crate::words::Words;

/// As many are listed.
const COMMANDS_SHOWN: u32 = 100;
/// What a small device can be expected to take in one piece.
const COMMAND_BYTES: usize = 4_096;

pub(super) async fn run(config: &Config, command: Device, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let ledger = &site.ledger;
    let now = clock::system()();
    match command {
        Device::Add {
            id,
            estate,
            station,
            mosquitto,
        } => {
            let id = checked(&id, words)?;
            let key = new_key(words)?;
            let digest = key_digest(key.as_bytes());
            ledger
                .add_device(id.as_str(), &digest, estate.as_deref(), station.as_deref(), now)
                .await?;
            out!("{}", json!({ "device": id.as_str(), "key": key }));
            admit(&mosquitto, id.as_str(), &key, words)?;
        }
        Device::Rotate { id, mosquitto } => {
            let key = new_key(words)?;
            ledger.rotate_device(&id, &key_digest(key.as_bytes())).await?;
            out!("{}", json!({ "device": id, "key": key }));
            admit(&mosquitto, &id, &key, words)?;
        }
        Device::Revoke { id, mosquitto } => {
            let file = mosquitto.mosquitto_password_file.as_deref();
            // Whoever could not write the file asks again: by then the device is revoked, and its line still there.
            if file.is_none() || !is_revoked(ledger, &id).await? {
                ledger.revoke_device(&id, now).await?;
            }
            if let Some(file) = file {
                mosquitto::remove(file, &id).with_context(|| not_kept(file, words))?;
            }
            out!("{}", words.say("device-revoked", &[("id", &id)]));
        }
        Device::Checked { id, boot, account } => {
            // What came until now is what was looked at.
            fold::settle(ledger, ledger.head().await?).await?;
            let said = words.say("device-checked", &[("id", &id), ("boot", &boot)]);
            let act = Act::DeviceChecked { device: id, boot };
            let position = ledger.act(&account, now, act).await?;
            fold::settle(ledger, position).await?;
            out!("{said}");
        }
        Device::Command { id, kind, members } => {
            let command = Command {
                id: super::hex(&random::<8>(words)?),
                kind,
                body: members.into_iter().collect(),
            };
            let payload = String::from_utf8(command.encode()?)?;
            if payload.len() > COMMAND_BYTES {
                bail!(words.say(
                    "command-too-long",
                    &[("most", &COMMAND_BYTES), ("bytes", &payload.len())]
                ));
            }
            ledger.add_command(&id, &payload, now).await?;
            out!("{}", json!({ "device": id, "command": command.id }));
        }
        Device::Commands { id } => {
            for command in ledger.commands(&id, COMMANDS_SHOWN).await? {
                let payload: serde_json::Value = serde_json::from_str(&command.payload)?;
                out!(
                    "{}",
                    json!({
                        "command": payload, "created_at": command.created_at, "acknowledged_at": command.acknowledged_at,
                    })
                );
            }
        }
        Device::List => {
            for device in ledger.devices().await? {
                let state = if device.revoked_at.is_some() {
                    "revoked"
                } else {
                    "registered"
                };
                out!(
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

async fn is_revoked(ledger: &Ledger, id: &str) -> Result<bool> {
    let devices = ledger.devices().await?;
    Ok(devices
        .iter()
        .any(|device| device.id == id && device.revoked_at.is_some()))
}

/// The key is printed by then: whatever becomes of the file, it is not lost.
fn admit(mosquitto: &Mosquitto, device: &str, key: &str, words: &Words) -> Result<()> {
    if let Some(file) = &mosquitto.mosquitto_password_file {
        let salt = random(words)?;
        mosquitto::put(file, device, key, salt).with_context(|| not_kept(file, words))?;
    }
    Ok(())
}

fn not_kept(file: &Path, words: &Words) -> String {
    words.say("mosquitto-file-not-kept", &[("file", &file.display())])
}

fn checked(id: &str, words: &Words) -> Result<DeviceId> {
    match DeviceId::try_from(id) {
        Ok(id) => Ok(id),
        Err(_) => bail!(words.say("device-id-wrong", &[("id", &format!("{id:?}"))])),
    }
}

/// 256 bits, as 64 hexadecimal digits.
pub(super) fn new_key(words: &Words) -> Result<String> {
    Ok(super::hex(&random::<32>(words)?))
}
