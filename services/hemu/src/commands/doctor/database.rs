//! A database that nodes share: how hard it holds on to what it was told, and what is left of that when it is lost.

use hemu_ledger::health::Database;

use super::Finding;
use crate::words::Words;

pub(super) fn holds_on(database: &Database, words: &Words) -> [Finding; 2] {
    [keeps(database, words), is_followed(database, words)]
}

/// Through a loss of power.
fn keeps(database: &Database, words: &Words) -> Finding {
    let found = &database.synchronous_commit;
    let trouble = match database.off.first() {
        Some(setting) => Some(words.say("database-forgets", &[("setting", setting)])),
        None if found != "on" => Some(words.say("database-unsure", &[("found", found)])),
        None => None,
    };
    (words.say("check-database", &[]), trouble)
}

/// Through a loss of its disk. That it has no standby is no fault: a site in files has none either.
fn is_followed(database: &Database, words: &Words) -> Finding {
    let standbys = database.standbys;
    let trouble = match (database.waits, database.synchronous) {
        (false, _) if standbys > 0 => Some(words.say("standby-not-waited-for", &[("standbys", &standbys)])),
        (true, Some(0)) => Some(words.say("standby-away", &[])),
        (true, None) if standbys == 0 => Some(words.say("standby-away", &[])),
        _ => None,
    };
    let has_none = !database.waits && standbys == 0;
    let what = if has_none {
        words.say("check-no-standby", &[])
    } else {
        words.say("check-standby", &[])
    };
    (what, trouble)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    #[test]
    fn a_standby_that_nobody_waits_for_and_one_that_is_away_are_found() {
        let words = Words::new(Language::English);
        let told = |waits, standbys, synchronous| {
            let database = Database {
                off: Vec::new(),
                synchronous_commit: "on".into(),
                waits,
                standbys,
                synchronous,
            };
            let [kept, followed] = holds_on(&database, &words);
            assert_eq!(kept.1, None);
            followed
        };
        let none = told(false, 0, Some(0));
        assert!(none.0.contains("no standby") && none.1.is_none(), "{none:?}");
        for (standbys, synchronous) in [(1, Some(1)), (2, Some(1)), (1, None)] {
            let followed = told(true, standbys, synchronous);
            assert_eq!(followed.1, None, "{followed:?}");
        }
        let trouble = |waits, standbys, synchronous| told(waits, standbys, synchronous).1.unwrap_or_default();
        assert!(trouble(false, 2, Some(0)).contains("synchronous_standby_names"));
        assert!(trouble(false, 1, None).contains("synchronous_standby_names"));
        for (standbys, synchronous) in [(0, Some(0)), (1, Some(0)), (0, None)] {
            let away = trouble(true, standbys, synchronous);
            assert!(away.contains("nothing is acknowledged"), "{away}");
        }
    }

    #[test]
    fn a_database_that_may_forget_is_found() {
        let words = Words::new(Language::English);
        let trouble = |off: &[&'static str], synchronous_commit: &str| {
            let database = Database {
                off: off.to_vec(),
                synchronous_commit: synchronous_commit.into(),
                waits: false,
                standbys: 0,
                synchronous: Some(0),
            };
            let [kept, _] = holds_on(&database, &words);
            kept.1.unwrap_or_default()
        };
        assert_eq!(trouble(&[], "on"), "");
        assert!(trouble(&["fsync"], "on").contains("fsync = on"));
        assert!(trouble(&["full_page_writes"], "on").contains("full_page_writes = on"));
        assert!(trouble(&[], "local").contains("local"));
    }
}
