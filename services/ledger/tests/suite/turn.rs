//! Who wants to be alone with the journal waits in order, and keeps nobody from reading.

use std::sync::Arc;
use std::time::Duration;

use hemu_ledger::Ledger;
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

/// Looks at the log, each after so many acts.
const LOOKS: u64 = 10;
const ACTS_A_LOOK: u64 = 40;

#[tokio::test]
async fn the_log_starts_again_though_people_decide_without_a_pause() {
    let site = Site::new().await;
    if site.folder().is_shared() {
        // PostgreSQL keeps its own log.
        return;
    }
    let tokens: Vec<String> = (0..PEOPLE).map(|nth| format!("H{nth:02}")).collect();
    register(&site, &tokens.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (done, mut seen) = tokio::sync::watch::channel(0);
    let done = Arc::new(done);
    let deciding: Vec<_> = tokens
        .into_iter()
        .map(|token| tokio::spawn(decide(site.ledger.clone(), token, Arc::clone(&done))))
        .collect();
    let mut pages = Vec::new();
    for look in 1..=LOOKS {
        seen.wait_for(|acts| *acts >= look * ACTS_A_LOOK).await.unwrap();
        pages.push(site.ledger.checkpoint().await.unwrap());
    }
    let acts = *seen.borrow();
    deciding.iter().for_each(tokio::task::JoinHandle::abort);
    // Had it never started again, it would hold all that was ever written.
    let all = pages[0] * acts / ACTS_A_LOOK;
    assert!(pages.iter().all(|pages| pages * 2 < all), "{pages:?} of {all}");
}

/// Decides something again and again.
async fn decide(ledger: Ledger, token: String, done: Arc<tokio::sync::watch::Sender<u64>>) {
    for before in 0.. {
        let lost = Act::CardLost {
            token: token.clone(),
            since: NOW - before,
        };
        ledger.act(&person("p1"), NOW, lost).await.unwrap();
        done.send_modify(|acts| *acts += 1);
    }
}
