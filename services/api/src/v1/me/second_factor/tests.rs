//! The own second factor as it is set up, used, taken away and lost.

use hemu_ledger::acts::Actor;
use hemu_people::{Role, TotpSecret, hash_password};
use serde_json::{Value, json};

use super::OFFERED_MS;
use crate::testing::{NOON, Site, acting, answer, cookie, request};

const PASSWORD: &str = "three green bins";
const BEGIN: &str = "/api/v1/me/second-factor";
const CONFIRM: &str = "/api/v1/me/second-factor/confirm";
const REMOVE: &str = "/api/v1/me/second-factor/remove";
const HOUR: i64 = 3_600_000;

/// A site with an inspector who has a password and is logged in.
async fn with_inspector() -> Site {
    let site = Site::filled().await;
    let (by, name) = (Actor::operator(), "w1".parse().unwrap());
    let password = hash_password(PASSWORD, [1; 16]).unwrap();
    let added = site
        .ledger
        .add_account(&by, NOON, (&name, Role::Inspector), Some(&password));
    added.await.unwrap();
    site.let_in("w1", Role::Inspector, NOON + HOUR).await;
    site
}

async fn does(site: &Site, who: &str, path: &str, asked: Value) -> (u16, Value) {
    let response = site.send(acting(who, path, &asked)).await;
    if response.status() == 204 {
        return (204, Value::Null);
    }
    answer(response).await
}

/// The secret that an answer tells.
fn told(offer: &Value) -> TotpSecret {
    let bits: Vec<u8> = offer["secret"]
        .as_str()
        .unwrap()
        .bytes()
        .map(|letter| match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        })
        .flat_map(|value| (0..5).rev().map(move |bit| value >> bit & 1))
        .collect();
    let byte = |bits: &[u8]| bits.iter().fold(0, |byte, bit| byte << 1 | bit);
    let bytes: Vec<u8> = bits.chunks(8).map(byte).collect();
    TotpSecret::kept(&bytes).unwrap()
}

async fn has_second_factor(site: &Site, who: &str) -> bool {
    site.seen(who, "/api/v1/me").await["has_second_factor"]
        .as_bool()
        .unwrap()
}

/// Sets it up; the secret.
async fn set_up(site: &Site) -> TotpSecret {
    let (status, offer) = does(site, "w1", BEGIN, json!({"password": PASSWORD})).await;
    assert_eq!(status, 201, "{offer}");
    let secret = told(&offer);
    let digits = json!({"totp": secret.digits(NOON - 30_000).unwrap()});
    assert_eq!(does(site, "w1", CONFIRM, digits).await.0, 204);
    secret
}

#[tokio::test]
async fn a_second_factor_is_shown_once_counts_when_it_is_confirmed_and_is_asked_for_from_then_on() {
    let site = with_inspector().await;
    let wrong = json!({"password": "three green bin"});
    assert_eq!(does(&site, "w1", BEGIN, wrong).await.0, 422);
    let digits = json!({"totp": "287082"});
    assert_eq!(
        does(&site, "w1", CONFIRM, digits.clone()).await.0,
        409,
        "nothing was shown"
    );
    let (_, offer) = does(&site, "w1", BEGIN, json!({"password": PASSWORD})).await;
    let url = offer["url"].as_str().unwrap();
    assert!(url.starts_with("otpauth://totp/") && url.contains("w1"), "{url}");
    assert!(offer["picture"].as_str().unwrap().starts_with("<svg "));
    assert_eq!(offer["until"], NOON + OFFERED_MS);
    assert_eq!(does(&site, "w1", CONFIRM, digits).await.0, 422, "other digits");
    assert!(!has_second_factor(&site, "w1").await, "it counts for nothing yet");
    let first = told(&offer);
    let second = set_up(&site).await;
    assert!(first != second, "another one each time");
    assert!(has_second_factor(&site, "w1").await);
    let login = async |totp: Option<String>| {
        let asked = json!({"name": "w1", "password": PASSWORD, "totp": totp});
        does(&site, "w1", "/api/v1/login", asked).await.0
    };
    assert_eq!(login(None).await, 401);
    assert_eq!(
        login(first.digits(NOON)).await,
        401,
        "that of the first one shown"
    );
    assert_eq!(
        login(second.digits(NOON - 30_000)).await,
        401,
        "those that confirmed it are used"
    );
    let again = json!({"password": PASSWORD});
    assert_eq!(does(&site, "w1", BEGIN, again).await.0, 409, "there is one");
    assert_eq!(login(second.digits(NOON)).await, 200);
}

#[tokio::test]
async fn whoever_sets_it_up_or_takes_it_away_stays_logged_in_there_and_nowhere_else() {
    let site = with_inspector().await;
    let elsewhere = hemu_people::digest("session-of-elsewhere");
    let begin = async || {
        let begun = site
            .ledger
            .begin_session(&elsewhere, ("w1", Role::Inspector), None, NOON);
        assert!(begun.await.unwrap());
    };
    let sessions = async || site.ledger.sessions("w1", NOON).await.unwrap().len();
    begin().await;
    assert_eq!(sessions().await, 2);
    let secret = set_up(&site).await;
    assert_eq!(sessions().await, 1);
    begin().await;
    let both = |password: &str, digits: &str| json!({"password": password, "totp": digits});
    let digits = secret.digits(NOON).unwrap();
    for wrong in [both("three green bin", &digits), both(PASSWORD, "000000")] {
        assert_eq!(does(&site, "w1", REMOVE, wrong).await.0, 422);
    }
    assert_eq!(does(&site, "w1", REMOVE, both(PASSWORD, &digits)).await.0, 204);
    assert_eq!(sessions().await, 1);
    assert!(!has_second_factor(&site, "w1").await);
    assert_eq!(does(&site, "w1", REMOVE, both(PASSWORD, &digits)).await.0, 409);
    let (_, me) = does(
        &site,
        "w1",
        "/api/v1/login",
        json!({"name": "w1", "password": PASSWORD}),
    )
    .await;
    assert_eq!(me["account"], "w1", "{me}");
}

#[tokio::test]
async fn a_lost_phone_is_for_another_admin_and_nobody_without_a_password_has_a_second_factor() {
    let site = with_inspector().await;
    set_up(&site).await;
    site.let_in("boss", Role::Admin, NOON + HOUR).await;
    let lost = |name: &str| format!("/api/v1/accounts/{name}/second-factor/remove");
    assert_eq!(does(&site, "w1", &lost("w1"), json!({})).await.0, 403);
    let (status, own) = does(&site, "boss", &lost("boss"), json!({})).await;
    assert_eq!((status, &own["rule"]), (409, &"same_person".into()), "{own}");
    let (status, line) = does(&site, "boss", &lost("w1"), json!({})).await;
    assert_eq!(
        (status, &line["has_second_factor"]),
        (200, &false.into()),
        "{line}"
    );
    assert_eq!(does(&site, "boss", &lost("w1"), json!({})).await.0, 409);
    assert_eq!(does(&site, "boss", &lost("nobody"), json!({})).await.0, 404);
    let mut again = request("/api/v1/me");
    again.headers_mut().insert("cookie", cookie("w1"));
    assert_eq!(
        site.send(again).await.status(),
        401,
        "whoever found the phone is out"
    );
    let (status, problem) = does(&site, "resident", BEGIN, json!({"password": "x"})).await;
    assert_eq!(
        (status, &problem["rule"]),
        (409, &"wrong_state".into()),
        "{problem}"
    );
}

#[tokio::test]
async fn a_secret_that_is_not_confirmed_in_time_is_shown_anew() {
    let site = with_inspector().await;
    let secret = TotpSecret::new([7; 20]);
    site.ledger.offer_totp("w1", &secret, NOON).await.unwrap();
    let digits = json!({"totp": secret.digits(NOON).unwrap()});
    assert_eq!(
        does(&site, "w1", CONFIRM, digits.clone()).await.0,
        409,
        "too late"
    );
    site.ledger.offer_totp("w1", &secret, NOON + 1).await.unwrap();
    assert_eq!(
        does(&site, "p1", CONFIRM, digits.clone()).await.0,
        409,
        "not theirs"
    );
    assert_eq!(does(&site, "w1", CONFIRM, digits).await.0, 204);
}

#[tokio::test]
async fn guesses_at_the_own_password_are_counted_like_those_at_a_login() {
    let site = with_inspector().await;
    let mut looked = 0;
    for _ in 0..15 {
        let guess = json!({"password": "guessed", "totp": "000000"});
        looked += i32::from(does(&site, "w1", REMOVE, guess).await.0 == 422);
    }
    assert_eq!(looked, 10);
    assert_eq!(
        does(&site, "w1", BEGIN, json!({"password": PASSWORD})).await.0,
        429
    );
}
