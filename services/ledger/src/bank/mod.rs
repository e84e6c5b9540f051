//! The programme's two currencies: minutes of service (时间银行) and points for sorting. They never mix, they are whole
//! numbers, and every entry moves an amount from one account to another, so that a currency always adds up to nothing.
//!
//! A deal is an act like any other: checked, appended to the journal and folded in one transaction, under a key of the
//! one who asks, so that asking again changes nothing. No score and no list may be computed from what is here, and
//! nothing here from a score.

mod audit;
mod command;
mod deal;
mod fold;
mod read;

pub(crate) use audit::unsound;
pub use command::{AWARDS_A_DAY, Dealt, SPENDS_A_DAY};
pub use deal::{
    AMOUNT_MOST, AWARD_MOST, BACK_DAYS, Currency, DAY_MINUTES, Deal, FUND_MOST, Help, KEY_LENGTH,
    SERVICE_MINUTES,
};
pub use read::{Balances, EntryRow, Pool, ServiceRow, ServiceState, Side};
