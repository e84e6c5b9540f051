//! Names and keys: who may log in, what an import may add, and what it may not change.

use hemu_ledger::Error;
use hemu_ledger::registry::{Estate, Household, HouseholdQuery, key_digest};

use crate::site::Site;

fn household(token: &str, estate: Option<&str>) -> Household {
    Household {
        token: token.to_owned(),
        estate: estate.map(str::to_owned),
        building: Some("12".into()),
        unit: Some("1".into()),
        door: Some("301".into()),
        residents: Some(3),
        station: None,
        created_at: 1,
    }
}

async fn estates(site: &Site) {
    for id in ["east", "west"] {
        site.ledger.ensure_estate(id).await.unwrap();
    }
}

#[tokio::test]
async fn an_import_adds_households_and_moves_none() {
    let site = Site::new().await;
    estates(&site).await;
    let registered = household("H1", Some("east"));
    site.ledger
        .put_households(std::slice::from_ref(&registered))
        .await
        .unwrap();
    let names = [("H1", Some("west")), ("H2", None), ("H2", Some("west"))];
    site.ledger.ensure_households(&names, 2).await.unwrap();
    assert_eq!(site.ledger.household("H1").await.unwrap(), Some(registered));
    let added = site.ledger.household("H2").await.unwrap().unwrap();
    assert_eq!(
        (added.estate.as_deref(), added.door, added.created_at),
        (Some("west"), None, 2)
    );
    assert_eq!(site.ledger.count_households(None).await.unwrap(), 2);
}

#[tokio::test]
async fn a_household_row_that_cannot_be_stored_takes_the_others_back() {
    let site = Site::new().await;
    let rows = [household("H1", None), household("H2", Some("nowhere"))];
    assert!(site.ledger.put_households(&rows).await.is_err());
    assert_eq!(site.ledger.count_households(None).await.unwrap(), 0);
}

#[tokio::test]
async fn keys_that_are_read_at_once_are_those_that_are_read_one_by_one() {
    let site = Site::new().await;
    let ledger = &site.ledger;
    let names: Vec<String> = (0..150).map(|nth| format!("C{nth}")).collect();
    for (nth, name) in names.iter().enumerate() {
        match nth % 3 {
            0 => ledger.ensure_device(name, None, 1).await.unwrap(),
            _ => ledger
                .add_device(name, &key_digest(name.as_bytes()), None, None, 1)
                .await
                .unwrap(),
        }
        if nth % 3 == 2 {
            ledger.revoke_device(name, 2).await.unwrap();
        }
    }
    let asked = names.iter().map(String::as_str).chain(["nobody"]);
    let keys = ledger.device_keys(asked.clone()).await.unwrap();
    assert_eq!(keys.len(), 50, "who has no key or was revoked is not in it");
    for name in asked {
        assert_eq!(keys.get(name).copied(), ledger.device_key(name).await.unwrap());
    }
    assert!(ledger.device_keys([]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_works_until_it_is_rotated_or_the_device_revoked() {
    let site = Site::new().await;
    let (first, second) = (key_digest(b"first"), key_digest(b"second"));
    let ledger = &site.ledger;
    ledger.ensure_device("C1", None, 1).await.unwrap();
    assert_eq!(ledger.device_key("C1").await.unwrap(), None);
    ledger.add_device("C1", &first, None, None, 2).await.unwrap();
    assert_eq!(ledger.device_key("C1").await.unwrap(), Some(first));
    let taken = ledger.add_device("C1", &second, None, None, 3).await;
    assert!(matches!(taken, Err(Error::Rejected(_))));
    ledger.rotate_device("C1", &second).await.unwrap();
    assert_eq!(ledger.device_key("C1").await.unwrap(), Some(second));
    ledger.revoke_device("C1", 4).await.unwrap();
    assert_eq!(ledger.device_key("C1").await.unwrap(), None);
    for refused in [
        ledger.rotate_device("C1", &first).await,
        ledger.revoke_device("C0", 5).await,
    ] {
        assert!(matches!(refused, Err(Error::Rejected(_))));
    }
}

#[tokio::test]
async fn a_place_named_for_the_first_time_comes_into_being() {
    let site = Site::new().await;
    let ledger = &site.ledger;
    let key = key_digest(b"key");
    let add = async |id: &str, estate, station| ledger.add_device(id, &key, estate, station, 1).await;
    let nowhere = add("C0", None, Some("S1")).await;
    assert!(matches!(nowhere, Err(Error::Rejected(_))));
    add("C1", Some("east"), Some("S1")).await.unwrap();
    add("C2", None, Some("S1")).await.unwrap();
    let elsewhere = add("C3", Some("west"), Some("S1")).await;
    assert!(matches!(elsewhere, Err(Error::Rejected(_))));
    let stations = ledger.stations(Some("east")).await.unwrap();
    assert_eq!((stations.len(), stations[0].id.as_str()), (1, "S1"));
    let devices: Vec<String> = ledger
        .devices()
        .await
        .unwrap()
        .into_iter()
        .map(|d| d.id)
        .collect();
    assert_eq!(devices, ["C1", "C2"]);
}

#[tokio::test]
async fn a_search_text_is_a_text_and_not_a_pattern() {
    let site = Site::new().await;
    let rows = [
        household("A%1", None),
        household("AB1", None),
        household("A_1", None),
    ];
    site.ledger.put_households(&rows).await.unwrap();
    for (text, found) in [
        ("A%", vec!["A%1"]),
        ("A_", vec!["A_1"]),
        ("12-1-3", vec!["A%1", "AB1", "A_1"]),
    ] {
        let find = HouseholdQuery {
            text: Some(text),
            limit: 10,
            ..HouseholdQuery::default()
        };
        let rows = site.ledger.households(&find).await.unwrap();
        let tokens: Vec<&str> = rows.iter().map(|row| row.token.as_str()).collect();
        assert_eq!(tokens, found, "{text}");
    }
}

#[tokio::test]
async fn commands_wait_until_their_own_device_acknowledges_them() {
    let site = Site::new().await;
    let ledger = &site.ledger;
    for device in ["C1", "C2", "C3"] {
        let key = key_digest(device.as_bytes());
        ledger.add_device(device, &key, None, None, 1).await.unwrap();
    }
    ledger.ensure_device("imported", None, 1).await.unwrap();
    ledger.revoke_device("C3", 1).await.unwrap();
    for deaf in ["imported", "C3", "nobody"] {
        let refused = ledger.add_command(deaf, "{}", 1).await.unwrap_err();
        assert!(
            refused.to_string().contains(&format!("no device {deaf} in use")),
            "{refused}"
        );
    }
    assert_eq!(ledger.newest_command().await.unwrap(), 0);
    let id = ledger.add_command("C1", "{}", 1).await.unwrap();
    let other = ledger.add_command("C2", "{}", 1).await.unwrap();
    assert_eq!(ledger.newest_command().await.unwrap(), other);
    assert_eq!(
        ledger.commands_after(0, 9).await.unwrap(),
        [(id, "C1".to_owned()), (other, "C2".to_owned())]
    );
    ledger.acknowledge_command("C2", id, 2).await.unwrap();
    assert_eq!(ledger.open_commands("C1", 9).await.unwrap().len(), 1);
    ledger.acknowledge_command("C1", id, 3).await.unwrap();
    assert!(ledger.open_commands("C1", 9).await.unwrap().is_empty());
    assert_eq!(
        ledger.commands("C1", 9).await.unwrap()[0].acknowledged_at,
        Some(3)
    );
    assert_eq!(
        ledger.commands_after(0, 9).await.unwrap(),
        [(other, "C2".to_owned())]
    );
    assert!(ledger.commands_after(other, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_estates_plan_is_kept_when_only_its_name_changes() {
    let site = Site::new().await;
    let estate = |name: &str, plan: Option<&str>| Estate {
        id: "east".into(),
        name: name.into(),
        plan: plan.map(str::to_owned),
    };
    site.ledger.put_estate(&estate("East", Some("{}"))).await.unwrap();
    site.ledger.put_estate(&estate("东区", None)).await.unwrap();
    assert_eq!(site.ledger.estates().await.unwrap(), [estate("东区", Some("{}"))]);
}
