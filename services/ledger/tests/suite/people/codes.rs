//! Codes that are good once: of a household, of a delegate, of the first admin, for a password.

use super::*;

#[tokio::test]
async fn a_households_code_lets_one_in_once_and_until_somebody_else_moves_in() {
    let site = with(&[]).await;
    let ledger = &site.ledger;
    make(&site, &[code(1, "H1")]).await;
    let (first, second) = (person("r-1"), person("r-2"));
    assert_eq!(
        ledger.enter(&[9; 32], NOW, &first, None).await.unwrap(),
        None,
        "no such code"
    );
    let entered = ledger.enter(&[1; 32], NOW, &first, None).await.unwrap();
    assert_eq!(entered.as_deref(), Some("r-1"));
    assert_eq!(
        ledger.enter(&[1; 32], NOW, &second, None).await.unwrap(),
        None,
        "used"
    );
    assert!(ledger.account("r-2").await.unwrap().is_none());
    let scope = || ledger.scope_of("r-1", Role::Resident);
    let own = Scope::Own(["H1".to_owned()].into());
    assert_eq!(scope().await.unwrap(), own);
    assert_eq!(
        ledger.scope_of("w1", Role::Inspector).await.unwrap(),
        Scope::Everyone
    );
    // A letter that was not opened before they moved out is not the next one's.
    make(&site, &[code(2, "H1")]).await;
    let moved = Act::MovedIn {
        token: "H1".into(),
        day: day(300),
    };
    act(&site, "w1", NOW, moved).await;
    assert_eq!(scope().await.unwrap(), Scope::nobody());
    assert_eq!(ledger.enter(&[2; 32], NOW, &second, None).await.unwrap(), None);
    let undone = Act::MoveUndone {
        token: "H1".into(),
        day: day(300),
    };
    act(&site, "w1", NOW, undone).await;
    assert_eq!(scope().await.unwrap(), own);
}

#[tokio::test]
async fn codes_run_out_and_a_new_one_takes_the_place_of_one_not_used() {
    let site = with(&[]).await;
    let ledger = &site.ledger;
    make(&site, &[code(1, "H1"), code(2, "H2")]).await;
    make(&site, &[code(3, "H1")]).await;
    let fresh = person("r-1");
    assert_eq!(ledger.enter(&[1; 32], NOW, &fresh, None).await.unwrap(), None);
    assert_eq!(
        ledger
            .enter(&[3; 32], NOW + 30 * DAY, &fresh, None)
            .await
            .unwrap(),
        None
    );
    let known = ledger.code(&[2; 32], NOW).await.unwrap();
    let expected = Code {
        purpose: Purpose::Resident,
        account: None,
        token: Some("H2".into()),
    };
    assert_eq!(known, Some(expected));
    let by = person("root");
    let codes = [code(4, "H1"), code(5, "H9")];
    let unknown = ledger.make_codes(&by, NOW, NOW + DAY, &codes).await;
    assert_eq!(why(unknown), Why::UnknownHousehold);
    assert_eq!(ledger.code(&[4; 32], NOW).await.unwrap(), None, "all or none");
}

#[tokio::test]
async fn a_delegate_acts_for_a_household_under_the_name_they_have() {
    let site = with(&[("root", Role::Admin)]).await;
    let ledger = &site.ledger;
    make(&site, &[code(1, "H1")]).await;
    ledger.enter(&[1; 32], NOW, &person("r-1"), None).await.unwrap();
    let delegate = NewCode {
        digest: [2; 32],
        purpose: Purpose::Delegate,
        account: Some("r-1"),
        token: Some("H2"),
    };
    let staff = [NewCode {
        account: Some("root"),
        ..delegate
    }];
    let refused = ledger.make_codes(&person("root"), NOW, NOW + DAY, &staff).await;
    assert_eq!(
        why(refused),
        Why::Malformed,
        "whoever sees everybody needs no code"
    );
    make(&site, &[delegate]).await;
    // It lies in H2's letter box: whoever takes it out finds neither household behind it.
    for stranger in [None, Some("r-2"), Some("root")] {
        let entered = ledger.enter(&[2; 32], NOW, &person("r-2"), stranger).await;
        assert_eq!(entered.unwrap(), None, "{stranger:?}");
    }
    let delegate = ledger.enter(&[2; 32], NOW, &person("r-2"), Some("r-1")).await;
    assert_eq!(delegate.unwrap().as_deref(), Some("r-1"));
    let own = ledger.own_households("r-1").await.unwrap();
    assert_eq!(own, ["H1".to_owned(), "H2".to_owned()].into());
}

#[tokio::test]
async fn the_first_admin_comes_by_a_code_that_only_the_newest_start_knows() {
    let site = with(&[("w1", Role::Inspector)]).await;
    let (ledger, name) = (&site.ledger, person("chief"));
    let head = ledger.head().await.unwrap();
    assert!(ledger.make_first_code(&[1; 32], NOW, NOW + DAY).await.unwrap());
    assert!(ledger.make_first_code(&[2; 32], NOW, NOW + DAY).await.unwrap());
    assert_eq!(ledger.head().await.unwrap(), head, "a start is no act");
    assert!(
        !ledger
            .first_admin(&[1; 32], NOW, &name, "$argon2id$x")
            .await
            .unwrap()
    );
    assert!(
        ledger
            .first_admin(&[2; 32], NOW, &name, "$argon2id$x")
            .await
            .unwrap()
    );
    assert_eq!(ledger.account("chief").await.unwrap().unwrap().role, Role::Admin);
    assert!(!ledger.make_first_code(&[3; 32], NOW, NOW + DAY).await.unwrap());
    assert!(
        !ledger
            .first_admin(&[2; 32], NOW, &person("second"), "$argon2id$x")
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_code_sets_the_password_of_its_account_alone() {
    let site = with(&[("root", Role::Admin), ("w1", Role::Inspector)]).await;
    let ledger = &site.ledger;
    let reset = NewCode {
        digest: [1; 32],
        purpose: Purpose::Password,
        account: Some("w1"),
        token: None,
    };
    make(&site, &[reset, code(2, "H1")]).await;
    let set = |of: u8| async move { ledger.set_password_by_code(&[of; 32], NOW, "$argon2id$new").await };
    assert_eq!(set(2).await.unwrap(), None, "a resident's");
    assert_eq!(set(1).await.unwrap().as_deref(), Some("w1"));
    assert_eq!(set(1).await.unwrap(), None, "used");
    let password = |name: &'static str| async move { ledger.keys(name).await.unwrap().unwrap().password };
    assert_eq!(password("w1").await.as_deref(), Some("$argon2id$new"));
    assert_eq!(password("root").await.as_deref(), Some("$argon2id$x"));
    assert_eq!(
        ledger.enter(&[1; 32], NOW, &person("r-1"), None).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_code_that_was_not_used_ends_with_the_password_and_with_the_account() {
    let site = with(&[("root", Role::Admin), ("w1", Role::Inspector)]).await;
    let (ledger, by) = (&site.ledger, person("root"));
    let reset = |of: u8| NewCode {
        digest: [of; 32],
        purpose: Purpose::Password,
        account: Some("w1"),
        token: None,
    };
    let found = |of: u8| async move {
        ledger
            .set_password_by_code(&[of; 32], NOW, "$argon2id$thief")
            .await
    };
    make(&site, &[reset(1), code(9, "H1")]).await;
    ledger
        .set_password(&by, NOW, "w1", "$argon2id$new")
        .await
        .unwrap();
    assert_eq!(found(1).await.unwrap(), None, "another password was set since");
    make(&site, &[reset(2)]).await;
    ledger.enable_account(&by, NOW, "w1", false).await.unwrap();
    ledger.enable_account(&by, NOW, "w1", true).await.unwrap();
    assert_eq!(found(2).await.unwrap(), None, "the account was disabled since");
    let kept = ledger.keys("w1").await.unwrap().unwrap().password;
    assert_eq!(kept.as_deref(), Some("$argon2id$new"));
    assert!(
        ledger.code(&[9; 32], NOW).await.unwrap().is_some(),
        "a household's stays"
    );
}
