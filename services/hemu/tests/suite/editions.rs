//! `hemu edition` on a folder whose edition was computed by another process.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use std::fmt::Write;
use std::path::Path;

use hemu_ledger::acts::{Act, Actor};
use hemu_ledger::{Folder, Ledger};
use hemu_rules::{Rule, Zone};
use sqlx::{AssertSqlSafe, ConnectOptions, sqlite::SqliteConnectOptions};

use crate::support::{hemu_in, refuse, succeed};

/// Noon of 2026-05-20 in Shanghai.
const NOON: i64 = 1_779_249_600_000;

/// Proposes an edition of imported readings and gives its notices; its number.
fn propose(data: &Path) -> u64 {
    let mut csv = String::from(
        "reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence\n",
    );
    for ago in 1..=40 {
        let at = NOON - ago * 86_400_000;
        for (household, quality) in [("BAD", "0.1"), ("GOOD", "0.98")] {
            writeln!(
                csv,
                "{household}{ago},,{household},E1,{at},food,700,insp,I1,{quality},1"
            )
            .unwrap();
        }
    }
    let file = data.join("readings.csv");
    std::fs::write(&file, csv).unwrap();
    succeed(data, &["import", file.to_str().unwrap()]);
    on(async {
        let ledger = Ledger::open(&Folder::open(data).unwrap(), Zone::SHANGHAI)
            .await
            .unwrap();
        let day = "2026-05-20".parse().unwrap();
        let edition = ledger
            .propose_edition(&Rule::V1, day, NOON, "test")
            .await
            .unwrap();
        let notice = Act::Notice { edition, days: 7 };
        ledger.act(&Actor::system(), NOON, notice).await.unwrap();
        edition
    })
}

fn on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

#[test]
fn editions_are_listed_and_shown_in_both_languages_and_come_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    assert_eq!(succeed(data, &["edition", "list"]), "");
    let id = propose(data).to_string();
    let listed = succeed(data, &["edition", "list"]);
    let row = format!("{id}  2026-05-20  revision 1  households told  1 red, 0 black, 1 grey, 0 unrated\n");
    assert_eq!(listed, row);
    let shown = succeed(data, &["edition", "show", &id]);
    for part in [
        "1 households warned",
        "by version 1 of the rule (",
        "digest ",
        "may object until 2026-05-27 12:00",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let again = succeed(data, &["edition", "recompute", &id]);
    assert_eq!(
        again,
        format!("edition {id}: computed again, bit for bit what is stored\n")
    );
    for (command, says) in [
        (&["edition", "list"][..], "已通知各户"),
        (&["edition", "show", &id], "已提醒1户"),
        (&["edition", "recompute", &id], "完全一致"),
    ] {
        let output = hemu_in("zh_CN.UTF-8", data, command);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains(says), "{text}");
    }
}

#[test]
fn an_edition_that_does_not_come_out_again_is_told_with_both_digests() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let id = propose(data);
    let forged = "0".repeat(64);
    on(async {
        let file = SqliteConnectOptions::new().filename(data.join("hemu.db"));
        let sql = format!("update edition set digest = '{forged}' where id = {id}");
        let mut connection = file.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .unwrap();
    });
    let text = refuse(data, &["edition", "recompute", &id.to_string()]);
    assert!(
        text.contains("does not come out again") && text.contains(&forged),
        "{text}"
    );
    for command in ["show", "recompute"] {
        let text = refuse(data, &["edition", command, "999"]);
        assert!(text.contains("there is no edition 999"), "{text}");
    }
}
