//! Whoever owns the database and goes around its triggers: changed, taken away, added, swapped or cut off, in the journal
//! and in what acts left, and the first bad row that is named.

use hemu_ledger::acts::Act;

use crate::chain::verdict;
use crate::editions::village;
use crate::site::{NOW, Site, person, run};

/// Two batches of readings, and four of acts from the third on; the head is noted outside.
async fn decided() -> Site {
    let site = village().await;
    for nth in 0..4 {
        let token = ["BAD", "FINE", "NEW"][nth % 3].to_owned();
        let act = if nth == 3 {
            Act::RedOptOut { token }
        } else {
            Act::RedOptIn { token }
        };
        site.ledger.act(&person("p1"), NOW, act).await.unwrap();
    }
    site.fold().await;
    assert_eq!(site.ledger.anchor(NOW).await.unwrap().unwrap().position, 6);
    assert!(
        site.ledger.anchor(NOW).await.unwrap().is_none(),
        "one line a head"
    );
    site
}

const UNLOCK: &str = "drop trigger journal_is_append_only; drop trigger journal_keeps_everything";

#[tokio::test]
async fn five_of_five_ways_to_change_the_journal_are_found_and_the_first_bad_batch_is_named() {
    let swap = "update journal set position = -1 where position = 4;
         update journal set position = 4 where position = 5;
         update journal set position = 5 where position = -1";
    for (sql, first_bad) in [
        (
            "update journal set body = replace(body, 'red', 'bad') where position = 4",
            4,
        ),
        ("delete from journal where position = 4", 5),
        (
            "insert into journal select 7, at, records, hash, body from journal where position = 6",
            7,
        ),
        (swap, 4),
        ("delete from journal where position > 4", 5),
    ] {
        let site = decided().await;
        let mut truth = site.truth().await;
        run(&mut truth, UNLOCK).await;
        run(&mut truth, sql).await;
        let (position, what) = verdict(&site.ledger).await.expect_err(sql);
        assert_eq!(position, first_bad, "{sql}: {what}");
    }
}

#[tokio::test]
async fn an_end_that_was_cut_off_with_everything_folded_from_it_is_missed_by_the_note_outside() {
    let site = decided().await;
    if site.folder().is_shared() {
        return;
    }
    let mut truth = site.truth().await;
    run(&mut truth, UNLOCK).await;
    run(&mut truth, "delete from journal where position > 4").await;
    // Nothing in the folder's databases remembers any more.
    let (site, _) = site.rebuilt().await;
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    let (position, what) = verdict(&site.ledger).await.unwrap_err();
    assert!(
        position == 5 && what.contains("cut off") && what.contains("batch 6"),
        "{position}: {what}"
    );
    // Nor does it help to go on from there with other acts: the chain was another one when its head was noted.
    for token in ["NEW", "FINE", "BAD"] {
        let act = Act::CardLost {
            token: token.into(),
            since: NOW,
        };
        site.ledger.act(&person("p1"), NOW, act).await.unwrap();
    }
    let (position, what) = verdict(&site.ledger).await.unwrap_err();
    assert!(
        position == 6 && what.contains("computed anew"),
        "{position}: {what}"
    );
}

#[tokio::test]
async fn what_acts_left_is_compared_with_the_acts_row_by_row() {
    for (sql, named) in [
        (
            "update act set actor = 'p9' where position = 4",
            "table act (batch 6): stored position=4 ",
        ),
        ("delete from act where position = 4", "table act"),
        (
            "insert into act select 5, 9, at, actor, kind, edition, token, body from act where position = 5",
            "table act",
        ),
        ("update act set position = 40 where position = 4", "table act"),
        ("delete from act where position > 4", "table act"),
        ("delete from red_opt_in", "table red_opt_in"),
        ("insert into erased values ('FINE', 4, 0)", "table erased"),
    ] {
        let site = decided().await;
        run(&mut site.truth().await, sql).await;
        let difference = site.ledger.verify_projections(|_| ()).await.unwrap();
        assert!(
            difference.as_ref().is_some_and(|found| found.contains(named)),
            "{sql}: {difference:?}"
        );
    }
}
