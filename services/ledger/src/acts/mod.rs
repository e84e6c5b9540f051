//! What people decide, and editions of the lists as a due process: automation proposes, named persons dispose.
//!
//! An act is validated, appended to the journal and folded into the state tables of `hemu.db` in one transaction, so
//! that of two who decide at once one wins and the other is shown the winner. Nothing is deleted; nothing here looks at
//! a clock; no path leads from the machine alone to a publication.

mod act;
mod apply;
mod apply_shadow;
mod check;
mod command;
mod device;
mod dry_run;
mod duty;
mod late;
mod lease;
mod listing;
mod objection;
mod occupancy;
mod photo;
mod place;
mod process;
mod propose;
mod read;
mod refused;
mod register;
mod rests;
mod roll;
mod rules;
mod shadow;
mod state;
mod words;

pub(crate) use act::MAX_ACT;
pub use act::{
    Act, Actor, Audience, EditionId, MAX_READINGS, MAX_WORDS, NotAnActor, ObjectionId, Placed, Proposal,
    Proposed, ReadingAt, Sha, ShadowPlaced, Shadowed, Words,
};
pub(crate) use apply::Stamp;
pub(crate) use command::Deed;
pub use lease::Lease;
pub use listing::Listing;
pub use occupancy::Occupancy;
pub(crate) use occupancy::former;
pub use photo::{MAX_PHOTO, PhotoFate};
pub use place::Moved;
pub use process::HEED_MS;
pub use propose::WINDOW_DAYS;
pub use read::{ActRow, EditionQuery, ObjectionQuery, Standing};
pub(crate) use refused::must;
pub use refused::{Refused, Why, Winner};
pub use register::Correction;
pub use rules::{RuleId, RuleRow};
pub use shadow::{ShadowEditionRow, ShadowId, ShadowRow};
pub use state::{EditionRow, EditionState, ObjectionRow, PlaceRow};
pub(crate) use words::seal_words;
