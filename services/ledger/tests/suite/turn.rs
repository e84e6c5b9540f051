//! Who wants to be alone with the journal waits in order, and keeps nobody from reading.

use std::time::Duration;

use hemu_ledger::acts::Act;

use crate::raw::{Raw, run};
use crate::site::{NOW, Site, person, register};

/// More than there are connections.
const PEOPLE: usize = 20;

#[tokio::test]
async fn people_who_wait_to_be_alone_with_the_journal_keep_no_reader_from_reading() {
    let site = Site::new().await;
    let tokens: Vec<String> = (0..PEOPLE).map(|nth| format!("H{nth:02}")).collect();
    register(&site, &tokens.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut held = site.truth().await;
    let alone = match held {
        Raw::Sqlite(_) => "begin immediate",
        Raw::Postgres(_) => "begin; lock table journal in share row exclusive mode",
    };
    run(&mut held, alone).await;
    let acts: Vec<_> = tokens
        .into_iter()
        .map(|token| {
            let ledger = site.ledger.clone();
            let lost = Act::CardLost { token, since: NOW };
            tokio::spawn(async move { ledger.act(&person("p1"), NOW, lost).await })
        })
        .collect();
    for _ in 0..PEOPLE {
        tokio::task::yield_now().await;
    }
    let read = tokio::time::timeout(Duration::from_secs(10), site.ledger.household("H07"));
    let read = read.await.expect("a reader has a connection").unwrap();
    assert!(read.is_some() && acts.iter().all(|act| !act.is_finished()));
    run(&mut held, "rollback").await;
    for act in acts {
        act.await.unwrap().unwrap();
    }
}
