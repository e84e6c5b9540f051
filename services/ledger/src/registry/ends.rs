//! By how much of its end a household's token is told from every other: what others see of one must not be another's too.

use std::collections::HashMap;

use hemu_rules::Status;

use crate::acts::EditionId;
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// Characters of a token's end that are shown where one household need not be told from every other.
const SHOWN: usize = 4;

/// How many characters of a token may be shown to others at most: half of them.
fn most(token: &str) -> usize {
    token.chars().count() / 2
}

/// How many are shown where one household need not be told from every other.
pub fn shown(token: &str) -> usize {
    SHOWN.min(most(token))
}

/// Of the households on an edition's lists, how many characters of the end tell each from every other registered one.
#[derive(Debug, Clone, Default)]
pub struct Ends(HashMap<String, usize>);

impl Ends {
    /// Of some tokens among all that are registered.
    fn among(registered: impl IntoIterator<Item = String>, tokens: Vec<String>) -> Self {
        let backwards = |token: &str| token.chars().rev().collect::<String>();
        let mut all: Vec<String> = registered.into_iter().map(|token| backwards(&token)).collect();
        // Those that share most of their ends are neighbours.
        all.sort_unstable();
        let needed = |token: &str| {
            let own = backwards(token);
            let place = all.partition_point(|other| *other < own);
            let before = place.checked_sub(1).and_then(|place| all.get(place));
            let after = all.iter().skip(place).find(|other| **other != own);
            let neighbours = before.into_iter().chain(after);
            neighbours.map(|other| common(&own, other) + 1).max().unwrap_or(1)
        };
        let with_needed = |token: String| {
            let needed = needed(&token);
            (token, needed)
        };
        Self(tokens.into_iter().map(with_needed).collect())
    }

    /// Whether some of a token's end, but no more than half of the token, is no other household's.
    pub fn tells(&self, token: &str) -> bool {
        self.needed(token) <= most(token)
    }

    /// How many characters of a token's end are shown to everybody.
    pub fn shown(&self, token: &str) -> usize {
        self.needed(token).max(SHOWN).min(most(token))
    }

    fn needed(&self, token: &str) -> usize {
        self.0.get(token).copied().unwrap_or(SHOWN)
    }
}

/// How many characters two texts begin with alike.
fn common(one: &str, other: &str) -> usize {
    let pairs = one.chars().zip(other.chars());
    pairs.take_while(|(one, other)| one == other).count()
}

impl Ledger {
    /// Of everybody whom the rule has on a list of an edition. It reads every registered token.
    pub async fn ends(&self, edition: EditionId) -> Result<Ends> {
        let listed: Vec<String> =
            db::query_scalar("select token from place where edition = ? and status in (?, ?)")
                .bind(edition.cast_signed())
                .bind(Status::Red.code())
                .bind(Status::Black.code())
                .fetch_all(&self.truth)
                .await
                .of(&self.folder().truth())?;
        let registered = self.tokens().await?;
        // A city's are sorted for longer than anybody else is to wait.
        let ends = tokio::task::spawn_blocking(move || Ends::among(registered, listed)).await;
        ends.map_err(|_| sqlx::Error::WorkerCrashed)
            .of(&self.folder().truth())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends_of(tokens: &[&str]) -> Ends {
        let owned = || tokens.iter().map(|token| (*token).to_owned());
        Ends::among(owned(), owned().collect())
    }

    #[test]
    fn as_much_of_the_end_is_shown_as_tells_a_household_from_every_other() {
        let ends = ends_of(&["hx00a1b24f2a", "hx00a1b94f2a", "hx00ffffffff", "和睦新村十二幢乙"]);
        assert_eq!(ends.shown("hx00a1b24f2a"), 5);
        assert_eq!(ends.shown("hx00ffffffff"), 4);
        assert_eq!(ends.shown("和睦新村十二幢乙"), 4);
        assert!(ends.tells("hx00a1b24f2a") && ends.tells("和睦新村十二幢乙"));
    }

    #[test]
    fn whoever_shares_half_of_the_token_with_another_cannot_be_told_apart() {
        let ends = ends_of(&["12-1-301", "14-1-301", "9-2-502"]);
        assert!(!ends.tells("12-1-301") && !ends.tells("14-1-301"));
        assert_eq!(ends.shown("12-1-301"), 4);
        assert!(ends.tells("9-2-502"));
        // One that is the end of another is in it whole.
        assert!(!ends_of(&["0012", "90012"]).tells("0012"));
    }

    #[test]
    fn a_short_token_shows_half_of_itself() {
        assert_eq!(["", "a", "abcd", "abcdefghij"].map(shown), [0, 0, 2, 4]);
    }
}
