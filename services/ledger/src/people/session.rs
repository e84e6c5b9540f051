//! Sessions: from a login until they run out, are left alone for too long, or are ended.

use hemu_people::{Digest, Role};

use super::word;
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// How old the note of when a session or a token was last used may be: it is not written with every request.
pub(super) const SEEN_MS: i64 = 60_000;

/// Somebody who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub account: String,
    pub role: Role,
    /// ms since 1970 UTC.
    pub created_at: i64,
    pub seen_at: i64,
    /// When it ends, however much it is used.
    pub until: i64,
}

/// What somebody showed who logs in with a password. It must still be the account's when the session begins: looking at a
/// password takes a while, and another may have been set because somebody knew this one.
#[derive(Clone, Copy)]
pub struct Proof<'a> {
    /// The hash that the password fitted.
    pub password: &'a str,
    /// The step of the second factor's digits, where there is one.
    pub totp_step: Option<i64>,
}

impl std::fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof")
    }
}

impl db::FromRow for Session {
    fn from_row(row: &db::Row) -> db::Outcome<Self> {
        Ok(Self {
            account: row.try_get("account")?,
            role: word(row, "role")?,
            created_at: row.try_get("created_at")?,
            seen_at: row.try_get("seen_at")?,
            until: row.try_get("until")?,
        })
    }
}

impl Ledger {
    /// Logs an account in, by what it showed or, with `None`, by a code; whether it may still. A step of the second factor is
    /// good once.
    pub async fn begin_session(
        &self,
        digest: &Digest,
        (account, role): (&str, Role),
        proof: Option<Proof<'_>>,
        now: i64,
    ) -> Result<bool> {
        let path = self.folder().truth();
        let step = proof.and_then(|proof| proof.totp_step);
        if let Some(step) = step {
            let used = db::query(
                "update account set totp_step = ?1 where name = ?2 and (totp_step is null or totp_step < ?1)",
            );
            let used = used
                .bind(step)
                .bind(account)
                .execute(&self.truth)
                .await
                .of(&path)?;
            if used.rows_affected() == 0 {
                return Ok(false);
            }
        }
        let over = db::query("delete from session where until <= ?").bind(now);
        over.execute(&self.truth).await.of(&path)?;
        let begun = db::query(
            "insert into session (digest, account, created_at, seen_at, until)
             select ?1, name, ?2, ?2, ?3 from account
             where name = ?4 and role = ?5 and disabled_at is null
               and (?6 is null or (password = ?6 and case when totp is null then 0 else 1 end = ?7))",
        )
        .bind(&digest[..])
        .bind(now)
        .bind(now.saturating_add(role.session().most_ms))
        .bind(account)
        .bind(role.as_str())
        .bind(proof.map(|proof| proof.password))
        .bind(i64::from(step.is_some()))
        .execute(&self.truth)
        .await
        .of(&path)?;
        Ok(begun.rows_affected() > 0)
    }

    /// Who is logged in with a session, and notes that it was used; `None` of one that is over.
    pub async fn session(&self, digest: &Digest, now: i64) -> Result<Option<Session>> {
        let Some(session) = self.session_unseen(digest, now).await? else {
            return Ok(None);
        };
        if now.saturating_sub(session.seen_at) >= SEEN_MS {
            let seen = db::query("update session set seen_at = ?1 where digest = ?2 and seen_at < ?1");
            let noted = seen.bind(now).bind(&digest[..]).execute(&self.truth).await;
            // A full disk must not keep people from looking: the session is only shorter.
            if let Err(error) = noted {
                tracing::warn!(%error, "that a session was used could not be noted");
            }
        }
        Ok(Some(session))
    }

    /// The same without noting it: whoever only goes on listening does not use it.
    pub async fn session_unseen(&self, digest: &Digest, now: i64) -> Result<Option<Session>> {
        let found: Option<Session> = db::query_as(
            "select session.account, account.role, session.created_at, session.seen_at, session.until
             from session join account on account.name = session.account
             where session.digest = ? and session.until > ? and account.disabled_at is null",
        )
        .bind(&digest[..])
        .bind(now)
        .fetch_optional(&self.truth)
        .await
        .of(&self.folder().truth())?;
        let awake = |session: &Session| now < session.seen_at.saturating_add(session.role.session().idle_ms);
        Ok(found.filter(awake))
    }

    /// Sessions of an account that are not over, newest first.
    pub async fn sessions(&self, account: &str, now: i64) -> Result<Vec<Session>> {
        db::query_as(
            "select session.account, account.role, session.created_at, session.seen_at, session.until
             from session join account on account.name = session.account
             where session.account = ? and session.until > ? order by session.created_at desc",
        )
        .bind(account)
        .bind(now)
        .fetch_all(&self.truth)
        .await
        .of(&self.folder().truth())
    }

    /// Logs out.
    pub async fn end_session(&self, digest: &Digest) -> Result<()> {
        let end = db::query("delete from session where digest = ?").bind(&digest[..]);
        end.execute(&self.truth)
            .await
            .of(&self.folder().truth())
            .map(drop)
    }

    /// Logs an account out everywhere; how many sessions that were.
    pub async fn end_sessions(&self, account: &str) -> Result<u64> {
        let end = db::query("delete from session where account = ?").bind(account);
        let ended = end.execute(&self.truth).await.of(&self.folder().truth())?;
        Ok(ended.rows_affected())
    }

    /// Logs everybody out: what a backup holds of sessions may have been ended since.
    pub(crate) async fn end_all_sessions(&self) -> Result<()> {
        let end = db::query("delete from session").execute(&self.truth);
        end.await.of(&self.folder().truth()).map(drop)
    }
}
