//! The charts' engine, beside the real binary.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::people::looking;
use crate::serve::{get, get_with};
use crate::support::{Server, hemu_in, refuse, succeed};
use crate::victoria::{Victoria, until};

/// A configuration file beside the folder, with this engine.
fn config(data: &Path, url: &str) -> PathBuf {
    let file = data.with_extension("toml");
    std::fs::write(&file, format!("series_url = {url:?}\n")).unwrap();
    file
}

/// What a command says on a folder whose charts are kept by an engine, and its exit code.
fn run(locale: &str, data: &Path, config: &Path, command: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<_> = ["--config", config.to_str().unwrap()]
        .into_iter()
        .chain(command.iter().copied())
        .collect();
    let done = hemu_in(locale, data, &arguments);
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8(said).unwrap())
}

/// Ten deposits of an hour ago at a device of a station, through a file.
fn import(data: &Path) {
    let file = data.join("rows.csv");
    let now = Timestamp::now().as_millisecond();
    // All in one hour.
    let at = now - now % 3_600_000 - 3_600_000;
    let row = |nth: i64| format!("r{nth},,H1,E1,{},food,700,cam,cam-1,0.9,1\n", at + nth);
    let header = "reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence\n";
    let rows: String = (0..10).map(row).collect();
    std::fs::write(&file, format!("{header}{rows}")).unwrap();
    succeed(data, &["import", file.to_str().unwrap()]);
}

fn chart(server: &Server, login: &str) -> String {
    let now = Timestamp::now().as_millisecond();
    let span = format!("from={}&to={now}", now - 3 * 86_400_000);
    let url = format!(
        "{}/api/v1/series?device=cam-1&measure=deposits&agg=sum&{span}",
        server.http
    );
    get_with(&url, login)
}

fn overview(server: &Server, login: &str) -> String {
    get_with(&format!("{}/api/v1/overview", server.http), login)
}

#[test]
fn charts_come_from_the_engine_and_say_so_while_it_is_away() {
    let Some(mut engine) = Victoria::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    succeed(&data, &["migrate"]);
    let login = looking(&data);
    succeed(&data, &["device", "add", "cam-1"]);
    import(&data);
    let config = config(&data, &engine.url());
    // What was there before the engine goes there whole.
    let (code, said) = run("C", &data, &config, &["series", "backfill"]);
    assert_eq!(code, Some(0), "{said}");
    // An hour and a day of one stream, each with weight, quality and attribution.
    assert!(said.contains("VictoriaMetrics was sent 2 buckets"), "{said}");
    engine.flush();
    let server = Server::run(&data, 0, &["--config", config.to_str().unwrap(), "serve"]);
    let found = chart(&server, &login);
    assert!(
        found.starts_with("HTTP/1.1 200") && found.contains(",10.0]"),
        "{found}"
    );
    let (_, said) = run("C", &data, &config, &["doctor"]);
    assert!(
        said.lines()
            .any(|line| line.starts_with("ok") && line.contains("VictoriaMetrics")),
        "{said}"
    );

    engine.kill();
    let refused = chart(&server, &login);
    assert!(
        refused.starts_with("HTTP/1.1 503")
            && refused.contains("application/problem+json")
            && refused.contains("VictoriaMetrics, cannot be read just now")
            && !refused.contains("127.0.0.1:"),
        "{refused}"
    );
    for (locale, says) in [("C", "start it, or set series_url"), ("zh_CN.UTF-8", "请启动它")] {
        let (code, said) = run(locale, &data, &config, &["doctor"]);
        let wrong = said
            .lines()
            .any(|line| line.contains("VictoriaMetrics") && line.contains(says));
        assert!(code == Some(1) && wrong, "{said}");
    }
    assert!(get(&format!("{}/readyz", server.http)).starts_with("HTTP/1.1 200"));
    until(|| !get(&server.metrics).contains("hemu_ingest_engine_failures_total 0"));
    until(|| overview(&server, &login).contains(r#""answers":false"#));

    engine.restart();
    until(|| chart(&server, &login).contains(",10.0]"));
    until(|| overview(&server, &login).contains(r#""name":"VictoriaMetrics","waiting":0,"answers":true"#));
    assert_eq!(server.terminate().code(), Some(0));
}

#[test]
fn a_server_starts_without_its_engine_and_an_address_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let away = config(&data, "victoriametrics+http://127.0.0.1:9/");
    let server = Server::run(&data, 0, &["--config", away.to_str().unwrap(), "serve"]);
    assert!(get(&format!("{}/readyz", server.http)).starts_with("HTTP/1.1 200"));
    assert_eq!(server.terminate().code(), Some(0));

    let (code, said) = run("C", &data, &away, &["series", "backfill"]);
    assert!(
        code == Some(1) && said.contains("start it") && said.contains("`hemu serve`"),
        "{said}"
    );
    let wrong = config(&data, "influxdb+http://me:sesame@localhost:8086/");
    let (code, said) = run("zh_CN.UTF-8", &data, &wrong, &["doctor"]);
    assert!(
        code == Some(1) && said.contains("series_token") && !said.contains("sesame"),
        "{said}"
    );
    let said = refuse(&data, &["series", "backfill"]);
    assert!(said.contains("series_url is not set"), "{said}");
}
