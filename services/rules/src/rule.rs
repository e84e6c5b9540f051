//! The constants of the red/black list rule, and why each is what it is.
//!
//! Two kinds: constants of what is STORED (changing one means to fold the journal again), and [`Rule`], what is
//! applied when a score is READ (a new version can be tried on the stored sums as they are).

use crate::id::Stream;
use crate::quantity::Bp;
use serde::Serialize;

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

/// What turns stored sums into scores. Evidence is counted in days judged by an inspector.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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
