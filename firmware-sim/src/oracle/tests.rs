use super::*;
use crate::reading::{Code, Stream};

const HEADER: &str = "reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence,boot,seq,received_at";

fn deposit(n: u64) -> Deposit {
    Deposit {
        household: if n.is_multiple_of(3) {
            None
        } else {
            Some(Code::new("hx", n, 10))
        },
        bag: Code::new("b", n, 7),
        stream: Stream::Food,
        weight_g: 500 + n as u32,
        quality_bp: 8_050,
        confidence_pm: 900,
        by: By::Camera,
    }
}

const AT: i64 = 1_750_000_000_123;

/// Ten acknowledged, one only sent, one broken.
fn oracle() -> Oracle {
    let mut log = Vec::new();
    for n in 1..=12 {
        let fate = if n == 11 {
            Fate::Sent
        } else if n == 12 {
            Fate::Garbage
        } else {
            Fate::Acked
        };
        log_line(&mut log, fate, "st01", 7, n, content(AT, &deposit(n)));
    }
    log.extend_from_slice(b"acked st01 7 13 00");
    Oracle::read(&log[..]).unwrap()
}

fn row(n: u64) -> String {
    let d = deposit(n);
    let household = d.household.map_or_else(String::new, |h| h.to_string());
    let at = if n.is_multiple_of(2) {
        AT.to_string()
    } else {
        "2025-06-15T15:06:40.123Z".to_owned()
    };
    let quality = if n.is_multiple_of(2) { "0.805" } else { "0.8050" };
    format!(
        "r{n},{},{household},e,{at},food,{},cam,st01,{quality},0.9,7,{n},{AT}",
        d.bag, d.weight_g
    )
}

fn check(rows: &[String]) -> Verdict {
    oracle()
        .check(format!("{HEADER}\n{}\n", rows.join("\n")).as_bytes())
        .unwrap()
}

fn rows(numbers: impl Iterator<Item = u64>) -> Vec<String> {
    numbers.map(row).collect()
}

#[test]
fn an_honest_export_passes_with_or_without_the_unacknowledged_record() {
    let verdict = check(&rows(1..=10));
    assert!(verdict.ok(), "{verdict:?}");
    assert_eq!((verdict.acked, verdict.rows), (10, 10));
    assert!(check(&rows(1..=11)).ok());
}

#[test]
fn a_lost_row_is_caught() {
    let verdict = check(&rows((1..=10).filter(|n| *n != 4)));
    assert_eq!((verdict.missing, verdict.ok()), (1, false));
    assert_eq!(verdict.examples, ["lost: st01 7 4 was acknowledged"]);
}

#[test]
fn a_doubled_row_is_caught() {
    let verdict = check(&rows((1..=10).chain([4])));
    assert_eq!((verdict.doubled, verdict.ok()), (1, false));
}

#[test]
fn a_change_of_any_field_is_caught() {
    let changes = [
        (",500,", ",501,"),
        ("food", "residual"),
        (",cam,", ",insp,"),
        (",0.805,", ",0.8051,"),
        (",0.9,", ",0.91,"),
        ("1750000000123,food", "1750000000124,food"),
        (",hx0000000002,", ",hx0000000003,"),
        ("b0000002", "b0000009"),
    ];
    for (from, to) in changes {
        let mut rows = rows(1..=10);
        let from = if from == ",500," { ",502," } else { from };
        assert!(rows[1].contains(from), "{} lacks {from}", rows[1]);
        rows[1] = rows[1].replacen(from, to, 1);
        let verdict = check(&rows);
        assert_eq!((verdict.changed, verdict.ok()), (1, false), "{from} -> {to}");
    }
}

#[test]
fn an_invented_row_and_a_stored_broken_record_are_caught_but_other_devices_are_not_ours() {
    let invented = row(10).replace(",7,10,", ",7,99,");
    let other = row(10).replace("st01", "st02");
    let mut all = rows(1..=10);
    all.extend([invented, row(12), other]);
    let verdict = check(&all);
    assert_eq!((verdict.unsent, verdict.garbage, verdict.foreign), (1, 1, 1));
}

#[test]
fn an_export_without_identity_columns_is_refused_by_name() {
    let error = oracle().check("reading_id,bag_id\n".as_bytes()).unwrap_err();
    assert!(error.to_string().contains("column household"), "{error}");
}

#[test]
fn a_log_that_contradicts_itself_is_refused() {
    let mut log = Vec::new();
    log_line(&mut log, Fate::Acked, "a", 1, 1, 5);
    log_line(&mut log, Fate::Acked, "a", 1, 1, 6);
    assert!(matches!(
        Oracle::read(&log[..]),
        Err(OracleError::Contradiction { line: 2, .. })
    ));
}

#[test]
fn decimals_are_compared_exactly() {
    assert_eq!(scaled("0.8", 4), Some(8_000));
    assert_eq!(scaled("1", 3), Some(1_000));
    assert_eq!(scaled("0.80500", 4), Some(8_050));
    assert_eq!(scaled("0.80501", 4), None);
    assert_eq!(scaled("", 4), None);
}
