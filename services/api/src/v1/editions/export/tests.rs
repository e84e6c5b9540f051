use std::io::Cursor;

use axum::body::to_bytes;
use axum::http::{Method, header};
use calamine::{Reader, Xlsx, open_workbook_from_rs};
use serde_json::json;

use super::*;
use crate::testing::{Site, anonymous, looking};

const POOR: &str = "hh-poor-0002";

async fn taken(site: &Site, account: &str, path: &str) -> (Response, Vec<u8>) {
    let response = site.send(looking(account, path)).await;
    assert_eq!(response.status(), 200, "{path}");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 24).await.unwrap();
    (Response::from_parts(parts, Body::empty()), bytes.to_vec())
}

/// The cells of a sheet as texts, a line each.
fn cells(bytes: Vec<u8>) -> Vec<Vec<String>> {
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let sheet = book.worksheet_range("红黑榜").unwrap();
    sheet
        .rows()
        .map(|row| row.iter().map(ToString::to_string).collect())
        .collect()
}

#[tokio::test]
async fn a_csv_opens_in_a_spreadsheet_and_shows_nobodys_whole_token_or_door() {
    let site = Site::village().await;
    let edition = site.second_edition().await;
    let path = format!("/api/v1/editions/{edition}/export.csv");
    let (response, bytes) = taken(&site, "a1", &path).await;
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/csv; charset=utf-8"
    );
    let name = response.headers()[header::CONTENT_DISPOSITION]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(name, "attachment; filename=\"hemu-2026-05-20-r1.csv\"");
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("\u{feff}榜别,名次,"), "{text}");
    let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].starts_with("黑榜,1,···0002,"), "{text}");
    assert!(!text.contains("hh-"), "{text}");
    assert_eq!(site.send(anonymous(&path)).await.status(), 401);
}

#[tokio::test]
async fn a_sheet_says_what_it_rests_on_and_leaves_room_to_sign() {
    let site = Site::village().await;
    let edition = site.second_edition().await;
    let path = format!("/api/v1/editions/{edition}/export.xlsx");
    let (_, bytes) = taken(&site, "p1", &path).await;
    let rows = cells(bytes);
    assert!(
        rows[0][0].ends_with("生活垃圾分类红黑榜 2026-05-20期 第1版"),
        "{:?}",
        rows[0]
    );
    let all: Vec<String> = rows.iter().map(|row| row.join(" ")).collect();
    let all = all.join("\n");
    for part in [
        "状态  草案",
        "证据截止  2026-05-20之前",
        "计算时间",
        "摘要",
        "审核人（签字）",
        "黑榜 1 ···0002",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(!all.contains("hh-"), "{all}");
}

#[test]
fn a_text_like_a_formula_stays_a_text() {
    let payloads = ["=1+1", "+1", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1"];
    let heading = Heading {
        title: "=HYPERLINK(\"http://x\")".into(),
        lines: vec![("法律依据", "=1+1".into())],
    };
    let empty = || std::array::from_fn(|_| Cell::text(""));
    let rows: Vec<[Cell; COLUMNS.len()]> = payloads
        .iter()
        .map(|payload| {
            let mut row: [Cell; COLUMNS.len()] = empty();
            row[3] = Cell::text(*payload);
            row
        })
        .collect();
    let bytes = xlsx::workbook(&heading, &rows).unwrap();
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes.clone())).unwrap();
    assert!(
        book.worksheet_formula("红黑榜").unwrap().is_empty(),
        "no formula anywhere"
    );
    let shown = cells(bytes);
    let said: Vec<&str> = shown
        .iter()
        .map(|row| row[3].trim_matches(['\t', '\r']))
        .collect();
    for payload in payloads {
        assert!(
            said.contains(&payload.trim_matches(['\t', '\r'])),
            "{payload:?} in {said:?}"
        );
    }
}

#[tokio::test]
async fn whoever_takes_a_list_away_is_noted_with_every_household_in_it() {
    let site = Site::village().await;
    let edition = site.second_edition().await;
    taken(&site, "a1", &format!("/api/v1/editions/{edition}/export.csv")).await;
    let looks = site.json(&format!("/api/v1/households/{POOR}/audit")).await["looks"].clone();
    assert_eq!(
        (&looks[0]["actor"], &looks[0]["what"]),
        (&json!("a1"), &json!("list_export"))
    );
}

#[tokio::test]
async fn whoever_reads_a_list_on_the_page_is_noted_like_whoever_takes_it_away() {
    let site = Site::village().await;
    let edition = site.second_edition().await;
    taken(
        &site,
        "a1",
        &format!("/api/v1/editions/{edition}/places?status=BLACK"),
    )
    .await;
    let mut head = looking("a1", &format!("/api/v1/households/{POOR}/deposits"));
    *head.method_mut() = Method::HEAD;
    assert_eq!(site.send(head).await.status(), 200);
    let looks = site.json(&format!("/api/v1/households/{POOR}/audit")).await["looks"].clone();
    let noted: Vec<_> = looks
        .as_array()
        .unwrap()
        .iter()
        .map(|look| (&look["actor"], &look["what"]))
        .collect();
    for page in ["list", "deposits"] {
        assert!(noted.contains(&(&json!("a1"), &json!(page))), "{page}: {looks}");
    }
}
