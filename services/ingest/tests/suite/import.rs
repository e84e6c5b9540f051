//! The import file, line by line of what services/ingest/README.md says of it.

use std::io::Read;
use std::path::PathBuf;

use hemu_ingest::import::{COLUMNS, Error, Options, Summary, import};
use hemu_ledger::LOG_BYTES;
use hemu_ledger::registry::Household;
use hemu_rules::Day;

use crate::site::{Site, clock};

const HEADER: &str = "reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence";

struct Done {
    summary: Summary,
    /// Lines of the file of rejected rows; none when it was not made.
    rejected: Vec<String>,
}

async fn try_import(site: &Site, input: impl Read, strict: bool) -> Result<Done, Error> {
    let path: PathBuf = site.dir.path().join("rejected.csv");
    let open = || std::fs::File::create(&path);
    let summary = import(&site.ledger, clock(), input, open, Options { strict }, |_| {}).await?;
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    Ok(Done {
        summary,
        rejected: text.lines().map(str::to_owned).collect(),
    })
}

async fn imported(site: &Site, text: impl AsRef<[u8]>) -> Done {
    try_import(site, text.as_ref(), false).await.unwrap()
}

fn summary(read: u64, new: u64, repeated: u64, rejected: u64) -> Summary {
    Summary {
        read,
        new,
        repeated,
        conflicting: 0,
        rejected,
    }
}

fn row(id: &str) -> String {
    format!("{id},B1,H1,E1,2026-01-05T08:00:00+08:00,food,700,cam,C1,0.8,0.9")
}

/// As many bytes as a name may have.
fn long(nth: u32) -> String {
    format!("{nth:064}")
}

#[tokio::test]
async fn a_large_file_leaves_no_log_of_its_size() {
    let site = Site::new().await;
    let row = |nth| {
        let (id, household) = (long(nth), long(nth % 50));
        format!("{id},{id},{household},E1,2026-01-05T08:00:00+08:00,food,700,cam,C1,0.8,0.9\n")
    };
    let rows: Vec<String> = (0..100_000).map(row).collect();
    let text = format!("{HEADER}\n{}", rows.concat());
    let done = imported(&site, text).await;
    assert_eq!(done.summary, summary(100_000, 100_000, 0, 0));
    let stored = std::fs::metadata(site.dir.path().join("hemu.db")).unwrap().len();
    let log = site.ledger.log_bytes();
    assert!(log < LOG_BYTES * 3 / 2, "{log} bytes of log");
    assert!(
        stored > LOG_BYTES,
        "{stored} bytes in the file: too few to show anything"
    );
}

#[tokio::test]
async fn a_row_is_stored_as_it_stands() {
    let site = Site::new().await;
    let done = imported(&site, format!("{HEADER}\n{}\n", row("R1"))).await;
    assert_eq!(done.summary, summary(1, 1, 0, 0));
    assert!(done.rejected.is_empty());
    let day: Day = "2026-01-05".parse().unwrap();
    let found = site.ledger.deposits("H1", day, day).await.unwrap().remove(0);
    assert_eq!(
        (found.reading_id.as_deref(), found.bag.as_deref()),
        (Some("R1"), Some("B1"))
    );
    assert_eq!(found.device, "C1");
    let r = found.reading;
    assert_eq!(
        (r.at.get(), r.grams.get(), r.quality.get(), r.confidence.get()),
        (1_767_571_200_000, 700, 8_000, 900)
    );
    // Names that nobody had registered are there now.
    let household = site.ledger.household("H1").await.unwrap().unwrap();
    assert_eq!(household.estate.as_deref(), Some("E1"));
    assert_eq!(site.ledger.devices().await.unwrap()[0].id, "C1");
    assert_eq!(site.ledger.device_key("C1").await.unwrap(), None);
}

#[tokio::test]
async fn the_header_may_have_any_order_a_mark_and_more_columns() {
    let columns: Vec<&str> = HEADER.split(',').collect();
    let row = row("R1");
    let values: Vec<&str> = row.split(',').collect();
    let turned = |list: &[&str]| list.iter().rev().copied().collect::<Vec<_>>().join(",");
    let texts = [
        format!("{}\n{}\n", turned(&columns), turned(&values)),
        format!("\u{feff}{HEADER}\n{row}\n"),
        format!(
            "\u{feff}\"reading_id\"{}\r\n{row}\r\n",
            &HEADER["reading_id".len()..]
        ),
        format!("remark,{HEADER}\nhello,{row}\n"),
        format!("{}\n{row}", HEADER.replace(',', " , ")),
    ];
    for text in texts {
        let site = Site::new().await;
        let done = imported(&site, &text).await;
        assert_eq!(done.summary, summary(1, 1, 0, 0), "{text}");
        let day: Day = "2026-01-05".parse().unwrap();
        let found = site.ledger.deposits("H1", day, day).await.unwrap().remove(0);
        assert_eq!(
            (found.device.as_str(), found.reading.grams.get()),
            ("C1", 700),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_rejected_row_has_the_line_that_an_editor_shows() {
    let header = format!("{HEADER},remark");
    let [one, two] =
        [("R1", "-"), ("R3", "\"on two\nlines\"")].map(|(id, remark)| format!("{},{remark}", row(id)));
    for end in ["\n", "\r\n"] {
        for last in ["", end] {
            let lines = [&header, "", "x,y", &one, "", "", &two, "x,y"];
            let site = Site::new().await;
            let done = imported(&site, lines.join(end) + last).await;
            let number = |line: &String| line.split(',').next()?.parse().ok();
            let numbers: Vec<u64> = done.rejected.iter().filter_map(number).collect();
            assert_eq!(numbers, [3, 9], "{end:?} {last:?}: {:?}", done.rejected);
        }
    }
}

#[tokio::test]
async fn a_header_without_a_column_is_an_error_that_names_it() {
    for column in COLUMNS {
        let site = Site::new().await;
        let others: Vec<&str> = HEADER.split(',').filter(|name| *name != column).collect();
        let text = others.join(",");
        let error = try_import(&site, text.as_bytes(), false)
            .await
            .map(|_| ())
            .unwrap_err();
        assert!(
            error.to_string().contains(&format!("lacks the column {column};")),
            "{error}"
        );
    }
    let site = Site::new().await;
    assert!(matches!(
        try_import(&site, &b""[..], false).await,
        Err(Error::Header("reading_id"))
    ));
}

#[tokio::test]
async fn a_stream_that_breaks_is_an_error_and_importing_again_repeats_nothing() {
    struct Breaks(usize, Vec<u8>);
    impl Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0 == self.1.len() {
                return Err(std::io::Error::other("the cable"));
            }
            let n = buffer.len().min(self.1.len() - self.0);
            buffer[..n].copy_from_slice(&self.1[self.0..self.0 + n]);
            self.0 += n;
            Ok(n)
        }
    }
    let site = Site::new().await;
    let rows: Vec<String> = (0..6_000).map(|n| row(&format!("R{n}"))).collect();
    let text = format!("{HEADER}\n{}\n", rows.join("\n"));
    let broken = try_import(&site, Breaks(0, text.clone().into_bytes()), false).await;
    assert!(matches!(broken.map(|_| ()), Err(Error::Csv(_))));
    let done = imported(&site, text).await;
    assert_eq!(done.summary, summary(6_000, 1_000, 5_000, 0));
}

#[tokio::test]
async fn bad_rows_are_rejected_with_line_and_reason_and_the_others_stay() {
    let bad = [
        (row("").as_str().to_owned(), "reading_id:"),
        (row("R2").replace("food", "glass"), "stream:"),
        (row("R3").replace("700", "7.5"), "weight_g:"),
        (row("R3").replace("700", "200001"), "weight_g:"),
        (row("R3").replace("700", "-1"), "weight_g:"),
        (row("R3").replace("700", ""), "weight_g:"),
        (row("R4").replace("cam", "camera"), "source:"),
        (row("R5").replace("C1", "C 1"), "device:"),
        (row("R5").replace("C1", ""), "device:"),
        (row("R6").replace("0.8", "1.1"), "quality:"),
        (row("R6").replace("0.8", "NaN"), "quality:"),
        (row("R6").replace("0.8", ""), "quality:"),
        (row("R7").replace("0.9", "inf"), "confidence:"),
        (row("R7").replace("0.9", "-0.1"), "confidence:"),
        (
            row("R8").replace("2026-01-05T08:00:00+08:00", "2026-01-05"),
            "at:",
        ),
        (
            row("R8").replace("2026-01-05T08:00:00+08:00", "2026-01-05T08:00:00"),
            "at:",
        ),
        (row("R8").replace("2026-01-05T08:00:00+08:00", "-1"), "at:"),
        (
            row("R8").replace("2026-01-05T08:00:00+08:00", "9999999999999999"),
            "at:",
        ),
        (row("R9").replace("H1", &"h".repeat(65)), "household:"),
        (row("R9").replace("B1", "\"a\tb\""), "bag_id:"),
        (row(&"r".repeat(129)), "reading_id:"),
        ("R10,B1,H1".to_owned(), "expected 11 fields"),
        // A comma too many moves every value behind it.
        (format!("{},", row("R11")), "expected 11 fields"),
        (row("R12").replace("B1,H1", "B1,extra,H1"), "expected 11 fields"),
    ];
    let site = Site::new().await;
    let rows: Vec<String> = bad
        .iter()
        .enumerate()
        .flat_map(|(nth, (bad, _))| [bad.clone(), row(&format!("G{nth}"))])
        .collect();
    let done = imported(&site, format!("{HEADER}\n{}\n", rows.join("\n"))).await;
    let n = bad.len() as u64;
    assert_eq!(done.summary, summary(2 * n, n, 0, n));
    assert_eq!(done.rejected.len(), bad.len() + 1);
    assert_eq!(done.rejected[0], "line,reason,row");
    for (nth, (row, reason)) in bad.iter().enumerate() {
        let line = &done.rejected[nth + 1];
        let expected = format!("{},", 2 + 2 * nth);
        assert!(line.starts_with(&expected), "{row}: {line}");
        assert!(line.contains(reason), "{row}: {line}");
    }
}

#[tokio::test]
async fn a_row_that_is_not_utf8_is_rejected_and_the_import_goes_on() {
    let site = Site::new().await;
    let mut text = format!("{HEADER}\n{}\n", row("R1")).into_bytes();
    // A household in GBK.
    text.extend(b"R2,B1,\xba\xcd\xc4\xc0,E1,2026-01-05T08:00:00+08:00,food,700,cam,C1,0.8,0.9\n");
    text.extend(row("R3").as_bytes());
    let done = imported(&site, text).await;
    assert_eq!(done.summary, summary(3, 2, 0, 1));
    assert!(done.rejected[1].starts_with("3,") && done.rejected[1].contains("UTF-8"));
}

#[tokio::test]
async fn a_second_import_changes_nothing() {
    let site = Site::new().await;
    let text = format!("{HEADER}\n{}\n{}\n{}\n", row("R1"), row("R2"), row("R1"));
    assert_eq!(imported(&site, &text).await.summary, summary(3, 2, 1, 0));
    let before = site.ledger.progress().await.unwrap().counters;
    assert_eq!(imported(&site, &text).await.summary, summary(3, 0, 3, 0));
    let after = site.ledger.progress().await.unwrap().counters;
    assert_eq!((before.accepted, after.accepted), (2, 2));
    let day: Day = "2026-01-05".parse().unwrap();
    assert_eq!(site.ledger.deposits("H1", day, day).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_same_reading_with_other_content_is_never_scored() {
    let site = Site::new().await;
    imported(&site, format!("{HEADER}\n{}\n", row("R1"))).await;
    let other = row("R1").replace("0.8", "0.1");
    let done = imported(&site, format!("{HEADER}\n{other}\n")).await;
    let conflict = Summary {
        conflicting: 1,
        ..summary(1, 0, 0, 0)
    };
    assert_eq!(done.summary, conflict);
    assert!(
        done.rejected[1].starts_with("2,reading_id: ") && done.rejected[1].contains("other content"),
        "{:?}",
        done.rejected
    );
    let counters = site.ledger.progress().await.unwrap().counters;
    assert_eq!((counters.accepted, counters.conflicts), (1, 1));
    assert_eq!(
        site.ledger.quarantine(None, 9).await.unwrap()[0].reason,
        "conflict"
    );
}

#[tokio::test]
async fn a_conflict_is_named_by_its_line_wherever_it_stands_in_the_batch() {
    let site = Site::new().await;
    let of = |id: &str, device: &str, quality: &str| row(id).replace("C1", device).replace("0.8", quality);
    // Records are stored by device; the lines are the file's all the same.
    let mut rows = vec![
        of("R1", "C2", "0.8"),
        of("R2", "C1", "0.8"),
        "nonsense".to_owned(),
        of("R1", "C2", "0.3"),
        of("R2", "C1", "0.8"),
        of("R2", "C1", "0.4"),
    ];
    // More than is stored at once, the last of which contradicts the first.
    rows.extend((0..5_000).map(|n| of(&format!("S{n}"), "C1", "0.8")));
    rows.push(of("R1", "C0", "0.5"));
    let done = imported(&site, format!("{HEADER}\n{}\n", rows.join("\n"))).await;
    let expected = Summary {
        conflicting: 3,
        ..summary(5_007, 5_002, 1, 1)
    };
    assert_eq!(done.summary, expected);
    let lines: Vec<&str> = done.rejected[1..]
        .iter()
        .filter_map(|line| line.split(',').next())
        .collect();
    // What is judged is known last, in the journal's order.
    assert_eq!(lines, ["4", "7", "5", "5008"]);
}

#[tokio::test]
async fn a_device_s_exported_record_with_other_content_is_a_conflict() {
    let site = Site::new().await;
    let own = |quality: &str| {
        let row = row("C1:7:1").replace("0.8", quality);
        format!("{HEADER},boot,seq,received_at\n{row},7,1,2026-01-05T00:00:01Z\n")
    };
    assert_eq!(imported(&site, own("0.8")).await.summary, summary(1, 1, 0, 0));
    let done = imported(&site, own("0.7")).await;
    assert_eq!((done.summary.conflicting, done.summary.repeated), (1, 0));
    assert!(done.rejected[1].starts_with("2,"), "{:?}", done.rejected);
}

#[tokio::test]
async fn what_a_device_said_is_the_same_again_to_its_last_space() {
    let site = Site::new().await;
    let own = |household: &str| {
        let row = row("C1:7:1").replace(",H1,", &format!(",{household},"));
        format!("{HEADER},boot,seq,received_at\n{row},7,1,2026-01-05T00:00:01Z\n")
    };
    assert_eq!(imported(&site, own("H1 ")).await.summary, summary(1, 1, 0, 0));
    let again = imported(&site, own("H1 ")).await.summary;
    assert_eq!((again.conflicting, again.repeated), (0, 1));
    assert_eq!(imported(&site, own("H1")).await.summary.conflicting, 1);
}

#[tokio::test]
async fn strict_rejects_names_that_nobody_registered() {
    let site = Site::new().await;
    let text = format!(
        "{HEADER}\n{}\n{}\n{}\n{}\n",
        row("R1"),
        row("R2").replace("H1", "H2"),
        row("R3").replace("C1", "C2"),
        row("R4").replace("E1", "E2")
    );
    let done = try_import(&site, text.as_bytes(), true).await.unwrap();
    assert_eq!(done.summary, summary(4, 0, 0, 4));
    assert!(site.ledger.devices().await.unwrap().is_empty());
    assert_eq!(site.ledger.count_households(None).await.unwrap(), 0);

    let site = Site::new().await;
    imported(&site, format!("{HEADER}\n{}\n", row("R0"))).await;
    let done = try_import(&site, text.as_bytes(), true).await.unwrap();
    assert_eq!(done.summary, summary(4, 1, 0, 3));
    for (line, what) in done.rejected[1..]
        .iter()
        .zip(["household: ", "device: ", "estate: "])
    {
        assert!(line.contains(what), "{line}");
    }
}

#[tokio::test]
async fn a_registered_household_stays_where_it_is() {
    let site = Site::new().await;
    site.ledger.ensure_estate("HOME").await.unwrap();
    let home = Household {
        token: "H1".into(),
        estate: Some("HOME".into()),
        building: Some("7".into()),
        unit: None,
        door: None,
        residents: None,
        station: None,
        created_at: 1,
    };
    site.ledger
        .put_households(std::slice::from_ref(&home))
        .await
        .unwrap();
    imported(&site, format!("{HEADER}\n{}\n", row("R1"))).await;
    assert_eq!(site.ledger.household("H1").await.unwrap(), Some(home));
}

#[tokio::test]
async fn rows_may_leave_household_bag_and_confidence_out() {
    let site = Site::new().await;
    let text = format!("{HEADER}\nR1,,,,1767571200000,food,700,insp,I1,0.8,\n");
    assert_eq!(imported(&site, text).await.summary, summary(1, 1, 0, 0));
    let day: Day = "2026-01-05".parse().unwrap();
    let tally = site.ledger.day_tally(day, None).await.unwrap();
    assert_eq!((tally.deposits, tally.attributed, tally.inspected), (1, 0, 1));
}

#[tokio::test]
async fn confidence_of_four_decimals_goes_to_the_nearest_thousandth_as_the_oracle_rounds() {
    let site = Site::new().await;
    let rows: Vec<String> = (0..=10_000u32)
        .map(|n| {
            let decimals = format!("{}.{:04}", n / 10_000, n % 10_000);
            format!(
                "R{n:05},,H1,,{},food,700,cam,C1,{decimals},{decimals}",
                1_767_571_200_000u64 + u64::from(n)
            )
        })
        .collect();
    let done = imported(&site, format!("{HEADER}\n{}\n", rows.join("\n"))).await;
    assert_eq!(done.summary, summary(10_001, 10_001, 0, 0));
    let day: Day = "2026-01-05".parse().unwrap();
    let found = site.ledger.deposits("H1", day, day).await.unwrap();
    for (n, deposit) in (0..=10_000u32).zip(&found) {
        let (whole, rest) = (n / 10, n % 10);
        // The oracle's `round(float(c) * 1000)`: halves go to even where the product is a half, which it often is not.
        let product = f64::from(n) / 10_000.0 * 1_000.0;
        let up = match rest {
            5 if (product.fract() - 0.5).abs() < f64::EPSILON => whole % 2 == 1,
            5 => product.fract() > 0.5,
            _ => rest > 5,
        };
        assert_eq!(
            u32::from(deposit.reading.confidence.get()),
            whole + u32::from(up),
            "{n}"
        );
        assert_eq!(u32::from(deposit.reading.quality.get()), n);
    }
    let confidence = |n: usize| found[n].reading.confidence.get();
    assert_eq!(
        [5, 15, 8_765, 8_775, 5_015].map(confidence),
        [0, 2, 876, 878, 501]
    );
}
