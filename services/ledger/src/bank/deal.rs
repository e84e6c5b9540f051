//! What can be done with minutes and points, as the journal keeps it. Must not touch a store or a clock.

use std::ops::RangeInclusive;

use hemu_people::Right;
use serde::{Deserialize, Serialize};

use crate::acts::Words;
use crate::journal::Position;

/// Characters of a request's key.
pub const KEY_LENGTH: RangeInclusive<usize> = 8..=64;
/// Of a pool's name, at most.
pub(super) const POOL_LENGTH: RangeInclusive<usize> = 1..=32;
/// What one deal moves at most.
pub const AMOUNT_MOST: u32 = 100_000;
/// What one award gives at most.
pub const AWARD_MOST: u32 = 1_000;
/// What a pool is given at once at most.
pub const FUND_MOST: u32 = 1_000_000_000;
/// Minutes of one service at most, and of all services of one household that begin on one local day.
pub const SERVICE_MINUTES: i64 = 480;
pub const DAY_MINUTES: i64 = 720;
/// Days after which a service can no longer be recorded.
pub const BACK_DAYS: i64 = 31;

/// A currency; nothing changes one into the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Currency {
    /// Of service done for others. They come into being by a service alone that the household it was done for confirmed.
    Minutes,
    /// For sorting, out of a pool that the subdistrict filled.
    Points,
}

impl Currency {
    pub const ALL: [Self; 2] = [Self::Minutes, Self::Points];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Points => "points",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.as_str() == word)
    }
}

/// What was done for a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Help {
    /// 助餐
    Meal,
    /// 陪伴
    Company,
    /// 代办
    Errand,
    /// 保洁
    Cleaning,
    /// 陪诊
    Doctor,
    /// 修理
    Repair,
    /// 桶边督导
    Sorting,
    /// 其他
    Other,
}

impl Help {
    pub const ALL: [Self; 8] = [
        Self::Meal,
        Self::Company,
        Self::Errand,
        Self::Cleaning,
        Self::Doctor,
        Self::Repair,
        Self::Sorting,
        Self::Other,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Meal => "meal",
            Self::Company => "company",
            Self::Errand => "errand",
            Self::Cleaning => "cleaning",
            Self::Doctor => "doctor",
            Self::Repair => "repair",
            Self::Sorting => "sorting",
            Self::Other => "other",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|help| help.as_str() == word)
    }
}

/// What an account asks for, under a key of its own. `token` is the household it is done for or by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Deal {
    /// The subdistrict fills a pool.
    Fund {
        key: String,
        pool: String,
        points: u32,
        reason: Words,
    },
    /// What a pool has is taken out of it again.
    Release {
        key: String,
        pool: String,
        points: u32,
        reason: Words,
    },
    /// A household gets points out of a pool.
    Award {
        key: String,
        pool: String,
        token: String,
        points: u32,
        reason: Words,
    },
    /// A household spends points; they go back to a pool.
    Redeem {
        key: String,
        token: String,
        pool: String,
        points: u32,
        reason: Words,
    },
    /// Somebody of a household helped another one, from sign-in to sign-out (ms since 1970). It moves nothing yet.
    Serve {
        key: String,
        token: String,
        helped: String,
        help: Help,
        began: i64,
        ended: i64,
    },
    /// The household that was helped says whether it was so. If so, whoever helped gets the minutes.
    Confirm {
        key: String,
        token: String,
        service: Position,
        agreed: bool,
    },
    /// A household gives minutes to another one as the price of help.
    Transfer {
        key: String,
        token: String,
        to: String,
        minutes: u32,
        help: Help,
    },
    /// An entry of a household is taken back by its opposite.
    Reverse {
        key: String,
        token: String,
        entry: Position,
        reason: Words,
    },
}

impl Deal {
    /// Its word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Fund { .. } => "fund_pool",
            Self::Release { .. } => "release_pool",
            Self::Award { .. } => "award_points",
            Self::Redeem { .. } => "redeem_points",
            Self::Serve { .. } => "record_service",
            Self::Confirm { .. } => "confirm_service",
            Self::Transfer { .. } => "transfer_minutes",
            Self::Reverse { .. } => "reverse_entry",
        }
    }

    /// The right that an account needs for it.
    pub const fn right(&self) -> Right {
        match self {
            Self::Fund { .. } | Self::Release { .. } => Right::FundPools,
            Self::Award { .. } | Self::Serve { .. } | Self::Reverse { .. } => Right::KeepBalances,
            Self::Redeem { .. } | Self::Confirm { .. } | Self::Transfer { .. } => Right::Spend,
        }
    }

    pub(super) fn key(&self) -> &str {
        match self {
            Self::Fund { key, .. }
            | Self::Release { key, .. }
            | Self::Award { key, .. }
            | Self::Redeem { key, .. }
            | Self::Serve { key, .. }
            | Self::Confirm { key, .. }
            | Self::Transfer { key, .. }
            | Self::Reverse { key, .. } => key,
        }
    }

    /// The household it concerns.
    pub(crate) fn token(&self) -> Option<&str> {
        match self {
            Self::Fund { .. } | Self::Release { .. } => None,
            Self::Award { token, .. }
            | Self::Redeem { token, .. }
            | Self::Serve { token, .. }
            | Self::Confirm { token, .. }
            | Self::Transfer { token, .. }
            | Self::Reverse { token, .. } => Some(token),
        }
    }

    pub(crate) const fn words(&self) -> Option<&Words> {
        match self {
            Self::Fund { reason, .. }
            | Self::Release { reason, .. }
            | Self::Award { reason, .. }
            | Self::Redeem { reason, .. }
            | Self::Reverse { reason, .. } => Some(reason),
            Self::Serve { .. } | Self::Confirm { .. } | Self::Transfer { .. } => None,
        }
    }
}
