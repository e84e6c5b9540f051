#![doc = include_str!("../README.md")]

pub mod bag;
pub mod beta;
pub mod calibrate;
pub mod census;
pub mod day;
pub mod decay;
pub mod evidence;
pub mod gate;
pub mod id;
pub mod list;
pub mod pairs;
pub mod participation;
pub mod quantity;
pub mod reading;
pub mod rule;
pub mod score;
mod sums;
pub mod tally;

pub use bag::{BagFold, fold_bag};
pub use beta::BetaError;
pub use calibrate::{Calibration, calibrate};
pub use census::{Census, City};
pub use day::{Day, DayError, Zone, ZoneError};
pub use decay::{DECAY, FLAT14};
pub use evidence::{Bucket, BucketKey, weight};
pub use gate::{Gate, Gates};
pub use id::{By, DeviceNo, EstateNo, HouseholdNo, Source, Stream, UnknownWord};
pub use list::{Guard, Household, Outcome, State, Status, Verdict, judge};
pub use pairs::PairSums;
pub use participation::{Participation, StreamSet};
pub use quantity::{Bp, Grams, Millis, OutOfRange, Permille, Ppb};
pub use reading::Reading;
pub use rule::{Rule, RuleError};
pub use score::{DayEvidence, Posterior, SourceEvidence, Totals, day_evidence, posterior, prior, totals};
pub use tally::Tally;
