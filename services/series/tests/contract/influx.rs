//! A server that keeps InfluxDB 2's documented contract, as far as it is used: it reads lines, deletes, and answers the
//! questions that are asked with what was written. It can be told to fail. No InfluxDB has run these tests where it was
//! written; whoever has one names it in `HEMU_TEST_INFLUX_URL`.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use influxdb_line_protocol::{FieldValue, parse_lines};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) const TOKEN: &str = "sesame";
const ORG: &str = "hemu";
const BUCKET: &str = "charts";

/// How a request may go wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// This status, and how many seconds to wait.
    Refuse(u16, Option<u64>),
    /// It does what it was asked and hangs up without saying so.
    Cut,
    /// It says nothing at all.
    Silence,
    /// A table whose numbers are none.
    Garbled,
}

/// (measurement, tags): the key of a series.
type Key = (String, BTreeMap<String, String>);

#[derive(Debug, Default)]
struct State {
    /// By series, field and time; what is written there again takes its place.
    points: BTreeMap<(Key, String, i64), i64>,
    faults: VecDeque<Fault>,
    /// Lines of one request at most.
    most: Option<usize>,
    /// Every batch that was taken.
    bodies: Vec<String>,
}

/// A running server, ended when dropped.
#[derive(Debug)]
pub(crate) struct Fake {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Fake {
    pub(crate) fn start() -> Self {
        let (state, stop) = (Arc::new(Mutex::new(State::default())), CancellationToken::new());
        let (known, address) = mpsc::channel();
        let serving = serve(known, Arc::clone(&state), stop.clone());
        // A thread of its own: the runtime of a test may stand still, or its clock may.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(serving);
        });
        Self {
            address: address.recv().unwrap(),
            state,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url_of(ORG, BUCKET)
    }

    pub(crate) fn url_of(&self, org: &str, bucket: &str) -> String {
        format!("influxdb+http://{}/?org={org}&bucket={bucket}", self.address)
    }

    /// The next requests go wrong, one each.
    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().unwrap().faults.extend(faults);
    }

    /// It takes so many lines at once.
    pub(crate) fn take_at_most(&self, lines: usize) {
        self.state.lock().unwrap().most = Some(lines);
    }

    /// Every batch that it took.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.state.lock().unwrap().bodies.clone()
    }
}

async fn serve(known: mpsc::Sender<SocketAddr>, state: Arc<Mutex<State>>, stop: CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    known.send(listener.local_addr().unwrap()).unwrap();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.unwrap().0,
            () = stop.cancelled() => return,
        };
        let state = Arc::clone(&state);
        let service = service_fn(move |request| answer(request, Arc::clone(&state)));
        let serving =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // A client that has gone, and a connection that was cut on purpose, are no failure of the test's.
        tokio::spawn(async { drop(serving.await) });
    }
}

type Reply = Response<Full<Bytes>>;

fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap();
    reply
}

fn refusal(status: u16, code: &str) -> Reply {
    reply(
        status,
        format!(r#"{{"code":"{code}","message":"as documented"}}"#),
    )
}

/// An error ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
struct Cut;

async fn answer(request: Request<Incoming>, state: Arc<Mutex<State>>) -> Result<Reply, Cut> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let fault = state.lock().unwrap().faults.pop_front();
    match fault {
        Some(Fault::Refuse(status, wait)) => {
            let mut refused = refusal(status, "unavailable");
            if let Some(seconds) = wait {
                refused.headers_mut().insert("Retry-After", seconds.into());
            }
            return Ok(refused);
        }
        Some(Fault::Silence) => {
            let forever: Result<Infallible, Cut> = std::future::pending().await;
            match forever? {}
        }
        Some(Fault::Garbled) => return Ok(reply(200, table(&["some day,many,n,C1,food".to_owned()]))),
        Some(Fault::Cut) | None => {}
    }
    let authorization = head
        .headers
        .get("Authorization")
        .and_then(|value| value.to_str().ok());
    let done = if authorization == Some(&format!("Token {TOKEN}")) {
        let query = head.uri.query().unwrap_or_default();
        let text = String::from_utf8(body.to_vec()).unwrap();
        done(head.uri.path(), query, text, &mut state.lock().unwrap())
    } else {
        refusal(401, "unauthorized")
    };
    if matches!(fault, Some(Fault::Cut)) {
        return Err(Cut);
    }
    Ok(done)
}

fn done(path: &str, query: &str, body: String, state: &mut State) -> Reply {
    let parameters: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    if parameters["org"] != ORG || parameters.get("bucket").is_some_and(|bucket| bucket != BUCKET) {
        return refusal(404, "not found");
    }
    match path {
        "/api/v2/write" => {
            assert_eq!(parameters["precision"], "ms");
            write(body, state)
        }
        "/api/v2/delete" => delete(&body, state),
        "/api/v2/query" => {
            let question: serde_json::Value = serde_json::from_str(&body).unwrap();
            match flux(question["query"].as_str().unwrap(), state) {
                Some(rows) => reply(200, table(&rows)),
                None => refusal(404, "not found"),
            }
        }
        _ => refusal(404, "not found"),
    }
}

fn write(body: String, state: &mut State) -> Reply {
    if state.most.is_some_and(|most| body.lines().count() > most) {
        return refusal(413, "request too large");
    }
    let mut points = Vec::new();
    for line in parse_lines(&body) {
        let Ok(line) = line else {
            return refusal(400, "invalid");
        };
        let tags = line.series.tag_set.unwrap_or_default();
        let tags = tags
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let key = (
            line.series.measurement.to_string(),
            tags.collect::<BTreeMap<_, _>>(),
        );
        for (field, value) in &line.field_set {
            let FieldValue::I64(value) = value else {
                return refusal(422, "unprocessable entity");
            };
            points.push(((key.clone(), field.to_string(), line.timestamp.unwrap()), *value));
        }
    }
    state.points.extend(points);
    state.bodies.push(body);
    reply(204, "")
}

fn delete(body: &str, state: &mut State) -> Reply {
    let wanted: serde_json::Value = serde_json::from_str(body).unwrap();
    let predicate = wanted["predicate"].as_str().unwrap();
    let (tag, value) = predicate.split_once('=').unwrap();
    let value = value.trim_matches('"');
    state
        .points
        .retain(|(key, ..), _| key.1.get(tag).is_none_or(|kept| kept != value));
    reply(204, "")
}

/// What stands behind `name: ` in a line of Flux.
fn argument<'l>(line: &'l str, name: &str) -> &'l str {
    let rest = line.split_once(&format!("{name}: ")).unwrap().1;
    rest[..rest.find([',', ')', 's']).unwrap()].trim_matches('"')
}

/// The rows that answer a question: it understands the lines that are sent, and panics at any other. `None` for a bucket
/// that it does not have.
fn flux(text: &str, state: &State) -> Option<Vec<String>> {
    let mut lines = text.lines().map(str::trim);
    let bucket = lines.next().unwrap().strip_prefix("from(bucket: \"").unwrap();
    if bucket != format!("{BUCKET}\")") {
        return None;
    }
    let range = lines.next().unwrap();
    let bounds = ["start", "stop"].map(|name| argument(range, name).parse::<i64>().unwrap() * 1_000);
    let mut filters: Vec<(String, Vec<String>)> = Vec::new();
    // By (device, stream, field, window): the time and value of the last point.
    let mut windows: BTreeMap<(String, String, String, i64), (i64, i64)> = BTreeMap::new();
    let mut most = usize::MAX;
    for line in lines {
        if let Some(filter) = line.strip_prefix("|> filter(fn: (r) => ") {
            let terms = filter.strip_suffix(')').unwrap().split(" or ");
            let terms: Vec<_> = terms
                .map(|term| term.strip_prefix("r.").unwrap().split_once(" == ").unwrap())
                .collect();
            let values = terms.iter().map(|(_, value)| value.trim_matches('"').to_owned());
            filters.push((terms[0].0.to_owned(), values.collect()));
        } else if line.starts_with("|> aggregateWindow(") {
            assert!(
                line.ends_with("fn: last, createEmpty: false, timeSrc: \"_start\")"),
                "{line}"
            );
            let [every, offset] =
                ["every", "offset"].map(|name| argument(line, name).parse::<i64>().unwrap() * 1_000);
            for (((key, field, at), value), window) in state.points.iter().map(|point| {
                let at = point.0.2;
                (point, (at - offset).div_euclid(every) * every + offset)
            }) {
                let column = |name: &str| match name {
                    "_measurement" => key.0.clone(),
                    "_field" => field.clone(),
                    tag => key.1[tag].clone(),
                };
                let wanted = filters
                    .iter()
                    .all(|(name, values)| values.contains(&column(name)));
                if wanted && (bounds[0]..bounds[1]).contains(at) {
                    let place = (
                        column("device"),
                        column("stream"),
                        field.clone(),
                        window.max(bounds[0]),
                    );
                    let last = windows.entry(place).or_insert((*at, *value));
                    *last = (*last).max((*at, *value));
                }
            }
        } else if line.starts_with("|> limit(") {
            most = argument(line, "n").parse().unwrap();
        } else {
            assert!(line == "|> group()" || line.starts_with("|> keep("), "{line}");
        }
    }
    let row = |((device, stream, field, window), (_, value)): ((String, String, String, i64), (i64, i64))| {
        let time = Timestamp::from_millisecond(window).unwrap();
        format!("{time},{value},{field},{device},{stream}")
    };
    Some(windows.into_iter().map(row).take(most).collect())
}

/// Annotated CSV.
fn table(rows: &[String]) -> String {
    let mut text = String::new();
    if !rows.is_empty() {
        text.push_str("#datatype,string,long,dateTime:RFC3339,long,string,string,string\r\n");
        text.push_str("#group,false,false,false,false,false,false,false\r\n#default,_result,,,,,,\r\n");
        text.push_str(",result,table,_time,_value,_field,device,stream\r\n");
    }
    for row in rows {
        write!(text, ",,0,{row}\r\n").unwrap();
    }
    text.push_str("\r\n");
    text
}
