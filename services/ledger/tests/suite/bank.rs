//! Minutes and points: nobody spends twice, nothing comes from nowhere, and whose they are ends with whoever lived there.

use hemu_ledger::acts::{Act, Refused, Why, Words};
use hemu_ledger::bank::{AWARDS_A_DAY, Balances, Deal, Dealt, Help, SPENDS_A_DAY, Side};
use hemu_ledger::people::{NewCode, Purpose};
use hemu_ledger::read::States;
use hemu_people::{Role, Scope};
use hemu_rules::Rule;

use crate::editions::village;
use crate::raw::{attempt, rows};
use crate::site::{NOW, Site, act, day, person, register, run};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// Does it, as an account.
pub(crate) async fn deal(site: &Site, actor: &str, deal: Deal) -> Dealt {
    deal_at(site, actor, NOW, deal).await
}

async fn deal_at(site: &Site, actor: &str, now: i64, deal: Deal) -> Dealt {
    site.ledger.deal(&person(actor), now, deal).await.unwrap()
}

/// Is refused, for that reason and without a trace; but who came too late may have a line.
pub(crate) async fn forbidden(site: &Site, actor: &str, deal: Deal, why: Why) -> Refused {
    let head = site.ledger.head().await.unwrap();
    let outcome = site.ledger.deal(&person(actor), NOW, deal.clone()).await;
    let refused = outcome.unwrap_err().refused().unwrap().clone();
    assert_eq!(refused.why, why, "{deal:?}: {refused}");
    let lines = site.ledger.head().await.unwrap() - head;
    assert!(
        lines <= u64::from(why == Why::AlreadyDecided),
        "{deal:?}: {lines}"
    );
    refused
}

pub(crate) fn fund(key: &str, points: u32) -> Deal {
    Deal::Fund {
        key: key.into(),
        pool: "spring".into(),
        points,
        reason: Words::new("the subdistrict's budget"),
    }
}

pub(crate) fn award(key: &str, token: &str, points: u32) -> Deal {
    Deal::Award {
        key: key.into(),
        pool: "spring".into(),
        token: token.into(),
        points,
        reason: Words::new("a week without a wrong bag"),
    }
}

pub(crate) fn redeem(key: &str, token: &str, points: u32) -> Deal {
    Deal::Redeem {
        key: key.into(),
        token: token.into(),
        pool: "spring".into(),
        points,
        reason: Words::new("a bottle of soap"),
    }
}

/// Somebody of one household helped another for some minutes, so long ago.
pub(crate) fn serve(key: &str, (token, helped): (&str, &str), minutes: i64, ago: i64) -> Deal {
    Deal::Serve {
        key: key.into(),
        token: token.into(),
        helped: helped.into(),
        help: Help::Company,
        began: NOW - ago,
        ended: NOW - ago + minutes * MINUTE,
    }
}

pub(crate) fn confirm(key: &str, token: &str, service: u64) -> Deal {
    Deal::Confirm {
        key: key.into(),
        token: token.into(),
        service,
        agreed: true,
    }
}

pub(crate) fn transfer(key: &str, (token, to): (&str, &str), minutes: u32) -> Deal {
    Deal::Transfer {
        key: key.into(),
        token: token.into(),
        to: to.into(),
        minutes,
        help: Help::Errand,
    }
}

pub(crate) fn reverse(key: &str, token: &str, entry: u64) -> Deal {
    Deal::Reverse {
        key: key.into(),
        token: token.into(),
        entry,
        reason: Words::new("written down twice"),
    }
}

/// What the present occupant of a household has: minutes and points.
pub(crate) async fn has(site: &Site, token: &str) -> (i64, i64) {
    let sight = site.ledger.seen_by(Scope::Everyone);
    let seen = sight.household(token).await.unwrap().unwrap();
    let Balances { minutes, points } = seen.balances().await.unwrap();
    (minutes, points)
}

/// The books are sound by the tables alone, and what the journal adds up to.
pub(crate) async fn sound(site: &Site) {
    let mut truth = site.truth().await;
    let sums = "select currency, cast(sum(balance) as bigint) from bank_account group by currency having sum(balance) <> 0";
    assert_eq!(rows(&mut truth, sums).await, Vec::<String>::new());
    let below = "select id from bank_account where balance < 0 and id <> 'issued'";
    assert_eq!(rows(&mut truth, below).await, Vec::<String>::new());
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

/// Three households, and a pool with points.
pub(crate) async fn street() -> Site {
    let site = Site::new().await;
    register(&site, &["H1", "H2", "H3"]).await;
    deal(&site, "boss", fund("fund-0001", 10_000)).await;
    site
}

/// A resident of a household, by a code as it is printed for it.
async fn resident(site: &Site, name: &str, token: &str) {
    let digest = [u8::try_from(name.len()).unwrap(); 32];
    let code = NewCode {
        digest,
        purpose: Purpose::Resident,
        account: None,
        token: Some(token),
    };
    let by = person("boss");
    site.ledger
        .make_codes(&by, NOW, NOW + 24 * HOUR, &[code])
        .await
        .unwrap();
    let entered = site
        .ledger
        .enter(&digest, NOW, &person(name), None)
        .await
        .unwrap();
    assert_eq!(entered.as_deref(), Some(name));
}

#[tokio::test]
async fn points_come_out_of_a_pool_that_was_filled_and_go_back_to_one() {
    let site = street().await;
    let first = deal(&site, "o1", award("award-01", "H1", 700)).await;
    assert_eq!(first.at, NOW);
    deal(&site, "o1", redeem("redeem-1", "H1", 250)).await;
    assert_eq!(has(&site, "H1").await, (0, 450));
    forbidden(&site, "o1", redeem("redeem-2", "H1", 451), Why::NotEnough).await;
    forbidden(&site, "o1", redeem("redeem-2", "H2", 1), Why::NotEnough).await;
    let elsewhere = Deal::Award {
        key: "award-02".into(),
        pool: "summer".into(),
        token: "H1".into(),
        points: 1,
        reason: Words::new("none"),
    };
    forbidden(&site, "o1", elsewhere, Why::UnknownPool).await;
    forbidden(&site, "o1", award("award-02", "H9", 1), Why::UnknownHousehold).await;
    forbidden(&site, "system", award("award-02", "H1", 1), Why::NotAPerson).await;
    for wrong in [0, 1_001] {
        forbidden(&site, "o1", award("award-02", "H1", wrong), Why::Malformed).await;
    }
    for key in ["short", "with space", &"k".repeat(65)] {
        forbidden(&site, "o1", award(key, "H1", 1), Why::Malformed).await;
    }
    let pool = site.ledger.pools().await.unwrap().pop().unwrap();
    assert_eq!(
        (pool.name.as_str(), pool.points, pool.funded, pool.awarded),
        ("spring", 9_550, 10_000, 700)
    );
    sound(&site).await;
}

#[tokio::test]
async fn a_pool_gives_no_more_than_it_has_and_a_household_gets_no_more_a_day_than_is_just() {
    let site = Site::new().await;
    register(&site, &["H1"]).await;
    deal(&site, "boss", fund("fund-0001", 1_500)).await;
    deal(&site, "o1", award("award-01", "H1", 1_000)).await;
    forbidden(&site, "o1", award("award-02", "H1", 501), Why::NotEnough).await;
    let release = |points| Deal::Release {
        key: "release1".into(),
        pool: "spring".into(),
        points,
        reason: Words::new("one nought too many"),
    };
    forbidden(&site, "boss", release(501), Why::NotEnough).await;
    deal(&site, "boss", release(400)).await;
    forbidden(&site, "o1", award("award-02", "H1", 101), Why::NotEnough).await;
    deal(&site, "boss", fund("fund-0002", 5_000)).await;
    deal(&site, "o1", award("award-03", "H1", 1_000)).await;
    assert_eq!(has(&site, "H1").await, (0, AWARDS_A_DAY));
    forbidden(&site, "o2", award("award-04", "H1", 1), Why::TooOften).await;
    deal_at(&site, "o1", NOW + 24 * HOUR, award("award-04", "H1", 1)).await;
    sound(&site).await;
}

#[tokio::test]
async fn minutes_come_into_being_only_by_a_service_that_whoever_was_helped_confirmed() {
    let site = street().await;
    let recorded = deal(&site, "o1", serve("serve-01", ("H1", "H2"), 90, 4 * HOUR)).await;
    assert_eq!(has(&site, "H1").await, (0, 0));
    let service = recorded.position;
    forbidden(&site, "o1", confirm("confirm1", "H2", service), Why::SamePerson).await;
    forbidden(&site, "o2", confirm("confirm1", "H1", service), Why::UnknownEntry).await;
    forbidden(
        &site,
        "o2",
        confirm("confirm1", "H2", service + 9),
        Why::UnknownEntry,
    )
    .await;
    deal(&site, "o2", confirm("confirm1", "H2", service)).await;
    assert_eq!(
        (has(&site, "H1").await, has(&site, "H2").await),
        ((90, 0), (0, 0))
    );
    let lost = forbidden(
        &site,
        "o3",
        confirm("confirm2", "H2", service),
        Why::AlreadyDecided,
    )
    .await;
    assert_eq!(lost.winner.unwrap().actor, "o2");
    deal(&site, "o1", transfer("transfer", ("H1", "H3"), 60)).await;
    forbidden(
        &site,
        "o1",
        transfer("transfe2", ("H1", "H3"), 31),
        Why::NotEnough,
    )
    .await;
    forbidden(&site, "o1", transfer("transfe2", ("H1", "H1"), 1), Why::Malformed).await;
    assert_eq!(
        (has(&site, "H1").await, has(&site, "H3").await),
        ((30, 0), (60, 0))
    );
    let sight = site.ledger.seen_by(Scope::Everyone);
    let seen = sight.household("H1").await.unwrap().unwrap();
    let entries = seen.entries(None, 9).await.unwrap();
    let [given, got] = &entries[..] else {
        panic!("{entries:?}")
    };
    assert_eq!(
        (given.gets, &given.credit, given.help),
        (false, &Side::Home("H3".into()), Some(Help::Errand))
    );
    assert_eq!(
        (got.gets, &got.debit, got.service),
        (true, &Side::Issued, Some(service))
    );
    sound(&site).await;
}

#[tokio::test]
async fn a_service_has_a_length_a_day_and_a_time_that_is_over() {
    let site = street().await;
    for (minutes, ago) in [(0, HOUR), (481, 9 * HOUR), (61, HOUR), (10, 32 * 24 * HOUR)] {
        forbidden(
            &site,
            "o1",
            serve("serve-01", ("H1", "H2"), minutes, ago),
            Why::Malformed,
        )
        .await;
    }
    forbidden(
        &site,
        "o1",
        serve("serve-01", ("H1", "H1"), 10, HOUR),
        Why::Malformed,
    )
    .await;
    deal(&site, "o1", serve("serve-01", ("H1", "H2"), 480, 20 * HOUR)).await;
    // The same hours again, and more than a day's.
    forbidden(
        &site,
        "o2",
        serve("serve-02", ("H1", "H2"), 30, 15 * HOUR),
        Why::WrongState,
    )
    .await;
    forbidden(
        &site,
        "o1",
        serve("serve-02", ("H1", "H3"), 241, 10 * HOUR),
        Why::TooOften,
    )
    .await;
    let second = deal(&site, "o1", serve("serve-02", ("H1", "H3"), 240, 10 * HOUR)).await;
    let no = Deal::Confirm {
        key: "confirm1".into(),
        token: "H3".into(),
        service: second.position,
        agreed: false,
    };
    deal(&site, "o2", no).await;
    assert_eq!(has(&site, "H1").await, (0, 0));
    // What was not so takes no room.
    deal(&site, "o1", serve("serve-03", ("H1", "H3"), 240, 10 * HOUR)).await;
    sound(&site).await;
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_a_key_stands_for_one_request_alone() {
    let site = street().await;
    let first = deal(&site, "o1", award("award-01", "H1", 700)).await;
    let again = deal_at(&site, "o1", NOW + HOUR, award("award-01", "H1", 700)).await;
    assert_eq!(
        (again.position, again.at, again.repeated),
        (first.position, NOW, true)
    );
    forbidden(&site, "o1", award("award-01", "H1", 701), Why::KeyTaken).await;
    forbidden(&site, "o1", award("award-01", "H2", 700), Why::KeyTaken).await;
    forbidden(&site, "o1", redeem("award-01", "H1", 700), Why::KeyTaken).await;
    forbidden(&site, "o2", award("award-01", "H1", 700), Why::KeyTaken).await;
    // The answer holds whatever came in between.
    deal(&site, "o1", redeem("redeem-1", "H1", 700)).await;
    assert!(deal(&site, "o1", redeem("redeem-1", "H1", 700)).await.repeated);
    assert_eq!(has(&site, "H1").await, (0, 0));
    let mut truth = site.truth().await;
    let twice = "insert into bank_key (key, position) values ('award-01', 99)";
    assert!(attempt(&mut truth, twice).await.is_err());
    sound(&site).await;
}

#[tokio::test]
async fn of_many_who_spend_the_same_points_at_once_as_many_succeed_as_there_are_points() {
    let site = street().await;
    deal(&site, "o1", award("award-01", "H1", 50)).await;
    let mut waiting = tokio::task::JoinSet::new();
    for n in 0..16 {
        let ledger = site.ledger.clone();
        waiting.spawn(async move {
            let asked = redeem(&format!("redeem-{n:02}"), "H1", 10);
            ledger.deal(&person("o1"), NOW, asked).await.is_ok()
        });
    }
    let spent = waiting.join_all().await.into_iter().filter(|done| *done).count();
    assert_eq!((spent, has(&site, "H1").await), (5, (0, 0)));
    sound(&site).await;
}

#[tokio::test]
async fn an_entry_is_taken_back_once_by_its_opposite_while_there_is_enough() {
    let site = street().await;
    let awarded = deal(&site, "o1", award("award-01", "H1", 700)).await.position;
    let spent = deal(&site, "o1", redeem("redeem-1", "H1", 500)).await.position;
    forbidden(&site, "o1", reverse("reverse1", "H1", awarded), Why::NotEnough).await;
    forbidden(&site, "o1", reverse("reverse1", "H2", awarded), Why::UnknownEntry).await;
    deal(&site, "o1", reverse("reverse1", "H1", spent)).await;
    let back = deal(&site, "o2", reverse("reverse2", "H1", awarded))
        .await
        .position;
    assert_eq!(has(&site, "H1").await, (0, 0));
    let lost = forbidden(
        &site,
        "o1",
        reverse("reverse3", "H1", awarded),
        Why::AlreadyDecided,
    )
    .await;
    assert_eq!(lost.winner.unwrap().position, back);
    forbidden(&site, "o1", reverse("reverse3", "H1", back), Why::WrongState).await;
    let service = deal(&site, "o1", serve("serve-01", ("H1", "H2"), 30, HOUR))
        .await
        .position;
    let credited = deal(&site, "o2", confirm("confirm1", "H2", service))
        .await
        .position;
    deal(&site, "o1", reverse("reverse4", "H1", credited)).await;
    assert_eq!(has(&site, "H1").await, (0, 0));
    let state = rows(&mut site.truth().await, "select state from bank_service").await;
    assert!(state[0].contains("reversed"), "{state:?}");
    sound(&site).await;
}

#[tokio::test]
async fn whoever_moves_in_begins_with_nothing_and_a_move_that_was_none_gives_it_back() {
    let site = street().await;
    deal(&site, "o1", award("award-01", "H1", 700)).await;
    let service = deal(&site, "o1", serve("serve-01", ("H2", "H1"), 30, HOUR))
        .await
        .position;
    let (token, day) = ("H1".to_owned(), day(300));
    act(
        &site,
        "o1",
        NOW,
        Act::MovedIn {
            token: token.clone(),
            day,
        },
    )
    .await;
    assert_eq!(has(&site, "H1").await, (0, 0));
    let sight = site.ledger.seen_by(Scope::Everyone);
    let seen = sight.household("H1").await.unwrap().unwrap();
    assert!(seen.entries(None, 9).await.unwrap().is_empty());
    assert!(seen.services(9).await.unwrap().is_empty());
    forbidden(&site, "o2", confirm("confirm1", "H1", service), Why::WrongState).await;
    forbidden(&site, "o1", redeem("redeem-1", "H1", 1), Why::NotEnough).await;
    deal(&site, "o1", award("award-02", "H1", 5)).await;
    act(&site, "o1", NOW, Act::MoveUndone { token, day }).await;
    assert_eq!(has(&site, "H1").await, (0, 700));
    sound(&site).await;
}

#[tokio::test]
async fn erasing_a_household_closes_its_accounts_and_what_it_waited_for() {
    let site = street().await;
    deal(&site, "o1", award("award-01", "H1", 700)).await;
    let service = deal(&site, "o1", serve("serve-01", ("H1", "H2"), 30, HOUR))
        .await
        .position;
    deal(&site, "o2", confirm("confirm1", "H2", service)).await;
    let sent = deal(&site, "o1", transfer("transfer", ("H1", "H3"), 10))
        .await
        .position;
    let waits = deal(&site, "o1", serve("serve-02", ("H2", "H1"), 30, HOUR))
        .await
        .position;
    let erase = Act::Erase {
        token: "H1".into(),
        reason: Words::new("asked for it"),
    };
    act(&site, "boss", NOW, erase).await;
    let mut truth = site.truth().await;
    let left = "select balance from bank_account where token = 'H1' and balance <> 0";
    assert_eq!(rows(&mut truth, left).await, Vec::<String>::new());
    let pending = "select id from bank_service where state = 'pending'";
    assert_eq!(rows(&mut truth, pending).await, Vec::<String>::new());
    forbidden(
        &site,
        "o2",
        confirm("confirm2", "H1", waits),
        Why::UnknownHousehold,
    )
    .await;
    forbidden(
        &site,
        "o1",
        reverse("reverse1", "H3", sent),
        Why::UnknownHousehold,
    )
    .await;
    assert_eq!(has(&site, "H3").await, (10, 0));
    sound(&site).await;
    let (site, _) = site.rebuilt().await;
    sound(&site).await;
}

#[tokio::test]
async fn a_resident_spends_of_the_own_household_alone_and_nobody_confirms_what_they_gain_by() {
    let site = street().await;
    for (name, role) in [
        ("officer", Role::GridOfficer),
        ("inspector", Role::Inspector),
        ("boss", Role::Admin),
    ] {
        let (by, name) = (person("first"), person(name));
        site.ledger
            .add_account(&by, NOW, (&name, role), None)
            .await
            .unwrap();
    }
    resident(&site, "r1", "H1").await;
    resident(&site, "r22", "H2").await;
    deal(&site, "officer", award("award-01", "H1", 1_000)).await;
    deal(&site, "officer", award("award-02", "H2", 100)).await;
    forbidden(&site, "r22", redeem("redeem-1", "H1", 1), Why::UnknownHousehold).await;
    forbidden(&site, "r1", award("award-03", "H1", 1), Why::UnknownHousehold).await;
    forbidden(&site, "inspector", award("award-03", "H1", 1), Why::NotYourDuty).await;
    forbidden(&site, "boss", award("award-03", "H1", 1), Why::NotYourDuty).await;
    forbidden(&site, "officer", fund("fund-0002", 1), Why::NotYourDuty).await;
    deal(&site, "r1", redeem("redeem-1", "H1", 1)).await;
    // Each answers for the other's help, and nobody for their own.
    let by_h2 = deal(&site, "officer", serve("serve-01", ("H2", "H1"), 30, HOUR))
        .await
        .position;
    forbidden(
        &site,
        "r22",
        confirm("confirm1", "H1", by_h2),
        Why::UnknownHousehold,
    )
    .await;
    deal(&site, "r1", confirm("confirm1", "H1", by_h2)).await;
    for n in 1..SPENDS_A_DAY {
        deal(&site, "r1", redeem(&format!("redeem-1-{n}"), "H1", 1)).await;
    }
    forbidden(&site, "r1", redeem("redeem-2", "H1", 1), Why::TooOften).await;
    deal(&site, "officer", redeem("redeem-2", "H1", 1)).await;
    sound(&site).await;
}

#[tokio::test]
async fn no_score_and_no_list_depends_on_minutes_or_points() {
    let site = village().await;
    let nothing = States::new();
    let digest = async || {
        let edition = site.ledger.edition(&Rule::V1, day(40), &nothing).await.unwrap();
        format!("{:?}", edition.places)
    };
    let before = digest().await;
    deal(&site, "boss", fund("fund-0001", 10_000)).await;
    deal(&site, "o1", award("award-01", "BAD", 1_000)).await;
    let service = deal(&site, "o1", serve("serve-01", ("BAD", "FINE"), 300, 9 * HOUR))
        .await
        .position;
    deal(&site, "o2", confirm("confirm1", "FINE", service)).await;
    site.fold().await;
    assert_eq!(digest().await, before);
}

#[tokio::test]
async fn books_that_somebody_wrote_into_are_found_out() {
    for (wrong, says) in [
        (
            "update bank_account set balance = balance + 1 where id = 'home/0/H1'",
            "table bank_account",
        ),
        (
            "update bank_entry set amount = 701 where kind = 'award'",
            "table bank_entry",
        ),
        ("delete from bank_key where key = 'award-01'", "table bank_key"),
    ] {
        let site = street().await;
        deal(&site, "o1", award("award-01", "H1", 700)).await;
        run(&mut site.truth().await, wrong).await;
        let found = site.ledger.verify_projections(|_| ()).await.unwrap().unwrap();
        assert!(found.contains(says), "{wrong}: {found}");
    }
    let site = street().await;
    deal(&site, "o1", award("award-01", "H1", 700)).await;
    let below = "update bank_account set balance = -1 where id = 'home/0/H1'";
    assert!(attempt(&mut site.truth().await, below).await.is_err());
}
