//! The only way to print a person: what is left of a token, a door, an address.
//!
//! Pure. Whoever shows a household somewhere other than on its own page goes through here.

use hemu_ledger::registry::{Household, shown};

/// A household in a list of deposits: `···4f2a`. At most half of a short token is shown.
pub(crate) fn token(token: &str) -> String {
    end(token, shown(token))
}

/// So many characters of a token's end.
pub(crate) fn end(token: &str, shown: usize) -> String {
    let hidden = token.chars().count().saturating_sub(shown);
    format!("···{}", token.chars().skip(hidden).collect::<String>())
}

/// A door without its last character: `30*`.
pub(crate) fn door(door: &str) -> String {
    let kept = door.chars().count().saturating_sub(1);
    format!("{}*", door.chars().take(kept).collect::<String>())
}

/// Where a household lives, as people say it: `12幢1单元 30*`. What is not registered is left out.
pub(crate) fn label(household: &Household) -> String {
    let place = place(household.building.as_deref(), household.unit.as_deref());
    let parts = [Some(place), household.door.as_deref().map(door)];
    parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The same with the door, for what is put into a letter box and for whoever may see doors.
pub(crate) fn address(household: &Household) -> String {
    let place = place(household.building.as_deref(), household.unit.as_deref());
    let parts = [Some(place.as_str()), household.door.as_deref()];
    let parts: Vec<_> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

/// A building, or a unit of it: `12幢1单元`.
pub(crate) fn place(building: Option<&str>, unit: Option<&str>) -> String {
    let building = building.map(|name| numbered(name, "幢"));
    let unit = unit.map(|name| numbered(name, "单元"));
    [building, unit].into_iter().flatten().collect()
}

/// A number gets its counting word; a name that ends in a word of its own stays.
fn numbered(name: &str, word: &str) -> String {
    let bare = name
        .chars()
        .last()
        .is_some_and(|last| last.is_ascii_alphanumeric());
    if bare {
        format!("{name}{word}")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_shows_four_characters_and_never_more_than_half() {
        let cases = [
            ("hx00a1b24f2a", "···4f2a"),
            ("abcdefgh", "···efgh"),
            ("abcd", "···cd"),
            ("a", "···"),
            ("", "···"),
        ];
        for (whole, masked) in cases {
            assert_eq!(token(whole), masked, "{whole}");
        }
        assert_eq!(token("和睦和睦新村十二"), "···新村十二");
    }

    #[test]
    fn a_door_hides_which_one_of_the_floor() {
        assert_eq!(["301", "5", "", "西302"].map(door), ["30*", "*", "*", "西30*"]);
    }

    #[test]
    fn labels_are_written_as_people_say_them() {
        let of = |building: Option<&str>, unit: Option<&str>, door: Option<&str>| {
            label(&Household {
                token: "t".into(),
                estate: None,
                building: building.map(str::to_owned),
                unit: unit.map(str::to_owned),
                door: door.map(str::to_owned),
                residents: None,
                station: None,
                created_at: 0,
            })
        };
        assert_eq!(of(Some("12"), Some("1"), Some("301")), "12幢1单元 30*");
        assert_eq!(of(Some("12幢"), Some("1"), Some("301")), "12幢1单元 30*");
        assert_eq!(of(Some("12"), None, None), "12幢");
        assert_eq!(of(None, None, Some("301")), "30*");
        assert_eq!(of(None, None, None), "");
    }
}
