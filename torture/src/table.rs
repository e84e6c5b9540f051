//! Reports as a page for people. Must not: decide whether something was missed; that is in the reports.

use std::fmt::Write as _;

use serde_json::Value;

const HEAD: &str = "# Torture

What `scripts/torture` found, the real server under faults and its files read by an oracle of its own
([`torture`](../torture/README.md) says how). The reports behind it are in `docs/torture/`, one a run; each names its seed
and commit. A run with a sabotage has to fail: the column says which line of the verdict turned red.

| scenario | front, store | commit, seed | n | faults | acknowledged | lost | doubled | p99 ms | figures | s | |
|---|---|---|---|---|---|---|---|---|---|---|---|
";

/// The page: a row a report, in the order given.
pub fn page(reports: &[Value]) -> String {
    let mut page = HEAD.to_owned();
    for report in reports {
        let text = |name: &str| report[name].as_str().unwrap_or_default();
        let number = |name: &str| report[name].as_f64().unwrap_or_default();
        // Writing to memory cannot fail.
        let _ = writeln!(
            page,
            "| {}{} | {}, {} | {} {} | {} | {} | {} | {} | {} | {} | {} | {:.0} | {} |",
            text("scenario"),
            report["sabotage"]
                .as_str()
                .map_or(String::new(), |sabotage| format!(" ({sabotage})")),
            text("broker"),
            text("db"),
            text("git"),
            number("seed"),
            number("n"),
            pairs(&report["faults"]),
            number("acked"),
            number("lost"),
            number("doubled"),
            number("p99_ms"),
            pairs(&report["figures"]),
            number("seconds"),
            word(report),
        );
    }
    page
}

/// What came of it, in a word or two.
fn word(report: &Value) -> String {
    if let Some(why) = report["skipped"].as_str() {
        return format!("skipped: {why}");
    }
    match (report["sabotage"].as_str(), report["ok"].as_bool()) {
        (None, Some(true)) => "held".to_owned(),
        (Some(_), Some(false)) => {
            let lines = [
                "lost",
                "doubled",
                "changed",
                "unsent",
                "unstored",
                "misjudged",
                "evidence",
            ];
            let red = lines
                .iter()
                .filter(|line| report["verdict"][**line].as_u64().unwrap_or(0) > 0);
            format!("caught: {}", red.copied().collect::<Vec<_>>().join(", "))
        }
        (Some(_), _) => "**not caught**".to_owned(),
        (None, _) => "**missed**".to_owned(),
    }
}

/// `name 3, other 4`; what is zero is left out.
fn pairs(object: &Value) -> String {
    let entries = object.as_object().into_iter().flatten();
    let counted = entries.filter(|(_, count)| count.as_f64().is_some_and(|count| count != 0.0));
    counted
        .map(|(name, count)| format!("{} {count}", name.replace('_', " ")))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_says_what_held_what_was_missed_and_what_was_caught() {
        let of = |sabotage: Option<&str>, ok: bool| json!({"sabotage": sabotage, "ok": ok, "verdict": {"lost": 3}});
        let words = [
            (None, true),
            (None, false),
            (Some("skip-mac"), false),
            (Some("skip-mac"), true),
        ];
        let words = words.map(|(sabotage, ok)| word(&of(sabotage, ok)));
        assert_eq!(words, ["held", "**missed**", "caught: lost", "**not caught**"]);
        let row = page(&[json!({"scenario": "kill9", "faults": {"server_kills": 20, "delays": 0}})]);
        assert!(
            row.contains("| kill9 |") && row.contains("| server kills 20 |"),
            "{row}"
        );
    }
}
