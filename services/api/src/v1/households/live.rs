//! GET /api/v1/households/{id}/live: server-sent events. Says that something changed, and nothing of what.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use futures::{StreamExt, stream};
use hemu_ledger::Position;
use hemu_ledger::entry::Body;

use crate::api::Api;
use crate::extract::{Found, Params, Viewing};
use crate::page::Place;
use crate::problem::Problem;
use crate::v1::live::{Nothing, full, hello, last_seen, over, streamed};

/// Records read for a listener that comes back; where there are more, something may have changed.
const READ_MOST: u64 = 1_000;

/// Tells when something of a household may have changed.
///
/// `changed`, with `{}`: a bag was recorded, somebody did something about the household, or its lists went a step on. Ask
/// anew for what is shown. Ids are places in the journal: whoever comes back with the last one as `Last-Event-ID` is told
/// at once if something changed meanwhile, and whoever comes without one always is. The stream ends after five minutes,
/// and soon after whoever listens may no longer see the household.
#[utoipa::path(get, path = "/api/v1/households/{id}/live", tag = "live",
    params(("id" = String, Path, description = "token"),
        ("last-event-id" = Option<String>, Header, description = "the last event seen")),
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = 400, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem, description = "all places are taken: ask from time to time")))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Viewing(viewer): Viewing,
    Found(seen): Found,
    Params(Nothing {}): Params<Nothing>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let token = &seen.row().token;
    let after = last_seen(&headers)?.map(|place| place.position);
    let gauge = &api.metrics.live_clients;
    let listener = api
        .live
        .at_home(viewer.actor.name(), token, gauge)
        .ok_or_else(full)?;
    // Listened first, the journal read then: what falls in between is told twice, and never not at all.
    let applied = api.ledger.progress().await?.applied;
    let missed = changed_since(&api, token, after, applied).await?;
    let begins = [Some(hello().id(place(applied))), missed.then(|| changed(applied))];
    let news = stream::unfold(listener, |mut listener| async move {
        let upto = listener.changed().await?;
        Some((changed(upto), listener))
    });
    let events = stream::iter(begins.into_iter().flatten()).chain(news);
    let over = over(api.clone(), viewer, Some(token.clone()));
    Ok(streamed(events, over))
}

/// Whether something of a household may have changed after a batch, up to another one: what is too much to read, or in no
/// journal of ours, may have been anybody's.
async fn changed_since(
    api: &Api,
    token: &str,
    after: Option<Position>,
    upto: Position,
) -> Result<bool, Problem> {
    let Some(after) = after.filter(|after| *after <= upto) else {
        return Ok(true);
    };
    if api.ledger.newest(after, upto, READ_MOST).await? > after {
        return Ok(true);
    }
    let touched = api.ledger.touched(after, upto).await?;
    let mut changed = touched.everybody || touched.tokens.contains(token);
    api.ledger.tail(after, u64::MAX).await?.for_each(|_, _, entry| {
        changed |= matches!(&entry.body, Body::Deposit(deposit) if deposit.household == Some(token));
    })?;
    Ok(changed)
}

fn changed(upto: Position) -> Event {
    Event::default().event("changed").data("{}").id(place(upto))
}

/// All of a batch.
fn place(position: Position) -> String {
    let index = u32::MAX;
    Place { position, index }.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hemu_ledger::acts::{Act, Actor, Words};
    use hemu_people::Role;
    use hemu_rules::Rule;
    use serde_json::json;

    use crate::live::Limits;
    use crate::testing::{NOON, Reader, Site, TODAY, acting, day, looking};

    const OWN: &str = "hh-poor-0002";
    const OTHER: &str = "hh-good-0001";

    fn path(token: &str) -> String {
        format!("/api/v1/households/{token}/live")
    }

    /// Listens as an account, and hears that it may ask now.
    async fn hears(site: &Site, account: &str, token: &str) -> Reader {
        let mut reader = site.listen_as(looking(account, &path(token))).await;
        assert_eq!(reader.next().await.name, "changed");
        reader
    }

    async fn does(site: &Site, act: Act) {
        let by: Actor = "p1".parse().unwrap();
        site.ledger.act(&by, NOON, act).await.unwrap();
        site.fold().await;
    }

    #[tokio::test]
    async fn a_household_is_told_that_its_own_changed_and_not_what() {
        let site = Site::filled().await;
        let mut feed = site.feed().await;
        let mut own = hears(&site, "resident", OWN).await;
        site.inspect(OTHER, 9_000).await;
        site.catch_up(&mut feed).await;
        assert!(own.idle(), "somebody else's bag");
        site.inspect(OWN, 9_000).await;
        site.inspect(OWN, 8_000).await;
        site.catch_up(&mut feed).await;
        let told = own.next().await;
        assert_eq!((told.name.as_str(), told.data), ("changed", json!({})));
        assert!(own.idle(), "what came together is told once");
    }

    #[tokio::test]
    async fn an_act_is_told_to_whom_it_is_about() {
        let site = Site::filled().await;
        let mut feed = site.feed().await;
        let mut own = hears(&site, "resident", OWN).await;
        let mut other = hears(&site, "p1", OTHER).await;
        does(&site, Act::RedOptIn { token: OWN.into() }).await;
        site.catch_up(&mut feed).await;
        assert_eq!(own.next().await.name, "changed");
        assert!(other.idle());
        // A reading is the household's that it names.
        does(&site, Act::strike((1, 1), "not theirs")).await;
        site.catch_up(&mut feed).await;
        assert_eq!(other.next().await.name, "changed");
        assert!(own.idle());
        // A publication is everybody's.
        site.published_edition().await;
        site.catch_up(&mut feed).await;
        for reader in [&mut own, &mut other] {
            assert_eq!(reader.next().await.name, "changed");
        }
    }

    #[tokio::test]
    async fn points_and_minutes_are_told_to_both_households_and_to_no_other() {
        let site = Site::filled().await;
        let mut feed = site.feed().await;
        let mut own = hears(&site, "resident", OWN).await;
        let mut other = hears(&site, "p1", OTHER).await;
        let mut third = hears(&site, "p1", "hh-cam-0003").await;
        let served = json!({"key": "served-0001", "helped": OTHER, "help": "meal", "began": NOON - 7_200_000,
            "ended": NOON - 3_600_000});
        let path = format!("/api/v1/households/{OWN}/bank/service");
        site.does("p1", &path, served).await;
        site.fold().await;
        site.catch_up(&mut feed).await;
        for reader in [&mut own, &mut other] {
            assert_eq!(reader.next().await.name, "changed");
        }
        assert!(third.idle());
    }

    #[tokio::test]
    async fn whoever_comes_back_is_told_only_of_what_they_missed() {
        let site = Site::filled().await;
        let mut feed = site.feed().await;
        let mut own = hears(&site, "resident", OWN).await;
        site.inspect(OWN, 9_000).await;
        site.catch_up(&mut feed).await;
        let last = own.next().await.id.unwrap();
        drop(own);
        let again = async || {
            let mut request = looking("resident", &path(OWN));
            request
                .headers_mut()
                .insert("last-event-id", last.parse().unwrap());
            site.listen_as(request).await
        };
        site.inspect(OTHER, 9_000).await;
        assert!(again().await.idle(), "somebody else's bag");
        site.inspect(OWN, 9_000).await;
        let mut own = again().await;
        assert_eq!(own.next().await.name, "changed");
        assert!(own.idle(), "once");
        // Too much to read, and a journal that was put back from before, may have been anybody's.
        site.flood(1_001).await;
        assert_eq!(again().await.next().await.name, "changed");
        let mut request = looking("resident", &path(OWN));
        request
            .headers_mut()
            .insert("last-event-id", "99999.0".parse().unwrap());
        assert_eq!(site.listen_as(request).await.next().await.name, "changed");
    }

    #[tokio::test]
    async fn nobody_listens_for_a_household_that_is_not_theirs() {
        let site = Site::filled().await;
        let status = async |path: &str| site.send(looking("resident", path)).await.status();
        assert_eq!(status(&path(OTHER)).await, 404);
        assert_eq!(status(&path("hh-nobody")).await, 404);
        assert_eq!(status("/api/v1/live").await, 403);
    }

    #[tokio::test]
    async fn places_are_bounded_for_all_and_for_each_account() {
        let site = Site::with(Limits {
            homes: 9,
            ..Limits::default()
        })
        .await;
        let mut readers = Vec::new();
        for _ in 0..8 {
            readers.push(hears(&site, "resident", OWN).await);
        }
        let status = async |account: &str| site.send(looking(account, &path(OWN))).await.status();
        assert_eq!(status("resident").await, 503, "the account has all of its places");
        readers.push(hears(&site, "p1", OWN).await);
        assert_eq!(status("p2").await, 503, "all places are taken");
        drop(site.listen(None).await);
        readers.clear();
        assert!(site.metrics().await.contains("hemu_http_live_clients 0"));
        drop(hears(&site, "resident", OWN).await);
    }

    #[tokio::test]
    async fn a_stream_ends_soon_after_the_session_the_right_or_the_occupancy_and_no_other_does() {
        let site = Site::with(Limits {
            after_the_end: Duration::from_millis(5),
            ..Limits::default()
        })
        .await;
        let mut feed = site.feed().await;
        let mut stays = hears(&site, "p1", OWN).await;
        let mut reader = hears(&site, "resident", OWN).await;
        let gone = site.send(acting("resident", "/api/v1/logout", &json!({}))).await;
        assert_eq!(gone.status(), 204);
        assert!(reader.ended().await, "logged out");
        let by = Actor::operator();
        site.let_in("officer", Role::GridOfficer, NOON + 1).await;
        let mut reader = hears(&site, "officer", OWN).await;
        let volunteer = site.ledger.set_role(&by, NOON, "officer", Role::Volunteer);
        volunteer.await.unwrap();
        assert!(reader.ended().await, "no right any more");
        site.let_in("resident", Role::Resident, NOON + 1).await;
        let mut reader = hears(&site, "resident", OWN).await;
        let moved = Act::MovedIn {
            token: OWN.into(),
            day: day("2026-05-20"),
        };
        does(&site, moved).await;
        assert!(reader.ended().await, "somebody else lives there");
        site.catch_up(&mut feed).await;
        assert_eq!(stays.next().await.name, "changed");
        assert!(stays.idle());
    }

    #[tokio::test]
    async fn an_erasure_ends_the_streams_of_a_household_and_nothing_of_it_is_said() {
        let site = Site::with(Limits {
            after_the_end: Duration::from_millis(5),
            ..Limits::default()
        })
        .await;
        let mut feed = site.feed().await;
        let mut own = hears(&site, "resident", OWN).await;
        let mut officer = hears(&site, "p1", OWN).await;
        let mut other = hears(&site, "p1", OTHER).await;
        let erase = Act::Erase {
            token: OWN.into(),
            reason: Words::new("asked for in writing"),
        };
        site.let_in("keeper", Role::Admin, NOON + 1).await;
        let keeper: Actor = "keeper".parse().unwrap();
        site.ledger.act(&keeper, NOON, erase).await.unwrap();
        site.fold().await;
        site.catch_up(&mut feed).await;
        for reader in [&mut own, &mut officer] {
            // It may have ended before there was anything to say.
            for (name, data) in reader.rest().await {
                assert_eq!((name.as_str(), data), ("changed", json!({})));
            }
        }
        assert!(other.idle());
        // The household's own login went with it.
        for (account, answer) in [("resident", 401), ("p1", 404)] {
            let status = site.send(looking(account, &path(OWN))).await.status();
            assert_eq!(status, answer, "{account}");
        }
    }

    #[tokio::test]
    async fn a_decided_objection_is_told_to_whoever_raised_it_and_to_no_other() {
        let site = Site::filled().await;
        let (_, objection) = site.published_edition().await;
        let mut feed = site.feed().await;
        let mut objector = hears(&site, "p1", OTHER).await;
        let mut own = hears(&site, "resident", OWN).await;
        let decide = Act::DecideObjection {
            objection,
            upheld: false,
            reason: Words::new("seen on the picture"),
        };
        does(&site, decide).await;
        site.catch_up(&mut feed).await;
        assert_eq!(objector.next().await.name, "changed");
        assert!(own.idle());
    }

    #[tokio::test]
    async fn a_frozen_device_is_told_to_all_whose_bags_it_read_once_and_so_is_its_release() {
        let site = Site::filled().await;
        let mut feed = site.feed().await;
        let mut own = hears(&site, "resident", OWN).await;
        let mut officer = hears(&site, "p1", OTHER).await;
        // The device's first number once more, with another bag in it, of nobody.
        site.contradict(1).await;
        site.catch_up(&mut feed).await;
        for reader in [&mut own, &mut officer] {
            assert_eq!(reader.next().await.name, "changed");
        }
        // It is frozen already, and stays so.
        site.contradict(2).await;
        site.catch_up(&mut feed).await;
        assert!(own.idle() && officer.idle());
        let checked = Act::DeviceChecked {
            device: "insp1".into(),
            boot: 1,
        };
        does(&site, checked).await;
        site.catch_up(&mut feed).await;
        let released = own.next().await;
        assert_eq!(released.name, "changed");
        assert_eq!(officer.next().await.name, "changed");
        // Who was away when it was frozen again hears of it on coming back.
        drop(own);
        site.contradict(3).await;
        let mut request = looking("resident", &path(OWN));
        let header = released.id.unwrap().parse().unwrap();
        request.headers_mut().insert("last-event-id", header);
        assert_eq!(site.listen_as(request).await.next().await.name, "changed");
    }

    #[tokio::test]
    async fn another_rule_is_told_to_everybody_when_it_is_adopted_and_not_when_it_is_proposed() {
        let site = Site::filled().await;
        let mut feed = site.feed().await;
        let mut own = hears(&site, "resident", OWN).await;
        let rule = Box::new(Rule {
            version: 2,
            tenure_days: 35,
            ..Rule::V1
        });
        let from = day(TODAY);
        let one: Actor = "p2".parse().unwrap();
        let propose = Act::ProposeRule { rule, from };
        let proposal = site.ledger.act(&one, NOON, propose).await.unwrap();
        site.fold().await;
        site.catch_up(&mut feed).await;
        assert!(own.idle(), "nothing is so yet");
        does(&site, Act::AdoptRule { proposal }).await;
        site.catch_up(&mut feed).await;
        assert_eq!(own.next().await.name, "changed");
    }

    #[tokio::test]
    async fn streams_end_when_the_server_does() {
        let site = Site::filled().await;
        let mut reader = hears(&site, "resident", OWN).await;
        let shutdown = tokio_util::sync::CancellationToken::new();
        shutdown.cancel();
        let (_applied, receiver) = tokio::sync::watch::channel(0);
        crate::live::run(site.api(), receiver, shutdown).await;
        assert!(reader.ended().await);
    }
}
