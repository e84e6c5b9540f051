//! A point: one value of one line at one time.

use hemu_rules::{Millis, Stream};

/// What is measured. The integer's unit on the way in, and the chart's unit on the way out, are with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Fill of a bin: basis points; charted 0..1.
    Fill,
    /// Weight of a bin: grams.
    BinWeight,
    /// How many deposits: the number of points of [`Measure::DepositWeight`], and never a point itself.
    Deposits,
    /// Weight of a deposit: grams.
    DepositWeight,
    /// Quality of a deposit as read: basis points; charted 0..1.
    Quality,
    /// Whether a deposit names a household: basis points, all or none; the mean is the share that does, the count is of
    /// all. Which household is nothing for a series.
    Attributed,
    /// Battery: millivolts.
    Battery,
    /// Signal: dBm.
    Rssi,
    /// Temperature: hundredths of a degree; charted in degrees Celsius.
    Temperature,
}

impl Measure {
    pub const ALL: [Self; 9] = [
        Self::Fill,
        Self::BinWeight,
        Self::Deposits,
        Self::DepositWeight,
        Self::Quality,
        Self::Attributed,
        Self::Battery,
        Self::Rssi,
        Self::Temperature,
    ];

    /// The number used in the embedded store, for ever.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Fill => 0,
            Self::BinWeight => 1,
            Self::Deposits => 2,
            Self::DepositWeight => 3,
            Self::Quality => 4,
            Self::Attributed => 5,
            Self::Battery => 6,
            Self::Rssi => 7,
            Self::Temperature => 8,
        }
    }

    pub(crate) fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.number() == number)
    }

    /// The word used in URLs and stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fill => "fill",
            Self::BinWeight => "bin_weight",
            Self::Deposits => "deposits",
            Self::DepositWeight => "deposit_weight",
            Self::Quality => "quality",
            Self::Attributed => "attributed",
            Self::Battery => "battery",
            Self::Rssi => "rssi",
            Self::Temperature => "temperature",
        }
    }

    /// The chart's unit.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Fill | Self::Quality | Self::Attributed => "ratio",
            Self::BinWeight | Self::DepositWeight => "g",
            Self::Deposits => "1",
            Self::Battery => "mV",
            Self::Rssi => "dBm",
            Self::Temperature => "C",
        }
    }

    /// The measure whose points are kept for it.
    pub(crate) const fn kept_as(self) -> Self {
        match self {
            Self::Deposits => Self::DepositWeight,
            kept => kept,
        }
    }

    /// How many of the stored unit make one of the chart's.
    pub(crate) const fn scale(self) -> f64 {
        match self {
            Self::Fill | Self::Quality | Self::Attributed => 10_000.0,
            Self::Temperature => 100.0,
            Self::BinWeight | Self::Deposits | Self::DepositWeight | Self::Battery | Self::Rssi => 1.0,
        }
    }
}

impl std::str::FromStr for Measure {
    type Err = UnknownMeasure;

    fn from_str(text: &str) -> Result<Self, UnknownMeasure> {
        Self::ALL
            .into_iter()
            .find(|measure| measure.as_str() == text)
            .ok_or(UnknownMeasure)
    }
}

/// A word that is no measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected one of fill, bin_weight, deposits, deposit_weight, quality, attributed, battery, rssi, temperature"
)]
pub struct UnknownMeasure;

/// One value of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point<'a> {
    pub device: &'a str,
    pub measure: Measure,
    pub stream: Option<Stream>,
    /// Event time.
    pub at: Millis,
    /// In the measure's stored unit.
    pub value: i64,
}
