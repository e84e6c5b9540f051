//! Who may log in: accounts, sessions, tokens of programs, one-time codes, whose household is whose, and how often
//! somebody tried. What roles may do is for `hemu-people` to say.
//!
//! Every change of an account, a token, a code or of whose household is whose is appended to the journal in the transaction that makes it. Must not
//! see a password, a session or a code themselves: only what `hemu-people` made of them.

mod account;
mod change;
mod code;
mod resident;
mod second_factor;
mod session;
mod throttle;
mod token;

pub use account::{Account, Keys};
pub use change::{Change, Purpose};
pub use code::{Code, NewCode};
pub(crate) use resident::OWN_HOUSEHOLDS;
pub use resident::Resident;
pub use second_factor::SecondFactor;
pub(crate) use second_factor::seal as seal_totp;
pub use session::{Proof, Session};
pub use token::{ApiToken, Holder, NewToken};

use std::str::FromStr;

use crate::acts::{Act, Deed};
use crate::db;
use crate::entry::Body;
use crate::error::Result;
use crate::journal::Position;

impl Deed<'_> {
    /// Appends what is about to be changed.
    async fn changed(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<Position> {
        let body = |change| Body::Act(Box::new(Act::Account(change)));
        let bodies: Vec<_> = changes.into_iter().map(body).collect();
        self.append(&bodies).await
    }
}

/// A word of ours as it was stored.
fn word<T: FromStr>(row: &db::Row, column: &'static str) -> db::Outcome<T> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: "expected a word this version knows".into(),
    })
}
