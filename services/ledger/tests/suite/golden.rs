//! Forty simulated households through the ledger, against the oracle of the rules; and what an edition reads.

use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::read::Standing;
use hemu_ledger::segment::Segment;
use hemu_rules::{Bp, DECAY, Day, Grams, Millis, Permille, Rule, Stream, Zone, totals};
use serde_json::Value;

use crate::site::{NOW, Site};

fn golden() -> Value {
    let path = format!("{}/../rules/golden/households.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The file's readings as import rows, in batches of a few hundred; folded after every third.
async fn imported(file: &Value) -> Site {
    let site = Site::new().await;
    let first = Day::new(file["first_day"].as_i64().unwrap()).unwrap();
    let first = first.start(Zone::SHANGHAI);
    let rows = file["readings"].as_array().unwrap();
    for (nth, chunk) in rows.chunks(400).enumerate() {
        let mut segments = Vec::new();
        for (row, r) in chunk.iter().enumerate() {
            let int = |i: usize| r[i].as_i64().unwrap();
            let (household, bag) = (format!("H{}", int(1)), format!("B{}", int(0)));
            let stream = file["streams"][usize::try_from(int(3)).unwrap()]
                .as_str()
                .unwrap();
            let deposit = Deposit {
                at: first.saturating_add(int(2) * 60_000),
                household: Some(&household),
                bag: Some(&bag),
                stream: stream.parse::<Stream>().unwrap(),
                weight: Grams::new(int(4)).unwrap(),
                quality: Bp::new(int(7)).unwrap(),
                confidence: Permille::new(int(8)).unwrap(),
                by: r[6].as_str().unwrap().parse().unwrap(),
            };
            let mut segment = Segment::of_import(r[5].as_str().unwrap());
            segment.push_import(&format!("R{nth}-{row}"), &Body::Deposit(deposit));
            segments.push(segment);
        }
        site.append(&segments).await;
        if nth % 3 == 0 {
            site.fold().await;
        }
    }
    let tokens: Vec<String> = (0..40).map(|household| format!("H{household}")).collect();
    let names: Vec<_> = tokens.iter().map(|token| (token.as_str(), None)).collect();
    site.ledger.ensure_households(&names, NOW).await.unwrap();
    site.fold().await;
    site
}

#[tokio::test]
async fn every_household_stands_where_the_oracle_says() {
    let file = golden();
    let site = imported(&file).await;
    for edition in file["editions"].as_array().unwrap() {
        let day = Day::new(edition["day"].as_i64().unwrap()).unwrap();
        let standing = Standing::of(site.ledger.gather(&Rule::V1, day).await.unwrap());
        assert_eq!(standing.position, site.ledger.head().await.unwrap());
        assert_eq!(standing.calibration.slope(), edition["slope"].as_i64().unwrap());
        assert_eq!(i64::from(standing.prior), edition["prior"].as_i64().unwrap());
        for (number, name) in (0..).zip(&standing.device_names) {
            let device = hemu_rules::DeviceNo(number);
            let reliability = edition["reliability"][name].as_i64().unwrap_or(0);
            assert_eq!(standing.calibration.reliability(device), reliability, "{name}");
            let intercept = edition["intercepts"][name].as_i64();
            assert_eq!(standing.calibration.intercept(device), intercept, "{name}");
        }
        for household in edition["households"].as_array().unwrap() {
            let token = format!("H{}", household["household"]);
            let evidence = site.ledger.evidence(&token, day).await.unwrap();
            let sum = standing.totals_of(&evidence);
            assert_eq!(
                standing.totals.get(&token).copied().unwrap_or_default(),
                sum,
                "{token}"
            );
            assert_eq!(
                sum,
                totals(evidence.iter().copied(), &standing.calibration, &DECAY)
            );
            assert_eq!(sum.e.to_string(), household["e"].as_str().unwrap(), "{token}");
            assert_eq!(sum.a.to_string(), household["a"].as_str().unwrap(), "{token}");
            let days = standing.days_of(&evidence);
            assert_eq!(days.iter().map(|day| day.decayed).sum::<i128>(), sum.e);

            let posterior = standing.posterior(sum).unwrap();
            let expected = |name: &str| household[name].as_i64().unwrap();
            assert_eq!(i64::from(posterior.score), expected("score"), "{token}");
            let near = |got: hemu_rules::Ppb, name| (i64::from(got) - expected(name)).abs() <= 1;
            assert!(
                near(posterior.p_black, "p_black") && near(posterior.p_red, "p_red"),
                "{token}"
            );

            let month = site
                .ledger
                .participation(&token, day.plus(-28), day.plus(-1))
                .await
                .unwrap();
            let grams: i64 = month.iter().map(|(_, p)| p.grams).sum();
            assert_eq!(grams, expected("grams28"), "{token}");
            let food = month.iter().filter(|(_, p)| p.food > 0).count();
            assert_eq!(i64::try_from(food).unwrap(), expected("food_days28"), "{token}");
            let days = site
                .ledger
                .participation(&token, day.plus(-45), day.plus(-1))
                .await
                .unwrap();
            assert_eq!(
                i64::try_from(days.len()).unwrap(),
                expected("deposit_days45"),
                "{token}"
            );
        }
    }
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn an_edition_reads_nothing_of_its_own_day() {
    let site = Site::new().await;
    site.ledger.ensure_households(&[("H1", None)], NOW).await.unwrap();
    let day = Day::clamped(20_500);
    let last = |at: Millis| {
        let mut segment = Segment::of_import("I1");
        let deposit = Deposit {
            at,
            by: hemu_rules::By::Inspector,
            ..crate::site::deposit("H1", 0)
        };
        segment.push_import(&at.to_string(), &Body::Deposit(deposit));
        segment
    };
    let midnight = day.start(Zone::SHANGHAI);
    site.append(&[last(midnight)]).await;
    site.fold().await;
    let standing = Standing::of(site.ledger.gather(&Rule::V1, day).await.unwrap());
    assert!(standing.totals.is_empty() && site.ledger.evidence("H1", day).await.unwrap().is_empty());
    site.append(&[last(midnight.saturating_add(-1))]).await;
    site.fold().await;
    let standing = Standing::of(site.ledger.gather(&Rule::V1, day).await.unwrap());
    let whole_day = i128::from(Rule::V1.day()) * i128::from(DECAY[0]);
    assert_eq!(standing.totals["H1"].e, whole_day);
    assert_eq!(site.ledger.evidence("H1", day).await.unwrap().len(), 1);
}
