//! GET /api/v1/households/{id}/reasons: why a score is what it is, in shares that add up and in a sentence.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::HouseholdDay;
use hemu_ledger::acts::{Listing, PlaceRow, Standing};
use hemu_rules::{
    Bp, Case, Contributions, DECAY, Day, EstateNo, Explanation, Household, Language, Millis, Outcome, Period,
    Ppb, Proposed, Reason, Status, Tally, Zone, explain, judge,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::list::{proposed, warned};
use crate::api::Api;
use crate::extract::Found;
use crate::problem::Problem;
use crate::standings::Kept;
use crate::v1::words::StreamWord;

/// Why the score is what it is now, and where the household stands on the lists. What it says of a list is the newest
/// published edition's, with that edition's score and certainty; a warning is said as soon as it was given, and so is what a
/// notice proposes, with the last day of objecting.
#[derive(Debug, Serialize, ToSchema)]
#[expect(
    clippy::struct_field_names,
    reason = "the reasons themselves have no other name"
)]
pub(crate) struct Reasons {
    /// Evidence is of days before this local day.
    #[schema(value_type = String, format = Date)]
    edition: Day,
    /// 0..=100; null when there is too little evidence for one.
    score: Option<u8>,
    /// Where every household begins: the city's mean, in points.
    prior: f64,
    /// At most four shares of a point or more, largest first, then facts. Each has a `code`; `tenths` are tenths of a
    /// point of the score.
    #[schema(value_type = Vec<Object>)]
    reasons: Vec<Reason>,
    /// Every stream, lately and before. With `clamped` they add up to the score less `prior`, before it is rounded.
    streams: Vec<StreamShare>,
    /// Points by who judged; with `clamped` they add up to the same.
    cameras: f64,
    inspectors: f64,
    /// What is left over where the evidence as a whole was brought back to none or all good; nearly always 0.
    clamped: f64,
    sentence: Sentence,
}

#[derive(Debug, Serialize, ToSchema)]
struct StreamShare {
    stream: StreamWord,
    /// Of the last 14 days; older otherwise.
    recent: bool,
    points: f64,
}

/// All of it in a sentence.
#[derive(Debug, Serialize, ToSchema)]
struct Sentence {
    zh: String,
    en: String,
}

/// Why a household's score is what it is.
#[utoipa::path(get, path = "/api/v1/households/{id}/reasons", tag = "households",
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Reasons), (status = 404, body = Problem)))]
pub(crate) async fn get(State(api): State<Arc<Api>>, Found(seen): Found) -> Result<Json<Reasons>, Problem> {
    let kept = api.standings.newest().await?;
    let edition = kept.standing.edition;
    let window = i32::try_from(DECAY.len()).unwrap_or(i32::MAX);
    let days = seen.days(edition.plus(-window), edition.plus(-1)).await?;
    let first = seen.first_day().await?;
    let listing = seen.listing(api.clock.now()).await?;
    let place = Known::of(&listing, api.ledger.zone(), api.clock.now());
    let doubted = kept.standing.doubted.contains(&seen.row().token);
    let tally = tally(&kept, &days);
    let now = judged(&kept, &tally, first, doubted)?;
    Ok(Json(Reasons::of(&kept, &days, &tally, &now, &place)))
}

/// What the lists make known of a household.
#[derive(Debug, Default)]
struct Known {
    /// On a published list: which, and by which numbers.
    listed: Option<PlaceRow>,
    warned: bool,
    warned_on: Option<Day>,
    appeal_open: bool,
    proposed: Option<Proposed>,
}

impl Known {
    fn of(listing: &Listing, zone: Zone, now: i64) -> Self {
        let (published, told) = (&listing.published, &listing.told);
        let listed = published.as_ref().filter(|standing| standing.shown().is_some());
        // A later edition's word on a warning goes before an earlier one's.
        let newest = [told, published]
            .into_iter()
            .flatten()
            .max_by_key(|s| s.edition.day);
        let until = |standing: &Standing| {
            // The instant itself is too late.
            let last = standing.deadline.filter(|deadline| now < *deadline)? - 1;
            Some(Day::of(Millis::clamped(last), zone))
        };
        let open = |standing: &Standing| standing.place.as_ref().is_some_and(|place| place.appeal_open);
        Self {
            listed: listed.and_then(|standing| standing.place.clone()),
            warned: newest.is_some_and(warned),
            warned_on: listing.warned_at.map(|at| Day::of(Millis::clamped(at), zone)),
            appeal_open: [told, published].into_iter().flatten().any(open),
            proposed: told.as_ref().and_then(|standing| {
                let list = proposed(standing)?;
                let until = until(standing);
                Some(Proposed { list, until })
            }),
        }
    }

    /// The rule's word of this moment, with what the lists say in its place.
    fn told(&self, now: Outcome) -> Outcome {
        let unlisted = Outcome {
            status: match now.status {
                Status::Unrated => Status::Unrated,
                Status::Red | Status::Black | Status::Grey => Status::Grey,
            },
            hits: 0,
            notice: self.warned,
            ..now
        };
        let Some(place) = &self.listed else {
            return unlisted;
        };
        Outcome {
            status: place.shown(),
            score: place.score,
            p_black: Ppb::clamped(place.p_black.into()),
            p_red: Ppb::clamped(place.p_red.into()),
            notice: false,
            ..unlisted
        }
    }
}

impl Reasons {
    fn of(kept: &Kept, days: &[(Day, HouseholdDay)], tally: &Tally, now: &Outcome, known: &Known) -> Self {
        let (standing, calibration) = (&kept.standing, &kept.standing.calibration);
        let buckets: Vec<_> = days
            .iter()
            .flat_map(|(day, of_day)| {
                of_day
                    .buckets
                    .iter()
                    .map(|&(source, stream, b)| (*day, source, stream, b))
            })
            .collect();
        let outcome = known.told(*now);
        let case = Case {
            buckets: &buckets,
            calibration,
            prior: standing.prior,
            tally,
            outcome: &outcome,
            before: hemu_rules::State::default(),
            notice_on: known.warned_on,
            appeal_open: known.appeal_open,
            proposed: known.proposed,
        };
        let explanation = explain(&case);
        let sentence = |language| explanation.sentence(standing.rule(), language);
        Self {
            sentence: Sentence {
                zh: sentence(Language::Chinese),
                en: sentence(Language::English),
            },
            score: (now.status != Status::Unrated).then_some(now.score),
            ..Self::shares(standing.prior, explanation)
        }
    }

    fn shares(prior: Bp, explanation: Explanation) -> Self {
        let shares = &explanation.contributions;
        let streams = shares.streams.iter().map(|part| StreamShare {
            stream: part.stream.into(),
            recent: part.period == Period::Recent,
            points: points(shares, part.part.numerator),
        });
        Self {
            edition: explanation.edition,
            score: None,
            prior: 100.0 * prior.share(),
            streams: streams.collect(),
            cameras: points(shares, shares.cameras.numerator),
            inspectors: points(shares, shares.inspectors.numerator),
            clamped: points(shares, shares.clamped),
            reasons: explanation.reasons,
            sentence: Sentence {
                zh: String::new(),
                en: String::new(),
            },
        }
    }
}

fn tally(kept: &Kept, days: &[(Day, HouseholdDay)]) -> Tally {
    let calibration = &kept.standing.calibration;
    let mut tally = Tally::default();
    for (day, of_day) in days {
        let buckets: Vec<_> = of_day
            .buckets
            .iter()
            .map(|&(source, _, bucket)| (source, bucket))
            .collect();
        tally.add_evidence(calibration, *day, &buckets);
        tally.add_bags(calibration, *day, &of_day.participation);
    }
    tally
}

/// The rule's word on a household in this moment, as if no edition had ever listed or warned it.
fn judged(kept: &Kept, tally: &Tally, first: Option<Day>, doubted: bool) -> Result<Outcome, Problem> {
    let household = Household {
        tally,
        estate: EstateNo(0),
        first_deposit: first,
        before: hemu_rules::State::default(),
        inspections_doubted: doubted,
    };
    Ok(judge(&kept.city, &household)?.settle(&hemu_rules::Guard::default(), ""))
}

#[expect(clippy::cast_precision_loss, reason = "tenths of points are small")]
fn points(shares: &Contributions, numerator: i128) -> f64 {
    shares.tenths(numerator) as f64 / 10.0
}

#[cfg(test)]
mod tests {
    use crate::testing::Site;

    #[tokio::test]
    async fn shares_add_up_to_what_the_score_is_beyond_the_citys_mean() {
        let site = Site::filled().await;
        for household in ["hh-good-0001", "hh-poor-0002"] {
            let path = format!("/api/v1/households/{household}");
            let (score, why) = (
                site.json(&path).await,
                site.json(&format!("{path}/reasons")).await,
            );
            let number = |value: &serde_json::Value| value.as_f64().unwrap();
            let beyond = 100.0 * number(&score["score"]["mu"]) - number(&why["prior"]);
            let streams: f64 = why["streams"]
                .as_array()
                .unwrap()
                .iter()
                .map(|s| number(&s["points"]))
                .sum();
            // Eight shares, each rounded to a tenth.
            assert!(
                (streams + number(&why["clamped"]) - beyond).abs() <= 0.5,
                "{household}: {why}"
            );
            let judges = number(&why["cameras"]) + number(&why["inspectors"]);
            assert!(
                (judges + number(&why["clamped"]) - beyond).abs() <= 0.2,
                "{household}: {why}"
            );
            assert_eq!(why["score"], score["score"]["score"]);
        }
        insta::assert_json_snapshot!(site.json("/api/v1/households/hh-poor-0002/reasons").await);
    }

    #[tokio::test]
    async fn a_household_is_told_that_its_inspectors_are_doubted() {
        let site = Site::filled().await;
        site.disagree(10, 600).await;
        for (household, doubted) in [("hh-poor-0002", true), ("hh-cam-0003", false)] {
            let why = site
                .json(&format!("/api/v1/households/{household}/reasons"))
                .await;
            let codes: Vec<_> = why["reasons"]
                .as_array()
                .unwrap()
                .iter()
                .map(|reason| &reason["code"])
                .collect();
            assert_eq!(
                codes.iter().any(|code| **code == "INSPECTORS_DOUBTED"),
                doubted,
                "{why}"
            );
            let sentence = why["sentence"]["en"].as_str().unwrap();
            assert_eq!(
                sentence.contains("disagree with their colleagues"),
                doubted,
                "{sentence}"
            );
        }
    }

    #[tokio::test]
    async fn nobody_is_called_listed_or_warned_by_a_score() {
        let site = Site::filled().await;
        for household in site.walk("/api/v1/households", "id").await {
            let why = site
                .json(&format!("/api/v1/households/{household}/reasons"))
                .await;
            let (zh, en) = (
                why["sentence"]["zh"].as_str().unwrap(),
                why["sentence"]["en"].as_str().unwrap(),
            );
            for word in ["列入黑榜", "列入红榜", "预警"] {
                assert!(!zh.contains(word), "{zh}");
            }
            assert!(
                !en.contains("on the black list") && !en.contains("on the red list"),
                "{en}"
            );
        }
        assert_eq!(site.get("/api/v1/households/nobody/reasons").await.0, 404);
    }
}
