//! What is sealed, in copies of the truth that are put back.

use hemu_ledger::acts::EditionQuery;

use super::*;
use crate::site::act;

/// A copy of the truth in a folder of its own.
async fn restored(from: &Folder, with_key: bool, into: &Folder) -> hemu_ledger::Restored {
    let snapshot = if with_key {
        Snapshot::take_with_key(from, |_, _| ()).await.unwrap()
    } else {
        Snapshot::take(from, |_, _| ()).await.unwrap()
    };
    put(snapshot.path(), into).await
}

async fn put(copy: &Path, into: &Folder) -> hemu_ledger::Restored {
    let restore = Restore::begin(into, true).await.unwrap();
    std::io::copy(
        &mut std::fs::File::open(copy).unwrap(),
        &mut restore.file().unwrap(),
    )
    .unwrap();
    restore.check(|_, _| ()).await.unwrap();
    restore
        .finish(Some(Zone::SHANGHAI), NOW, "t", |_| ())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_copy_without_the_key_restores_everything_but_what_is_sealed_and_says_so() {
    let (site, _) = objected().await;
    if site.folder().is_shared() {
        return;
    }
    let other = tempfile::tempdir().unwrap();
    let into = Folder::open(other.path()).unwrap();
    assert_eq!(restored(&site.folder(), false, &into).await.locked, 2);
    let ledger = Ledger::open(&into, Zone::SHANGHAI).await.unwrap();
    let locked = ledger.household("BAD").await.unwrap().unwrap();
    assert_eq!(
        (locked.building.as_deref(), locked.door, locked.residents),
        (Some("BUILDING-12"), None, None)
    );
    assert_eq!(
        ledger
            .words(&Sha::of(WORDS.as_bytes()), Some("BAD"))
            .await
            .unwrap(),
        None
    );
    // What is registered anew is sealed with the key that is here, and the old key opens the rest once it is found.
    ledger.put_households(&[home("FINE", "DOOR-3")]).await.unwrap();
    ledger.close().await;
    drop(ledger);
    let old = std::fs::read_to_string(site.folder().secrets()).unwrap();
    let new = std::fs::read_to_string(into.secrets()).unwrap();
    std::fs::write(into.secrets(), new + &old).unwrap();
    let ledger = Ledger::open(&into, Zone::SHANGHAI).await.unwrap();
    let door = async |token| ledger.household(token).await.unwrap().unwrap().door.unwrap();
    assert_eq!(
        (door("BAD").await.as_str(), door("FINE").await.as_str()),
        (DOOR, "DOOR-3")
    );
}

#[tokio::test]
async fn what_the_machine_says_at_a_restore_takes_the_place_of_no_key_that_may_be_found() {
    let (site, _) = objected().await;
    if site.folder().is_shared() {
        return;
    }
    let basis = Words::new("the village's covenant, article 9");
    let hash = basis.hash().clone();
    let newest = site.ledger.editions(&EditionQuery::newest(1)).await;
    let edition = newest.unwrap().remove(0).id;
    let reason = Act::Retract {
        edition,
        reason: basis,
    };
    act(&site, "p1", NOW, reason).await;
    let other = tempfile::tempdir().unwrap();
    let into = Folder::open(other.path()).unwrap();
    let done = restored(&site.folder(), false, &into).await;
    assert!(done.withheld > 0, "the machine said nothing: {done:?}");
    let [old, new] =
        [site.folder(), into.clone()].map(|folder| std::fs::read_to_string(folder.secrets()).unwrap());
    std::fs::write(into.secrets(), new + &old).unwrap();
    let ledger = Ledger::open(&into, Zone::SHANGHAI).await.unwrap();
    let kept = ledger.words(&hash, None).await.unwrap();
    assert_eq!(kept.as_deref(), Some("the village's covenant, article 9"));
}

#[tokio::test]
async fn a_copy_with_the_key_restores_everything_and_keeps_the_key_in_its_file_alone() {
    let (site, _) = objected().await;
    if site.folder().is_shared() {
        return;
    }
    let other = tempfile::tempdir().unwrap();
    let into = Folder::open(other.path()).unwrap();
    assert_eq!(restored(&site.folder(), true, &into).await.locked, 0);
    let ledger = Ledger::open(&into, Zone::SHANGHAI).await.unwrap();
    assert_eq!(
        ledger.household("BAD").await.unwrap().unwrap().door.as_deref(),
        Some(DOOR)
    );
    let key = std::fs::read_to_string(into.secrets()).unwrap();
    assert_eq!(key, std::fs::read_to_string(site.folder().secrets()).unwrap());
    let bytes: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&key[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let database = std::fs::read(into.path().join("hemu.db")).unwrap();
    assert!(
        !database.windows(32).any(|window| window == bytes),
        "the key stayed in the database"
    );
}

#[tokio::test]
async fn an_older_copy_that_is_put_back_is_erased_again() {
    let (site, _) = objected().await;
    if site.folder().is_shared() {
        return;
    }
    let (dir, folder) = (tempfile::tempdir().unwrap(), site.folder());
    let copy = dir.path().join("copy.db");
    let snapshot = Snapshot::take(&folder, |_, _| ()).await.unwrap();
    std::fs::copy(snapshot.path(), &copy).unwrap();
    drop(snapshot);
    site.ledger
        .act(&person("keeper"), NOW, erase("BAD"))
        .await
        .unwrap();
    site.ledger.close().await;
    let Site { dir: data, ledger } = site;
    drop(ledger);
    let outcome = put(&copy, &folder).await;
    assert_eq!((outcome.erased, outcome.locked), (1, 0));
    let ledger = Ledger::open(&folder, Zone::SHANGHAI).await.unwrap();
    assert_eq!(ledger.household("BAD").await.unwrap(), None);
    assert!(ledger.household("FINE").await.unwrap().is_some());
    assert!(found(data.path(), DOOR).is_empty());
    assert_eq!(ledger.verify_projections(|_| ()).await.unwrap(), None);
    // The file says nothing of whom: a token's hash, and only once.
    let text = std::fs::read_to_string(data.path().join("erased")).unwrap();
    assert!(text.lines().count() == 1 && !text.contains("BAD"), "{text}");
    assert_eq!(
        Erased::of(&folder).unwrap(),
        Erased::default().and(Erased::of(&folder).unwrap())
    );
}
