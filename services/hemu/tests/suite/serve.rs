//! `hemu serve` over HTTP: probes, metrics, and an orderly end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::brokers::signal;
use crate::support::{Server, hemu_with};

/// A whole answer to a GET.
pub(crate) fn get(url: &str) -> String {
    get_with(url, "")
}

/// The same with the headers that some lines say.
pub(crate) fn get_with(url: &str, headers: &str) -> String {
    send("GET", url, headers, "")
}

/// A whole answer to a POST of JSON.
pub(crate) fn post(url: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    let headers = format!("{headers}content-type: application/json\r\ncontent-length: {length}\r\n");
    send("POST", url, &headers, body)
}

#[expect(clippy::expect_used, reason = "a test's helper fails loudly")]
fn send(method: &str, url: &str, headers: &str, body: &str) -> String {
    let rest = url.strip_prefix("http://").expect("an http address");
    let (host, path) = rest
        .split_once('/')
        .map_or((rest, String::from("/")), |(host, path)| {
            (host, format!("/{path}"))
        });
    let mut stream = TcpStream::connect(host).expect("the listener answers");
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}connection: close\r\n\r\n{body}"
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// The figure of a metric on the page at `url`.
#[expect(clippy::expect_used, reason = "a test's helper fails loudly")]
pub(crate) fn metric(url: &str, name: &str) -> u64 {
    let page = get(url);
    let figure = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let figure = figure.expect("the metric is there");
    figure.parse().expect("a count")
}

#[test]
fn a_ready_server_answers_probes_pages_and_metrics_and_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), 0);
    assert!(get(&format!("{}/healthz", server.http)).starts_with("HTTP/1.1 200"));
    let ready = get(&format!("{}/readyz", server.http));
    assert!(
        ready.starts_with("HTTP/1.1 200") && ready.contains("\"ready\":true"),
        "{ready}"
    );
    let page = get(&server.http);
    assert!(
        page.contains("content-security-policy: default-src 'self'") && page.contains("<html"),
        "{page}"
    );
    assert!(get(&format!("{}/api/openapi.json", server.http)).contains("\"openapi\":\"3.1"));
    let metrics = get(&server.metrics);
    for name in [
        "hemu_ingest_records_total 0",
        "hemu_ingest_commit_seconds_count",
        "hemu_endpoint_",
        "hemu_lists_failures_total 0",
    ] {
        assert!(metrics.contains(name), "{name} is missing in {metrics}");
    }
    let here = server.http.trim_start_matches("http://").to_owned();
    let ask = || hemu_with(folder.path(), &["ready"], &[("HEMU_HTTP_LISTEN", &here)]);
    let said = ask();
    assert!(said.status.success());
    assert!(String::from_utf8_lossy(&said.stdout).contains("ok    store"));
    assert_eq!(server.terminate().code(), Some(0));
    let gone = ask();
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("no server answers"));
}

#[test]
fn a_demo_that_still_loads_its_history_ends_when_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut hemu = Command::new(env!("CARGO_BIN_EXE_hemu"));
    hemu.env("LC_ALL", "C").arg("--data").arg(folder.path());
    hemu.args(["demo", "--days", "90", "--http-listen", "127.0.0.1:0"]);
    hemu.args(["--mqtt-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
    let mut child = hemu.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("metrics ")));
    signal(child.id(), "-TERM");
    assert!(!lines.any(|line| line == "ready"), "it went on loading");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_unfinished_request_does_not_keep_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), 0);
    let host = server.http.strip_prefix("http://").unwrap();
    let mut lingering = TcpStream::connect(host).unwrap();
    lingering.write_all(b"GET / HTTP/1.1\r\nhost: ").unwrap();
    assert_eq!(server.terminate().code(), Some(0));
}
