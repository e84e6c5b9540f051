use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hemu_ledger::acts::Audience;
use hemu_ledger::acts::Words as Written;
use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::segment::Segment;
use hemu_ledger::work::Work;
use hemu_ledger::{Folder, Projector};
use hemu_rules::{Bp, By, Grams, Permille, Rule, Stream, Zone};

use super::*;

const DAY: i64 = 86_400_000;
const NOW: i64 = 1_779_000_000_000;
/// A Monday.
const MONDAY: &str = "2026-05-18";

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// Minutes after the beginning of a day in Shanghai.
fn at(day: Day, minutes: i64) -> i64 {
    day.start(Zone::SHANGHAI).get() + minutes * 60_000
}

fn monday() -> Day {
    day(MONDAY)
}

struct Village {
    ledger: Ledger,
    folder: tempfile::TempDir,
}

impl Village {
    async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open_ledger(&folder).await;
        Self { ledger, folder }
    }

    /// Two households that an inspector looked at on each of the sixty days before that Monday: one sorts badly.
    async fn new() -> Self {
        let village = Self::empty().await;
        let names = [("BAD", None), ("GOOD", None)];
        village.ledger.ensure_households(&names, 0).await.unwrap();
        for (device, token, quality) in [("I1", "BAD", 1_000), ("I2", "GOOD", 9_800)] {
            let mut segment = Segment::of_device(device, 1, 1);
            for (seq, ago) in (1..).zip((1..=60).rev()) {
                segment.push(seq, &inspected(token, at(monday().plus(-ago), 600), quality));
            }
            village.append(&segment).await;
        }
        village.fold().await;
        village
    }

    async fn append(&self, segment: &Segment) {
        let mut body = Vec::new();
        let records = segment.write(&mut body, |_| true);
        let mut journal = self.ledger.journal().await.unwrap();
        journal.append(at(monday(), 0), records, &body).await.unwrap();
    }

    async fn fold(&self) {
        let (mut projector, _lock): (Projector, _) = self.ledger.projector().await.unwrap();
        while projector.step().await.unwrap().records > 0 {}
        projector.close().await.unwrap();
    }

    /// One step that must not fail, beside a projector that keeps up.
    async fn step(&self, schedule: &Schedule, now: i64) -> Done {
        self.fold().await;
        let done = step(&self.ledger, schedule, Position::MAX, now).await;
        assert!(done.failures.is_empty(), "{:?}", done.failures);
        done
    }

    /// That Monday's edition, told at once.
    async fn first_edition(&self) -> EditionId {
        let done = self.step(&schedule(true), at(monday(), 0)).await;
        done.proposed.unwrap().0
    }

    async fn act(&self, who: &str, now: i64, act: Act) -> Position {
        self.ledger.act(&who.parse().unwrap(), now, act).await.unwrap()
    }

    async fn state(&self, edition: EditionId) -> EditionState {
        self.ledger.edition_row(edition).await.unwrap().unwrap().state
    }
}

async fn open_ledger(folder: &tempfile::TempDir) -> Ledger {
    let folder = Folder::open(folder.path()).unwrap();
    Ledger::open(&folder, Zone::SHANGHAI).await.unwrap()
}

fn inspected(token: &str, at: i64, quality: i64) -> Body<'_> {
    Body::Deposit(Deposit {
        at: Millis::clamped(at),
        household: Some(token),
        bag: None,
        stream: Stream::Food,
        weight: Grams::clamped(700),
        quality: Bp::clamped(quality),
        confidence: Permille::MAX,
        by: By::Inspector,
    })
}

fn schedule(notices: bool) -> Schedule {
    Schedule {
        weekday: Weekday::Monday,
        notices,
        holder: "server-1".into(),
        past: 0,
        jobs: Jobs::new("server-1", hemu_api::Clock::new(|| NOW)),
    }
}

#[test]
fn the_week_begins_on_the_day_it_is_told() {
    let latest = |weekday: Weekday, today: &str| weekday.latest(day(today)).map(|day| day.to_string());
    for (weekday, expected) in [
        (Weekday::Monday, "2026-05-18"),
        (Weekday::Tuesday, "2026-05-19"),
        (Weekday::Wednesday, "2026-05-20"),
        (Weekday::Thursday, "2026-05-14"),
        (Weekday::Friday, "2026-05-15"),
        (Weekday::Saturday, "2026-05-16"),
        (Weekday::Sunday, "2026-05-17"),
    ] {
        assert_eq!(
            latest(weekday, "2026-05-20").as_deref(),
            Some(expected),
            "{weekday:?}"
        );
    }
    assert_eq!(
        latest(Weekday::Monday, "1969-12-31").as_deref(),
        Some("1969-12-29")
    );
    assert_eq!(latest(Weekday::Off, "2026-05-20"), None);
}

#[tokio::test]
async fn the_weeks_edition_is_computed_at_its_beginning_and_once() {
    let village = Village::new().await;
    let schedule = schedule(false);
    let before = village.step(&schedule, at(monday(), -1)).await;
    assert_eq!(
        before.proposed.map(|(_, day)| day),
        Some(monday().plus(-7)),
        "of the week before"
    );
    let (id, day) = village.step(&schedule, at(monday(), 0)).await.proposed.unwrap();
    assert_eq!((day, village.state(id).await), (monday(), EditionState::Draft));
    for hours in 0..7 * 24 {
        let again = village.step(&schedule, at(monday(), hours * 60)).await;
        assert!(again.proposed.is_none() && again.noticed.is_empty());
    }
}

#[tokio::test]
async fn after_weeks_without_a_server_only_the_latest_missed_edition_is_caught_up() {
    let village = Village::new().await;
    village.step(&schedule(false), at(monday(), 0)).await;
    let thursday = at(monday().plus(3 * 7 + 3), 600);
    let (_, day) = village.step(&schedule(false), thursday).await.proposed.unwrap();
    assert_eq!(day, monday().plus(21));
    assert!(village.step(&schedule(false), thursday).await.proposed.is_none());
    let all = village.ledger.editions(&EditionQuery::newest(9)).await.unwrap();
    assert_eq!(all.len(), 2);
}

#[tokio::test]
async fn nothing_is_computed_of_nobody_nor_where_the_schedule_is_off() {
    let empty = Village::empty().await;
    assert!(
        empty
            .step(&schedule(true), at(monday(), 0))
            .await
            .proposed
            .is_none()
    );
    let village = Village::new().await;
    let off = Schedule {
        weekday: Weekday::Off,
        ..schedule(true)
    };
    let done = village.step(&off, at(monday(), 0)).await;
    assert!(done.proposed.is_none() && done.noticed.is_empty());
}

#[tokio::test]
async fn notices_are_given_only_where_told_and_the_window_ends_by_itself() {
    let village = Village::new().await;
    let by_hand = village
        .step(&schedule(false), at(monday(), 0))
        .await
        .proposed
        .unwrap()
        .0;
    assert_eq!(village.state(by_hand).await, EditionState::Draft);
    let told = village.step(&schedule(true), at(monday(), 1)).await;
    assert_eq!(told.noticed, [by_hand]);
    let end = at(monday(), 1) + i64::from(WINDOW_DAYS) * DAY;
    assert!(village.step(&schedule(true), end - 1).await.opened.is_empty());
    let over = village.step(&schedule(true), end).await;
    assert_eq!((over.opened, over.failures.len()), (vec![by_hand], 0));
    assert_eq!(village.state(by_hand).await, EditionState::Deciding);
}

#[tokio::test]
async fn the_machine_alone_decides_about_nobody_and_publishes_nothing() {
    let village = Village::new().await;
    for hours in 0..8 * 7 * 4 {
        village.step(&schedule(true), at(monday(), hours * 6 * 60)).await;
    }
    let mut kinds = BTreeSet::new();
    let acts = village.ledger.acts(None, 1_000).await.unwrap();
    for act in acts {
        assert_eq!(act.actor, "system");
        kinds.insert(act.kind);
    }
    assert_eq!(kinds, ["notice", "open", "propose"].map(str::to_owned).into());
    let second = at(monday().plus(7), 0);
    for row in village.ledger.editions(&EditionQuery::newest(99)).await.unwrap() {
        assert!(row.state.is_open(), "{:?}", row.state);
        for place in village
            .ledger
            .places(row.id, hemu_rules::Status::Black, 0, 9)
            .await
            .unwrap()
        {
            assert_eq!(place.shown(), hemu_rules::Status::Grey, "{second}");
        }
    }
}

#[tokio::test]
async fn a_publication_ends_at_the_first_look_after_its_time_and_not_before() {
    let village = Village::new().await;
    let edition = village.first_edition().await;
    let decide = at(monday().plus(7), 0);
    village.step(&schedule(true), decide).await;
    let end = decide + 3 * DAY;
    let publication = Act::ProposePublication {
        edition,
        basis: Written::new("the covenant"),
        audience: Audience::Masked,
        expires_at: end,
    };
    village.act("p1", decide, publication).await;
    village.act("p2", decide, Act::Publish { edition }).await;
    assert!(village.step(&schedule(true), end - 1).await.expired.is_empty());
    assert_eq!(village.step(&schedule(true), end).await.expired, [edition]);
    assert_eq!(village.state(edition).await, EditionState::Expired);
    assert!(village.step(&schedule(true), end).await.expired.is_empty());
}

#[tokio::test]
async fn an_edition_that_lost_a_reading_is_corrected_before_anybody_decides() {
    let village = Village::new().await;
    let edition = village.first_edition().await;
    village
        .act("p1", at(monday(), 1), Act::strike((1, 50), "seen myself"))
        .await;
    let unfolded = step(&village.ledger, &schedule(true), Position::MAX, at(monday(), 2)).await;
    assert!(unfolded.revised.is_empty(), "the strike is not folded yet");
    assert!(unfolded.failures.is_empty(), "{:?}", unfolded.failures);
    let end = at(monday().plus(7), 0) - 1;
    let done = village.step(&schedule(true), end).await;
    let [revision] = done.revised[..] else {
        panic!("{done:?}")
    };
    assert_eq!(village.state(edition).await, EditionState::Superseded);
    assert_eq!(village.state(revision).await, EditionState::Noticed);
    assert!(village.step(&schedule(true), end).await.revised.is_empty());
}

#[tokio::test]
async fn what_a_person_took_back_stays_taken_back() {
    let village = Village::new().await;
    let edition = village.first_edition().await;
    let reason = Written::new("the scales were broken");
    village
        .act("p1", at(monday(), 1), Act::Retract { edition, reason })
        .await;
    let done = village.step(&schedule(true), at(monday(), 2)).await;
    assert!(done.proposed.is_none() && done.noticed.is_empty());
    assert!(
        village
            .step(&schedule(true), at(monday().plus(7), 0))
            .await
            .proposed
            .is_some()
    );
}

#[tokio::test]
async fn the_machine_leaves_alone_for_an_hour_what_a_person_stopped() {
    let village = Village::new().await;
    let clock = Arc::new(AtomicI64::new(NOW));
    let told = clock.clone();
    let schedule = Schedule {
        jobs: Jobs::new(
            "server-1",
            hemu_api::Clock::new(move || told.load(Ordering::SeqCst)),
        ),
        ..schedule(true)
    };
    let work = Work::watched();
    assert!(work.stop());
    let stopped = work.goes_on().map(|()| 0);
    let job = schedule.jobs.of_machine(Kind::Edition, About::day(monday()));
    job.made(stopped).unwrap_err();
    let now = at(monday(), 0);
    assert!(village.step(&schedule, now).await.proposed.is_none());
    clock.fetch_add(60 * 60_000, Ordering::SeqCst);
    assert!(village.step(&schedule, now).await.proposed.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_make_one_edition_and_neither_fails() {
    let village = Village::new().await;
    let other = open_ledger(&village.folder).await;
    let theirs = Schedule {
        holder: "server-2".into(),
        ..schedule(true)
    };
    for week in 0..4 {
        let now = at(monday().plus(7 * week), 0);
        let ours = schedule(true);
        village.fold().await;
        let head = village.ledger.head().await.unwrap();
        let (one, two) = tokio::join!(
            step(&village.ledger, &ours, head, now),
            step(&other, &theirs, head, now),
        );
        assert!(
            one.failures.is_empty() && two.failures.is_empty(),
            "{one:?} {two:?}"
        );
        let made = usize::from(one.proposed.is_some()) + usize::from(two.proposed.is_some());
        assert_eq!(made, 1, "week {week}: {one:?} {two:?}");
    }
    let all = village.ledger.editions(&EditionQuery::newest(9)).await.unwrap();
    assert_eq!(all.len(), 4);
}

#[tokio::test]
async fn an_edition_waits_for_what_arrived_until_it_was_asked_for() {
    let village = Village::new().await;
    let arrived = |seq: u64| {
        let mut segment = Segment::of_device("I3", 1, seq);
        segment.push(seq, &inspected("BAD", at(monday().plus(-1), 700), 9_000));
        segment
    };
    village.append(&arrived(1)).await;
    let head = village.ledger.head().await.unwrap();
    let now = at(monday(), 0);
    let early = step(&village.ledger, &schedule(false), head, now).await;
    assert!(early.proposed.is_none() && early.failures.is_empty());
    let metrics = Metrics::new(&Registry::new()).unwrap();
    metrics.look(&village.ledger, &schedule(false), now).await;
    assert_eq!(metrics.missing.get(), 1);
    village.fold().await;
    village.append(&arrived(2)).await;
    let schedule = schedule(false);
    let (then, ()) = tokio::join!(step(&village.ledger, &schedule, head, now), village.fold());
    let (id, _) = then.proposed.unwrap();
    metrics.look(&village.ledger, &schedule, now).await;
    assert_eq!(metrics.missing.get(), 0);
    let row = village.ledger.edition_row(id).await.unwrap().unwrap();
    assert_eq!(row.position, head + 1);
}

#[tokio::test]
async fn a_failure_is_told_once_and_counted_each_time() {
    let village = Village::new().await;
    let healthy = Village::empty().await;
    village.ledger.close().await;
    let registry = Registry::new();
    let (metrics, mut teller) = (Metrics::new(&registry).unwrap(), Teller::default());
    for look in 0..3 {
        let done = step(&village.ledger, &schedule(true), Position::MAX, at(monday(), 0)).await;
        metrics.count(&done);
        assert_eq!(done.failures.len(), 6);
        assert_eq!(teller.news(&done).len(), if look == 0 { 6 } else { 0 });
    }
    assert_eq!(metrics.failures.get(), 18);
    // Who cannot look leaves it as it was.
    metrics.missing.set(1);
    metrics
        .look(&village.ledger, &schedule(true), at(monday(), 0))
        .await;
    assert_eq!(metrics.missing.get(), 1);
    let done = step(&healthy.ledger, &schedule(true), Position::MAX, at(monday(), 0)).await;
    assert_eq!(teller.news(&done), ["the lists are kept again"]);
    assert!(teller.news(&done).is_empty());
}

#[tokio::test]
async fn what_was_computed_is_counted_with_its_day() {
    let village = Village::new().await;
    let metrics = Metrics::new(&Registry::new()).unwrap();
    for week in 0..2 {
        let now = at(monday().plus(7 * week), 0);
        metrics.count(&village.step(&schedule(false), now).await);
        metrics.count(&village.step(&schedule(false), now).await);
    }
    let last = i64::from(monday().plus(7).get());
    assert_eq!((metrics.editions.get(), metrics.last_day.get()), (2, last));
}

#[tokio::test]
async fn a_rule_in_the_shadow_has_an_edition_of_each_week_beside_the_real_one_and_nobody_is_told() {
    let village = Village::new().await;
    let rule = Rule {
        version: 2,
        ..Rule::V1
    };
    let begin = Act::ShadowRule {
        rule: Box::new(rule),
        from: monday(),
    };
    let shadow = village.act("p1", at(monday(), 1), begin).await;
    let schedule = schedule(false);
    let done = village.step(&schedule, at(monday(), 10)).await;
    let (edition, _) = done.proposed.unwrap();
    assert_eq!(done.shadows.len(), 1);
    let again = village.step(&schedule, at(monday(), 11)).await;
    assert!(again.proposed.is_none() && again.shadows.is_empty());
    let kept = village.ledger.shadow_editions(shadow, 9).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(village.ledger.shadow_diff(done.shadows[0]).await.unwrap(), []);
    let all = village.ledger.editions(&EditionQuery::newest(9)).await.unwrap();
    assert_eq!(all.iter().map(|row| row.id).collect::<Vec<_>>(), [edition]);
    village
        .act("p2", at(monday(), 20), Act::EndShadow { shadow })
        .await;
    let next = village.step(&schedule, at(monday().plus(7), 10)).await;
    assert!(next.proposed.is_some() && next.shadows.is_empty());
}
