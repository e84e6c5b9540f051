//! Overlapping, shuffled pieces imported at once give what one import of the whole gives.

use std::collections::BTreeMap;

use hemu_ingest::import::{Options, Summary, import};
use hemu_ledger::Ledger;
use hemu_ledger::read::Standing;
use hemu_rules::{Day, Rule};
use serde_json::Value;

use crate::site::{MIDNIGHT, Site, clock};

fn rows() -> Vec<String> {
    let path = format!("{}/../rules/golden/households.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(file["first_day"], 20_454);
    let row = |(nth, r): (usize, &Value)| {
        let int = |i: usize| r[i].as_i64().unwrap();
        let at = MIDNIGHT + int(2) * 60_000;
        let stream = file["streams"][usize::try_from(int(3)).unwrap()]
            .as_str()
            .unwrap();
        let source = if r[6] == "camera" { "cam" } else { "insp" };
        format!(
            "R{nth},B{},H{},E1,{at},{stream},{},{source},{},{:.4},{:.3}",
            int(0),
            int(1),
            int(4),
            r[5].as_str().unwrap(),
            int(7) as f64 / 10_000.0,
            int(8) as f64 / 1_000.0
        )
    };
    file["readings"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(row)
        .collect()
}

async fn import_rows(ledger: &Ledger, rows: &[&String]) -> Summary {
    let header = hemu_ingest::import::COLUMNS.join(",");
    let lines: Vec<&str> = rows.iter().map(|row| row.as_str()).collect();
    let text = format!("{header}\n{}\n", lines.join("\n"));
    let nothing_rejected = || -> std::io::Result<Vec<u8>> { Err(std::io::Error::other("rejected")) };
    import(
        ledger,
        clock(),
        text.as_bytes(),
        nothing_rejected,
        Options::default(),
        |_| {},
    )
    .await
    .unwrap()
}

/// Where everybody stands at two editions.
async fn standing(ledger: &Ledger) -> Vec<(i64, BTreeMap<String, (i128, i128)>)> {
    let mut all = Vec::new();
    for day in [20_514, 20_551] {
        let standing = Standing::of(ledger.gather(&Rule::V1, Day::clamped(day)).await.unwrap());
        let totals = standing
            .totals
            .into_iter()
            .map(|(token, sum)| (token, (sum.e, sum.a)));
        all.push((standing.prior.into(), totals.collect()));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_that_overlap_and_race_give_the_same_evidence() {
    let rows = rows();
    let whole = Site::new().await;
    let all: Vec<&String> = rows.iter().collect();
    let n = rows.len() as u64;
    let summary = import_rows(&whole.ledger, &all).await;
    assert_eq!((summary.read, summary.new, summary.repeated), (n, n, 0));
    let expected = standing(&whole.ledger).await;

    let pieces = Site::new().await;
    let third = rows.len() / 3;
    let mut tasks = Vec::new();
    for piece in 0..3usize {
        let ledger = pieces.beside().await;
        let mut mine: Vec<String> = rows[piece * third..].iter().take(2 * third).cloned().collect();
        // Any order will do; this one is neither the file's nor another piece's.
        mine.sort_by_key(|row| {
            row.bytes().fold(piece as u64, |sum, byte| {
                sum.wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(byte.into())
            })
        });
        tasks.push(tokio::spawn(async move {
            let mine: Vec<&String> = mine.iter().collect();
            import_rows(&ledger, &mine).await
        }));
    }
    let (mut new, mut read) = (0, 0);
    for task in tasks {
        let summary = task.await.unwrap();
        assert_eq!(summary.read, summary.new + summary.repeated);
        new += summary.new;
        read += summary.read;
    }
    assert!(read > n && new == n, "{new} new of {read} read, {n} there are");
    assert_eq!(standing(&pieces.ledger).await, expected);
    assert_eq!(pieces.ledger.verify_projections(|_| ()).await.unwrap(), None);
    pieces.ledger.verify_chain(|_| ()).await.unwrap();
}
