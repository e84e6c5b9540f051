//! What a chart asks for and gets.

use hemu_rules::Stream;

use crate::point::Measure;

/// Width of a chart's buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Hour,
    /// Local calendar days.
    Day,
}

/// What a bucket shows of its points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agg {
    Mean,
    Min,
    Max,
    Sum,
    Count,
    /// The point with the latest event time.
    Last,
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub devices: Vec<String>,
    pub measure: Measure,
    /// One stream, or all there are.
    pub stream: Option<Stream>,
    /// Event time in ms, `from..to`; buckets that begin in it.
    pub from: i64,
    pub to: i64,
    pub step: Step,
    pub agg: Agg,
    /// Points at most, over all lines.
    pub limit: usize,
}

/// One line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub device: String,
    pub stream: Option<Stream>,
    /// Start of the bucket in ms since 1970 UTC (local midnight for days), value in the measure's chart unit
    /// (for `Count`: a number of points).
    pub points: Vec<(i64, f64)>,
}
