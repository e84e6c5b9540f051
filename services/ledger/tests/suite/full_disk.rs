//! What a full disk does to SQLite: it ends a transaction by itself, in the middle of a statement, and whoever rolls it back
//! afterwards finds none. A trigger does the same here. When there is space again, everything goes on where it was, without
//! a restart.

use crate::raw::Raw;
use crate::register::home;
use crate::replay::unfolded;
use crate::site::{Site, fold, run};

/// Makes inserts into a table of a file fail as they do without space; nothing to do in a database of another kind.
async fn fill(file: &mut Raw, table: &str) -> bool {
    if file.file().is_none() {
        return false;
    }
    let trigger = format!(
        "create trigger no_space after insert on {table} begin select raise(rollback, 'database or disk is full'); end"
    );
    run(file, &trigger).await;
    true
}

#[tokio::test]
async fn folding_goes_on_when_there_is_space_again() {
    let (site, expected) = unfolded().await;
    let (mut projector, _lock) = site.ledger.projector().await.unwrap();
    let mut file = site.projections().await;
    if !fill(&mut file, "reading").await {
        return;
    }
    assert!(projector.step().await.is_err());
    assert_eq!(projector.applied(), 0);
    run(&mut file, "drop trigger no_space").await;
    // Then a failure of another kind, after which the transaction is still there to be rolled back.
    run(&mut file, "alter table quarantine rename to gone").await;
    assert!(projector.step().await.is_err());
    run(&mut file, "alter table gone rename to quarantine").await;
    fold(&mut projector).await;
    // Not only the projector sees it: everybody does.
    let applied = site.ledger.progress().await.unwrap().applied;
    assert_eq!(applied, projector.applied());
    assert_eq!(site.everything().await, expected);
}

#[tokio::test]
async fn people_write_again_when_there_is_space_again() {
    let site = Site::new().await;
    let mut file = site.truth().await;
    if !fill(&mut file, "household").await {
        return;
    }
    // More than there are connections.
    for nth in 0..12 {
        let refused = site
            .ledger
            .put_households(&[home(&format!("hh-{nth:04}"), "12")])
            .await;
        assert!(refused.is_err());
    }
    run(&mut file, "drop trigger no_space").await;
    for nth in 0..12 {
        site.ledger
            .put_households(&[home(&format!("hh-{nth:04}"), "12")])
            .await
            .unwrap();
    }
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}
