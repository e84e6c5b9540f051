//! GET /api/v1/live: server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::api::Api;
use crate::extract::{Params, Viewing};
use crate::fleet::Fleet;
use crate::live::{Live, Message, Seat, translate};
use crate::page::Place;
use crate::problem::Problem;
use crate::viewer::Viewer;

/// Records sent again to a reader that comes back; one that missed more is told how many.
const RESUME_MOST: u64 = 1_000;
/// A comment this often, so that both ends notice a dead line.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// What a reader waits before it comes back.
const RETRY: Duration = Duration::from_secs(2);
/// How long a stream lasts. Whoever comes back uses the session, which a stream alone does not keep awake.
const LASTS: Duration = Duration::from_mins(5);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Live events of the site.
///
/// `deposit` (`LiveDeposit`), `status` (`LiveStatus`), `incident` (`LiveIncident`), `device` (`LiveDevice`),
/// `overview` (`Overview`, at most once a second), and `lag` (`Lag`) when this reader missed some. At most 50 of each
/// kind a second are sent; the overview counts all. Ids are places in the journal: send the last one as
/// `Last-Event-ID` to go on after it.
#[utoipa::path(get, path = "/api/v1/live", tag = "live",
    params(("last-event-id" = Option<String>, Header, description = "the last event seen")),
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = 400, body = Problem),
        (status = 410, body = Problem, description = "the journal has no such place: begin without Last-Event-ID"),
        (status = 503, body = Problem, description = "all places are taken")))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Viewing(viewer): Viewing,
    Params(Nothing {}): Params<Nothing>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = last_seen(&headers)?;
    let seat = api.live.seat(&api.metrics.live_clients).ok_or_else(full)?;
    // Listen first, read the journal then: what is in both is sent once, and nothing falls in between.
    let news = Listening::new(&api.live, seat, after);
    let missed = match after {
        Some(after) => missed(&api, after).await?,
        None => Vec::new(),
    };
    let over = over(api.clone(), viewer, None);
    Ok(streamed(sse(missed, news), over))
}

/// Events as they are sent: beginning at once, until it is over.
pub(super) fn streamed(
    events: impl Stream<Item = Event> + Send + 'static,
    over: impl Future<Output = ()> + Send + 'static,
) -> Response {
    let events = events.map(Ok::<_, Infallible>).take_until(over);
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    let sent = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    (unbuffered, sent).into_response()
}

/// All places are taken.
pub(super) fn full() -> Problem {
    Problem::unavailable("all places for live events are taken; try again in a few seconds")
}

/// When the stream has lasted long enough, or its reader is nobody any more: logged out, disabled, with another password,
/// without the token; or no longer reaches the household it is about. A store that does not answer ends it too; whoever
/// comes back is told why.
pub(super) async fn over(api: Arc<Api>, viewer: Viewer, household: Option<String>) {
    let until = Instant::now() + LASTS;
    let mut goes_on = true;
    while goes_on && Instant::now() < until {
        tokio::time::sleep(api.live.after_the_end()).await;
        goes_on = viewer.is_in(&api).await.unwrap_or(false);
        if let Some(token) = household.as_deref().filter(|_| goes_on) {
            goes_on = viewer.reaches(&api, token).await.unwrap_or(false);
        }
    }
}

/// The last event that a reader has seen, as it says itself.
pub(super) fn last_seen(headers: &HeaderMap) -> Result<Option<Place>, Problem> {
    let Some(id) = headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    let place = id.to_str().unwrap_or_default().parse();
    place
        .map(Some)
        .map_err(|why: String| Problem::bad_request(format!("Last-Event-ID: {why}")))
}

/// What the journal holds after a place, if it is not too much.
async fn missed(api: &Api, after: Place) -> Result<Vec<Message>, Problem> {
    let applied = api.ledger.progress().await?.applied;
    if after.position > applied {
        let detail =
            "the journal ends before this Last-Event-ID (it was restored from a backup); begin without one";
        return Err(Problem::gone(detail));
    }
    let skipped = api.ledger.records_after(after.position).await?;
    if skipped > RESUME_MOST {
        return Ok(vec![Message::lag(
            skipped,
            Some(Place {
                position: applied,
                index: u32::MAX,
            }),
        )]);
    }
    let fleet = Fleet::read(api).await?;
    let mut messages = Vec::new();
    let tail = api
        .ledger
        .tail(after.position.saturating_sub(1), u64::MAX)
        .await?;
    tail.for_each(|batch, index, entry| {
        let place = Place {
            position: batch.position,
            index,
        };
        messages.extend(translate(&fleet, place, &entry).filter(|_| place > after));
    })?;
    Ok(messages)
}

/// One reader's end of the line.
#[derive(Debug)]
struct Listening {
    receiver: tokio::sync::broadcast::Receiver<Message>,
    closed: tokio_util::sync::CancellationToken,
    /// Sent already, from the journal.
    sent: Option<Place>,
    _seat: Seat,
}

impl Listening {
    fn new(live: &Live, seat: Seat, after: Option<Place>) -> Self {
        let (receiver, closed) = live.listen();
        Self {
            receiver,
            closed,
            sent: after,
            _seat: seat,
        }
    }

    /// The next event; `None` when the server shuts down.
    async fn next(&mut self) -> Option<Message> {
        loop {
            let received = tokio::select! {
                biased;
                () = self.closed.cancelled() => return None,
                received = self.receiver.recv() => received,
            };
            match received {
                Ok(message) if message.place.is_some() && message.place <= self.sent => {}
                Ok(message) => return Some(message),
                Err(RecvError::Lagged(skipped)) => return Some(Message::lag(skipped, None)),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

fn sse(missed: Vec<Message>, mut news: Listening) -> impl Stream<Item = Event> + Send + 'static {
    news.sent = news
        .sent
        .max(missed.iter().filter_map(|message| message.place).max());
    let news = stream::unfold(news, |mut news| async move {
        news.next().await.map(|message| (message, news))
    });
    let events = stream::iter(missed).chain(news).map(|message| event(&message));
    stream::iter([hello()]).chain(events)
}

/// Said at once, so that a reader knows that it is heard.
pub(super) fn hello() -> Event {
    Event::default().comment("hello").retry(RETRY)
}

fn event(message: &Message) -> Event {
    let event = Event::default().event(message.name).data(&*message.data);
    match message.place {
        Some(place) => event.id(place.to_string()),
        None => event,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hemu_ledger::acts::Actor;
    use hemu_people::{Role, TotpSecret};
    use serde_json::json;

    use crate::live::{Feed, Limits};
    use crate::testing::{NOON, Site, acting, anonymous, looking};

    #[tokio::test]
    async fn a_new_deposit_is_told_masked_and_once() {
        let site = Site::filled().await;
        let mut feed = site.feed().await;
        let mut reader = site.listen(None).await;
        site.inspect("hh-good-0001", 9_000).await;
        site.catch_up(&mut feed).await;
        let event = reader.next().await;
        insta::assert_debug_snapshot!(event);
        assert_eq!(event.data["household"], "···0001");
        assert!(reader.idle(), "one deposit, one event");
    }

    #[tokio::test]
    async fn a_reader_goes_on_after_its_last_event() {
        let site = Site::filled().await;
        let mut feed = site.feed().await;
        let mut reader = site.listen(None).await;
        for quality in [1_000, 2_000, 3_000] {
            site.inspect("hh-good-0001", quality).await;
        }
        site.catch_up(&mut feed).await;
        let first = reader.next().await;
        drop(reader);
        site.inspect("hh-good-0001", 4_000).await;
        // Two are missed, the third is in the journal and not told yet: it comes once.
        let mut reader = site.listen(first.id.as_deref()).await;
        site.catch_up(&mut feed).await;
        let rest = [reader.next().await, reader.next().await, reader.next().await];
        assert_eq!(
            rest.map(|event| event.data["quality"].clone()),
            [json!(0.2), json!(0.3), json!(0.4)]
        );
        assert!(reader.idle());
    }

    #[tokio::test]
    async fn going_on_tells_statuses_and_incidents_and_nothing_ignored() {
        let site = Site::filled().await;
        let mut reader = site.listen(Some("1.9")).await;
        let mut told = Vec::new();
        while !reader.idle() {
            told.push(reader.next().await);
        }
        insta::assert_debug_snapshot!(told);
    }

    #[tokio::test]
    async fn a_reader_too_far_behind_is_told_how_many_it_missed() {
        let site = Site::filled().await;
        site.flood(1_001).await;
        let head = site.ledger.head().await.unwrap();
        let mut reader = site.listen(Some(&format!("{}.0", head - 1))).await;
        let lag = reader.next().await;
        assert_eq!((lag.name.as_str(), &lag.data["skipped"]), ("lag", &json!(1_001)));
        assert!(reader.idle());
        let mut reader = site.listen(lag.id.as_deref()).await;
        assert!(reader.idle(), "the lag is told once");
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_how_many_it_missed() {
        let site = Site::with(Limits {
            waiting: 4,
            ..Limits::default()
        })
        .await;
        let mut feed = site.feed().await;
        let mut reader = site.listen(None).await;
        site.flood(10).await;
        site.catch_up(&mut feed).await;
        let lag = reader.next().await;
        assert_eq!(
            (lag.name.as_str(), &lag.data["skipped"], lag.id),
            ("lag", &json!(6), None)
        );
        assert_eq!(reader.next().await.name, "deposit");
    }

    #[tokio::test]
    async fn a_flood_is_sampled_and_all_of_it_counted() {
        let site = Site::filled().await;
        let mut feed = site.feed().await;
        let mut reader = site.listen(None).await;
        let before = site.json("/api/v1/overview").await;
        site.flood(300).await;
        site.catch_up(&mut feed).await;
        for _ in 0..50 {
            assert_eq!(reader.next().await.name, "deposit");
        }
        assert!(reader.idle());
        feed.beat(tokio::time::Instant::now()).await.unwrap();
        let overview = reader.next().await;
        assert_eq!((overview.name.as_str(), overview.id), ("overview", None));
        let deposits = |overview: &serde_json::Value| overview["today"]["deposits"].as_u64().unwrap();
        assert_eq!(deposits(&overview.data), deposits(&before) + 300);
        feed.beat(tokio::time::Instant::now()).await.unwrap();
        assert!(reader.idle(), "an overview without news is not told");
    }

    #[tokio::test]
    async fn a_device_that_falls_silent_is_told() {
        let site = Site::filled().await;
        let mut feed = site.feed().await;
        let mut reader = site.listen(None).await;
        feed.beat(tokio::time::Instant::now()).await.unwrap();
        assert_eq!(reader.next().await.name, "overview");
        site.pass_ms(2 * 3_600_000);
        feed.beat(tokio::time::Instant::now()).await.unwrap();
        for told in [
            json!({"device": "insp1", "state": "offline"}),
            json!({"device": "st01", "state": "silent"}),
            json!({"device": "st02", "state": "silent"}),
        ] {
            let event = reader.next().await;
            assert_eq!((event.name.as_str(), event.data), ("device", told));
        }
        let metrics = site.metrics().await;
        for line in [
            "hemu_devices{state=\"offline\"} 2",
            "hemu_devices{state=\"online\"} 0",
            "hemu_devices{state=\"silent\"} 2",
        ] {
            assert!(metrics.contains(line), "{line}: {metrics}");
        }
    }

    #[tokio::test]
    async fn places_are_bounded_and_given_back() {
        let site = Site::with(Limits {
            clients: 1,
            ..Limits::default()
        })
        .await;
        let reader = site.listen(None).await;
        site.refuses("/api/v1/live", 503, "all places for live events are taken")
            .await;
        drop(reader);
        drop(site.listen(None).await);
        assert!(site.metrics().await.contains("hemu_http_live_clients 0"));
    }

    #[tokio::test]
    async fn a_place_the_journal_does_not_have_is_a_problem() {
        let site = Site::filled().await;
        let (status, problem) = site.live_problem("99999.0").await;
        assert_eq!((status, &problem["title"]), (410, &json!("gone")));
        let (status, problem) = site.live_problem("yesterday").await;
        assert_eq!(status, 400);
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains("Last-Event-ID: expected a cursor"),
            "{problem}"
        );
        site.refuses("/api/v1/live?after=1.0", 400, "unknown field `after`")
            .await;
    }

    #[tokio::test]
    async fn streams_end_when_the_server_does() {
        let site = Site::filled().await;
        let mut reader = site.listen(None).await;
        let shutdown = tokio_util::sync::CancellationToken::new();
        shutdown.cancel();
        let (_applied, receiver) = tokio::sync::watch::channel(0);
        crate::live::run(site.api(), receiver, shutdown).await;
        assert!(reader.ended().await);
    }

    #[tokio::test]
    async fn a_stream_ends_soon_after_what_opened_it_and_nobody_elses_does() {
        let site = Site::with(Limits {
            after_the_end: Duration::from_millis(5),
            ..Limits::default()
        })
        .await;
        let by = Actor::operator();
        let ledger = &site.ledger;
        let mut feed = site.feed().await;
        let mut stays = site.listen(None).await;
        for ending in ["logout", "everywhere", "disabled", "password", "role", "factor"] {
            let name = format!("w-{ending}");
            site.let_in(&name, Role::Inspector, NOON + 1).await;
            let mut reader = site.listen_as(looking(&name, "/api/v1/live")).await;
            assert!(reader.idle(), "{ending}: it goes on while they are logged in");
            match ending {
                "logout" | "everywhere" => {
                    let path = if ending == "logout" {
                        "/api/v1/logout"
                    } else {
                        "/api/v1/logout/everywhere"
                    };
                    let gone = site.send(acting(&name, path, &json!({}))).await;
                    assert_eq!(gone.status(), 204);
                }
                "disabled" => ledger.enable_account(&by, NOON, &name, false).await.unwrap(),
                "password" => ledger.set_password(&by, NOON, &name, "x").await.unwrap(),
                "role" => ledger.set_role(&by, NOON, &name, Role::Volunteer).await.unwrap(),
                _ => {
                    let secret = TotpSecret::new([1; 20]);
                    ledger.set_totp(&by, NOON, &name, Some(&secret)).await.unwrap();
                }
            }
            assert!(reader.ended().await, "{ending}");
        }
        let made = json!({"label": "wall", "scopes": ["see_site", "see_households"], "days": 1});
        let (_, made) = site.post("p1", "/api/v1/tokens", made).await;
        let mut request = anonymous("/api/v1/live");
        let value = format!("Bearer {}", made["token"].as_str().unwrap());
        request
            .headers_mut()
            .insert("authorization", value.parse().unwrap());
        let mut reader = site.listen_as(request).await;
        assert!(reader.idle());
        let id = made["id"].as_str().unwrap();
        ledger
            .revoke_token(&"p1".parse().unwrap(), NOON, id, None)
            .await
            .unwrap();
        assert!(reader.ended().await, "the token was revoked");
        site.inspect("hh-good-0001", 9_000).await;
        site.catch_up(&mut feed).await;
        assert_eq!(stays.next().await.name, "deposit");
    }

    #[tokio::test]
    async fn the_task_tells_what_the_projector_applied() {
        let site = Site::filled().await;
        let shutdown = tokio_util::sync::CancellationToken::new();
        let (applied, receiver) = tokio::sync::watch::channel(0);
        let task = tokio::spawn(crate::live::run(site.api(), receiver, shutdown.clone()));
        let mut reader = site.listen(None).await;
        // The first overview comes after the first look: what is applied from here on is news.
        while reader.next().await.name != "overview" {}
        site.inspect("hh-good-0001", 9_000).await;
        applied.send_replace(1);
        while reader.next().await.name != "deposit" {}
        shutdown.cancel();
        task.await.unwrap();
        assert!(reader.ended().await);
    }

    #[tokio::test]
    async fn the_first_look_tells_nobody_and_remembers_the_newest() {
        let site = Site::filled().await;
        let mut reader = site.listen(None).await;
        let mut feed = Feed::new(site.api());
        site.catch_up(&mut feed).await;
        assert!(reader.idle());
        assert_eq!(site.api().live.recent(1_000).len(), 14);
    }
}
