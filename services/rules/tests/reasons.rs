//! From a household's days to its reasons and its sentence.
#![expect(
    clippy::unwrap_used,
    reason = "a household that cannot be judged fails the test"
)]

use hemu_rules::{
    Bp, Bucket, Calibration, Case, Census, City, Day, DeviceNo, EstateNo, Explanation, Grams, Guard,
    Household, Language, PairSums, Participation, Ppb, Proposed, Reason, Rule, Source, State, Status,
    StoredBucket, Stream, Tally, Totals, calibrate, explain, judge,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const RULE: Rule = Rule::V1;
/// 2026-07-13
const EDITION: Day = Day::clamped(20_647);
const ESTATE: EstateNo = EstateNo(0);
const CAMERA: Source = Source::Camera(DeviceNo(0));
const UNPAIRED: Source = Source::Camera(DeviceNo(1));

fn calibration() -> Calibration {
    let exact: PairSums = (0..=10)
        .map(|i| Bp::clamped(i * 1_000))
        .map(|q| PairSums::of_bag(q, q))
        .sum();
    let names = ["C0", "C1"];
    calibrate(
        &RULE,
        [(DeviceNo(0), EDITION.plus(-1), exact)],
        |d| names[d.0 as usize],
        EDITION,
    )
}

/// A city with mean 75 and 10 kg a household.
fn city() -> City {
    let evidence = Totals {
        e: RULE.unit() * 20,
        a: RULE.unit() * 20 * 7_500,
    };
    let usual = Tally {
        evidence,
        grams: 10_000,
        ..Tally::default()
    };
    let mut census = Census::default();
    census.add(&RULE, ESTATE, &usual);
    census.city(&RULE, EDITION)
}

/// What a household did and what is known of it.
#[derive(Debug, Clone, Default)]
struct Life {
    buckets: Vec<StoredBucket>,
    before: State,
    notice_on: Option<Day>,
    appeal_open: bool,
    proposed: Option<Proposed>,
    doubted: bool,
    bag_grams: i64,
}

impl Life {
    fn new(before: Status, hits: u16) -> Self {
        Self {
            before: State { status: before, hits },
            bag_grams: 700,
            ..Self::default()
        }
    }

    /// A bag of full weight on each of the days so many days before the edition.
    fn bags(
        mut self,
        ages: impl IntoIterator<Item = i32>,
        source: Source,
        stream: Stream,
        quality: i64,
    ) -> Self {
        let bucket = Bucket {
            w: 250_000,
            g: 250_000 * quality,
            n: 1,
        };
        self.buckets.extend(
            ages.into_iter()
                .map(|age| (EDITION.plus(-age), source, stream, bucket)),
        );
        self
    }

    fn tally(&self, calibration: &Calibration) -> Tally {
        let mut tally = Tally::default();
        let days: BTreeSet<Day> = self.buckets.iter().map(|(day, ..)| *day).collect();
        for day in days {
            let own = self.buckets.iter().filter(|(d, ..)| *d == day);
            let sources: Vec<(Source, Bucket)> = own.clone().map(|(_, s, _, b)| (*s, *b)).collect();
            let bag = |stream| Participation::of_bag(stream, Grams::clamped(self.bag_grams));
            tally.add_evidence(calibration, day, &sources);
            tally.add_bags(calibration, day, &own.map(|(_, _, stream, _)| bag(*stream)).sum());
        }
        tally
    }

    fn explain(&self) -> Explanation {
        let (calibration, city) = (calibration(), city());
        let tally = self.tally(&calibration);
        let household = Household {
            tally: &tally,
            estate: ESTATE,
            first_deposit: self.buckets.iter().map(|(day, ..)| *day).min(),
            before: self.before,
            inspections_doubted: self.doubted,
        };
        let guard = Guard::of(Ppb::MAX, [(Ppb::MAX, "~")]);
        let outcome = judge(&city, &household).unwrap().settle(&guard, "H");
        explain(&Case {
            buckets: &self.buckets,
            calibration: &calibration,
            prior: city.prior(),
            tally: &tally,
            outcome: &outcome,
            before: self.before,
            notice_on: self.notice_on,
            appeal_open: self.appeal_open,
            proposed: self.proposed,
        })
    }
}

fn every(step: usize) -> impl Iterator<Item = i32> {
    (1..=90).step_by(step)
}

/// Forty-five days of poor bags, five of them inspected.
fn poor() -> Life {
    Life::new(Status::Grey, 1)
        .bags(every(2), CAMERA, Stream::Food, 4_000)
        .bags([3, 17, 31, 45, 59], Source::Inspector, Stream::Food, 3_500)
}

fn good() -> Life {
    Life::new(Status::Grey, 0).bags(every(2), CAMERA, Stream::Food, 9_600)
}

fn poor_life(notice_on: Option<Day>) -> Life {
    Life { notice_on, ..poor() }
}

#[track_caller]
fn says(life: &Life, shown: Status, chinese: &str, english: &str) {
    let it = life.explain();
    assert_eq!(it.shown, shown, "{it:?}");
    assert_eq!(it.sentence(&RULE, Language::Chinese), chinese);
    assert_eq!(it.sentence(&RULE, Language::English), english);
}

#[test]
fn black_says_what_was_seen_how_sure_it_is_and_how_to_leave() {
    says(
        &poor_life(Day::from_civil(2026, 7, 6)),
        Status::Black,
        "近90天您家有45天有效投放，其中5天由督导员现场查看，综合得分41分；60分相当于没有分类，我们有99%以上把握您家低于60分，且已于\
         7月6日提醒，故列入黑榜；14天内至少3天有投放且这14天平均达70分，下期即移出。",
        "In the last 90 days your bags could be judged on 45 days, on 5 of them by an inspector; your score is 41, 60 is \
         no better than not sorting, and we are at least 99% sure that you are below 60, as we told you on 6 July, so \
         your household is on the black list; an average of 70 in 14 days, with bags on at least 3 days, takes it off \
         at the next edition.",
    );
}

#[test]
fn a_notice_is_only_mentioned_when_it_was_given_and_with_its_year() {
    let sentence = |life: Life, language| life.explain().sentence(&RULE, language);
    let untold = sentence(poor_life(None), Language::Chinese);
    assert!(
        untold.contains("故列入黑榜") && !untold.contains("提醒"),
        "{untold}"
    );
    let untold = sentence(poor_life(None), Language::English);
    assert!(
        untold.contains("black list") && !untold.contains("told"),
        "{untold}"
    );
    let long_ago = poor_life(Day::from_civil(2025, 12, 29));
    assert!(sentence(long_ago.clone(), Language::Chinese).contains("且已于2025年12月29日提醒"));
    assert!(sentence(long_ago, Language::English).contains("as we told you on 29 December 2025"));
}

/// On no list, and proposed for one by a notice.
fn proposed(list: Status, until: Option<Day>) -> Life {
    Life {
        proposed: Some(Proposed { list, until }),
        before: State::default(),
        ..poor()
    }
}

#[test]
fn a_notice_of_a_list_says_that_neither_list_names_them_now_and_until_when_they_may_object() {
    let until = Day::from_civil(2026, 7, 19);
    says(
        &proposed(Status::Black, until),
        Status::Grey,
        "近90天您家有45天有效投放，其中5天由督导员现场查看，综合得分41分，您家现在不在红榜，也不在黑榜；正在告知的一期拟将您家列入黑榜，有异议\
         最晚可在7月19日提出。",
        "In the last 90 days your bags could be judged on 45 days, on 5 of them by an inspector; your score is 41, and \
         your household is on neither list now; a notice proposes it for the black list, and you may object until 19 \
         July.",
    );
    says(
        &proposed(Status::Red, until),
        Status::Grey,
        "近90天您家有45天有效投放，其中5天由督导员现场查看，综合得分41分，您家现在不在红榜，也不在黑榜；正在告知的一期拟将您家列入红榜，您家同意\
         才会公开，有异议最晚可在7月19日提出。",
        "In the last 90 days your bags could be judged on 45 days, on 5 of them by an inspector; your score is 41, and \
         your household is on neither list now; a notice proposes it for the red list, which is shown in public only \
         if you agree, and you may object until 19 July.",
    );
}

#[test]
fn when_nobody_may_object_any_more_a_notice_says_who_decides_or_that_the_appeal_is_looked_at() {
    let sentence = |life: &Life, language| life.explain().sentence(&RULE, language);
    let over = proposed(Status::Black, None);
    assert!(sentence(&over, Language::Chinese).ends_with("拟将您家列入黑榜，异议期已过，由工作人员决定。"));
    let english = sentence(&over, Language::English);
    assert!(
        english.ends_with("for the black list, objections are over, and members of staff decide."),
        "{english}"
    );
    let appealed = Life {
        appeal_open: true,
        ..over
    };
    assert!(sentence(&appealed, Language::Chinese).ends_with("拟将您家列入黑榜；您的申诉正在处理。"));
    let english = sentence(&appealed, Language::English);
    assert!(
        english.ends_with("for the black list; your appeal is being looked at."),
        "{english}"
    );
}

#[test]
fn whoever_is_listed_is_also_told_what_a_new_notice_proposes() {
    let listed = Life {
        proposed: Some(Proposed {
            list: Status::Black,
            until: Day::from_civil(2027, 1, 3),
        }),
        ..poor()
    };
    let chinese = listed.explain().sentence(&RULE, Language::Chinese);
    assert!(
        chinese.contains("故列入黑榜")
            && chinese.ends_with("；正在告知的一期拟将您家列入黑榜，有异议最晚可在2027年1月3日提出。"),
        "{chinese}"
    );
    assert!(!chinese.contains("不在"), "{chinese}");
}

#[test]
fn a_first_hit_is_a_notice_and_no_list() {
    says(
        &Life {
            before: State::default(),
            ..poor()
        },
        Status::Grey,
        "近90天您家有45天有效投放，其中5天由督导员现场查看，综合得分41分；60分相当于没有分类，我们有99%以上把握您家低于60分；这是只\
         给您家的提醒，本期不上榜，下期仍然如此才会列入黑榜；14天内至少3天有投放且这14天平均达70分，就不会列入。",
        "In the last 90 days your bags could be judged on 45 days, on 5 of them by an inspector; your score is 41, 60 is \
         no better than not sorting, and we are at least 99% sure that you are below 60; this is a notice for you alone \
         and no list, and only if the next edition says the same will your household be on the black list; an average \
         of 70 in 14 days, with bags on at least 3 days, keeps it off.",
    );
}

#[test]
fn an_open_appeal_keeps_a_name_off_and_says_so() {
    says(
        &Life {
            appeal_open: true,
            ..poor()
        },
        Status::Grey,
        "近90天您家有45天有效投放，其中5天由督导员现场查看，综合得分41分；您的申诉正在处理，有结果之前您家不上黑榜。",
        "In the last 90 days your bags could be judged on 45 days, on 5 of them by an inspector; your score is 41; your \
         appeal is being looked at, and until it is decided your household is on no black list.",
    );
    let grey = Life::new(Status::Grey, 0).bags(every(3), CAMERA, Stream::Food, 7_400);
    says(
        &Life {
            appeal_open: true,
            ..grey
        },
        Status::Grey,
        "近90天您家有30天有效投放，督导员没有现场查看过，综合得分74分，本期不在红榜，也不在黑榜；您的申诉正在处理。",
        "In the last 90 days your bags could be judged on 30 days, never by an inspector; your score is 74, and your \
         household is on neither list this time; your appeal is being looked at.",
    );
}

#[test]
fn a_good_fortnight_is_named_as_what_redeemed() {
    // Long poor, and lately four good days that outweigh the poor ones of that fortnight.
    let life = Life::new(Status::Black, 5)
        .bags(15..=60, CAMERA, Stream::Food, 2_500)
        .bags([20, 30], Source::Inspector, Stream::Food, 2_500)
        .bags([2, 5, 9, 12], CAMERA, Stream::Food, 8_140);
    says(
        &life,
        Status::Grey,
        "近90天您家有50天有效投放，其中2天由督导员现场查看，综合得分37分；但最近14天有4天投放，平均81分，达到了70分，所以不列入黑榜。",
        "In the last 90 days your bags could be judged on 50 days, on 2 of them by an inspector; your score is 37, but \
         in the last 14 days you brought bags on 4 days and reached 81 on average, where 70 is enough, so your household \
         is not on the black list.",
    );
    let reasons = life.explain().reasons;
    assert!(reasons.contains(&Reason::Redeemed {
        days: 4,
        mean: Bp::clamped(8_140)
    }));
    assert!(
        reasons
            .iter()
            .any(|r| matches!(r, Reason::RecentBetter { tenths } if *tenths >= 10)),
        "{reasons:?}"
    );
}

#[test]
fn red_says_how_sure_it_is() {
    says(
        &good(),
        Status::Red,
        "近90天您家有45天有效投放，督导员没有现场查看过，综合得分95分；85分以上为分类良好，我们有92%以上把握您家达到85分，故列入红\
         榜。",
        "In the last 90 days your bags could be judged on 45 days, never by an inspector; your score is 95, 85 and more \
         is sorting well, and we are at least 92% sure that you reach 85, so your household is on the red list.",
    );
}

#[test]
fn good_and_not_red_says_what_is_missing() {
    says(
        &Life {
            bag_grams: 100,
            ..good()
        },
        Status::Grey,
        "近90天您家有45天有效投放，督导员没有现场查看过，综合得分95分；近28天投放的重量偏少，所以没有列入红榜。",
        "In the last 90 days your bags could be judged on 45 days, never by an inspector; your score is 95; in the last \
         28 days you brought too little by weight for the red list.",
    );
    says(
        &Life::new(Status::Grey, 0).bags(every(2), CAMERA, Stream::Residual, 9_600),
        Status::Grey,
        "近90天您家有45天有效投放，督导员没有现场查看过，综合得分95分；近28天有0天投放了易腐垃圾，满4天才可能列入红榜。",
        "In the last 90 days your bags could be judged on 45 days, never by an inspector; your score is 95; in the last \
         28 days you brought food waste on 0 days, and the red list takes 4.",
    );
    says(
        &Life::new(Status::Grey, 0).bags(25..=39, CAMERA, Stream::Food, 9_900),
        Status::Grey,
        "近90天您家有15天有效投放，督导员没有现场查看过，综合得分95分；近28天有4天投放，满8天才可能上榜。",
        "In the last 90 days your bags could be judged on 15 days, never by an inspector; your score is 95; in the last \
         28 days you brought bags on 4 days, and a list takes 8.",
    );
}

#[test]
fn few_days_are_no_list() {
    let life = Life::new(Status::Grey, 0).bags(every(20), CAMERA, Stream::Food, 7_000);
    says(
        &life.bags([5, 6], Source::Inspector, Stream::Food, 7_000),
        Status::Grey,
        "近90天您家有7天有效投放，其中2天由督导员现场查看，综合得分71分；近45天有5天投放，满10天才可能上榜。",
        "In the last 90 days your bags could be judged on 7 days, on 2 of them by an inspector; your score is 71; in the \
         last 45 days you brought bags on 5 days, and a list takes 10.",
    );
}

#[test]
fn unrated_says_what_a_score_takes_and_has_no_shares() {
    let life = Life::new(Status::Unrated, 0).bags([3, 5], CAMERA, Stream::Food, 2_000);
    assert_eq!(
        life.explain().reasons,
        [Reason::FewDays {
            days: 2,
            needed: 10,
            window: 45
        }]
    );
    says(
        &life.bags([7, 8, 9], UNPAIRED, Stream::Food, 7_000),
        Status::Unrated,
        "近90天您家有2天有效投放，督导员没有现场查看过，折合1.8天的现场查看，满3天才评分，所以本期不评分；另有3天只有尚未校准的摄像\
         头，不作依据。",
        "In the last 90 days your bags could be judged on 2 days, never by an inspector; that is worth 1.8 days of an \
         inspector's judgement, and a score takes 3, so there is none this time; 3 more days had only cameras that are \
         not calibrated yet and do not count.",
    );
    says(
        &Life::default(),
        Status::Unrated,
        "近90天您家没有可用于评分的投放，所以本期不评分。",
        "In the last 90 days you brought no bag that could be judged; so there is no score this time.",
    );
}

#[test]
fn reasons_are_the_largest_shares_and_never_more_than_four() {
    let life = poor()
        .bags([5, 7, 9, 11], Source::Inspector, Stream::Residual, 0)
        .bags([33, 35, 37, 39], Source::Inspector, Stream::Recyclable, 0)
        .bags([2, 4], Source::Inspector, Stream::Hazardous, 0);
    let it = life.explain();
    let tenths: Vec<i64> = it.reasons.iter().filter_map(Reason::tenths).collect();
    assert_eq!(tenths.len(), 4, "{:?}", it.reasons);
    assert!(tenths.iter().all(|t| t.abs() >= 10));
    assert!(tenths.is_sorted_by_key(|t| -t.abs()), "{tenths:?}");
    let json = serde_json::to_value(&it.reasons).unwrap();
    let codes: Vec<&str> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        ["FOOD_LOW", "INSPECTOR_CONFIRMED", "WORST_DAYS", "RESIDUAL_LOW"]
    );
    assert_eq!(
        json[2]["days"],
        serde_json::json!(["2026-07-04", "2026-07-06", "2026-07-08"])
    );
}

#[test]
fn inspectors_confirm_only_what_the_score_says() {
    let confirmed = |life: &Life| {
        let reasons = life.explain().reasons;
        reasons
            .into_iter()
            .find(|reason| matches!(reason, Reason::InspectorConfirmed { .. }))
    };
    assert!(matches!(
        confirmed(&poor()),
        Some(Reason::InspectorConfirmed {
            tenths: ..=-10,
            days: 5
        })
    ));
    let contradicted = Life::new(Status::Grey, 0)
        .bags(every(2), CAMERA, Stream::Food, 4_000)
        .bags([3, 17, 31], Source::Inspector, Stream::Food, 10_000);
    assert_eq!(confirmed(&contradicted), None);
    let praised = good().bags([3, 17, 31], Source::Inspector, Stream::Food, 10_000);
    assert!(matches!(
        confirmed(&praised),
        Some(Reason::InspectorConfirmed {
            tenths: 10..,
            days: 3
        })
    ));
}

/// Numbers of a text, decimals whole.
fn numbers(text: &str) -> Vec<String> {
    let number = |c: char| c.is_ascii_digit() || c == '.';
    let parts = text.split(|c| !number(c)).map(|part| part.trim_matches('.'));
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Every number a sentence may say.
fn known(it: &Explanation, life: &Life) -> BTreeSet<String> {
    let rule = [90, 14, 3, 70, 60, 85, 45, 28, 10, 8, 4];
    let mut known: BTreeSet<String> = rule.iter().map(ToString::to_string).collect();
    let own = [
        it.judged_days,
        it.inspected_days,
        u32::from(it.score),
        it.contributions.silent_days,
    ];
    known.extend(own.map(|n| n.to_string()));
    known.extend([it.p_black, it.p_red].map(|p| (p.get() / 10_000_000).min(99).to_string()));
    known.insert(format!("{}.{}", it.evidence_tenths / 10, it.evidence_tenths % 10));
    if let Some((year, month, day)) = life.notice_on.map(Day::civil) {
        known.extend([year, month, day].map(|n| n.to_string()));
    }
    for reason in &it.reasons {
        match reason {
            Reason::FewDays { days, .. } | Reason::NoFood { days, .. } => known.extend([days.to_string()]),
            Reason::Redeemed { days, mean } => {
                known.extend([days.to_string(), (mean.get() / 100).to_string()]);
            }
            _ => {}
        }
    }
    known
}

prop_compose! {
    fn any_life()(
        bags in prop::collection::vec((1..100_i32, 0..3_i64, 0..4_i64, 0..=10_000_i64), 0..80),
        was in 0..4_i64, hits in 0..3_u16, notice in prop::option::of(1..400_i32), appeal_open: bool,
        bag_grams in 50..900_i64, bias in -4_000..4_000_i64,
    ) -> Life {
        let life = Life::new(Status::from_code(was).unwrap(), hits);
        let life = bags.into_iter().fold(life, |life, (age, source, stream, quality)| {
            let (source, stream) = (Source::from_code(source).unwrap(), Stream::from_code(stream).unwrap());
            life.bags([age], source, stream, (quality + bias).clamp(0, 10_000))
        });
        Life { notice_on: notice.map(|age| EDITION.plus(-age)), appeal_open, bag_grams, ..life }
    }
}

proptest! {
    #[test]
    fn no_sentence_says_a_number_that_is_not_known(life in any_life()) {
        let it = life.explain();
        let known = known(&it, &life);
        for language in [Language::Chinese, Language::English] {
            let sentence = it.sentence(&RULE, language);
            for number in numbers(&sentence) {
                prop_assert!(known.contains(&number), "{} in {}", number, sentence);
            }
            let end = if language == Language::Chinese { '。' } else { '.' };
            prop_assert!(sentence.ends_with(end) && !sentence.contains("  "), "{}", sentence);
        }
    }

    #[test]
    fn a_sentence_names_a_list_only_to_those_on_it_and_reasons_are_few(life in any_life()) {
        let it = life.explain();
        let sentence = it.sentence(&RULE, Language::Chinese);
        prop_assert_eq!(sentence.contains("故列入黑榜"), it.shown == Status::Black);
        prop_assert_eq!(sentence.contains("故列入红榜"), it.shown == Status::Red);
        prop_assert!(!(life.appeal_open && it.shown == Status::Black));
        prop_assert_eq!(sentence.contains("申诉"), life.appeal_open);
        let told = it.reasons.iter().any(|r| matches!(r, Reason::NoticeGiven { .. }));
        prop_assert_eq!(sentence.contains("提醒"), told && it.status == it.shown);
        let shares: Vec<i64> = it.reasons.iter().filter_map(Reason::tenths).collect();
        prop_assert!(shares.len() <= 4 && shares.iter().all(|t| t.abs() >= 10));
        // The score is the prior and all parts, rounded.
        let c = &it.contributions;
        let parts: i128 = c.days.iter().map(|d| d.part.numerator).sum::<i128>() + c.clamped;
        let points = 75.0 + parts as f64 / c.denominator as f64;
        prop_assert!((points - f64::from(it.score)).abs() <= 0.5 + 1e-9);
    }
}

#[test]
fn doubted_inspectors_are_said_and_nobody_is_black_by_them() {
    let doubted = Life {
        doubted: true,
        ..poor()
    }
    .explain();
    assert!(doubted.reasons.contains(&Reason::InspectorsDoubted));
    assert_eq!(
        (poor().explain().status, doubted.status),
        (Status::Black, Status::Grey)
    );
    let sentence = |language| doubted.sentence(&Rule::V1, language);
    assert!(
        sentence(Language::English)
            .contains("inspectors who judged your bags disagree with their colleagues")
    );
    assert!(sentence(Language::Chinese).contains("督导员与同事的评分不一致"));
    assert!(!poor().explain().reasons.contains(&Reason::InspectorsDoubted));
}
