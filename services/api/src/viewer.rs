//! Who asks: a person by the cookie of a session, a program by a token.

use std::str::FromStr;

use axum::http::HeaderValue;
use hemu_ledger::acts::Actor;
use hemu_people::{Digest, Right, Role, Scope};

use crate::api::Api;
use crate::people::Caller;
use crate::problem::Problem;

/// What somebody showed.
#[derive(Debug, Clone, Copy)]
enum Shown {
    Session(Digest),
    Token(Digest),
}

/// Whoever is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    pub(crate) actor: Actor,
    pub(crate) role: Role,
    pub(crate) scope: Scope,
    /// A token's; a person has all that the role has.
    scopes: Option<Vec<Right>>,
    shown: Shown,
    /// When it ends, ms since 1970 UTC.
    pub(crate) until: i64,
}

impl Viewer {
    pub(crate) fn may(&self, right: Right) -> bool {
        let named = self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&right));
        named && self.role.may(right)
    }

    /// The session, of a person.
    pub(crate) const fn session(&self) -> Option<Digest> {
        match self.shown {
            Shown::Session(digest) => Some(digest),
            Shown::Token(_) => None,
        }
    }

    /// Whether what it showed still opens what it opened: nothing that goes on may outlive it. Keeps no session awake.
    pub(crate) async fn is_in(&self, api: &Api) -> Result<bool, Problem> {
        let now = api.people.clock.now();
        let role = match &self.shown {
            Shown::Session(digest) => {
                let session = api.ledger.session_unseen(digest, now).await?;
                session.map(|session| session.role)
            }
            Shown::Token(digest) => {
                let holder = api.ledger.token_holder_unseen(digest, now).await?;
                holder.map(|holder| holder.role)
            }
        };
        Ok(role == Some(self.role))
    }

    /// Whether a household is still within its reach: another one may have moved in, or it was erased.
    pub(crate) async fn reaches(&self, api: &Api, token: &str) -> Result<bool, Problem> {
        let scope = api.ledger.scope_of(self.actor.name(), self.role).await?;
        let found = api.ledger.seen_by(scope).household(token).await?;
        Ok(found.is_some())
    }

    /// What it may do.
    pub(crate) fn rights(&self) -> Vec<Right> {
        Right::ALL.into_iter().filter(|right| self.may(*right)).collect()
    }
}

/// Who asks; a problem where nobody is named, or nobody who is known.
pub(crate) async fn identify(
    api: &Api,
    caller: Option<Caller>,
    authorization: Option<HeaderValue>,
) -> Result<Viewer, Problem> {
    let now = api.people.clock.now();
    if let Some(authorization) = authorization {
        let token = bearer(&authorization).ok_or_else(|| {
            Problem::unauthorized("expected `Authorization: Bearer` and a token, came something else")
        })?;
        let digest = hemu_people::digest(token);
        let holder = api.ledger.token_holder(&digest, now).await?;
        let holder =
            holder.ok_or_else(|| Problem::unauthorized("expected a token that is in use, came another"))?;
        let viewer = known(
            api,
            &holder.account,
            holder.role,
            holder.until,
            Shown::Token(digest),
        )
        .await?;
        return Ok(Viewer {
            scopes: Some(holder.scopes),
            ..viewer
        });
    }
    let Some(digest) = caller.and_then(|caller| caller.session) else {
        return Err(Problem::unauthorized(
            "expected a session or a token, came neither; log in",
        ));
    };
    let session = api.ledger.session(&digest, now).await?;
    let session = session.ok_or_else(|| Problem::unauthorized("the session is over; log in again"))?;
    let shown = Shown::Session(digest);
    known(api, &session.account, session.role, session.until, shown).await
}

async fn known(api: &Api, account: &str, role: Role, until: i64, shown: Shown) -> Result<Viewer, Problem> {
    let actor = Actor::from_str(account).map_err(|_| Problem::internal())?;
    let scope = api.ledger.scope_of(account, role).await?;
    Ok(Viewer {
        actor,
        role,
        scope,
        scopes: None,
        shown,
        until,
    })
}

fn bearer(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
