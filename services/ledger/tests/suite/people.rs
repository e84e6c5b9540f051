//! Who may log in: accounts, sessions, tokens, codes and attempts.

mod codes;
mod residents;

use hemu_ledger::acts::{Act, Actor, Why};
use hemu_ledger::people::{Change, Code, NewCode, NewToken, Proof, Purpose, SecondFactor};
use hemu_ledger::privacy::TrailQuery;
use hemu_ledger::{Error, Ledger};
use hemu_people::{ATTEMPTS_WINDOW_MS, Digest, Right, Role, Scope, TotpSecret, Trying};

use crate::site::{NOW, Site, act, day, person, refused, register};

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

async fn with(accounts: &[(&str, Role)]) -> Site {
    let site = Site::new().await;
    register(&site, &["H1", "H2"]).await;
    for (name, role) in accounts {
        add(&site.ledger, name, *role).await.unwrap();
    }
    site
}

async fn add(ledger: &Ledger, name: &str, role: Role) -> Result<(), Error> {
    let (by, name) = (Actor::operator(), person(name));
    ledger
        .add_account(&by, NOW, (&name, role), Some("$argon2id$x"))
        .await
}

fn why<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Why {
    outcome.unwrap_err().refused().unwrap().why
}

fn code(of: u8, token: &str) -> NewCode<'_> {
    NewCode {
        digest: [of; 32],
        purpose: Purpose::Resident,
        account: None,
        token: Some(token),
    }
}

async fn make(site: &Site, codes: &[NewCode<'_>]) {
    let by = person("root");
    site.ledger
        .make_codes(&by, NOW, NOW + 30 * DAY, codes)
        .await
        .unwrap();
}

async fn begin(site: &Site, of: u8, (name, role): (&str, Role)) -> bool {
    site.ledger
        .begin_session(&[of; 32], (name, role), None, NOW)
        .await
        .unwrap()
}

async fn logged_in(site: &Site, digest: &Digest, at: i64) -> Option<String> {
    let session = site.ledger.session(digest, at).await.unwrap();
    session.map(|session| session.account)
}

/// The audit trail's words with who did it, oldest first.
async fn trail(site: &Site) -> Vec<(String, String)> {
    let acts = site.ledger.acts(None, 100).await.unwrap();
    acts.into_iter().rev().map(|row| (row.actor, row.kind)).collect()
}

#[tokio::test]
async fn what_is_changed_is_in_the_journal_with_who_and_when_and_nothing_one_could_log_in_with() {
    let site = with(&[("root", Role::Admin), ("w1", Role::Inspector)]).await;
    let (ledger, root) = (&site.ledger, person("root"));
    ledger
        .set_role(&root, NOW, "w1", Role::GridOfficer)
        .await
        .unwrap();
    ledger
        .set_password(&root, NOW, "w1", "$argon2id$y")
        .await
        .unwrap();
    ledger
        .set_totp(&root, NOW, "w1", Some(&TotpSecret::new([9; 20])))
        .await
        .unwrap();
    ledger.set_totp(&root, NOW, "w1", None).await.unwrap();
    ledger.enable_account(&root, NOW, "w1", false).await.unwrap();
    ledger.enable_account(&root, NOW, "w1", true).await.unwrap();
    make(&site, &[code(1, "H1"), code(2, "H2")]).await;
    let kinds = [
        ("system:operator", "account_added"),
        ("system:operator", "account_added"),
        ("root", "role_changed"),
        ("root", "password_set"),
        ("root", "totp_set"),
        ("root", "totp_removed"),
        ("root", "account_disabled"),
        ("root", "account_enabled"),
        ("root", "code_made"),
        ("root", "code_made"),
    ];
    let expected: Vec<_> = kinds
        .map(|(who, what)| (who.to_owned(), what.to_owned()))
        .to_vec();
    assert_eq!(trail(&site).await, expected);
    let all = ledger.acts(None, 100).await.unwrap();
    assert!(
        all.iter()
            .all(|row| !row.body.contains("argon2id") && row.at == NOW)
    );
    assert_eq!(all[0].token.as_deref(), Some("H2"));
    // Who acted is not whom it was done to: the trail tells both, and what was changed into what.
    let told = ledger
        .trail(&TrailQuery {
            limit: 8,
            ..TrailQuery::default()
        })
        .await
        .unwrap();
    let told: Vec<_> = told
        .iter()
        .rev()
        .map(|row| (row.before.as_deref(), row.after.as_deref()))
        .collect();
    let expected = [
        (Some("w1: inspector"), Some("w1: grid_officer")),
        (None, Some("w1: another password")),
        (None, Some("w1: a second factor")),
        (Some("w1: a second factor"), Some("w1: no second factor")),
        (Some("w1: may log in"), Some("w1: disabled")),
        (Some("w1: disabled"), Some("w1: may log in")),
        (None, Some("code (resident)")),
        (None, Some("code (resident)")),
    ];
    assert_eq!(told, expected);
    // What is folded from acts comes out again, and the accounts, which are not, stay.
    assert_eq!(ledger.verify_projections(|_| ()).await.unwrap(), None);
    let before = (
        ledger.accounts().await.unwrap(),
        ledger.acts(None, 100).await.unwrap(),
    );
    let (site, _) = site.rebuilt().await;
    let after = (
        site.ledger.accounts().await.unwrap(),
        site.ledger.acts(None, 100).await.unwrap(),
    );
    assert_eq!(before, after);
}

#[tokio::test]
async fn an_act_alone_changes_no_account() {
    let site = with(&[("root", Role::Admin)]).await;
    let change = Change::AccountDisabled { name: "root".into() };
    refused(&site, "root", NOW, Act::Account(change), Why::Malformed).await;
}

#[tokio::test]
async fn names_are_taken_once_and_one_admin_stays() {
    let site = with(&[("root", Role::Admin), ("w1", Role::Inspector)]).await;
    let (ledger, root) = (&site.ledger, person("root"));
    let head = ledger.head().await.unwrap();
    for taken in ["w1", "W1"] {
        assert_eq!(
            why(add(ledger, taken, Role::Admin).await),
            Why::NameTaken,
            "{taken}"
        );
    }
    for machine in ["system", "system:jobs"] {
        assert_eq!(why(add(ledger, machine, Role::Admin).await), Why::Malformed);
    }
    assert_eq!(
        why(ledger.enable_account(&root, NOW, "nobody", false).await),
        Why::UnknownAccount
    );
    assert_eq!(
        why(ledger.enable_account(&root, NOW, "w1", true).await),
        Why::WrongState
    );
    assert_eq!(
        why(ledger.enable_account(&root, NOW, "root", false).await),
        Why::WrongState
    );
    assert_eq!(
        why(ledger.set_role(&root, NOW, "root", Role::Auditor).await),
        Why::WrongState
    );
    assert_eq!(
        why(ledger.set_role(&root, NOW, "w1", Role::Resident).await),
        Why::Malformed
    );
    assert_eq!(
        ledger.head().await.unwrap(),
        head,
        "what is refused leaves no trace"
    );
    add(ledger, "root2", Role::Admin).await.unwrap();
    ledger.enable_account(&root, NOW, "root", false).await.unwrap();
    assert!(ledger.keys("root").await.unwrap().is_none());
    assert_eq!(ledger.keys("w1").await.unwrap().unwrap().role, Role::Inspector);
}

#[tokio::test]
async fn a_session_lasts_as_long_as_it_is_used_and_no_longer_than_a_shift() {
    let site = with(&[("w1", Role::Inspector)]).await;
    let digest = [1; 32];
    assert!(begin(&site, 1, ("w1", Role::Inspector)).await);
    assert_eq!(logged_in(&site, &[2; 32], NOW).await, None);
    let mut now = NOW;
    while now < NOW + 12 * 60 * MINUTE {
        assert_eq!(
            logged_in(&site, &digest, now).await.as_deref(),
            Some("w1"),
            "{now}"
        );
        now += 29 * MINUTE;
    }
    assert_eq!(logged_in(&site, &digest, NOW + 12 * 60 * MINUTE).await, None);
    assert!(begin(&site, 3, ("w1", Role::Inspector)).await);
    assert_eq!(
        logged_in(&site, &[3; 32], NOW + 30 * MINUTE).await,
        None,
        "left alone"
    );
}

#[tokio::test]
async fn a_session_ends_with_whatever_it_stood_on() {
    let site = with(&[("root", Role::Admin), ("w1", Role::Inspector)]).await;
    let (ledger, root) = (&site.ledger, person("root"));
    assert!(begin(&site, 1, ("w1", Role::Inspector)).await);
    ledger.end_session(&[1; 32]).await.unwrap();
    assert_eq!(logged_in(&site, &[1; 32], NOW).await, None);
    for nth in 2..=4 {
        assert!(begin(&site, nth, ("w1", Role::Inspector)).await);
    }
    assert_eq!(ledger.sessions("w1", NOW).await.unwrap().len(), 3);
    assert_eq!(ledger.end_sessions("w1").await.unwrap(), 3);
    assert!(begin(&site, 5, ("w1", Role::Inspector)).await);
    ledger
        .set_password(&root, NOW, "w1", "$argon2id$y")
        .await
        .unwrap();
    assert_eq!(logged_in(&site, &[5; 32], NOW).await, None, "another password");
    assert!(begin(&site, 6, ("w1", Role::Inspector)).await);
    ledger.set_role(&root, NOW, "w1", Role::Volunteer).await.unwrap();
    assert_eq!(logged_in(&site, &[6; 32], NOW).await, None, "another role");
    assert!(
        !begin(&site, 7, ("w1", Role::Inspector)).await,
        "verified before the role changed"
    );
    assert!(begin(&site, 8, ("w1", Role::Volunteer)).await);
    ledger.enable_account(&root, NOW, "w1", false).await.unwrap();
    assert_eq!(logged_in(&site, &[8; 32], NOW).await, None, "disabled");
    assert!(!begin(&site, 9, ("w1", Role::Volunteer)).await);
}

#[tokio::test]
async fn what_is_no_longer_the_accounts_logs_nobody_in_however_long_it_was_looked_at() {
    let site = with(&[("w1", Role::Inspector)]).await;
    let (ledger, of, by) = (&site.ledger, ("w1", Role::Inspector), Actor::operator());
    let begins = |nth: u8, password| async move {
        let proof = Proof {
            password,
            totp_step: None,
        };
        let begun = ledger.begin_session(&[nth; 32], of, Some(proof), NOW).await;
        begun.unwrap()
    };
    assert!(begins(1, "$argon2id$x").await);
    ledger.set_password(&by, NOW, "w1", "$argon2id$y").await.unwrap();
    assert!(!begins(2, "$argon2id$x").await, "another was set meanwhile");
    assert!(begins(3, "$argon2id$y").await);
    let secret = TotpSecret::new([9; 20]);
    ledger.set_totp(&by, NOW, "w1", Some(&secret)).await.unwrap();
    assert!(!begins(4, "$argon2id$y").await, "the digits are missing");
}

#[tokio::test]
async fn digits_of_the_second_factor_are_good_once() {
    let site = with(&[("w1", Role::Inspector)]).await;
    let (ledger, of) = (&site.ledger, ("w1", Role::Inspector));
    let step = |nth: u8, step| async move {
        let proof = Proof {
            password: "$argon2id$x",
            totp_step: Some(step),
        };
        ledger.begin_session(&[nth; 32], of, Some(proof), NOW).await
    };
    let secret = TotpSecret::new([9; 20]);
    ledger
        .set_totp(&Actor::operator(), NOW, "w1", Some(&secret))
        .await
        .unwrap();
    assert!(step(1, 100).await.unwrap());
    assert!(!step(2, 100).await.unwrap() && !step(3, 99).await.unwrap());
    let keys = ledger.keys("w1").await.unwrap().unwrap();
    assert!(keys.second == SecondFactor::Totp(secret, Some(100)));
    assert!(step(4, 101).await.unwrap());
}

#[tokio::test]
async fn a_token_has_some_of_its_accounts_rights_until_it_ends() {
    let site = with(&[("root", Role::Admin), ("a1", Role::Auditor)]).await;
    let (ledger, root) = (&site.ledger, person("root"));
    let new = |id: &'static str, of: u8, scopes: &'static [Right]| NewToken {
        id,
        digest: [of; 32],
        account: "a1",
        label: "nightly export",
        scopes,
        until: NOW + DAY,
    };
    let add = |new: NewToken<'static>| async move { ledger.add_token(&person("root"), NOW, &new).await };
    add(new("t1", 1, &[Right::SeeSite, Right::ReadTrail]))
        .await
        .unwrap();
    assert_eq!(
        why(add(new("t2", 2, &[Right::KeepAccounts])).await),
        Why::Malformed
    );
    assert_eq!(why(add(new("t2", 2, &[])).await), Why::Malformed);
    let holder = |at| async move { ledger.token_holder(&[1; 32], at).await.unwrap() };
    let held = holder(NOW).await.unwrap();
    assert_eq!((held.account.as_str(), held.role), ("a1", Role::Auditor));
    assert_eq!(held.scopes, [Right::SeeSite, Right::ReadTrail]);
    assert_eq!(holder(NOW + DAY).await, None, "it ran out");
    assert_eq!(
        why(ledger.revoke_token(&root, NOW, "t1", Some("root")).await),
        Why::UnknownToken
    );
    ledger.revoke_token(&root, NOW, "t1", Some("a1")).await.unwrap();
    assert_eq!(holder(NOW).await, None, "revoked");
    assert_eq!(
        why(ledger.revoke_token(&root, NOW, "t1", None).await),
        Why::UnknownToken
    );
    let listed = ledger.api_tokens(Some("a1")).await.unwrap();
    assert_eq!(
        (listed[0].label.as_str(), listed[0].revoked_at),
        ("nightly export", Some(NOW))
    );
    assert!(ledger.api_tokens(Some("root")).await.unwrap().is_empty());
    // Whoever copied one does not have it again when the account is given back.
    add(new("t3", 3, &[Right::SeeSite])).await.unwrap();
    let stolen = || async { ledger.token_holder(&[3; 32], NOW).await.unwrap() };
    assert!(stolen().await.is_some());
    ledger.enable_account(&root, NOW, "a1", false).await.unwrap();
    assert_eq!(stolen().await, None, "its account is disabled");
    ledger.enable_account(&root, NOW, "a1", true).await.unwrap();
    assert_eq!(stolen().await, None, "it ended with the account");
    let revoked = ledger.acts(None, 3).await.unwrap();
    assert!(
        revoked
            .iter()
            .any(|row| row.kind == "token_revoked" && row.body.contains("t3"))
    );
}

#[tokio::test]
async fn a_tokens_last_use_is_kept_to_the_minute_and_reading_by_it_is_not_writing() {
    let site = with(&[("root", Role::Admin), ("a1", Role::Auditor)]).await;
    let ledger = &site.ledger;
    for (id, of) in [("t1", 1), ("t2", 2)] {
        let new = NewToken {
            id,
            digest: [of; 32],
            account: "a1",
            label: "nightly export",
            scopes: &[Right::SeeSite],
            until: NOW + DAY,
        };
        ledger.add_token(&person("root"), NOW, &new).await.unwrap();
    }
    let uses = |at| async move { assert!(ledger.token_holder(&[1; 32], at).await.unwrap().is_some()) };
    let noted = || async {
        let tokens = ledger.api_tokens(Some("a1")).await.unwrap();
        tokens.iter().map(|token| token.used_at).collect::<Vec<_>>()
    };
    assert_eq!(noted().await, [None, None]);
    // Whoever only listens does not use it.
    let listens = ledger.token_holder_unseen(&[1; 32], NOW).await.unwrap();
    assert!(listens.is_some() && noted().await == [None, None]);
    uses(NOW).await;
    assert_eq!(
        noted().await,
        [Some(NOW), None],
        "the other is found to be unused"
    );
    uses(NOW + MINUTE - 1).await;
    assert_eq!(noted().await, [Some(NOW), None]);
    uses(NOW + MINUTE).await;
    assert_eq!(noted().await, [Some(NOW + MINUTE), None]);
    // A clock that was set back takes nothing away, and what is not good is not used.
    uses(NOW).await;
    let over = ledger.token_holder(&[2; 32], NOW + DAY).await.unwrap();
    assert!(over.is_none() && noted().await == [Some(NOW + MINUTE), None]);
}

#[tokio::test]
async fn only_so_many_attempts_are_looked_at_however_many_come_at_once() {
    let site = with(&[]).await;
    let ledger = &site.ledger;
    let trying = Trying::Account("w1");
    let (key, most) = (trying.key(&[1; 32]), trying.most());
    let attempts = (0..50).map(|_| ledger.attempt(&key, most, NOW));
    let outcomes = futures::future::join_all(attempts).await;
    let looked = outcomes
        .iter()
        .filter(|outcome| outcome.as_ref().unwrap().is_none());
    assert_eq!(looked.count(), 10);
    let again = ledger.attempt(&key, most, NOW + MINUTE).await.unwrap();
    assert_eq!(again, Some(NOW + ATTEMPTS_WINDOW_MS), "from the first on");
    assert_eq!(
        ledger.attempt(&[9; 32], most, NOW).await.unwrap(),
        None,
        "somebody else"
    );
    assert_eq!(
        ledger
            .attempt(&key, most, NOW + ATTEMPTS_WINDOW_MS)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn what_succeeds_is_not_held_against_anybody() {
    let site = with(&[]).await;
    let ledger = &site.ledger;
    let key = Trying::Address([10, 0, 0, 7].into()).key(&[1; 32]);
    for _ in 0..100 {
        assert_eq!(ledger.attempt(&key, 20, NOW).await.unwrap(), None);
        ledger.forgive(&key).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_counted_by_a_clock_far_ahead_keeps_nobody_waiting_once_it_is_right() {
    let site = with(&[]).await;
    let (ledger, key) = (&site.ledger, [7; 32]);
    for _ in 0..3 {
        ledger.attempt(&key, 2, NOW + 365 * DAY).await.unwrap();
    }
    assert_eq!(ledger.attempt(&key, 2, NOW).await.unwrap(), None);
    // A server whose clock is a minute behind counts on.
    for _ in 0..2 {
        ledger.attempt(&key, 2, NOW - MINUTE).await.unwrap();
    }
    let again = ledger.attempt(&key, 2, NOW - MINUTE).await.unwrap();
    assert_eq!(again, Some(NOW + ATTEMPTS_WINDOW_MS));
}
