//! The constants of the red/black list rule, and why each is what it is.
//!
//! Two kinds: constants of what is STORED (changing one means to fold the journal again), and [`Rule`], what is
//! applied when a score is READ (a new version can be tried on the stored sums as they are).

use crate::decay::DECAY;
use crate::id::Stream;
use crate::quantity::{Bp, Ppb};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Bags lighter than this give no evidence: splitting one bag into many would otherwise pay. Hazardous waste is
/// light by nature and exempt.
pub const GRAMS_LEAST: u32 = 100;
/// Grams above this add no evidence: one heavy bag must not be a week's word.
pub const GRAMS_MOST: u32 = 3_000;
/// A camera this unsure (permille) or less gives no evidence; trust rises from here to full at 1000.
pub const CONFIDENCE_FLOOR: i64 = 500;

/// Grams are no measure of what a stream matters: batteries are light and poison much.
pub const fn multiplier(stream: Stream) -> i64 {
    match stream {
        Stream::Food | Stream::Residual => 1,
        Stream::Recyclable => 2,
        Stream::Hazardous => 4,
    }
}

/// What turns stored sums into scores, and scores into lists. Evidence is counted in days judged by an inspector.
///
/// A file of another version holds every constant: one left out, or one that does not exist, is refused. Ask
/// [`Rule::validate`] before a rule is used that was read from outside.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub version: u16,

    /// Days of inspector pairs a camera is calibrated on.
    pub pair_days: i32,
    /// A camera may drift from one epoch of this many days to the next.
    pub epoch_days: i32,
    /// Range of the fleet's slope, 1/10000.
    pub slope_least: i64,
    pub slope_most: i64,
    /// Pairs' worth of fleet mean in a device's intercept.
    pub device_shrink: i64,
    /// Pairs' worth of device mean in an epoch's intercept.
    pub epoch_shrink: i64,
    /// A camera with fewer pairs gives no evidence.
    pub pairs_least: i64,
    /// Variance of true quality between bags: reliability is its share of what a camera's reading varies.
    pub quality_variance: f64,

    /// Weight that makes a full day: 250 g at full trust.
    pub full_weight: i64,
    /// Range of a corrected day mean, basis points. Wider than a share, so that noise at either end averages out.
    pub quality_least: i64,
    pub quality_most: i64,

    /// Days of evidence the city's mean is worth.
    pub prior_days: f64,
    /// Range of the city's mean, and what it is while nobody is rated.
    pub prior_least: Bp,
    pub prior_most: Bp,
    pub prior_unrated: Bp,
    /// Variance of one inspected day (split halves gave 0.016 to 0.027).
    pub day_variance: f64,
    /// Variance no evidence removes: drift and leftover device bias, 0.04 squared.
    pub drift_variance: f64,

    /// Days of evidence from which a household is rated.
    pub rated_days: i64,
    /// At or below this a household sorts no better than not at all: an unsorted bag is about 60 % food.
    pub theta_black: Bp,
    /// At or above this a household sorts well.
    pub theta_red: Bp,

    /// `P_black` from which a household is a hit, and from which a listed one stays. The second is lower, so that
    /// nobody comes and goes with the noise of a week.
    pub p_black_enter: Ppb,
    pub p_black_stay: Ppb,
    /// Editions in a row that must hit before a name is listed; the first of them is a private notice.
    pub black_editions: u16,
    /// Deposit days a list needs in the days of its window: a few bags say little of a household.
    pub deposit_window: i32,
    pub deposit_days_least: u32,
    /// Days since the first deposit before anyone is black: newcomers learn.
    pub tenure_days: i32,
    /// Days a person must have looked, in the days of this window: a camera proposes, only people confirm.
    pub inspection_window: i32,
    pub inspection_days_least: u32,
    /// What those people alone must have seen, decayed mean in basis points.
    pub inspector_mean_most: Bp,
    /// An inspector whose mean lies further than this from colleagues on the same bags confirms no black name; fewer
    /// shared bags than this say nothing of anyone.
    pub inspector_apart_most: Bp,
    pub shared_bags_least: i64,
    /// A good fortnight redeems, whatever was before: deposit days in this window, and their undecayed mean.
    pub redemption_window: i32,
    pub redemption_days_least: u32,
    pub redemption_quality: Bp,
    /// Mean doubt (`1 - P_black`) of a whole black list: nobody is listed because of a neighbour.
    pub guard_doubt_most: Ppb,

    /// `P_red` to come on the red list, and to stay there.
    pub p_red_enter: Ppb,
    pub p_red_stay: Ppb,
    /// Days in which participation is looked at, for red and for inactivity.
    pub activity_window: i32,
    /// Deposit days in that window red needs, and days with food waste: who brings only clean paper is not praised.
    pub red_days_least: u32,
    pub red_food_days_least: u32,
    /// Grams red needs in that window, as a share of the estate's median.
    pub red_grams_share: Bp,
    /// Deposit days in that window up to which a household is inactive: a reason for a visit, never for a list.
    pub inactive_days_most: u32,
}

impl Rule {
    pub const V1: Self = Self {
        version: 1,
        pair_days: 90,
        epoch_days: 14,
        slope_least: 6_000,
        slope_most: 10_000,
        device_shrink: 5,
        epoch_shrink: 15,
        pairs_least: 8,
        quality_variance: 0.05,
        full_weight: 250_000,
        quality_least: -2_500,
        quality_most: 12_500,
        prior_days: 1.0,
        prior_least: Bp::clamped(5_000),
        prior_most: Bp::clamped(9_000),
        prior_unrated: Bp::clamped(7_500),
        day_variance: 0.03,
        drift_variance: 0.0016,
        rated_days: 3,
        theta_black: Bp::clamped(6_000),
        theta_red: Bp::clamped(8_500),
        p_black_enter: Ppb::clamped(980_000_000),
        p_black_stay: Ppb::clamped(900_000_000),
        black_editions: 2,
        deposit_window: 45,
        deposit_days_least: 10,
        tenure_days: 28,
        inspection_window: 60,
        inspection_days_least: 2,
        inspector_mean_most: Bp::clamped(6_500),
        inspector_apart_most: Bp::clamped(500),
        shared_bags_least: 8,
        redemption_window: 14,
        redemption_days_least: 3,
        redemption_quality: Bp::clamped(7_000),
        guard_doubt_most: Ppb::clamped(10_000_000),
        p_red_enter: Ppb::clamped(800_000_000),
        p_red_stay: Ppb::clamped(600_000_000),
        activity_window: 28,
        red_days_least: 8,
        red_food_days_least: 4,
        red_grams_share: Bp::clamped(2_500),
        inactive_days_most: 3,
    };

    /// One day of undecayed evidence: a full day's weight at reliability 1000.
    pub const fn day(&self) -> i64 {
        1_000 * self.full_weight
    }

    /// One day of evidence in the units of [`crate::Totals`]: decay multiplies by up to 2^32.
    pub const fn unit(&self) -> i128 {
        (self.day() as i128) << 32
    }
}

/// A constant that makes no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule constant {name} must be {expected}, came {got}")]
pub struct RuleError {
    pub name: &'static str,
    pub expected: String,
    pub got: String,
}

/// An error unless `ok`.
fn must(
    ok: bool,
    name: &'static str,
    expected: &str,
    got: impl fmt::Display + Copy,
) -> Result<(), RuleError> {
    if ok {
        return Ok(());
    }
    Err(RuleError {
        name,
        expected: expected.to_owned(),
        got: got.to_string(),
    })
}

impl Rule {
    /// Whether every score and list under this rule is defined: no division by zero, no sum that overflows, no
    /// tail that does not converge, no threshold to stay above the one to enter. Says which constant is wrong.
    pub fn validate(&self) -> Result<(), RuleError> {
        self.validate_windows()?;
        self.validate_calibration()?;
        self.validate_posterior()?;
        self.validate_lists()
    }

    fn validate_windows(&self) -> Result<(), RuleError> {
        let windows = [
            ("pair_days", self.pair_days),
            ("epoch_days", self.epoch_days),
            ("deposit_window", self.deposit_window),
            ("inspection_window", self.inspection_window),
            ("redemption_window", self.redemption_window),
            ("activity_window", self.activity_window),
        ];
        for (name, days) in windows {
            let most = DECAY.len();
            let inside = usize::try_from(days).is_ok_and(|days| (1..=most).contains(&days));
            must(inside, name, "1 to 90 days", days)?;
        }
        must(
            (0..=3_650).contains(&self.tenure_days),
            "tenure_days",
            "0 to 3650 days",
            self.tenure_days,
        )?;
        let counts = [
            ("deposit_days_least", self.deposit_days_least, self.deposit_window),
            (
                "inspection_days_least",
                self.inspection_days_least,
                self.inspection_window,
            ),
            (
                "redemption_days_least",
                self.redemption_days_least,
                self.redemption_window,
            ),
            ("red_days_least", self.red_days_least, self.activity_window),
            (
                "red_food_days_least",
                self.red_food_days_least,
                self.activity_window,
            ),
            (
                "inactive_days_most",
                self.inactive_days_most,
                self.activity_window,
            ),
        ];
        for (name, days, window) in counts {
            must(
                i64::from(days) <= i64::from(window),
                name,
                &format!("at most the {window} days of its window"),
                days,
            )?;
        }
        // What makes a black list due process is no constant to be tuned away.
        must(
            self.inspection_days_least >= 1,
            "inspection_days_least",
            "1 or more: only people confirm",
            self.inspection_days_least,
        )?;
        must(
            (2..=52).contains(&self.black_editions),
            "black_editions",
            "2 to 52: the first is a private notice",
            self.black_editions,
        )
    }

    fn validate_calibration(&self) -> Result<(), RuleError> {
        must(
            (100..=100_000).contains(&self.slope_least),
            "slope_least",
            "100 to 100000",
            self.slope_least,
        )?;
        must(
            (self.slope_least..=100_000).contains(&self.slope_most),
            "slope_most",
            "slope_least to 100000",
            self.slope_most,
        )?;
        let pairs = [
            ("device_shrink", self.device_shrink),
            ("epoch_shrink", self.epoch_shrink),
            ("pairs_least", self.pairs_least),
            ("shared_bags_least", self.shared_bags_least),
        ];
        for (name, pairs) in pairs {
            must(
                (0..=1_000_000).contains(&pairs),
                name,
                "0 to 1000000 pairs",
                pairs,
            )?;
        }
        positive("quality_variance", self.quality_variance, 1e-6)?;
        must(
            (1_000..=100_000_000).contains(&self.full_weight),
            "full_weight",
            "1000 (1 g) to 100000000 (100 kg)",
            self.full_weight,
        )?;
        must(
            (-10_000..=0).contains(&self.quality_least),
            "quality_least",
            "-10000 to 0",
            self.quality_least,
        )?;
        must(
            (10_000..=20_000).contains(&self.quality_most),
            "quality_most",
            "10000 to 20000",
            self.quality_most,
        )
    }

    fn validate_posterior(&self) -> Result<(), RuleError> {
        positive("prior_days", self.prior_days, 1e-3)?;
        positive("day_variance", self.day_variance, 1e-6)?;
        // With less, shapes grow into the thousands, and tails no longer converge.
        positive("drift_variance", self.drift_variance, 1e-4)?;
        let inside = self.prior_least > Bp::MIN && self.prior_most < Bp::MAX;
        must(
            inside && self.prior_least <= self.prior_most,
            "prior_least",
            "above 0, and prior_most not below it but below 10000",
            format_args!("{} to {}", self.prior_least, self.prior_most),
        )?;
        must(
            (self.prior_least..=self.prior_most).contains(&self.prior_unrated),
            "prior_unrated",
            "from prior_least to prior_most",
            self.prior_unrated,
        )?;
        must(
            (1..=1_000).contains(&self.rated_days),
            "rated_days",
            "1 to 1000 days",
            self.rated_days,
        )?;
        let inside = self.theta_black > Bp::MIN && self.theta_red < Bp::MAX;
        must(
            inside && self.theta_black < self.theta_red,
            "theta_black",
            "above 0 and below theta_red, and that below 10000",
            format_args!("{} and {}", self.theta_black, self.theta_red),
        )
    }

    fn validate_lists(&self) -> Result<(), RuleError> {
        let half = Ppb::clamped(500_000_000);
        let bounds = [
            ("p_black_stay", self.p_black_stay, self.p_black_enter),
            ("p_red_stay", self.p_red_stay, self.p_red_enter),
        ];
        for (name, stay, enter) in bounds {
            let expected =
                "more than 500000000, so that no household is on two lists, and at most what entering takes";
            must(stay > half && stay <= enter, name, expected, stay)?;
        }
        must(
            self.guard_doubt_most <= half,
            "guard_doubt_most",
            "at most 500000000",
            self.guard_doubt_most,
        )
    }
}

fn positive(name: &'static str, value: f64, least: f64) -> Result<(), RuleError> {
    must(
        (least..=1_000.0).contains(&value),
        name,
        &format!("{least} to 1000"),
        value,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{Totals, posterior};

    #[test]
    fn version_one_is_a_rule_and_leads_back_from_a_file() {
        assert_eq!(Rule::V1.validate(), Ok(()));
        let text = toml::to_string(&Rule::V1).unwrap();
        assert_eq!(toml::from_str::<Rule>(&text).unwrap(), Rule::V1);
    }

    #[test]
    fn a_file_says_every_constant_and_no_other() {
        let text = toml::to_string(&Rule::V1).unwrap();
        let misspelt = text.replace("tenure_days", "tenure_dayz");
        let error = toml::from_str::<Rule>(&misspelt).unwrap_err().to_string();
        assert!(error.contains("tenure_dayz"), "{error}");
        let short = text.replace("tenure_days = 28\n", "");
        assert_ne!(short, text);
        let error = toml::from_str::<Rule>(&short).unwrap_err().to_string();
        assert!(error.contains("tenure_days"), "{error}");
    }

    #[test]
    fn the_most_certain_rule_there_is_still_has_tails() {
        let rule = Rule {
            prior_days: 1e-3,
            day_variance: 1e-6,
            drift_variance: 1e-4,
            ..Rule::V1
        };
        rule.validate().unwrap();
        for bp in 0..=10_000 {
            let e = rule.unit() * 90;
            let totals = Totals { e, a: e * bp };
            assert!(posterior(&rule, totals, rule.prior_unrated).is_ok(), "{bp}");
        }
    }

    #[test]
    fn what_makes_no_rule_is_named() {
        let check = |change: fn(&mut Rule), expected: &str| {
            let mut rule = Rule::V1;
            change(&mut rule);
            assert_eq!(rule.validate().unwrap_err().to_string(), expected);
        };
        check(
            |r| r.epoch_days = 0,
            "rule constant epoch_days must be 1 to 90 days, came 0",
        );
        check(
            |r| r.deposit_window = 91,
            "rule constant deposit_window must be 1 to 90 days, came 91",
        );
        check(
            |r| r.red_days_least = 29,
            "rule constant red_days_least must be at most the 28 days of its window, came 29",
        );
        check(
            |r| r.black_editions = 1,
            "rule constant black_editions must be 2 to 52: the first is a private notice, came 1",
        );
        check(
            |r| r.inspection_days_least = 0,
            "rule constant inspection_days_least must be 1 or more: only people confirm, came 0",
        );
        check(
            |r| r.full_weight = 0,
            "rule constant full_weight must be 1000 (1 g) to 100000000 (100 kg), came 0",
        );
        check(
            |r| r.drift_variance = f64::NAN,
            "rule constant drift_variance must be 0.0001 to 1000, came NaN",
        );
        check(
            |r| r.theta_red = r.theta_black,
            "rule constant theta_black must be above 0 and below theta_red, and that below 10000, came 6000 and 6000",
        );
        check(
            |r| r.p_black_stay = Ppb::MAX,
            "rule constant p_black_stay must be more than 500000000, so that no household is on two lists, and at \
             most what entering takes, came 1000000000",
        );
    }
}
