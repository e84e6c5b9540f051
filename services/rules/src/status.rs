//! The places on a list, as words, and what of a place passes from edition to edition.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::UnknownWord;

/// A household's place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Praise.
    Red,
    /// Needs help.
    Black,
    /// Rated, and neither.
    Grey,
    /// Too little evidence for any word.
    #[default]
    Unrated,
}

impl Status {
    pub const ALL: [Self; 4] = [Self::Red, Self::Black, Self::Grey, Self::Unrated];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Red => "RED",
            Self::Black => "BLACK",
            Self::Grey => "GREY",
            Self::Unrated => "UNRATED",
        }
    }

    /// The number a store keeps: the position in [`Status::ALL`].
    pub const fn code(self) -> u8 {
        self as u8
    }

    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }

    /// What may be shown: nobody is black while an objection of theirs is open.
    #[must_use]
    pub const fn shown(self, appeal_open: bool) -> Self {
        match self {
            Self::Black if appeal_open => Self::Grey,
            status => status,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Status {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| UnknownWord {
            expected: "RED, BLACK, GREY, UNRATED",
            got: text.chars().take(32).collect(),
        })
    }
}

/// What passes from one edition to the next; a household that was in none has the default. A person who lifts a
/// black name stores the default too: two editions and a notice are needed again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub status: Status,
    /// Editions in a row that hit.
    pub hits: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_appeal_hides_black_and_nothing_else() {
        let shown = Status::ALL.map(|status| status.shown(true));
        assert_eq!(shown, [Status::Red, Status::Grey, Status::Grey, Status::Unrated]);
        assert_eq!(Status::ALL.map(|status| status.shown(false)), Status::ALL);
    }

    #[test]
    fn words_and_codes_lead_back() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse::<Status>().unwrap(), status);
            assert_eq!(Status::from_code(status.code().into()), Some(status));
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{status}\""));
        }
        assert_eq!(
            "red".parse::<Status>().unwrap_err().to_string(),
            "expected one of RED, BLACK, GREY, UNRATED, came \"red\""
        );
    }
}
