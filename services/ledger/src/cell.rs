//! Text of people in a CSV cell: a spreadsheet takes what begins like a formula for one, and would run it. Pure.

use std::borrow::Cow;

/// What a formula can begin with.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A text as a cell may hold it: with an apostrophe before what would be a formula, and before what has one already, so that
/// one can be taken away again.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if is_formula(text) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// The text of such a cell.
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_like_a_formula_and_every_text_comes_back() {
        let payloads = [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "=cmd|' /C calc'!A0",
            "-2+3+cmd|' /C calc'!A0",
            "=HYPERLINK(\"http://x\")",
            "",
            "H01",
            "12-1-301",
            "'quoted",
            "'",
            "'=",
            "''-1",
            "'''a",
            "1=1",
            "和睦",
        ];
        for text in payloads {
            let cell = guarded(text);
            assert!(!cell.starts_with(FORMULA), "{text:?}");
            assert_eq!(unguarded(&cell), text);
        }
    }
}
