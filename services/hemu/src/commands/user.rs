//! `hemu user`. Works beside a running server: both use the registry.

use std::io::{BufRead, Read};

use anyhow::{Context, Result, bail};
use fast_qr::QRBuilder;
use hemu_ledger::Ledger;
use hemu_ledger::acts::Actor;
use hemu_ledger::people::{NewCode, Purpose};
use hemu_people::{PASSWORD_CODE_MS, Secret, TotpSecret, check_password, hash_password};
use serde_json::json;

use crate::cli::User;
use crate::clock;
use crate::config::Config;
use crate::output::out;
use crate::site::{Site, random};
use crate::words::Words;

/// Bytes of a password that are read, at most.
const READ_MOST: u64 = 4 << 10;

pub(super) async fn run(config: &Config, command: User, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let ledger = &site.ledger;
    let (by, now) = (Actor::operator(), clock::system()());
    let said = match command {
        User::Add {
            name,
            role,
            code: true,
        } => {
            ledger.add_account(&by, now, (&name, role), None).await?;
            password_code(ledger, &by, now, &name, words).await?
        }
        User::Add { name, role, .. } => {
            let password = hashed(name.name(), &read_password(words)?, words)?;
            ledger
                .add_account(&by, now, (&name, role), Some(&password))
                .await?;
            words.say("user-added", &[("name", &name), ("role", &role)])
        }
        User::List => return list(&site).await,
        User::Disable { name } => {
            ledger.enable_account(&by, now, name.name(), false).await?;
            words.say("user-disabled", &[("name", &name)])
        }
        User::Enable { name } => {
            ledger.enable_account(&by, now, name.name(), true).await?;
            words.say("user-enabled", &[("name", &name)])
        }
        User::Password { name } => {
            let password = hashed(name.name(), &read_password(words)?, words)?;
            ledger.set_password(&by, now, name.name(), &password).await?;
            words.say("user-password-set", &[("name", &name)])
        }
        User::Role { name, role } => {
            ledger.set_role(&by, now, name.name(), role).await?;
            words.say("user-role-set", &[("name", &name), ("role", &role)])
        }
        User::Totp { name, remove: true } => {
            ledger.set_totp(&by, now, name.name(), None).await?;
            words.say("user-totp-removed", &[("name", &name)])
        }
        User::Totp { name, remove: false } => {
            let secret = TotpSecret::new(random(words)?);
            let url = secret.url(&config.site_name, name.name()).unwrap_or_default();
            let drawn = qr(&url, words)?;
            ledger.set_totp(&by, now, name.name(), Some(&secret)).await?;
            out!("{}", words.say("user-totp-scan", &[("name", &name)]));
            format!("{url}\n{drawn}")
        }
        User::Code { name } => password_code(ledger, &by, now, &name, words).await?,
    };
    out!("{said}");
    Ok(())
}

/// A code with which an account's password is set, once.
async fn password_code(ledger: &Ledger, by: &Actor, now: i64, name: &Actor, words: &Words) -> Result<String> {
    let code = Secret::code(random(words)?);
    let new = NewCode {
        digest: code.digest(),
        purpose: Purpose::Password,
        account: Some(name.name()),
        token: None,
    };
    ledger.make_codes(by, now, now + PASSWORD_CODE_MS, &[new]).await?;
    Ok(code.tell().to_owned())
}

async fn list(site: &Site) -> Result<()> {
    for account in site.ledger.accounts().await? {
        let state = if account.disabled_at.is_some() {
            "disabled"
        } else {
            "enabled"
        };
        let line = json!({
            "name": account.name, "role": account.role, "state": state, "second_factor": account.has_totp,
        });
        out!("{line}");
    }
    Ok(())
}

/// The first line of stdin.
fn read_password(words: &Words) -> Result<String> {
    let mut line = String::new();
    let mut stdin = std::io::stdin().lock().take(READ_MOST);
    stdin
        .read_line(&mut line)
        .with_context(|| words.say("password-missing", &[]))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!(words.say("password-missing", &[]));
    }
    Ok(password.to_owned())
}

/// The form in which a password that may be an account's is kept.
pub(crate) fn hashed(name: &str, password: &str, words: &Words) -> Result<String> {
    check_password(name, password)?;
    Ok(hash_password(password, random(words)?)?)
}

/// A text as a picture of blocks, for a terminal.
pub(super) fn qr(text: &str, words: &Words) -> Result<String> {
    match QRBuilder::new(text).build() {
        Ok(code) => Ok(code.to_str()),
        Err(_) => bail!(words.say("code-not-drawn", &[])),
    }
}
