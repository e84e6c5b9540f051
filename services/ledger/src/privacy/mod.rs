//! Personal data apart from everything else: sealed under a key of each household, which the master key of a file wraps.
//! Whoever deletes a household's key has erased what was sealed under it, in whatever copy. The journal holds no
//! personal data; nothing here may change it (`docs/decisions/0018-personal-data.md`).

mod consent;
mod erased;
mod held;
mod look;
mod restore;
mod retention;
mod seal;
mod secrets;
mod subject;
mod trail;
mod unsealed;
mod vault;

pub use consent::{ConsentRow, RED_LIST_PUBLIC};
pub use erased::Erased;
pub use held::HeldRows;
pub use look::{LookQuery, LookRow};
pub(crate) use restore::{carry, copy_secrets, take_over};
pub use retention::{Over, Until};
pub use trail::{TrailQuery, TrailRow};
pub(crate) use unsealed::seal as seal_what_is_not;
pub(crate) use vault::{KEYS, SITE, Vault, Wrapped};
