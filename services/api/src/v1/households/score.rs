//! Where a household stands, and what says so.

use hemu_ledger::Seen;
use hemu_ledger::read::Evidence;
use hemu_rules::{Day, Source};
use serde::Serialize;
use utoipa::ToSchema;

use super::rank::Rank;
use crate::api::Api;
use crate::problem::Problem;
use crate::v1::words::places;

/// A household's score. Rule and words: the score rule, version 1.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Score {
    /// The server's clock, ms since 1970 UTC.
    as_of: i64,
    /// Evidence is of days before this local day.
    #[schema(value_type = String, format = Date)]
    edition: Day,
    /// Whether there is enough evidence for a score.
    rated: bool,
    /// 0..=100; null when not rated.
    #[serde(rename = "score")]
    points: Option<u8>,
    /// Ends of the 90 % interval, 0..=100.
    low: f64,
    high: f64,
    /// Decayed evidence in days judged by an inspector.
    evidence: f64,
    /// The part of it that is good.
    good: f64,
    /// The mean, 0..=1.
    mu: f64,
    /// How likely the household sorts no better than not at all.
    p_black: f64,
    /// How likely it sorts well.
    p_red: f64,
    /// The city's mean, 0..=1.
    prior: f64,
    /// Days with a deposit, of the last 45.
    days45: usize,
    /// Days an inspector judged, of the last 60.
    inspected_days60: usize,
    /// Null when not rated. Of some seconds ago.
    rank: Option<Rank>,
    /// Version of the rule.
    rule: String,
}

impl Score {
    /// Evidence as it is in this moment, calibration and city's mean of some seconds ago.
    pub(super) async fn read(api: &Api, seen: &Seen) -> Result<Self, Problem> {
        let kept = api.standings.newest().await?;
        let standing = &kept.standing;
        let (edition, rule) = (standing.edition, standing.rule());
        let evidence = seen.evidence(edition).await?;
        let bags = seen.participation(edition.plus(-45), edition.plus(-1)).await?;
        let totals = standing.totals_of(&evidence);
        let posterior = standing.posterior(totals)?;
        let (low, high) = posterior.interval()?;
        let rated = totals.rated(rule);
        Ok(Self {
            as_of: api.clock.now(),
            edition,
            rated,
            points: rated.then_some(posterior.score),
            low: (100.0 * low.share()).round(),
            high: (100.0 * high.share()).round(),
            evidence: places(posterior.e, 2),
            good: places(totals.a as f64 / (rule.unit() * 10_000) as f64, 2),
            mu: places(posterior.mu, 6),
            p_black: posterior.p_black.probability(),
            p_red: posterior.p_red.probability(),
            prior: standing.prior.share(),
            days45: bags.iter().filter(|(_, bags)| bags.bags() > 0).count(),
            inspected_days60: inspected_days(&evidence, edition.plus(-60)),
            rank: Rank::of(&kept, seen.row()),
            rule: rule.version.to_string(),
        })
    }
}

fn inspected_days(evidence: &Evidence, since: Day) -> usize {
    let judged = evidence
        .iter()
        .filter(|(day, source, bucket)| *source == Source::Inspector && *day >= since && bucket.w > 0);
    let mut days: Vec<Day> = judged.map(|(day, ..)| *day).collect();
    days.sort_unstable();
    days.dedup();
    days.len()
}

#[cfg(test)]
mod tests {
    use hemu_rules::{
        Bp, Bucket, DECAY, Day, PairSums, Rule, Source, Totals, calibrate, posterior, prior, totals,
    };

    use hemu_people::Scope;

    use super::*;
    use crate::testing::{Site, TODAY, day};

    /// Inspector evidence of bags of 500 g, one a day: a full day each.
    fn by_hand(days: &[(i32, i64)]) -> Totals {
        let today: Day = day(TODAY);
        let none = std::iter::empty::<(hemu_rules::DeviceNo, Day, PairSums)>();
        let calibration = calibrate(&Rule::V1, none, |_| "", today.plus(1));
        let bucket = |(ago, bp): &(i32, i64)| {
            let bucket = Bucket {
                w: 500_000,
                g: 500_000 * bp,
                n: 1,
            };
            (today.plus(-ago), Source::Inspector, bucket)
        };
        totals(days.iter().map(bucket), &calibration, &DECAY)
    }

    #[tokio::test]
    async fn a_score_is_the_rules_score_of_the_evidence() {
        let site = Site::filled().await;
        let good = by_hand(&[(1, 9_000), (2, 9_200), (3, 9_400), (4, 9_000), (5, 9_600)]);
        let poor = by_hand(&[(1, 3_000), (2, 3_500), (3, 2_500), (4, 3_000), (5, 4_000)]);
        let city: Bp = prior(&Rule::V1, [good, poor]);
        for (token, totals) in [("hh-good-0001", good), ("hh-poor-0002", poor)] {
            let expected = posterior(&Rule::V1, totals, city).unwrap();
            let (low, high) = expected.interval().unwrap();
            let score = site.json(&format!("/api/v1/households/{token}")).await["score"].clone();
            assert_eq!(score["rated"], totals.rated(&Rule::V1));
            assert_eq!(score["score"], expected.score);
            assert_eq!(score["mu"], places(expected.mu, 6));
            assert_eq!(score["p_black"], expected.p_black.probability());
            assert_eq!(score["p_red"], expected.p_red.probability());
            assert_eq!(score["prior"], city.share());
            assert_eq!(score["evidence"], places(totals.days(&Rule::V1), 2));
            assert_eq!(score["low"], (100.0 * low.share()).round());
            assert_eq!(score["high"], (100.0 * high.share()).round());
            assert_eq!(score["edition"], day(TODAY).plus(1).to_string());
        }
    }

    #[tokio::test]
    async fn a_new_reading_moves_its_households_score_at_once_and_nobody_elses() {
        let site = Site::filled().await;
        let sight = site.ledger.seen_by(Scope::Everyone);
        let read = async |token| {
            let seen = sight.household(token).await.unwrap().unwrap();
            Score::read(&site.api(), &seen).await.unwrap()
        };
        let before = (read("hh-good-0001").await, read("hh-poor-0002").await);
        site.inspect("hh-good-0001", 1_000).await;
        let after = (read("hh-good-0001").await, read("hh-poor-0002").await);
        assert!(after.0.mu < before.0.mu, "{} < {}", after.0.mu, before.0.mu);
        assert_eq!(after.0.inspected_days60, before.0.inspected_days60 + 1);
        assert_eq!(after.1, before.1);
    }

    #[test]
    fn an_inspected_day_counts_once_and_needs_weight() {
        let bucket = |w| Bucket { w, g: 0, n: 1 };
        let (now, camera) = (day(TODAY), Source::Camera(hemu_rules::DeviceNo(1)));
        let evidence = vec![
            (now, Source::Inspector, bucket(5)),
            (now, Source::Inspector, bucket(5)),
            (now.plus(-1), Source::Inspector, bucket(0)),
            (now.plus(-2), camera, bucket(5)),
            (now.plus(-60), Source::Inspector, bucket(5)),
        ];
        assert_eq!(inspected_days(&evidence, now.plus(-59)), 1);
        assert_eq!(inspected_days(&evidence, now.plus(-60)), 2);
    }
}
