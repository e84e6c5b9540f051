//! `hemu token`. Works beside a running server: both use the registry.

use anyhow::Result;
use hemu_ledger::acts::Actor;
use hemu_ledger::people::NewToken;
use hemu_people::Secret;
use serde_json::json;

use crate::cli::Token;
use crate::clock;
use crate::config::Config;
use crate::output::out;
use crate::site::{Site, random};
use crate::words::Words;

const DAY_MS: i64 = 86_400_000;

pub(super) async fn run(config: &Config, command: Token, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let ledger = &site.ledger;
    let (by, now) = (Actor::operator(), clock::system()());
    match command {
        Token::Add {
            name,
            scopes,
            label,
            days,
        } => {
            let (id, secret) = (super::hex(&random::<6>(words)?), Secret::token(random(words)?));
            let new = NewToken {
                id: &id,
                digest: secret.digest(),
                account: name.name(),
                label: &label,
                scopes: &scopes,
                until: now + i64::from(days) * DAY_MS,
            };
            ledger.add_token(&by, now, &new).await?;
            out!(
                "{}",
                json!({ "id": id, "account": name.name(), "token": secret.tell() })
            );
        }
        Token::List => {
            for token in ledger.api_tokens(None).await? {
                let line = json!({
                    "id": token.id, "account": token.account, "label": token.label, "scopes": token.scopes,
                    "until": token.until, "revoked": token.revoked_at.is_some(), "used_at": token.used_at,
                });
                out!("{line}");
            }
        }
        Token::Revoke { id } => {
            ledger.revoke_token(&by, now, &id, None).await?;
            out!("{}", words.say("token-revoked", &[("id", &id)]));
        }
    }
    Ok(())
}
