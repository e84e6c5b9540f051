//! An engine that refuses, waits, hangs up or talks nonsense, as InfluxDB's contract has it.

use std::collections::BTreeSet;
use std::time::Duration;

use hemu_series::{Agg, Error, Step, Trouble};

use crate::influx::{Fake, Fault};
use crate::outage::{STRETCHES, charts, expected, stretch};
use crate::places::{Kind, NOW};
use crate::query;

#[tokio::test]
async fn whatever_it_answers_nothing_is_missing_and_nothing_doubled() {
    let fake = Fake::start();
    let faults = [
        Fault::Refuse(429, Some(7)),
        Fault::Cut,
        Fault::Refuse(503, None),
        Fault::Refuse(503, Some(2)),
        Fault::Cut,
        Fault::Refuse(408, None),
        Fault::Refuse(500, None),
    ];
    let kind = Kind::Influx(fake);
    let Kind::Influx(fake) = &kind else {
        unreachable!("made so")
    };
    let place = kind.place();
    let store = place.open().await;
    let mut waits = Vec::new();
    for nth in 0..STRETCHES {
        let position = nth.cast_unsigned();
        assert!(
            store
                .series
                .write(position, position + 1, &stretch(nth))
                .await
                .unwrap()
        );
        if nth % 3 == 0 {
            fake.fail([faults[usize::try_from(nth / 3).unwrap() % faults.len()]]);
            let failed = store.series.push(NOW).await.unwrap_err();
            assert!(
                failed.to_string().starts_with("the charts' engine, InfluxDB, "),
                "{failed}"
            );
            waits.push(failed.wait().map_or(0, |wait| wait.as_secs()));
        }
    }
    assert_eq!(waits[..7], [7, 0, 0, 2, 0, 0, 0]);
    let found = charts(async |query| store.read(&query).await.unwrap()).await;
    assert_eq!(found, expected().await);
    assert!(store.series.push(NOW).await.unwrap().is_done());
    assert_eq!(store.series.forgotten().await.unwrap(), None);
}

#[tokio::test]
async fn how_far_the_charts_are_says_what_the_engine_lacks_and_whether_it_answers() {
    let kind = Kind::Influx(Fake::start());
    let Kind::Influx(fake) = &kind else {
        unreachable!("made so")
    };
    let place = kind.place();
    let store = place.written(&stretch(0)).await;
    let found = |answers, waiting| {
        let progress = store.series.progress();
        let engine = progress.engine.unwrap();
        assert_eq!((progress.position, engine.name), (1, "InfluxDB"));
        assert_eq!((engine.answers, engine.waiting), (answers, waiting));
    };
    let lacks = store.series.unsent().await.unwrap();
    assert!(lacks > 0);
    fake.fail([Fault::Cut]);
    store.series.push(NOW).await.unwrap_err();
    found(false, lacks);
    store.series.push(NOW).await.unwrap();
    found(true, 0);
    assert_eq!(store.series.push(NOW).await.unwrap().sent, 0);
    // Everything once more: little by little, and all of it waits.
    assert_eq!(store.series.refill().await.unwrap(), lacks);
    fake.fail([Fault::Cut]);
    store.series.push(NOW).await.unwrap_err();
    found(false, lacks);
    store.series.push(NOW).await.unwrap();
    store.series.push(NOW).await.unwrap();
    found(true, 0);
}

#[tokio::test]
async fn what_does_not_fit_at_once_is_sent_in_parts() {
    let fake = Fake::start();
    fake.take_at_most(16);
    let kind = Kind::Influx(fake);
    let Kind::Influx(fake) = &kind else {
        unreachable!("made so")
    };
    let place = kind.place();
    let store = place.written(&stretch(0)).await;
    let pushed = store.series.push(NOW).await.unwrap();
    let lines: Vec<_> = fake.bodies().iter().map(|body| body.lines().count()).collect();
    assert!(
        lines.len() > 1 && lines.iter().all(|lines| *lines <= 16),
        "{lines:?}"
    );
    assert_eq!(lines.iter().sum::<usize>(), pushed.sent);
    // What no part of fits is told.
    fake.take_at_most(0);
    assert!(store.series.write(1, 2, &stretch(1)).await.unwrap());
    let refused = store.series.push(NOW).await.unwrap_err().to_string();
    assert!(refused.contains("HTTP 413"), "{refused}");
}

#[tokio::test]
async fn a_token_a_bucket_and_an_organization_that_it_does_not_know_are_each_named() {
    let fake = Fake::start();
    let token = Some(crate::influx::TOKEN.to_owned());
    for (url, token, says) in [
        (fake.url(), None, "HTTP 401); set series_token"),
        (fake.url(), Some("another".into()), "HTTP 401); set series_token"),
        (
            fake.url_of("hemu", "nothing"),
            token.clone(),
            "make the bucket there",
        ),
        (fake.url_of("others", "charts"), token, "HTTP 404"),
    ] {
        let kind = Kind::At { url, token };
        let place = kind.place();
        let store = place.written(&stretch(0)).await;
        let pushed = store.series.push(NOW).await.unwrap_err().to_string();
        assert!(pushed.contains(says), "{pushed}");
        let read = store.series.read(&query(Step::Day, Agg::Mean)).await.unwrap_err();
        assert!(read.to_string().contains(says), "{read}");
        assert_eq!(read.wait(), None);
        // Nothing was lost by it.
        assert!(store.series.unsent().await.unwrap() > 0);
    }
}

#[tokio::test]
async fn lines_it_does_not_take_stay_due_and_its_words_are_told() {
    let fake = Fake::start();
    let kind = Kind::Influx(fake);
    let Kind::Influx(fake) = &kind else {
        unreachable!("made so")
    };
    let place = kind.place();
    let store = place.written(&stretch(0)).await;
    for status in [400, 422] {
        fake.fail([Fault::Refuse(status, None)]);
        let refused = store.series.push(NOW).await.unwrap_err();
        let told = refused.to_string();
        assert!(
            told.contains(&format!("HTTP {status}")) && told.contains("as documented"),
            "{told}"
        );
    }
    let pushed = store.series.push(NOW).await.unwrap();
    assert!(pushed.sent > 0 && pushed.is_done(), "{pushed:?}");
}

#[tokio::test]
async fn an_answer_that_never_comes_or_is_none_is_an_error_in_time() {
    let kind = Kind::Influx(Fake::start());
    let Kind::Influx(fake) = &kind else {
        unreachable!("made so")
    };
    let place = kind.place();
    let store = place.written(&stretch(0)).await;
    let chart = query(Step::Day, Agg::Count);
    fake.fail([Fault::Garbled]);
    let garbled = store.series.read(&chart).await.unwrap_err();
    assert!(
        garbled.to_string().contains("answers what cannot be read"),
        "{garbled}"
    );
    fake.fail([Fault::Cut]);
    let cut = store.series.read(&chart).await.unwrap_err();
    assert!(
        cut.to_string().contains("does not answer at http://127.0.0.1"),
        "{cut}"
    );
    // The next time that anything waits for is that of giving up.
    fake.fail([Fault::Silence]);
    tokio::time::pause();
    let silent = store.series.read(&chart).await.unwrap_err();
    tokio::time::resume();
    let slow = Duration::from_secs(30).as_secs();
    assert!(
        matches!(&silent, Error::Engine { trouble: Trouble::Slow { seconds }, .. } if *seconds == slow),
        "{silent}"
    );
}

#[tokio::test]
async fn no_tag_could_name_a_household() {
    let kind = Kind::Influx(Fake::start());
    let Kind::Influx(fake) = &kind else {
        unreachable!("made so")
    };
    let place = kind.place();
    let store = place.written(&stretch(0)).await;
    store.series.push(NOW).await.unwrap();
    let bodies = fake.bodies();
    let mut tags = BTreeSet::new();
    for line in bodies.iter().flat_map(|body| body.lines()) {
        let series = line.split(' ').next().unwrap();
        tags.extend(
            series
                .split(',')
                .skip(1)
                .map(|tag| tag.split('=').next().unwrap()),
        );
    }
    assert_eq!(tags, BTreeSet::from(["device", "measure", "site", "stream"]));
}
