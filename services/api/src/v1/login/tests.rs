//! Logging in as it is met from outside.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, header};
use hemu_ledger::acts::Actor;
use hemu_ledger::people::{NewCode, Purpose};
use hemu_people::{ATTEMPTS_WINDOW_MS, Role, Secret, TotpSecret, hash_password};
use serde_json::{Value, json};

use crate::testing::{NOON, Site, acting, anonymous, answer, body};

const PASSWORD: &str = "three green bins";
const DAY: i64 = 86_400_000;

/// A site with an inspector who has a password.
async fn with_inspector() -> Site {
    let site = Site::filled().await;
    let (by, name) = (Actor::operator(), "w1".parse().unwrap());
    let password = hash_password(PASSWORD, [1; 16]).unwrap();
    let added = site
        .ledger
        .add_account(&by, NOON, (&name, Role::Inspector), Some(&password));
    added.await.unwrap();
    site
}

/// What a browser that is not logged in sends, from an address.
fn from(address: [u8; 4], path: &str, asked: &Value) -> Request<Body> {
    let mut request = anonymous(path);
    *request.method_mut() = axum::http::Method::POST;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from((address, 40_000))));
    *request.body_mut() = asked.to_string().into();
    request
}

async fn send(site: &Site, path: &str, asked: Value) -> (u16, Value, Option<HeaderValue>) {
    let response = site.send(from([127, 0, 0, 1], path, &asked)).await;
    let cookie = response.headers().get(header::SET_COOKIE).cloned();
    let (status, json) = if response.status() == 204 {
        (204, Value::Null)
    } else {
        answer(response).await
    };
    (status, json, cookie)
}

async fn login(site: &Site, name: &str, password: &str) -> (u16, Value, Option<HeaderValue>) {
    send(site, "/api/v1/login", json!({"name": name, "password": password})).await
}

/// A request with the cookie that a login set.
fn with(cookie: &HeaderValue, method: &str, path: &str) -> Request<Body> {
    let mut request = from([127, 0, 0, 1], path, &json!({}));
    *request.method_mut() = method.parse().unwrap();
    let pair = cookie.to_str().unwrap().split(';').next().unwrap();
    let headers = request.headers_mut();
    headers.insert(header::COOKIE, pair.parse().unwrap());
    headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    request
}

async fn code(site: &Site, purpose: Purpose, account: Option<&str>, token: Option<&str>) -> String {
    let code = Secret::code([u8::try_from(token.map_or(3, str::len)).unwrap(); 12]);
    let new = NewCode {
        digest: code.digest(),
        purpose,
        account,
        token,
    };
    site.ledger
        .make_codes(&Actor::operator(), NOON, NOON + DAY, &[new])
        .await
        .unwrap();
    code.tell().to_owned()
}

#[tokio::test]
async fn whoever_logs_in_is_known_until_they_log_out() {
    let site = with_inspector().await;
    let (status, me, cookie) = login(&site, "w1", PASSWORD).await;
    assert_eq!(
        (status, &me["account"], &me["role"]),
        (200, &"w1".into(), &"inspector".into()),
        "{me}"
    );
    let cookie = cookie.unwrap();
    assert_eq!(
        answer(site.send(with(&cookie, "GET", "/api/v1/me")).await).await,
        (200, me)
    );
    let (_, sessions) = answer(site.send(with(&cookie, "GET", "/api/v1/me/sessions")).await).await;
    assert_eq!(sessions.as_array().unwrap().len(), 1);
    // Whoever logs in again in the same browser leaves no session behind.
    let mut again = with(&cookie, "POST", "/api/v1/login");
    *again.body_mut() = json!({"name": "w1", "password": PASSWORD}).to_string().into();
    let next = site.send(again).await.headers()[header::SET_COOKIE].clone();
    assert_eq!(site.send(with(&cookie, "GET", "/api/v1/me")).await.status(), 401);
    let out = site.send(with(&next, "POST", "/api/v1/logout")).await;
    assert_eq!(out.status(), 204);
    assert!(
        out.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    assert_eq!(site.send(with(&next, "GET", "/api/v1/me")).await.status(), 401);
    let one = login(&site, "w1", PASSWORD).await.2.unwrap();
    let other = login(&site, "w1", PASSWORD).await.2.unwrap();
    let everywhere = site.send(with(&one, "POST", "/api/v1/logout/everywhere")).await;
    assert_eq!(everywhere.status(), 204);
    assert_eq!(site.send(with(&other, "GET", "/api/v1/me")).await.status(), 401);
}

#[tokio::test]
async fn nothing_tells_an_account_that_is_there_from_one_that_is_not() {
    let site = with_inspector().await;
    let unknown = login(&site, "nobody", PASSWORD).await;
    assert_eq!((unknown.0, &unknown.2), (401, &None));
    assert_eq!(login(&site, "w1", "three green bin").await, unknown);
    assert_eq!(login(&site, "p1", PASSWORD).await, unknown, "it has no password");
    let secret = TotpSecret::new([5; 20]);
    let by = Actor::operator();
    site.ledger
        .set_totp(&by, NOON, "w1", Some(&secret))
        .await
        .unwrap();
    assert_eq!(
        login(&site, "w1", PASSWORD).await,
        unknown,
        "the digits are missing"
    );
    let digits = json!({"name": "w1", "password": PASSWORD, "totp": secret.digits(NOON).unwrap()});
    assert_eq!(send(&site, "/api/v1/login", digits.clone()).await.0, 200);
    assert_eq!(
        send(&site, "/api/v1/login", digits.clone()).await,
        unknown,
        "good once"
    );
    site.ledger.set_totp(&by, NOON, "w1", None).await.unwrap();
    site.ledger.enable_account(&by, NOON, "w1", false).await.unwrap();
    assert_eq!(login(&site, "w1", PASSWORD).await, unknown, "disabled");
}

#[tokio::test]
async fn of_a_thousand_guesses_twenty_are_looked_at_in_ten_minutes() {
    let site = with_inspector().await;
    let guess = async |address: [u8; 4], name: &str| {
        let asked = json!({"name": name, "password": "not the password"});
        let response = site.send(from(address, "/api/v1/login", &asked)).await;
        let wait = response.headers().get(header::RETRY_AFTER).cloned();
        (response.status().as_u16(), wait)
    };
    let mut looked = 0;
    for nth in 0..1_000 {
        let (status, wait) = guess([127, 0, 0, 1], &format!("w{}", nth % 50)).await;
        looked += i32::from(status == 401);
        assert_eq!(
            wait,
            (status == 429).then(|| HeaderValue::from(ATTEMPTS_WINDOW_MS / 1_000))
        );
    }
    assert_eq!(looked, 20, "from one address");
    // The right password is not looked at either; what is printed on paper is guessed no oftener.
    assert_eq!(login(&site, "w1", PASSWORD).await.0, 429);
    let code = json!({"code": "ABCD-EFGH-JKLM"});
    assert_eq!(send(&site, "/api/v1/login/code", code).await.0, 429);
    let mut looked = 0;
    for nth in 0..100 {
        looked += i32::from(guess([127, 0, 1, nth], "p2").await.0 == 401);
    }
    assert_eq!(looked, 10, "on one account");
}

#[tokio::test]
async fn behind_a_proxy_whoever_guesses_waits_and_nobody_else() {
    let mut site = with_inspector().await;
    let proxy = [127, 0, 0, 1];
    site.parts().door.proxies = vec![proxy.into()];
    let through = |person: &'static str, password: &str| {
        let asked = json!({"name": "w1", "password": password});
        let mut request = from(proxy, "/api/v1/login", &asked);
        let headers = request.headers_mut();
        headers.insert("x-forwarded-for", HeaderValue::from_static(person));
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        request
    };
    for nth in 0..30 {
        let asked = json!({"name": format!("n{nth}"), "password": "guessed"});
        let mut guess = through("203.0.113.9", "");
        *guess.body_mut() = asked.to_string().into();
        let expected = if nth < 20 { 401 } else { 429 };
        assert_eq!(site.send(guess).await.status(), expected, "{nth}");
    }
    let own = through("203.0.113.9, 192.0.2.7", PASSWORD);
    let response = site.send(own).await;
    assert_eq!(response.status(), 200);
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-") && cookie.contains("Secure"),
        "it came over TLS: {cookie}"
    );
    // From anybody else the headers are words.
    site.parts().door.proxies.clear();
    let response = site.send(through("192.0.2.8", PASSWORD)).await;
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(!cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn somebody_of_a_household_comes_in_by_its_code_once_and_sees_that_household() {
    let site = Site::filled().await;
    let good = code(&site, Purpose::Resident, None, Some("hh-good-0001")).await;
    let enter = async |code: &str| send(&site, "/api/v1/login/code", json!({"code": code})).await;
    let (status, me, cookie) = enter(&good.to_lowercase().replace('-', " ")).await;
    assert_eq!((status, &me["role"]), (200, &"resident".into()), "{me}");
    assert_eq!(me["households"], json!(["hh-good-0001"]));
    let name = me["account"].as_str().unwrap();
    assert!(name.starts_with("r-") && name.len() == 12, "{name}");
    assert_eq!(enter(&good).await.0, 401, "used");
    assert_eq!(enter("no code at all").await.0, 401);
    let cookie = cookie.unwrap();
    let see = async |token: &str| {
        let path = format!("/api/v1/households/{token}");
        site.send(with(&cookie, "GET", &path)).await.status().as_u16()
    };
    assert_eq!(
        (
            see("hh-good-0001").await,
            see("hh-poor-0002").await,
            see("hh-none").await
        ),
        (200, 404, 404)
    );
    assert_eq!(see("hh-good-0001%2F..%2Fhh-poor-0002").await, 404);
    assert_eq!(
        site.send(with(&cookie, "GET", "/api/v1/ranking")).await.status(),
        403
    );
    // A neighbour's code gives this account another household, and whoever else finds it nothing.
    let delegate = code(&site, Purpose::Delegate, Some(name), Some("hh-cam-0003")).await;
    let (status, _, stranger) = enter(&delegate).await;
    assert_eq!((status, stranger), (401, None));
    let mut own = with(&cookie, "POST", "/api/v1/login/code");
    *own.body_mut() = json!({"code": delegate}).to_string().into();
    let (status, me) = answer(site.send(own).await).await;
    assert_eq!(status, 200, "{me}");
    assert_eq!(me["households"], json!(["hh-cam-0003", "hh-good-0001"]));
    assert_eq!(me["account"], name);
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the whole trail is read, as nobody can here"
)]
async fn the_first_admin_is_made_by_the_code_of_the_start_and_makes_the_others() {
    let site = Site::filled().await;
    let first = Secret::code([9; 12]);
    assert!(
        site.ledger
            .make_first_code(&first.digest(), NOON, NOON + DAY)
            .await
            .unwrap()
    );
    let ask = |password: &str| json!({"code": first.tell(), "name": "chief", "password": password});
    let path = "/api/v1/login/first";
    let (status, problem, _) = send(&site, path, ask("password123")).await;
    assert_eq!(
        (status, &problem["rule"]),
        (422, &"malformed".into()),
        "{problem}"
    );
    let (status, me, cookie) = send(&site, path, ask(PASSWORD)).await;
    assert_eq!((status, &me["role"]), (200, &"admin".into()), "{me}");
    assert_eq!(
        send(&site, path, ask(PASSWORD)).await.0,
        401,
        "used, and there is one"
    );
    let cookie = cookie.unwrap();
    let does = async |path: &str, asked: Value| {
        let mut request = with(&cookie, "POST", path);
        *request.body_mut() = asked.to_string().into();
        answer(site.send(request).await).await
    };
    let (status, made) = does("/api/v1/accounts", json!({"name": "w7", "role": "inspector"})).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        does("/api/v1/accounts", json!({"name": "w7", "role": "auditor"}))
            .await
            .0,
        409
    );
    assert_eq!(
        does("/api/v1/accounts", json!({"name": "w8", "role": "resident"}))
            .await
            .0,
        422
    );
    let choose = json!({"code": made["code"], "password": PASSWORD});
    assert_eq!(send(&site, "/api/v1/login/password", choose.clone()).await.0, 204);
    assert_eq!(send(&site, "/api/v1/login/password", choose).await.0, 401);
    assert_eq!(login(&site, "w7", PASSWORD).await.0, 200);
    let (_, line) = does("/api/v1/accounts/w7/role", json!({"role": "volunteer"})).await;
    assert_eq!(line["role"], "volunteer");
    let (_, line) = does("/api/v1/accounts/w7/disable", json!({})).await;
    assert!(line["disabled_at"].is_number(), "{line}");
    assert_eq!(login(&site, "w7", PASSWORD).await.0, 401);
    assert_eq!(
        does("/api/v1/accounts/chief/disable", json!({})).await.0,
        409,
        "the only admin"
    );
    let (status, made) = does("/api/v1/households/hh-good-0001/code", json!({})).await;
    assert_eq!(status, 201);
    assert_eq!(
        send(&site, "/api/v1/login/code", json!({"code": made["code"]}))
            .await
            .0,
        200
    );
    let acts = site.ledger.acts(None, 100).await.unwrap();
    let by_chief: Vec<_> = acts
        .iter()
        .rev()
        .filter(|row| row.actor == "chief")
        .map(|row| row.kind.as_str())
        .collect();
    assert_eq!(
        by_chief,
        [
            "code_used",
            "account_added",
            "account_added",
            "code_made",
            "role_changed",
            "account_disabled",
            "code_made"
        ]
    );
}

#[tokio::test]
async fn a_token_is_made_in_person_works_and_ends() {
    let site = Site::filled().await;
    let wanted = json!({"label": "display", "scopes": ["see_site"], "days": 7});
    let (status, made) = site.post("p1", "/api/v1/tokens", wanted.clone()).await;
    assert_eq!(status, 201, "{made}");
    let with_token = |method: &str, path: &str, asked: &Value| {
        let mut request = from([127, 0, 0, 1], path, asked);
        *request.method_mut() = method.parse().unwrap();
        let value = format!("Bearer {}", made["token"].as_str().unwrap());
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, value.parse().unwrap());
        request
    };
    assert_eq!(
        site.send(with_token("GET", "/api/v1/stations", &Value::Null))
            .await
            .status(),
        200
    );
    assert_eq!(
        site.send(with_token("POST", "/api/v1/tokens", &wanted))
            .await
            .status(),
        403,
        "no token makes tokens"
    );
    for (scopes, days) in [
        (json!(["keep_accounts"]), 7),
        (json!(["all"]), 7),
        (json!([]), 7),
        (json!(["see_site"]), 0),
    ] {
        let asked = json!({"label": "display", "scopes": scopes, "days": days});
        assert_eq!(
            site.post("p1", "/api/v1/tokens", asked.clone()).await.0,
            422,
            "{asked}"
        );
    }
    let listed = site.seen("p1", "/api/v1/tokens").await;
    assert_eq!(
        (&listed[0]["label"], listed[0].get("token")),
        (&"display".into(), None)
    );
    assert_eq!(site.seen("p2", "/api/v1/tokens").await, json!([]));
    let revoke = format!("/api/v1/tokens/{}/revoke", made["id"].as_str().unwrap());
    assert_eq!(site.post("p2", &revoke, json!({})).await.0, 404, "not theirs");
    let ended = site.send(acting("p1", &revoke, &json!({}))).await;
    assert_eq!((ended.status().as_u16(), body(ended).await), (204, String::new()));
    assert_eq!(
        site.send(with_token("GET", "/api/v1/stations", &Value::Null))
            .await
            .status(),
        401
    );
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_the_one_before() {
    let site = with_inspector().await;
    let cookie = login(&site, "w1", PASSWORD).await.2.unwrap();
    let change = async |old: &str| {
        let mut request = with(&cookie, "POST", "/api/v1/me/password");
        *request.body_mut() = json!({"old": old, "new": "four green bins"}).to_string().into();
        site.send(request).await.status().as_u16()
    };
    assert_eq!(change("three green bin").await, 422);
    assert_eq!(change(PASSWORD).await, 204);
    assert_eq!(change(PASSWORD).await, 401, "it logs in again");
    assert_eq!(login(&site, "w1", PASSWORD).await.0, 401);
    assert_eq!(login(&site, "w1", "four green bins").await.0, 200);
}
