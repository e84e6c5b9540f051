//! Who is logged in to the site. Their accounts are in the store without an act in the journal, whose places tests count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::http::HeaderValue;
use hemu_ledger::Ledger;
use hemu_people::Role;

use super::store::{Store, Value};
use super::{KEY, NOON, Site};
use crate::{Clock, People};

/// Who acts in the tests: they may do what the lists need. `a1` looks.
const ACCOUNTS: [(&str, Role); 9] = [
    ("a1", Role::Auditor),
    ("auditor", Role::Auditor),
    ("insp1", Role::GridOfficer),
    ("p1", Role::GridOfficer),
    ("p2", Role::GridOfficer),
    ("p9", Role::GridOfficer),
    ("r1", Role::GridOfficer),
    ("r2", Role::GridOfficer),
    ("resident", Role::Resident),
];
const HOUR: i64 = 3_600_000;

/// By a clock that stands still: no session runs out while a test's days pass.
pub(super) async fn logging_in(ledger: &Ledger) -> People {
    let key = ledger.site_key(KEY).await.unwrap();
    let counter = Arc::new(AtomicU8::new(0));
    People::new(key, Clock::new(|| NOON), move |bytes| {
        bytes.fill(counter.fetch_add(1, Ordering::SeqCst));
        Ok(())
    })
}

pub(super) async fn let_in_all(ledger: &Ledger) {
    let mut store = Store::of(ledger).await;
    for (name, role) in ACCOUNTS {
        let_in(&mut store, name, role, NOON + HOUR).await;
    }
    at_home(&mut store, "resident", "hh-poor-0002").await;
}

async fn let_in(store: &mut Store, name: &str, role: Role, until: i64) {
    let account = "insert into account (name, role, created_at) values ($1, $2, $3) on conflict do nothing";
    let values = [Value::Text(name), Value::Text(role.as_str()), Value::Number(NOON)];
    store.run(account, &values).await;
    let session =
        "insert into session (digest, account, created_at, seen_at, until) values ($1, $2, $3, $3, $4)
        on conflict (digest) do update set until = excluded.until";
    let digest = hemu_people::digest(&secret(name));
    let values = [
        Value::Bytes(&digest[..]),
        Value::Text(name),
        Value::Number(NOON),
        Value::Number(until),
    ];
    store.run(session, &values).await;
}

async fn at_home(store: &mut Store, name: &str, token: &str) {
    let resident = "insert into resident (account, token, act, delegate) values ($1, $2, 0, 0)";
    store
        .run(resident, &[Value::Text(name), Value::Text(token)])
        .await;
}

fn secret(name: &str) -> String {
    format!("session-of-{name}")
}

/// What the browser of an account sends.
pub(crate) fn cookie(name: &str) -> HeaderValue {
    format!("hemu_session={}", secret(name)).parse().unwrap()
}

impl Site {
    /// Logs an account in anew; until an instant.
    pub(crate) async fn let_in(&self, name: &str, role: Role, until: i64) {
        let_in(&mut Store::of(&self.ledger).await, name, role, until).await;
    }

    /// A token of `p1`'s that ended.
    pub(crate) async fn revoked_token(&self, secret: &str) {
        let token =
            "insert into api_token (id, digest, account, label, scopes, created_at, until, revoked_at)
            values ('gone', $1, 'p1', 'gone', 'see_site', $2, $3, $2)";
        let digest = hemu_people::digest(secret);
        let values = [
            Value::Bytes(&digest[..]),
            Value::Number(NOON),
            Value::Number(NOON + HOUR),
        ];
        Store::of(&self.ledger).await.run(token, &values).await;
    }
}
