//! What the projector makes of repeats, conflicts, losses, clocks, unknown names and bags read twice.

use hemu_ledger::entry::{BinState, Body, Deposit, Incident, Status};
use hemu_ledger::read::Standing;
use hemu_ledger::segment::Segment;
use hemu_rules::{Bp, By, Grams, Millis, PairSums, Stream};

use crate::site::{MIDNIGHT, NOW, Site, day, deposit, of_boot, quarantined, segment};

fn said(household: &str, minutes: i64) -> Body<'_> {
    Body::Deposit(deposit(household, minutes))
}

/// (readings, grams, bags) of a household on the first days.
async fn counted(site: &Site, household: &str) -> (usize, i64, i64) {
    let (from, to) = (day(0), day(3));
    let readings = site.ledger.deposits(household, from, to).await.unwrap().len();
    let days = site.ledger.participation(household, from, to).await.unwrap();
    let sum = |of: fn(&hemu_rules::Participation) -> i64| days.iter().map(|(_, p)| of(p)).sum();
    (readings, sum(|p| p.grams), sum(hemu_rules::Participation::bags))
}

async fn reasons(site: &Site) -> Vec<String> {
    let rows = site.ledger.quarantine(None, 100).await.unwrap();
    rows.into_iter().map(|row| row.reason).collect()
}

async fn counters(site: &Site) -> (u64, u64, u64, u64) {
    let c = site.ledger.progress().await.unwrap().counters;
    (c.accepted, c.repeats, c.conflicts, c.quarantined)
}

#[tokio::test]
async fn a_duplicate_reading_scores_once() {
    let site = Site::new().await;
    let twice = segment("C1", [(1, said("H1", 1)), (1, said("H1", 1))]);
    site.append(std::slice::from_ref(&twice)).await;
    site.fold().await;
    // In the same batch, in another batch, and after a restart.
    site.append(&[twice]).await;
    site.fold().await;
    assert_eq!(counted(&site, "H1").await, (1, 700, 1));
    assert_eq!(counters(&site).await, (1, 3, 0, 0));
    let tail = site.ledger.tail(0, 100).await.unwrap();
    let mut heard = Vec::new();
    tail.for_each(|batch, index, _| heard.push((batch.position, index)))
        .unwrap();
    assert_eq!((tail.records(), heard), (4, vec![(1, 0)]));
    let ignored = site.ledger.ignored_in(&[1, 2]).await.unwrap();
    assert_eq!((ignored.repeats, ignored.aside), (3, vec![]));
}

#[tokio::test]
async fn the_same_identity_with_other_content_is_kept_aside_and_the_first_stays() {
    let mut site = Site::new().await;
    site.append(&[segment("C1", [(1, said("H1", 1))])]).await;
    site.append(&[segment("C1", [(1, said("H2", 1))])]).await;
    site.fold().await;
    site = site.reopen().await;
    // Also when the projector has forgotten the first one's hash.
    site.append(&[segment("C1", [(1, said("H3", 1))])]).await;
    site.fold().await;
    // It stays, and counts for nobody until a person has looked.
    assert_eq!(counted(&site, "H1").await, (1, 0, 0));
    assert_eq!(counted(&site, "H2").await, (0, 0, 0));
    assert_eq!(counted(&site, "H3").await, (0, 0, 0));
    assert_eq!(counters(&site).await, (1, 0, 2, 2));
    assert_eq!(reasons(&site).await, ["conflict", "conflict"]);
    let aside = |position| ((position, 0), "conflict".to_owned());
    let ignored = site.ledger.ignored_in(&[1, 2, 3]).await.unwrap();
    assert_eq!((ignored.repeats, ignored.aside), (0, vec![aside(2), aside(3)]));
    let kept = site.ledger.quarantine(None, 1).await.unwrap().remove(0);
    assert_eq!(
        (kept.device.as_str(), kept.boot, kept.seq),
        ("C1", Some(1), Some(1))
    );
    assert!(String::from_utf8(kept.raw).unwrap().contains("\"H3\""));
}

#[tokio::test]
async fn repeats_older_than_memory_are_judged_by_what_was_stored() {
    let site = Site::new().await;
    let all = |from: u64, to: u64| (from..=to).map(|seq| (seq, said("H1", seq.cast_signed())));
    // More than a cursor keeps in memory, in several batches, from both ends.
    site.append(&[segment("C1", all(2_001, 3_000))]).await;
    for start in [1, 701, 1_401] {
        site.append(&[segment("C1", all(start, (start + 699).min(2_000)))])
            .await;
    }
    let (mut projector, _lock) = site.ledger.projector().await.unwrap();
    crate::site::fold(&mut projector).await;
    site.append(&[segment("C1", all(1, 3_000))]).await;
    site.append(&[segment(
        "C1",
        [(1, said("H2", 1)), (1_500, said("H2", 1)), (2_500, said("H2", 1))],
    )])
    .await;
    crate::site::fold(&mut projector).await;
    assert_eq!(counters(&site).await, (3_000, 3_000, 3, 3));
    assert_eq!(counted(&site, "H2").await, (0, 0, 0));
}

#[tokio::test]
async fn what_filled_one_by_one_tells_repeats_from_conflicts_at_every_edge() {
    let mut site = Site::new().await;
    let last = i64::MAX.cast_unsigned();
    let numbers = [65, 63, 64, 62, 127, 128, last, last - 64, last - 63];
    let says = |seq: u64, household| of_boot("C1", u64::MAX, [(seq, said(household, 5))]);
    for seq in numbers {
        site.append(&[says(seq, "H1")]).await;
        site.fold().await;
    }
    // Memory knows nothing of them afterwards.
    site = site.reopen().await;
    for seq in numbers {
        site.append(&[says(seq, "H1")]).await;
    }
    site.append(&[says(66, "H1")]).await;
    site.fold().await;
    assert_eq!(counters(&site).await, (10, 9, 0, 0));
    site = site.reopen().await;
    for seq in numbers {
        site.append(&[says(seq, "H2")]).await;
    }
    site.fold().await;
    assert_eq!(counters(&site).await, (10, 9, 9, 9));
    let stored = site
        .ledger
        .accepted("C1", u64::MAX, &[61, 62, 66, last])
        .await
        .unwrap();
    assert_eq!(stored.len(), 3, "of 61 nothing came: {stored:?}");
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn whoever_folds_does_not_go_on_in_tables_that_were_emptied_beside_it() {
    let site = Site::new().await;
    site.append(&[segment("C1", [(1, said("H1", 1))])]).await;
    let (mut projector, _lock) = site.ledger.projector().await.unwrap();
    crate::site::fold(&mut projector).await;
    let mut tables = site.projections().await;
    for table in [
        "reading",
        "household",
        "device",
        "cursor",
        "seen",
        "day_sums",
        "tally",
    ] {
        crate::site::run(&mut tables, &format!("delete from {table}")).await;
    }
    let nothing = match tables.file() {
        Some(_) => "zeroblob(32)",
        None => "decode(repeat('00', 32), 'hex')",
    };
    let begin = format!("update progress set applied = 0, accepted = 0, hash = {nothing}");
    crate::site::run(&mut tables, &begin).await;
    // Nothing of this one would meet a row that is gone.
    let mut unread = Segment::unidentified("C2");
    unread.push_unidentified(&quarantined(b"{"));
    site.append(&[unread]).await;
    let refused = projector.step().await.unwrap_err().to_string();
    assert!(refused.contains("no longer end at batch 1"), "{refused}");
    crate::site::fold(&mut projector).await;
    assert_eq!(counted(&site, "H1").await.0, 1);
}

#[tokio::test]
async fn a_declared_loss_moves_the_watermark_on() {
    let site = Site::new().await;
    let lost = Body::Lost {
        at: Millis::clamped(MIDNIGHT),
        from: 3,
        to: 6,
    };
    site.append(&[segment(
        "C1",
        [
            (1, said("H1", 1)),
            (2, said("H1", 2)),
            (7, lost),
            (9, said("H1", 9)),
        ],
    )])
    .await;
    site.fold().await;
    let state = site.ledger.device_states().await.unwrap().remove(0);
    assert_eq!((state.upto, state.missing), (7, vec![(8, 8)]));
}

#[tokio::test]
async fn a_record_declared_lost_counts_when_it_comes_after_all() {
    let lost = || Body::Lost {
        at: Millis::clamped(MIDNIGHT),
        from: 1,
        to: 3,
    };
    let (overtaken, declared) = (segment("C1", [(2, said("H1", 2))]), segment("C1", [(4, lost())]));
    for order in [[overtaken.clone(), declared.clone()], [declared, overtaken]] {
        let site = Site::new().await;
        for one in order {
            site.append(std::slice::from_ref(&one)).await;
            site.append(&[one]).await;
            site.fold().await;
        }
        assert_eq!(counted(&site, "H1").await, (1, 700, 1));
        assert_eq!(counters(&site).await, (2, 2, 0, 0));
    }
}

#[tokio::test]
async fn a_device_too_far_out_of_order_is_told_so_and_can_send_again() {
    let site = Site::new().await;
    let gaps = hemu_ledger::cursor::MAX_INTERVALS as u64;
    let odd = (1..=gaps + 1).map(|i| (2 * i + 1, said("H1", 0)));
    site.append(&[segment("C1", odd)]).await;
    site.fold().await;
    assert_eq!(reasons(&site).await, ["too_many_gaps"]);
    assert_eq!(counters(&site).await, (gaps, 0, 0, 1));
    site.append(&[segment("C1", (1..=2 * gaps + 3).map(|seq| (seq, said("H1", 0))))])
        .await;
    site.fold().await;
    assert_eq!(counters(&site).await.0, 2 * gaps + 3);
    assert_eq!(site.ledger.device_states().await.unwrap()[0].upto, 2 * gaps + 3);
}

#[tokio::test]
async fn a_clock_ahead_is_kept_and_does_not_score() {
    let site = Site::new().await;
    let received = MIDNIGHT + 60 * 60_000;
    let bagged = |minutes| {
        Body::Deposit(Deposit {
            bag: Some("B1"),
            ..deposit("H1", minutes)
        })
    };
    // Five minutes are believed, a millisecond more is not.
    let more = Body::Deposit(Deposit {
        at: Millis::clamped(received + 5 * 60_000 + 1),
        bag: Some("B2"),
        ..deposit("H1", 0)
    });
    site.append_at(received, &[segment("C1", [(1, bagged(65)), (2, more)])])
        .await;
    site.fold().await;
    assert_eq!(counted(&site, "H1").await, (2, 700, 1));
    let readings = site.ledger.deposits("H1", day(0), day(0)).await.unwrap();
    let ahead: Vec<bool> = readings.iter().map(|reading| reading.clock_ahead).collect();
    assert_eq!(ahead, [false, true]);
    assert_eq!(readings[1].bag.as_deref(), Some("B2"));
    let evidence = site.ledger.evidence("H1", day(1)).await.unwrap();
    assert_eq!(evidence.iter().map(|(_, _, bucket)| bucket.n).sum::<i64>(), 1);
}

#[tokio::test]
async fn a_household_with_nothing_but_wrong_clocks_has_no_first_day() {
    let site = Site::new().await;
    site.append_at(MIDNIGHT, &[segment("C1", [(1, said("H1", 600))])])
        .await;
    site.fold().await;
    assert_eq!(site.ledger.first_day("H1").await.unwrap(), None);
    site.append_at(
        NOW,
        &[segment(
            "C1",
            [(2, said("H1", 3 * 1_440)), (3, said("H1", 1_500))],
        )],
    )
    .await;
    site.fold().await;
    assert_eq!(site.ledger.first_day("H1").await.unwrap(), Some(day(1)));
}

#[tokio::test]
async fn a_wrong_clock_does_not_hide_the_states_that_follow() {
    let site = Site::new().await;
    let status = |at: i64, battery_mv, fill| {
        Body::Status(Status {
            at: Millis::clamped(at),
            bins: vec![BinState {
                stream: Stream::Food,
                fill: Some(Bp::clamped(fill)),
                weight_g: None,
            }],
            battery_mv: Some(battery_mv),
            ..Status::default()
        })
    };
    let year_2099 = 4_070_908_800_000;
    site.append_at(MIDNIGHT, &[segment("C1", [(1, status(year_2099, 1, 9_000))])])
        .await;
    site.fold().await;
    let minute = 60_000;
    site.append_at(
        MIDNIGHT + 9 * minute,
        &[segment("C1", [(2, status(MIDNIGHT + 8 * minute, 2, 100))])],
    )
    .await;
    // An old one that comes late is not the latest.
    site.append_at(
        MIDNIGHT + 10 * minute,
        &[segment("C1", [(3, status(MIDNIGHT + minute, 3, 200))])],
    )
    .await;
    site.fold().await;
    let state = site.ledger.device_states().await.unwrap().remove(0);
    assert_eq!(
        (state.battery_mv, state.last_at),
        (Some(2), Some(MIDNIGHT + 8 * minute))
    );
    assert_eq!(state.bins[0].fill, Some(Bp::clamped(100)));
}

#[tokio::test]
async fn a_token_nobody_registered_is_kept_and_binds_once_it_is() {
    let site = Site::new().await;
    site.append(&[segment("C1", [(1, said("H-new", 1))])]).await;
    site.fold().await;
    assert_eq!(site.ledger.household("H-new").await.unwrap(), None);
    let before = counted(&site, "H-new").await;
    assert_eq!(before, (1, 700, 1));
    let scored = async || {
        let standing = Standing::of(site.ledger.gather(&hemu_rules::Rule::V1, day(1)).await.unwrap());
        standing.totals.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(scored().await, [""; 0]);
    site.ledger
        .ensure_households(&[("H-new", None)], NOW)
        .await
        .unwrap();
    assert_eq!(scored().await, ["H-new"]);
    assert_eq!(counted(&site, "H-new").await, before);
}

#[tokio::test]
async fn a_bag_read_twice_is_one_bag_and_one_pair_whoever_came_first() {
    let camera = Body::Deposit(Deposit {
        bag: Some("B1"),
        ..deposit("H1", 10)
    });
    let inspector = Body::Deposit(Deposit {
        bag: Some("B1"),
        by: By::Inspector,
        quality: Bp::clamped(6_500),
        weight: Grams::clamped(900),
        ..deposit("H1", 20)
    });
    let (camera, inspector) = (segment("C1", [(1, camera)]), segment("I1", [(1, inspector)]));
    let pair = PairSums::of_bag(Bp::clamped(8_000), Bp::clamped(6_500));
    for order in [[&camera, &inspector], [&inspector, &camera]] {
        for folded_between in [true, false] {
            let site = Site::new().await;
            for one in order {
                site.append(std::slice::from_ref(one)).await;
                if folded_between {
                    site.fold().await;
                }
            }
            site.fold().await;
            assert_eq!(counted(&site, "H1").await, (2, 700, 1));
            let pairs: Vec<String> = site
                .sums()
                .await
                .into_iter()
                .filter(|row| row.starts_with("pair"))
                .collect();
            let expected = format!(
                "pair Some({}) C1 Some(1) Some(8000) Some(6500) Some({}) Some({}) Some({})",
                day(0).get(),
                pair.syy,
                pair.sqq,
                pair.syq
            );
            assert_eq!(pairs, [expected]);
        }
    }
}

#[tokio::test]
async fn the_same_bag_id_of_another_household_or_day_is_another_bag() {
    let site = Site::new().await;
    let bag = |household, minutes| {
        Body::Deposit(Deposit {
            bag: Some("B1"),
            ..deposit(household, minutes)
        })
    };
    site.append(&[segment(
        "C1",
        [(1, bag("H1", 1)), (2, bag("H2", 1)), (3, bag("H1", 1_441))],
    )])
    .await;
    site.fold().await;
    assert_eq!(counted(&site, "H1").await, (2, 1_400, 2));
    assert_eq!(counted(&site, "H2").await, (1, 700, 1));
}

#[tokio::test]
async fn an_earlier_camera_takes_the_pair_and_leaves_no_trace_of_the_other() {
    let reading = |by, minutes, quality| {
        Body::Deposit(Deposit {
            bag: Some("B1"),
            by,
            quality: Bp::clamped(quality),
            ..deposit("H1", minutes)
        })
    };
    let late = segment("C2", [(1, reading(By::Camera, 30, 7_000))]);
    let inspector = segment("I1", [(1, reading(By::Inspector, 31, 6_000))]);
    let early = segment("C1", [(1, reading(By::Camera, 29, 9_000))]);
    let (step_by_step, at_once) = (Site::new().await, Site::new().await);
    for one in [&late, &inspector, &early] {
        step_by_step.append(std::slice::from_ref(one)).await;
        step_by_step.fold().await;
    }
    at_once.append(&[early, late, inspector]).await;
    at_once.fold().await;
    assert_eq!(step_by_step.sums().await, at_once.sums().await);
    assert_eq!(
        step_by_step.ledger.verify_projections(|_| ()).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn unattributed_deposits_are_counted_for_nobody() {
    let site = Site::new().await;
    let nobody = |bag| {
        Body::Deposit(Deposit {
            household: None,
            bag,
            ..deposit("", 5)
        })
    };
    site.append(&[segment(
        "C1",
        [(1, nobody(None)), (2, nobody(Some("B1"))), (3, said("H1", 6))],
    )])
    .await;
    site.ledger.ensure_households(&[("H1", None)], NOW).await.unwrap();
    site.fold().await;
    let tally = site.ledger.day_tally(day(0), None).await.unwrap();
    assert_eq!((tally.deposits, tally.attributed, tally.weight_g), (3, 1, 2_100));
    let standing = Standing::of(site.ledger.gather(&hemu_rules::Rule::V1, day(1)).await.unwrap());
    assert_eq!(standing.totals.keys().collect::<Vec<_>>(), ["H1"]);
    assert_eq!(site.sums().await.len(), 2);
}

#[tokio::test]
async fn a_days_deposits_are_tallied_by_device() {
    let site = Site::new().await;
    let both = [
        segment("C1", [(1, said("H1", 1)), (2, said("H1", 2))]),
        segment("C2", [(1, said("H2", 3)), (2, said("H2", 24 * 60))]),
    ];
    site.append(&both).await;
    site.fold().await;
    let tallies = site.ledger.day_tallies(day(0)).await.unwrap();
    let deposits = |device| tallies.get(device).map(|tally| (tally.deposits, tally.weight_g));
    assert_eq!(
        ["C1", "C2", "C3"].map(deposits),
        [Some((2, 1_400)), Some((1, 700)), None]
    );
    for (devices, sum) in [(&["C1", "C3"][..], 2), (&["C1", "C2"], 3), (&[], 0)] {
        let devices: Vec<String> = devices.iter().map(ToString::to_string).collect();
        let tally = site.ledger.day_tally(day(0), Some(&devices)).await.unwrap();
        assert_eq!(tally.deposits, sum, "{devices:?}");
    }
}

#[tokio::test]
async fn imports_and_unreadable_bytes_leave_a_devices_boot_alone() {
    let site = Site::new().await;
    site.append(&[of_boot("C1", 77, [(1, said("H1", 1)), (2, said("H1", 2))])])
        .await;
    site.fold().await;
    let mut unread = Segment::unidentified("C1");
    unread.push_unidentified(&quarantined(b"not json"));
    let mut row = Segment::of_import("C1");
    row.push_import("R1", &said("H1", 3));
    site.append(&[unread, row]).await;
    site.fold().await;
    let state = site.ledger.device_states().await.unwrap().remove(0);
    assert_eq!((state.boot, state.upto, state.records), (77, 2, 4));
    let (boot, cursor) = site.ledger.cursor("C1", None).await.unwrap().stand.unwrap();
    assert_eq!((boot, cursor.upto()), (77, 2));
}

#[tokio::test]
async fn every_boot_of_a_device_keeps_its_cursor() {
    let site = Site::new().await;
    site.append(&[
        of_boot("C1", u64::MAX, [(1, said("H1", 1))]),
        of_boot("C1", 5, [(1, said("H1", 2)), (2, said("H1", 3))]),
        of_boot("C2", 9, [(4, said("H1", 3))]),
    ])
    .await;
    site.append(&[of_boot("C1", u64::MAX, [(2, said("H1", 4)), (3, said("H1", 4))])])
        .await;
    site.fold().await;
    for (device, boot, expected) in [
        ("C1", None, Some((u64::MAX, 3))),
        ("C1", Some(u64::MAX), Some((u64::MAX, 3))),
        ("C1", Some(5), Some((5, 2))),
        ("C2", Some(9), Some((9, 0))),
        ("C2", Some(5), None),
        ("nobody", None, None),
    ] {
        let found = site.ledger.cursor(device, boot).await.unwrap();
        let stand = found.stand.map(|(boot, cursor)| (boot, cursor.upto()));
        assert_eq!((found.applied, stand), (2, expected), "{device} {boot:?}");
    }
    let (_, cursor) = site.ledger.cursor("C2", None).await.unwrap().stand.unwrap();
    assert_eq!(cursor.missing(9), [(1, 3)]);
}

#[tokio::test]
async fn what_was_set_aside_is_receipted_and_listed_with_its_bytes() {
    let site = Site::new().await;
    let smoke = Body::Incident(Incident {
        at: Millis::clamped(MIDNIGHT),
        kind: "smoke",
        stream: Some(Stream::Residual),
        note: Some("behind the bins"),
        photo: None,
    });
    site.append(&[segment("C1", [(1, quarantined(b"\xff{")), (2, smoke)])])
        .await;
    site.append(&[segment("C1", [(1, quarantined(b"\xff{"))])]).await;
    site.fold().await;
    let state = site.ledger.device_states().await.unwrap().remove(0);
    assert_eq!((state.upto, state.records, state.quarantined), (2, 2, 1));
    let rows = site.ledger.quarantine(None, 10).await.unwrap();
    assert_eq!(
        (rows.len(), rows[0].raw.as_slice(), rows[0].raw_len),
        (1, &b"\xff{"[..], 9)
    );
    assert_eq!(counters(&site).await, (2, 1, 0, 1));
    let incidents = site.ledger.incidents(None, 10).await.unwrap();
    assert_eq!(
        (incidents[0].kind.as_str(), incidents[0].stream),
        ("smoke", Some(Stream::Residual))
    );
    assert!(
        site.ledger
            .incidents(Some(incidents[0].place), 10)
            .await
            .unwrap()
            .is_empty()
    );
}
