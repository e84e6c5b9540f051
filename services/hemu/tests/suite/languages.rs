//! People are told in the language of their locale; what programs read is the same in each.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::cli::HEADER;
use crate::support::{hemu_in, succeed};

/// What a command prints, and how it exits, in a locale.
fn told(locale: &str, data: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = hemu_in(locale, data, arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn people_are_told_in_the_language_of_their_locale() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.csv");
    fs::write(
        &file,
        format!("{HEADER}R1,B1,H1,E1,1772323200000,food,900,cam,C1,0.8,0.9\n"),
    )
    .unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let serve = [
        "serve",
        "--metrics-listen",
        "127.0.0.1:0",
        "--mqtt-listen",
        "127.0.0.1:0",
    ];
    let serve = [&serve[..], &["--http-listen", &taken]].concat();
    let cases: [(&[&str], i32, &str, &str); 6] = [
        (
            &["--help"],
            0,
            "用法：hemu [选项] <命令>",
            "Usage: hemu [OPTIONS] <COMMAND>",
        ),
        (
            &["import", file.to_str().unwrap()],
            0,
            "读取 1 行，新增 1 行，重复 0 行，拒收 0 行，冲突 0 行\n",
            "read 1, new 1, repeated 0, rejected 0, conflicting 0\n",
        ),
        (
            &["device", "rotate", "st01"],
            1,
            "hemu: 没有在用的设备 st01；",
            "hemu: there is no device st01 in use;",
        ),
        (
            &serve,
            1,
            "请释放该端口，或将 http_listen 改为其他端口",
            "free that port or set http_listen to another",
        ),
        (
            &["dance"],
            2,
            "错误：没有名为“dance”的命令",
            "error: unrecognized subcommand 'dance'",
        ),
        (&["config"], 0, "# 数据目录：", "# The data folder:"),
    ];
    for (locale, chinese) in [("zh_CN.UTF-8", true), ("C", false)] {
        let data = folder.path().join(locale);
        for (arguments, exit, zh, en) in cases {
            let (code, out, err) = told(locale, &data, arguments);
            assert_eq!(code, Some(exit), "{arguments:?}: {out}{err}");
            let (said, silent) = if exit == 0 { (&out, &err) } else { (&err, &out) };
            let (expected, other) = if chinese { (zh, en) } else { (en, zh) };
            assert!(
                said.contains(expected) && !said.contains(other),
                "{arguments:?}: {said}"
            );
            assert_eq!(silent, "", "{arguments:?}");
        }
    }
}

#[test]
fn what_the_ledger_refuses_is_told_in_chinese_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("hemu.toml");
    fs::write(&file, "zone = \"UTC\"\n").unwrap();
    let placed = ["device", "add", "st01", "--estate", "E1", "--station", "s01"];
    succeed(&data, &placed);
    let zone = ["--config", file.to_str().unwrap(), "migrate"];
    let elsewhere = ["device", "add", "st02", "--estate", "E2", "--station", "s01"];
    let cases: [(&[&str], &str); 4] = [
        (
            &placed,
            "hemu: 设备 st01 已登记；可用 `hemu device rotate st01` 为其更换密钥\n",
        ),
        (&elsewhere, "hemu: 集置点 s01 属于小区 E1，而不是 E2\n"),
        (
            &["device", "add", "st03", "--station", "s02"],
            "hemu: 集置点 s02 尚未登记；请用 --estate 指明所属小区\n",
        ),
        (
            &zone,
            "按时区 Asia/Shanghai 划分日期，与配置不符；请将 zone 设为该时区，或不设置\n",
        ),
    ];
    for (arguments, expected) in cases {
        let (code, out, err) = told("zh_CN.UTF-8", &data, arguments);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(err.ends_with(expected), "{arguments:?}: {err}");
    }
}

#[test]
fn programs_read_the_same_in_every_language() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let zh = |arguments: &[&str]| {
        let (code, out, err) = told("zh_CN.UTF-8", &data, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {err}");
        out
    };
    let mut demo = vec!["demo", "--days", "1", "--history-only"];
    for listen in ["--mqtt-listen", "--http-listen", "--metrics-listen"] {
        demo.extend([listen, "127.0.0.1:0"]);
    }
    let lines = zh(&demo);
    let starts = [
        "mqtt 127.0.0.1:",
        "http http://127.0.0.1:",
        "metrics http://127.0.0.1:",
        "ready",
    ];
    assert_eq!(lines.lines().count(), starts.len(), "{lines}");
    assert!(
        lines
            .lines()
            .zip(starts)
            .all(|(line, start)| line.starts_with(start)),
        "{lines}"
    );
    assert!(
        zh(&["device", "list"])
            .lines()
            .all(|line| line.contains("\"state\":\"registered\""))
    );
    assert!(zh(&["device", "add", "st99"]).starts_with("{\"device\":\"st99\",\"key\":\""));
    assert_eq!(
        zh(&["export", "--csv", "-"]),
        succeed(&data, &["export", "--csv", "-"])
    );
    // The configuration is explained in the user's language and is one that is accepted.
    let file = folder.path().join("hemu.toml");
    fs::write(&file, zh(&["config"])).unwrap();
    zh(&["--config", file.to_str().unwrap(), "migrate"]);
}
