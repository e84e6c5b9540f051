//! Holds the two files to each other and to the code, and what is known by its English to those who write it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, PatternElement};
use hemu_ingest::import::Error as Import;
use hemu_ledger::Error as Store;

use super::{CHINESE, ENGLISH, Language, Words, help};
use crate::cli::Cli;
use crate::config::Config;

fn chinese() -> Words {
    Words::new(Language::Chinese)
}

/// Every key with its variables.
fn messages(file: &str) -> BTreeMap<String, BTreeSet<String>> {
    let resource = fluent_bundle::FluentResource::try_new(file.to_owned()).expect("every line is read");
    let mut messages = BTreeMap::new();
    for entry in resource.entries() {
        let Entry::Message(message) = entry else { continue };
        let variable = |element: &PatternElement<&str>| match element {
            PatternElement::TextElement { .. } => None,
            PatternElement::Placeable {
                expression: Expression::Inline(InlineExpression::VariableReference { id }),
            } => Some(id.name.to_owned()),
            PatternElement::Placeable { .. } => panic!("{}: only variables", message.id.name),
        };
        let pattern = message.value.as_ref().expect("a text");
        let variables = pattern.elements.iter().filter_map(variable).collect();
        let twice = messages.insert(message.id.name.to_owned(), variables);
        assert!(twice.is_none(), "{} is there twice", message.id.name);
    }
    messages
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|suffix| suffix == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// Every `.say("key", &[("variable", ..), ..])` of the code.
fn said() -> Vec<(String, BTreeSet<String>)> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut said = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for call in text.split(".say(").skip(1) {
            let mut depth = 1;
            let closes = |c: char| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            };
            let arguments = &call[..call.find(closes).unwrap()];
            let key = arguments.split('"').nth(1).expect("a key");
            let pairs = arguments.split("(\"").skip(1);
            let names = pairs.map(|pair| pair.split('"').next().unwrap().to_owned());
            // What else follows a bracket and a quote is a format.
            said.push((key.to_owned(), names.filter(|name| !name.contains('{')).collect()));
        }
    }
    said
}

#[test]
fn chinese_is_asked_for_by_the_first_variable_that_says_anything() {
    let language = |variables: &[(&str, &str)]| {
        Language::of(|name| {
            let variable = variables.iter().find(|(known, _)| *known == name);
            variable.map(|(_, value)| (*value).to_owned())
        })
    };
    for locale in [
        "zh_CN.UTF-8",
        "zh",
        "zh-Hans",
        "zh_TW",
        "ZH_cn",
        "zh.UTF-8",
        "zh@pinyin",
    ] {
        assert_eq!(language(&[("LANG", locale)]), Language::Chinese, "{locale}");
    }
    for locale in ["", "C", "C.UTF-8", "POSIX", "en_US.UTF-8", "zha", "de_CH"] {
        assert_eq!(language(&[("LANG", locale)]), Language::English, "{locale}");
    }
    assert_eq!(language(&[]), Language::English);
    let chinese = ("LANG", "zh_CN.UTF-8");
    assert_eq!(language(&[chinese, ("LC_ALL", "C")]), Language::English);
    assert_eq!(language(&[chinese, ("LC_MESSAGES", "en_GB")]), Language::English);
    assert_eq!(
        language(&[chinese, ("LC_ALL", ""), ("LC_MESSAGES", "")]),
        Language::Chinese
    );
    assert_eq!(
        language(&[("LANG", "en_GB"), ("LC_MESSAGES", "en_GB"), ("LC_ALL", "zh_CN")]),
        Language::Chinese
    );
}

#[test]
fn both_files_hold_the_same_keys_with_the_same_variables() {
    assert_eq!(messages(ENGLISH), messages(CHINESE));
}

#[test]
fn what_the_code_says_is_there_with_its_variables_and_nothing_else_is() {
    let mut own = messages(ENGLISH);
    own.retain(|key, _| !key.starts_with("known-"));
    let mut used = BTreeSet::new();
    for (key, variables) in said() {
        assert_eq!(own.get(&key), Some(&variables), "{key}");
        used.insert(key);
    }
    let unused: Vec<_> = own.keys().filter(|key| !used.contains(*key)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn texts_stand_bare_and_numbers_keep_plain_digits() {
    let said = chinese().say(
        "deposits-written",
        &[("rows", &1_234_567_890_123_u64), ("file", &"a.csv")],
    );
    assert_eq!(said, "已将 1234567890123 条投放记录写入 a.csv");
}

/// What is written as the program reads it: half-width there is meant.
const WRITTEN_SO: [&str; 6] = [
    "//主机[:端口]",
    "主机:",
    "地址:端口",
    "角色,...",
    "权限,...",
    "名字=值",
];

#[test]
fn no_half_width_mark_stands_beside_a_chinese_character() {
    let is_han = |letter: &char| ('\u{3400}'..='\u{9fff}').contains(letter);
    for line in CHINESE.lines() {
        let prose = WRITTEN_SO
            .iter()
            .fold(line.to_owned(), |line, so| line.replace(so, ""));
        let letters: Vec<char> = prose.chars().collect();
        for pair in letters.windows(2) {
            let [a, b] = pair else { continue };
            let slip = |mark: &char, beside: &char| ",:;?!()".contains(*mark) && is_han(beside);
            assert!(!slip(a, b) && !slip(b, a), "{a}{b} in: {line}");
        }
    }
}

#[test]
fn every_known_text_is_known_as_itself() {
    let (english, chinese) = (Words::new(Language::English), chinese());
    for (key, variables) in messages(ENGLISH) {
        let variables: Vec<(&str, &dyn std::fmt::Display)> = variables
            .iter()
            .map(|name| (name.as_str(), &"7" as &dyn std::fmt::Display))
            .collect();
        if key.starts_with("known-") {
            let known = chinese.translate(&english.say(&key, &variables));
            assert_eq!(
                known,
                chinese.say(&key, &variables),
                "{key} is hidden by one before it"
            );
        }
    }
}

#[test]
fn what_is_not_known_stays_english() {
    let words = chinese();
    assert_eq!(
        words.translate("something new went wrong"),
        "something new went wrong"
    );
    assert_eq!(words.say("no-such-key", &[]), "no-such-key");
}

#[test]
fn a_cause_is_told_once() {
    let gone = || std::io::Error::from_raw_os_error(2);
    let folder = Store::Folder {
        path: "data".into(),
        source: gone(),
    };
    let told = chinese().tell(&folder.into());
    assert_eq!(
        told,
        "无法使用数据目录 data（文件或目录不存在，错误码 2）；请用 --data 指定一个可写的目录"
    );
    let told = chinese().tell(&anyhow::Error::new(gone()).context("无法读取 a.csv"));
    assert_eq!(told, "无法读取 a.csv：文件或目录不存在，错误码 2");
    let told = Words::new(Language::English).tell(&anyhow::Error::new(gone()).context("cannot read a.csv"));
    assert_eq!(told, "cannot read a.csv: No such file or directory (os error 2)");
}

/// An error of each kind that our rooms can hand to a user. A new kind makes this match incomplete: give it words.
fn rooms_errors() -> Vec<String> {
    let gone = || std::io::Error::from_raw_os_error(13);
    let database = || sqlx::Error::Io(gone());
    let damage = "expected batch 3 here, a batch is missing".to_owned();
    let store = [
        Store::InUse("data".into()),
        Store::FilesInUse("data".into()),
        Store::Replaced("data".into()),
        Store::OtherVersion("data".into()),
        Store::Folder {
            path: "data".into(),
            source: gone(),
        },
        Store::KeyFile {
            path: "secrets.key".into(),
            source: gone(),
        },
        Store::Newer {
            path: "hemu.db".into(),
            found: 99,
            known: 2,
        },
        Store::Database {
            path: "hemu.db".into(),
            source: database(),
        },
        Store::Damaged {
            position: 3,
            what: damage,
        },
        Store::Score(hemu_rules::BetaError::Domain {
            a: 0.0,
            b: 1.0,
            x: 0.5,
        }),
        Store::Refused(Box::new(hemu_ledger::acts::Refused {
            why: hemu_ledger::acts::Why::UnknownHousehold,
            sentence: "no household is registered under this token".into(),
            winner: None,
        })),
        Store::Rejected("station s02 is new; say with --estate which estate it stands in".into()),
    ];
    for error in &store {
        match error {
            Store::InUse(_)
            | Store::FilesInUse(_)
            | Store::Replaced(_)
            | Store::OtherVersion(_)
            | Store::Folder { .. }
            | Store::KeyFile { .. }
            | Store::Newer { .. }
            | Store::Database { .. }
            | Store::Damaged { .. }
            | Store::Score(_)
            | Store::Refused(_)
            | Store::Rejected(_) => {}
        }
    }
    let csv = || csv::Error::from(gone());
    let import = [
        Import::Header("bag_id"),
        Import::Csv(csv()),
        Import::Rejected(gone()),
    ];
    for error in &import {
        match error {
            Import::Header(_) | Import::Csv(_) | Import::Rejected(_) | Import::Ledger(_) => {}
        }
    }
    let series = [
        hemu_series::Error::Store(database()),
        hemu_series::Error::Damaged { place: 1 },
        hemu_series::Error::Newer {
            path: "series.db".into(),
            found: 99,
            known: 2,
        },
    ];
    let series = series.iter().map(ToString::to_string);
    let store = store.iter().map(ToString::to_string);
    let import = import.iter().map(ToString::to_string);
    store
        .chain(import)
        .chain(engines_errors())
        .chain(series)
        .collect()
}

/// What the charts' engines are told to have, and how their address can be wrong.
fn engines_errors() -> Vec<String> {
    use hemu_series::Trouble;
    let (text, status) = (String::new, 503);
    let troubles = [
        Trouble::Unreachable {
            address: text(),
            why: text(),
        },
        Trouble::Slow { seconds: 1 },
        Trouble::Token { status },
        Trouble::Unknown { text: text() },
        Trouble::Busy {
            status,
            text: text(),
            wait: None,
        },
        Trouble::Refused { status, text: text() },
        Trouble::Unreadable { what: text() },
    ];
    let urls = [
        "graphite+http://localhost",
        "victoriametrics+https://localhost",
        "victoriametrics+http://me:sesame@localhost",
        "victoriametrics+http://localhost/?db=x",
        "victoriametrics+http://localhost/?write=http://localhost/?db=x",
        "influxdb+http://localhost/",
        "influxdb+http://localhost/?org=a&bucket=b&token=sesame",
        "influxdb+http://localhost/influx/?org=a&bucket=b",
    ];
    let wrong = |url| {
        let wrong = hemu_series::Engine::new(url, Some("a line\nand another"), "site");
        wrong.err().map(|wrong| wrong.to_string())
    };
    let engine = "VictoriaMetrics";
    let troubles = troubles.map(|trouble| hemu_series::Error::Engine { engine, trouble }.to_string());
    let token = wrong("victoriametrics+http://localhost");
    troubles
        .into_iter()
        .chain(urls.into_iter().filter_map(wrong))
        .chain(token)
        .collect()
}

#[test]
fn every_error_of_our_rooms_has_its_words() {
    for error in rooms_errors() {
        let told = chinese().translate(&error);
        assert!(!told.contains("the ") && told != error, "{error} -> {told}");
    }
}

#[test]
fn every_help_text_has_its_words() {
    fn all(command: &clap::Command, texts: &mut BTreeSet<String>) {
        texts.extend(command.get_about().map(ToString::to_string));
        for arg in command.get_arguments() {
            let id = arg.get_id();
            texts.insert(
                arg.get_help()
                    .unwrap_or_else(|| panic!("{id} has no help"))
                    .to_string(),
            );
            if arg.get_action().takes_values() {
                texts.extend(
                    arg.get_value_names()
                        .unwrap_or_default()
                        .iter()
                        .map(ToString::to_string),
                );
            }
        }
        for command in command.get_subcommands() {
            all(command, texts);
        }
    }
    let words = chinese();
    let mut command = Cli::command();
    command.build();
    let mut texts = BTreeSet::new();
    all(&command, &mut texts);
    let english: Vec<_> = texts
        .iter()
        .filter(|text| words.translate(text) == **text)
        .collect();
    assert!(
        english.is_empty(),
        "not in zh.ftl or known by another English: {english:?}"
    );
    // And the other way round: words for help that nobody gives any more are to be removed.
    let resource = super::resource(ENGLISH);
    for entry in resource.entries() {
        if let Entry::Message(message) = entry
            && ["known-help-", "known-name-"]
                .iter()
                .any(|help| message.id.name.starts_with(help))
        {
            let pattern = message.value.as_ref().unwrap();
            let shown = texts.iter().any(|text| super::values(pattern, text).is_some());
            assert!(
                shown || message.id.name == "known-name-command",
                "{}",
                message.id.name
            );
        }
    }
}

#[test]
fn help_is_chinese_and_english_help_is_clap_s_own() {
    let page = |words: &Words| {
        let asked = help::command(words).try_get_matches_from(["hemu", "demo", "--help"]);
        asked.unwrap_err().to_string()
    };
    assert_eq!(
        page(&Words::new(Language::English)),
        Cli::command()
            .try_get_matches_from(["hemu", "demo", "--help"])
            .unwrap_err()
            .to_string()
    );
    let page = page(&chinese());
    assert!(page.contains("\n用法：hemu demo [选项]\n"), "{page}");
    assert!(
        page.contains("--days <天数>") && page.contains("历史天数 [默认值：90]"),
        "{page}"
    );
    assert!(!page.contains("Options") && !page.contains("Print"), "{page}");
}

#[test]
fn every_complaint_about_usage_has_its_words() {
    let words = chinese();
    for (line, expected) in [
        (
            "dance",
            "错误：没有名为“dance”的命令\n\n  提示：有相近的命令“device”",
        ),
        (
            "serve --mqtt-listen nowhere",
            "“--mqtt-listen <地址:端口>”的值“nowhere”无效：不是有效的“地址:端口”",
        ),
        ("serve --mqtt-listen", "“--mqtt-listen <地址:端口>”需要一个值"),
        (
            "serve --metrics-lisen x",
            "不支持参数“--metrics-lisen”\n\n  提示：有相近的参数“--metrics-listen”",
        ),
        ("demo --days 500", "500 不在 0..=400 范围内"),
        ("demo --days x", "含有非数字字符"),
        ("demo --days=", "应为数字，实际为空"),
        ("demo --seed 99999999999999999999", "数字过大"),
        ("demo --history-only=1", "“--history-only”不接受值“1”"),
        ("demo --seed 1 --seed 2", "参数“--seed <种子>”不能重复使用"),
        (
            "device add",
            "缺少以下必需的参数：\n  <设备编号>\n\n用法：hemu device add <设备编号>",
        ),
        (
            "import -x",
            "提示：若要将“-x”作为值传入，请写作“-- -x”\n\n用法：hemu import [选项] <文件>",
        ),
        ("export --csv x --from 2026-13-01", "日期应写作 YYYY-MM-DD"),
    ] {
        let arguments = ["hemu"].into_iter().chain(line.split(' '));
        let error = help::command(&words).try_get_matches_from(arguments).unwrap_err();
        let told = words.translate_lines(&error.render().to_string());
        assert!(
            told.starts_with("错误：") && told.contains(expected),
            "{line}: {told}"
        );
        assert!(told.ends_with("\n\n详情请用 --help 查看。\n"), "{line}: {told}");
    }
}

#[test]
fn what_libraries_say_of_files_and_settings_has_its_words() {
    let words = chinese();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hemu.toml");
    for (setting, expected) in [
        (
            "mqtt_lisen = 1",
            "hemu.toml 中的 mqtt_lisen：没有名为 `mqtt_lisen` 的配置项；可用的配置项有 `data`",
        ),
        (
            "mqtt_connections = \"x\"",
            "mqtt_connections：值的类型有误，应为非负整数，实际为字符串 \"x\"",
        ),
        ("mqtt_connections = -1", "值有误，应为非负整数，实际为整数 -1"),
        ("mqtt_listen = 7", "应为“地址:端口”，实际为整数 7"),
        ("log = 7", "应为字符串，实际为整数 7"),
        ("data = 7", "应为路径，实际为整数 7"),
        ("zone = \"Mars\"", "zone：时区应为 Asia/Shanghai"),
        ("= bad", "hemu.toml：TOML 语法错误，行 1，列 1"),
    ] {
        std::fs::write(&file, setting).unwrap();
        let figment = Figment::from(Serialized::defaults(Config::default())).merge(Toml::file(&file));
        let told = words.translate(&figment.extract::<Config>().unwrap_err().to_string());
        assert!(told.contains(expected), "{setting}: {told}");
    }
    for (rows, expected) in [
        (
            &b"a,b\n1\n"[..],
            "CSV 格式错误，记录 1（第 2 行，字节 4）：有 1 个字段，而前一条记录有 2 个",
        ),
        (
            b"a,b\n\xff,1\n",
            "CSV 编码错误，记录 1（第 2 行，字段 0，字节 4）：字段 0 在字节 0 附近不是有效的 UTF-8",
        ),
        (
            b"b,a\n1,x\n",
            "CSV 内容错误，记录 1（第 2 行，字节 4）：字段 1：含有非数字字符",
        ),
        (
            b"b,c\n1,2\n",
            "CSV 内容错误，记录 1（第 2 行，字节 4）：缺少字段 a",
        ),
    ] {
        #[derive(Debug, serde::Deserialize)]
        struct Row {
            #[expect(dead_code, reason = "only its reading matters")]
            a: u8,
        }
        let error = csv::Reader::from_reader(rows)
            .deserialize::<Row>()
            .next()
            .unwrap()
            .unwrap_err();
        assert_eq!(words.translate(&error.to_string()), expected);
    }
    for code in [1, 2, 5, 13, 17, 20, 21, 24, 28, 30, 98, 99] {
        let told = words.translate(&std::io::Error::from_raw_os_error(code).to_string());
        assert!(told.ends_with(&format!("，错误码 {code}")), "{told}");
    }
}
