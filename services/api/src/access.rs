//! Who may ask for what: one table of every route, asked before any handler. What is not in it is refused.
//!
//! Rights say which routes are open; which households are behind them is the ledger's to say, by the viewer's scope.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hemu_people::{Right, Role, Scope};

use crate::api::Api;
use crate::origin;
use crate::people::Caller;
use crate::problem::Problem;
use crate::viewer::{self, Viewer};

/// Whom a route is open to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Whoever is logged in.
    LoggedIn,
    /// Whoever is logged in, and no program: what it could make would outlive its token.
    InPerson,
    /// Whoever has all of these rights.
    Rights(&'static [Right]),
    /// Whoever has one of them.
    OneOf(&'static [Right]),
}

impl Access {
    /// Whether it is open to somebody with these rights.
    fn allows(self, may: impl Fn(Right) -> bool) -> bool {
        match self {
            Public | LoggedIn | InPerson => true,
            Rights(rights) => rights.iter().all(|right| may(*right)),
            OneOf(rights) => rights.iter().any(|right| may(*right)),
        }
    }

    /// The rights it asks for, as words.
    fn wants(self) -> String {
        let (rights, word) = match self {
            Public | LoggedIn | InPerson => (&[][..], ""),
            Rights(rights) => (rights, " and "),
            OneOf(rights) => (rights, " or "),
        };
        let rights: Vec<_> = rights.iter().map(|right| right.as_str()).collect();
        rights.join(word)
    }
}

use Access::{InPerson, LoggedIn, OneOf, Public, Rights};
use Right::{
    Consent, DecideLists, Export, GradeBags, Inspect, KeepAccounts, KeepBalances, KeepCards, KeepDelegates,
    KeepHouseholds, MendReadings, Object, PrepareLists, ReadTrail, SeeBalances, SeeHouseholds, SeeLists,
    SeeRaw, SeeScreen, SeeSite, SetRules, Spend,
};

/// Every route that is documented, and the document.
const TABLE: &[(&str, &str, Access)] = &[
    ("GET", "/healthz", Public),
    ("GET", "/readyz", Public),
    ("GET", "/api/openapi.json", Public),
    ("GET", "/api/v1/site", Public),
    ("GET", "/api/v1/home-code.svg", Rights(&[SeeLists])),
    ("POST", "/api/v1/login", Public),
    ("POST", "/api/v1/login/code", Public),
    ("POST", "/api/v1/login/first", Public),
    ("POST", "/api/v1/login/password", Public),
    ("POST", "/api/v1/logout", LoggedIn),
    ("POST", "/api/v1/logout/everywhere", InPerson),
    ("GET", "/api/v1/me", LoggedIn),
    ("POST", "/api/v1/me/password", InPerson),
    ("POST", "/api/v1/me/second-factor", InPerson),
    ("POST", "/api/v1/me/second-factor/confirm", InPerson),
    ("POST", "/api/v1/me/second-factor/remove", InPerson),
    ("GET", "/api/v1/me/sessions", InPerson),
    ("GET", "/api/v1/tokens", InPerson),
    ("POST", "/api/v1/tokens", InPerson),
    ("POST", "/api/v1/tokens/{id}/revoke", InPerson),
    ("GET", "/api/v1/accounts", Rights(&[KeepAccounts])),
    ("POST", "/api/v1/accounts", Rights(&[KeepAccounts])),
    ("POST", "/api/v1/accounts/{id}/code", Rights(&[KeepAccounts])),
    ("POST", "/api/v1/accounts/{id}/disable", Rights(&[KeepAccounts])),
    ("POST", "/api/v1/accounts/{id}/enable", Rights(&[KeepAccounts])),
    ("POST", "/api/v1/accounts/{id}/role", Rights(&[KeepAccounts])),
    (
        "POST",
        "/api/v1/accounts/{id}/second-factor/remove",
        Rights(&[KeepAccounts]),
    ),
    ("GET", "/api/v1/audit", Rights(&[ReadTrail])),
    ("GET", "/api/v1/overview", Rights(&[SeeSite])),
    ("GET", "/api/v1/screen", Rights(&[SeeScreen])),
    ("GET", "/api/v1/estates", Rights(&[SeeSite])),
    ("GET", "/api/v1/estates/{id}", Rights(&[SeeSite])),
    ("GET", "/api/v1/estates/{id}/groups", Rights(&[SeeSite])),
    ("GET", "/api/v1/estates/{id}/turnout", Rights(&[SeeSite])),
    ("GET", "/api/v1/stations", Rights(&[SeeSite])),
    ("GET", "/api/v1/stations/{id}", Rights(&[SeeSite])),
    ("GET", "/api/v1/stations/{id}/inspections", Rights(&[Inspect])),
    ("POST", "/api/v1/inspections", Rights(&[GradeBags])),
    ("GET", "/api/v1/devices", Rights(&[SeeSite])),
    ("GET", "/api/v1/devices/{id}", Rights(&[SeeSite])),
    ("GET", "/api/v1/delays", Rights(&[SeeSite])),
    ("GET", "/api/v1/series", Rights(&[SeeSite])),
    ("GET", "/api/v1/incidents", Rights(&[SeeSite])),
    ("GET", "/api/v1/quarantine", Rights(&[SeeRaw])),
    ("GET", "/api/v1/inspectors", Rights(&[SeeLists])),
    ("GET", "/api/v1/cameras", Rights(&[SeeRaw])),
    // Of households, but of nobody's own: not for residents, nor for those who are not to know whose bag it is.
    ("GET", "/api/v1/deposits", Rights(&[SeeSite, SeeHouseholds])),
    ("GET", "/api/v1/busy-cards", Rights(&[SeeSite, SeeHouseholds])),
    ("GET", "/api/v1/live", Rights(&[SeeSite, SeeHouseholds])),
    ("GET", "/api/v1/ranking", Rights(&[SeeLists])),
    ("GET", "/api/v1/households", Rights(&[SeeHouseholds])),
    ("GET", "/api/v1/households/{id}", Rights(&[SeeHouseholds])),
    ("GET", "/api/v1/households/{id}/days", Rights(&[SeeHouseholds])),
    (
        "GET",
        "/api/v1/households/{id}/building",
        Rights(&[SeeHouseholds]),
    ),
    (
        "GET",
        "/api/v1/households/{id}/deposits",
        Rights(&[SeeHouseholds]),
    ),
    (
        "GET",
        "/api/v1/households/{id}/editions",
        Rights(&[SeeHouseholds]),
    ),
    ("GET", "/api/v1/households/{id}/live", Rights(&[SeeHouseholds])),
    ("GET", "/api/v1/households/{id}/next-bag", Rights(&[Inspect])),
    ("GET", "/api/v1/households/{id}/rank", Rights(&[SeeHouseholds])),
    ("GET", "/api/v1/households/{id}/reasons", Rights(&[SeeHouseholds])),
    ("GET", "/api/v1/households/{id}/audit", Rights(&[SeeHouseholds])),
    (
        "GET",
        "/api/v1/households/{id}/consents",
        Rights(&[SeeHouseholds]),
    ),
    ("GET", "/api/v1/households/{id}/export", Rights(&[Export])),
    (
        "POST",
        "/api/v1/households/{id}/correct",
        Rights(&[KeepHouseholds]),
    ),
    ("POST", "/api/v1/households/{id}/erase", Rights(&[KeepHouseholds])),
    ("POST", "/api/v1/households/{id}/card-found", Rights(&[KeepCards])),
    ("POST", "/api/v1/households/{id}/card-lost", Rights(&[KeepCards])),
    ("POST", "/api/v1/households/{id}/code", Rights(&[KeepHouseholds])),
    (
        "GET",
        "/api/v1/households/{id}/people",
        OneOf(&[KeepHouseholds, KeepDelegates]),
    ),
    (
        "DELETE",
        "/api/v1/households/{id}/people/{account}",
        OneOf(&[KeepHouseholds, KeepDelegates]),
    ),
    ("POST", "/api/v1/households/{id}/red-opt-in", Rights(&[Consent])),
    ("POST", "/api/v1/households/{id}/red-opt-out", Rights(&[Consent])),
    ("GET", "/api/v1/pools", Rights(&[SeeSite, SeeBalances])),
    ("GET", "/api/v1/households/{id}/bank", Rights(&[SeeBalances])),
    (
        "POST",
        "/api/v1/households/{id}/bank/award",
        Rights(&[KeepBalances]),
    ),
    ("POST", "/api/v1/households/{id}/bank/confirm", Rights(&[Spend])),
    ("POST", "/api/v1/households/{id}/bank/redeem", Rights(&[Spend])),
    (
        "POST",
        "/api/v1/households/{id}/bank/reverse",
        Rights(&[KeepBalances]),
    ),
    (
        "POST",
        "/api/v1/households/{id}/bank/service",
        Rights(&[KeepBalances]),
    ),
    ("POST", "/api/v1/households/{id}/bank/transfer", Rights(&[Spend])),
    (
        "POST",
        "/api/v1/readings/{id}/clock-checked",
        Rights(&[MendReadings]),
    ),
    ("POST", "/api/v1/readings/{id}/restore", Rights(&[MendReadings])),
    ("POST", "/api/v1/readings/{id}/strike", Rights(&[MendReadings])),
    ("GET", "/api/v1/rules", Rights(&[SeeLists])),
    ("GET", "/api/v1/rules/shadow", Rights(&[SeeLists])),
    ("POST", "/api/v1/rules/dry-run", Rights(&[SetRules])),
    ("GET", "/api/v1/editions", Rights(&[SeeLists])),
    ("POST", "/api/v1/editions", Rights(&[PrepareLists])),
    ("GET", "/api/v1/editions/{id}", Rights(&[SeeLists])),
    ("GET", "/api/v1/editions/{id}/acts", Rights(&[SeeLists])),
    ("GET", "/api/v1/editions/{id}/export.csv", Rights(&[SeeLists])),
    ("GET", "/api/v1/editions/{id}/export.xlsx", Rights(&[SeeLists])),
    ("GET", "/api/v1/editions/{id}/letters", Rights(&[PrepareLists])),
    ("GET", "/api/v1/editions/{id}/moved", Rights(&[SeeLists])),
    ("GET", "/api/v1/editions/{id}/places", Rights(&[SeeLists])),
    ("GET", "/api/v1/editions/{id}/public", Public),
    (
        "POST",
        "/api/v1/editions/{id}/confirm-black",
        Rights(&[DecideLists]),
    ),
    ("POST", "/api/v1/editions/{id}/expire", Rights(&[DecideLists])),
    ("POST", "/api/v1/editions/{id}/lift", Rights(&[DecideLists])),
    ("POST", "/api/v1/editions/{id}/notice", Rights(&[PrepareLists])),
    ("POST", "/api/v1/editions/{id}/open", Rights(&[PrepareLists])),
    (
        "POST",
        "/api/v1/editions/{id}/propose-black",
        Rights(&[PrepareLists]),
    ),
    (
        "POST",
        "/api/v1/editions/{id}/propose-publication",
        Rights(&[PrepareLists]),
    ),
    ("POST", "/api/v1/editions/{id}/publish", Rights(&[DecideLists])),
    ("POST", "/api/v1/editions/{id}/retract", Rights(&[DecideLists])),
    ("POST", "/api/v1/editions/{id}/revise", Rights(&[PrepareLists])),
    ("GET", "/api/v1/jobs", Rights(&[SeeLists])),
    ("POST", "/api/v1/jobs/{id}/cancel", Rights(&[PrepareLists])),
    ("GET", "/api/v1/objections", OneOf(&[SeeLists, Object])),
    ("POST", "/api/v1/objections", Rights(&[Object])),
    ("GET", "/api/v1/objections/{id}", OneOf(&[SeeLists, Object])),
    ("POST", "/api/v1/objections/{id}/decide", Rights(&[DecideLists])),
];

/// Whom a documented operation is open to.
pub(crate) fn access(method: &str, path: &str) -> Option<Access> {
    let row = TABLE.iter().find(|(m, p, _)| *m == method && *p == path);
    row.map(|(.., access)| *access)
}

/// The table for people, `docs/access.md`: a line a route, a column a role.
pub fn page() -> String {
    let roles: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
    let mut text = format!(
        "# Who may ask for what\n\nMade from the table in `services/api/src/access.rs` by `cargo run -p hemu-api --example access`; \
         a test holds the two together. `public`: without logging in. Residents see their own household alone, wherever \
         theirs is the x: of any other there is no such household.\n\n| route | public | {} |\n|---|---|{}\n",
        roles.join(" | "),
        "---|".repeat(roles.len())
    );
    for (method, path, access) in TABLE {
        let mark = |open: bool| if open { "x" } else { "" };
        let open = |role: &Role| access.allows(|right| role.may(right));
        let cells: Vec<_> = Role::ALL.iter().map(|role| mark(open(role))).collect();
        let public = mark(*access == Public);
        let roles = cells.join(" | ");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| `{method} {path}` | {public} | {roles} |");
    }
    text
}

/// Lets in whom the table lets in, and says who it is to whoever is behind.
pub(crate) async fn guard(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    match admit(&api, request).await {
        Ok(request) => next.run(request).await,
        Err(refused) => refused,
    }
}

async fn admit(api: &Api, mut request: Request) -> Result<Request, Response> {
    // Whatever is no route is a file of the dashboards, or nothing.
    let Some(path) = request.extensions().get::<MatchedPath>().cloned() else {
        return Ok(request);
    };
    let method = if request.method() == Method::HEAD {
        Method::GET
    } else {
        request.method().clone()
    };
    let Some(access) = access(method.as_str(), path.as_str()) else {
        return Err(not_in_the_table(path.as_str()));
    };
    let changes = method != Method::GET;
    let caller = Caller::of(request.extensions(), request.headers());
    let authorization = request.headers().get(header::AUTHORIZATION).cloned();
    let viewer = match access {
        Public => None,
        LoggedIn | InPerson | Rights(_) | OneOf(_) => {
            let viewer = viewer::identify(api, caller, authorization).await;
            Some(viewer.map_err(Problem::into_response)?)
        }
    };
    if changes {
        let by_cookie = viewer.as_ref().is_some_and(|viewer| viewer.session().is_some());
        from_here(request.headers(), by_cookie).map_err(Problem::into_response)?;
    }
    let Some(viewer) = viewer else {
        request.extensions_mut().insert(Scope::nobody());
        return Ok(request);
    };
    allowed(&viewer, access).map_err(Problem::into_response)?;
    let extensions = request.extensions_mut();
    extensions.insert(viewer.scope.clone());
    extensions.insert(viewer);
    Ok(request)
}

fn allowed(viewer: &Viewer, access: Access) -> Result<(), Problem> {
    if access == InPerson && viewer.session().is_none() {
        return Err(Problem::forbidden(
            "expected a person who is logged in, came a program with a token",
        ));
    }
    if access.allows(|right| viewer.may(right)) {
        return Ok(());
    }
    Err(Problem::forbidden(format!(
        "expected an account with the right {}, came one of the role {}",
        access.wants(),
        viewer.role
    )))
}

/// A page of another site must not act with the cookie of whoever looks at it.
fn from_here(headers: &HeaderMap, by_cookie: bool) -> Result<(), Problem> {
    let fits = match origin::is_ours(headers) {
        Some(ours) => ours,
        // A program that sends no cookie says nothing of where it comes from.
        None => !by_cookie,
    };
    if fits {
        return Ok(());
    }
    Err(Problem::forbidden(
        "expected a request from a page of this site, came one from elsewhere; programs use a token and no cookie",
    ))
}

/// A route that is not in the table, or not with this method.
fn not_in_the_table(path: &str) -> Response {
    let mut methods: Vec<&str> = TABLE
        .iter()
        .filter(|(_, p, _)| *p == path)
        .map(|(m, ..)| *m)
        .collect();
    if methods.is_empty() {
        return Problem::forbidden("this route is open to nobody").into_response();
    }
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    let mut response = Problem::method_not_allowed().into_response();
    if let Ok(allow) = HeaderValue::from_str(&methods.join(",")) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

#[cfg(test)]
mod tests;
