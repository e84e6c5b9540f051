//! What a chart asks for and gets.

use hemu_rules::{Stream, Zone};

use crate::point::Measure;
use crate::sqlite::ceil_div;

/// Width of a chart's buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Hour,
    /// Local calendar days.
    Day,
}

pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
/// 2200-01-01.
const LATEST_MS: i64 = 84_006 * DAY_MS;

impl Step {
    /// The word used in stores.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// A zone has no summer time, so that its days are all as long.
    pub(crate) const fn width_ms(self) -> i64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }
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

/// What a bucket knows of its points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    N,
    Sum,
    Min,
    Max,
    Last,
}

impl Field {
    pub(crate) const ALL: [Self; 5] = [Self::N, Self::Sum, Self::Min, Self::Max, Self::Last];

    /// The word used in stores.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::N => "n",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Last => "last",
        }
    }
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

impl Query {
    /// A chart that nothing is in.
    pub(crate) fn of_nothing() -> Self {
        Self {
            devices: vec![String::new()],
            measure: Measure::Fill,
            stream: None,
            from: 0,
            to: DAY_MS,
            step: Step::Day,
            agg: Agg::Count,
            limit: 1,
        }
    }

    /// The buckets that begin in the chart's time: start of the first, and start of the first that is no longer in it.
    /// Before 1970 and after 2200 nothing is kept.
    pub(crate) fn starts(&self, zone: Zone) -> (i64, i64) {
        let offset = match self.step {
            Step::Hour => 0,
            Step::Day => zone.offset_ms(),
        };
        let width = self.step.width_ms();
        let start = |at: i64| ceil_div(at.clamp(0, LATEST_MS) + offset, width) * width - offset;
        (start(self.from), start(self.to))
    }

    /// What is needed of each bucket.
    pub(crate) fn fields(&self) -> &'static [Field] {
        match self.agg {
            _ if self.measure == Measure::Deposits => &[Field::N],
            Agg::Mean => &[Field::N, Field::Sum],
            Agg::Min => &[Field::Min],
            Agg::Max => &[Field::Max],
            Agg::Sum => &[Field::Sum],
            Agg::Count => &[Field::N],
            Agg::Last => &[Field::Last],
        }
    }

    /// What is shown of a bucket: the same digits whichever store its fields come from.
    pub(crate) fn shown<E>(&self, of: impl Fn(Field) -> Result<i64, E>) -> Result<f64, E> {
        let count = || of(Field::N).map(|n| n as f64);
        let scaled = |field| of(field).map(|value| value as f64 / self.measure.scale());
        if self.measure == Measure::Deposits {
            return match self.agg {
                Agg::Sum | Agg::Count => count(),
                Agg::Mean | Agg::Min | Agg::Max | Agg::Last => Ok(1.0),
            };
        }
        match self.agg {
            Agg::Mean => Ok(scaled(Field::Sum)? / count()?.max(1.0)),
            Agg::Min => scaled(Field::Min),
            Agg::Max => scaled(Field::Max),
            Agg::Sum => scaled(Field::Sum),
            Agg::Count => count(),
            Agg::Last => scaled(Field::Last),
        }
    }
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
