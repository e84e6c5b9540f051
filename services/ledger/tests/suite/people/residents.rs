//! Who acts for a household, and how that ends.

use super::*;

/// `mother` and `father` are of H1, `neighbour` of H2 acts for it.
async fn street() -> Site {
    let site = with(&[("root", Role::Admin), ("p1", Role::GridOfficer)]).await;
    for (of, token, name) in [(1, "H1", "mother"), (2, "H1", "father"), (3, "H2", "neighbour")] {
        make(&site, &[code(of, token)]).await;
        enters(&site, of, name, None).await;
    }
    make(&site, &[delegates(4)]).await;
    enters(&site, 4, "nobody", Some("neighbour")).await;
    site
}

fn delegates(of: u8) -> NewCode<'static> {
    NewCode {
        purpose: Purpose::Delegate,
        account: Some("neighbour"),
        ..code(of, "H1")
    }
}

async fn enters(site: &Site, of: u8, fresh: &str, logged_in: Option<&str>) {
    let entered = site.ledger.enter(&[of; 32], NOW, &person(fresh), logged_in).await;
    assert!(entered.unwrap().is_some(), "{fresh}");
}

async fn revoke(site: &Site, by: &str, token: &str, account: &str) -> Result<(), Error> {
    site.ledger.revoke_access(&person(by), NOW, token, account).await
}

async fn named(site: &Site, token: &str) -> Vec<String> {
    let residents = site.ledger.residents(token).await.unwrap();
    residents.into_iter().map(|resident| resident.account).collect()
}

/// What a household is told of itself, or whoever prints its codes.
async fn told(site: &Site, asker: Option<&str>) -> Vec<(String, bool)> {
    let seen = site
        .ledger
        .seen_by(Scope::Everyone)
        .household("H1")
        .await
        .unwrap();
    let told = seen.unwrap().residents(asker).await.unwrap();
    told.into_iter()
        .map(|(resident, may_end)| (resident.account, may_end))
        .collect()
}

#[tokio::test]
async fn a_household_is_told_who_acts_for_it_and_a_delegate_of_itself_alone() {
    let site = street().await;
    let line = |account: &str, may_end| (account.to_owned(), may_end);
    let all = [
        line("father", true),
        line("mother", true),
        line("neighbour", true),
    ];
    assert_eq!(told(&site, None).await, all);
    let family = [
        line("father", false),
        line("mother", true),
        line("neighbour", true),
    ];
    assert_eq!(told(&site, Some("mother")).await, family);
    assert_eq!(told(&site, Some("neighbour")).await, [line("neighbour", true)]);
    assert!(told(&site, Some("stranger")).await.is_empty());
    let residents = site.ledger.residents("H1").await.unwrap();
    assert!(residents.iter().all(|resident| resident.since == NOW));
    let delegates: Vec<_> = residents.iter().map(|resident| resident.delegate).collect();
    assert_eq!(delegates, [false, false, true]);
    let root = person("root");
    site.ledger
        .enable_account(&root, NOW, "father", false)
        .await
        .unwrap();
    assert_eq!(named(&site, "H1").await, ["mother", "neighbour"], "disabled");
}

#[tokio::test]
async fn what_ended_is_in_the_journal_with_before_and_after_and_stays_so_when_all_is_folded_again() {
    let site = street().await;
    revoke(&site, "mother", "H1", "neighbour").await.unwrap();
    revoke(&site, "father", "H1", "father").await.unwrap();
    let find = TrailQuery {
        token: Some("H1"),
        kind: Some("access_revoked"),
        limit: 9,
        ..TrailQuery::default()
    };
    let lines = site.ledger.trail(&find).await.unwrap();
    let line = |row: &hemu_ledger::privacy::TrailRow| {
        (
            row.act.actor.clone(),
            row.before.clone().unwrap(),
            row.after.clone().unwrap(),
        )
    };
    let lines: Vec<_> = lines.iter().map(line).collect();
    let expected = [
        (
            "father",
            "father: acts for the household",
            "father: acts for the household no longer",
        ),
        (
            "mother",
            "neighbour: acts for the household as a delegate",
            "neighbour: acts for the household no longer",
        ),
    ];
    assert_eq!(
        lines,
        expected.map(|(by, was, is)| (by.to_owned(), was.to_owned(), is.to_owned()))
    );
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    let acts = site.ledger.acts(None, 100).await.unwrap();
    let (site, _) = site.rebuilt().await;
    assert_eq!(site.ledger.acts(None, 100).await.unwrap(), acts);
    assert_eq!(named(&site, "H1").await, ["mother"]);
}

#[tokio::test]
async fn a_delegation_that_ended_reaches_the_delegates_own_household_alone_and_its_code_is_void() {
    let site = street().await;
    let ledger = &site.ledger;
    make(&site, &[delegates(5), code(6, "H1")]).await;
    revoke(&site, "mother", "H1", "neighbour").await.unwrap();
    let scope = ledger.scope_of("neighbour", Role::Resident).await.unwrap();
    assert_eq!(scope, Scope::Own(["H2".to_owned()].into()));
    assert!(
        ledger
            .account("neighbour")
            .await
            .unwrap()
            .unwrap()
            .disabled_at
            .is_none()
    );
    let again = ledger
        .enter(&[5; 32], NOW, &person("nobody"), Some("neighbour"))
        .await;
    assert_eq!(again.unwrap(), None, "the code that nobody used");
    assert!(
        ledger.code(&[6; 32], NOW).await.unwrap().is_some(),
        "the family's stays"
    );
    assert_eq!(
        why(revoke(&site, "mother", "H1", "neighbour").await),
        Why::UnknownAccount
    );
    assert_eq!(
        why(revoke(&site, "neighbour", "H1", "neighbour").await),
        Why::UnknownHousehold
    );
    // A new code is another word of the household's.
    make(&site, &[delegates(7)]).await;
    enters(&site, 7, "nobody", Some("neighbour")).await;
    assert_eq!(named(&site, "H1").await, ["father", "mother", "neighbour"]);
}

#[tokio::test]
async fn an_access_is_ended_by_itself_by_the_household_of_a_delegate_and_by_whoever_prints_the_codes() {
    let site = street().await;
    let head = site.ledger.head().await.unwrap();
    let refusals = [
        ("mother", "H1", "father", Why::NotYourDuty),
        ("neighbour", "H1", "mother", Why::NotYourDuty),
        ("neighbour", "H1", "nobody", Why::NotYourDuty),
        ("p1", "H1", "neighbour", Why::NotYourDuty),
        ("mother", "H2", "neighbour", Why::UnknownHousehold),
        ("mother", "H9", "mother", Why::UnknownHousehold),
        ("root", "H9", "mother", Why::UnknownHousehold),
        ("root", "H2", "mother", Why::UnknownAccount),
    ];
    for (by, token, account, expected) in refusals {
        let came = why(revoke(&site, by, token, account).await);
        assert_eq!(came, expected, "{by} {token} {account}");
    }
    assert_eq!(
        site.ledger.head().await.unwrap(),
        head,
        "what is refused leaves no trace"
    );
    revoke(&site, "neighbour", "H1", "neighbour").await.unwrap();
    revoke(&site, "root", "H1", "father").await.unwrap();
    revoke(&site, "system:operator", "H2", "neighbour").await.unwrap();
    revoke(&site, "mother", "H1", "mother").await.unwrap();
    assert!(named(&site, "H1").await.is_empty() && named(&site, "H2").await.is_empty());
}

#[tokio::test]
async fn a_disabled_account_ends_nothing_and_its_own_access_can_be_ended() {
    let site = street().await;
    let root = person("root");
    for name in ["mother", "neighbour"] {
        site.ledger.enable_account(&root, NOW, name, false).await.unwrap();
    }
    assert_eq!(
        why(revoke(&site, "mother", "H1", "neighbour").await),
        Why::NotYourDuty
    );
    revoke(&site, "father", "H1", "neighbour").await.unwrap();
    site.ledger
        .enable_account(&root, NOW, "neighbour", true)
        .await
        .unwrap();
    assert_eq!(named(&site, "H1").await, ["father"]);
}

#[tokio::test]
async fn what_ended_with_the_occupancy_is_not_ended_again_and_what_ended_before_does_not_come_back() {
    let site = street().await;
    revoke(&site, "mother", "H1", "neighbour").await.unwrap();
    let moved = Act::MovedIn {
        token: "H1".into(),
        day: day(300),
    };
    act(&site, "w1", NOW, moved).await;
    assert!(named(&site, "H1").await.is_empty());
    assert_eq!(
        why(revoke(&site, "root", "H1", "mother").await),
        Why::UnknownAccount
    );
    let undone = Act::MoveUndone {
        token: "H1".into(),
        day: day(300),
    };
    act(&site, "w1", NOW, undone).await;
    assert_eq!(named(&site, "H1").await, ["father", "mother"]);
}
