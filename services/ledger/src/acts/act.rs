//! What people can do, and what an edition consists of, as the journal keeps it.
//!
//! The bytes are JSON of these enums behind a tag of their own (`entry`), kept for ever: a field is never given another
//! meaning, a new form is a new variant, and a new field may be missing and is then not written. What a person wrote in their own words is here as its SHA-256 alone. This
//! module must not touch a store or a clock.

use std::fmt;
use std::str::FromStr;

use hemu_rules::{Day, Ppb, Rule, Status};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bank::Deal;
use crate::bytes::hex;
use crate::journal::Position;
use crate::people::Change;
use crate::read::EstateGroups;

/// A reading's place in the journal: batch and index in it.
pub type ReadingAt = (Position, u32);
/// An edition: the position of the batch that proposed it.
pub type EditionId = Position;
/// An objection: the position of the batch that holds it.
pub type ObjectionId = Position;

/// Bytes of one act, at most.
pub(crate) const MAX_ACT: usize = 512 * 1024;
/// Characters of what a person writes in their own words, at most.
pub const MAX_WORDS: usize = 4_000;
/// Readings one objection may name, at most.
pub const MAX_READINGS: usize = 32;

/// Who acts: the opaque name of an account. Never the name of a resident.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(String);

/// Not an account's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an account's name of 1 to 64 letters, digits and any of `_-.@:`, came {0:?}")]
pub struct NotAnActor(String);

impl Actor {
    /// Whoever works on the server itself, with its files.
    pub fn operator() -> Self {
        Self("system:operator".to_owned())
    }

    /// The machine. It may compute, give notices and end what has run out; it decides about nobody.
    pub fn system() -> Self {
        Self("system".to_owned())
    }

    /// The account's name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether a person answers for it: everybody but `system` and `system:...`.
    pub fn is_person(&self) -> bool {
        self.0 != "system" && !self.0.starts_with("system:")
    }
}

impl FromStr for Actor {
    type Err = NotAnActor;

    fn from_str(name: &str) -> Result<Self, NotAnActor> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "_-.@:".contains(c);
        if (1..=64).contains(&name.len()) && name.chars().all(fits) {
            return Ok(Self(name.to_owned()));
        }
        Err(NotAnActor(name.chars().take(64).collect()))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// SHA-256, as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sha(String);

impl Sha {
    /// Of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }
}

/// A person's own words: the journal has their hash; the text goes where it can be erased.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Sha", into = "Sha")]
pub struct Words {
    hash: Sha,
    text: Option<String>,
}

impl Words {
    /// As they were written.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            hash: Sha::of(text.as_bytes()),
            text: Some(text),
        }
    }

    /// Under which they are kept.
    pub fn hash(&self) -> &Sha {
        &self.hash
    }

    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

/// The same words are those with the same hash.
impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for Words {}

impl From<Sha> for Words {
    fn from(hash: Sha) -> Self {
        Self { hash, text: None }
    }
}

impl From<Words> for Sha {
    fn from(words: Words) -> Self {
        words.hash
    }
}

/// Who may see a published edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Each household its own place.
    Private,
    /// The people of its building.
    Building,
    /// Everybody, with households masked.
    Masked,
}

impl Audience {
    pub const ALL: [Self; 3] = [Self::Private, Self::Building, Self::Masked];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Building => "building",
            Self::Masked => "masked",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|audience| audience.as_str() == word)
    }
}

/// What an account can do. Whether it may is for the ledger to say (`Ledger::act`) and for whoever checks roles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// A reading counts for nobody. Why is the decision's to say where an objection was upheld, and was not asked for once.
    Strike {
        reading: ReadingAt,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Words>,
    },
    /// It counts again.
    Restore { reading: ReadingAt },
    /// A person looked: a reading whose clock was ahead counts after all.
    ClockChecked { reading: ReadingAt },
    /// A person looked at a device whose records came with two contents under one number: what it sent with that boot
    /// counts, as it came first.
    DeviceChecked { device: String, boot: u64 },
    /// Whoever graded a bag named a picture of it that is kept elsewhere.
    NamePhoto {
        token: String,
        reading: ReadingAt,
        reference: Words,
    },
    /// A card's readings from an instant (ms since 1970) on count for nobody, those that are there and those to come.
    CardLost { token: String, since: i64 },
    /// They count again.
    CardFound { token: String },
    /// A household agrees to be praised in public.
    RedOptIn { token: String },
    /// It no longer does.
    RedOptOut { token: String },

    /// The households were told in private; the objection window is open for so many days.
    Notice { edition: EditionId, days: u16 },
    /// The window is over; people decide.
    Open { edition: EditionId },
    /// The first of two persons says that a black name stands.
    ProposeBlack { edition: EditionId, token: String },
    /// The second.
    ConfirmBlack { edition: EditionId, token: String },
    /// A black name or a warning is taken off.
    Lift {
        edition: EditionId,
        token: String,
        reason: Words,
    },
    /// The first of two persons asks for publication: on which legal basis, for whom, and until when (ms since 1970).
    ProposePublication {
        edition: EditionId,
        basis: Words,
        audience: Audience,
        expires_at: i64,
    },
    /// The second publishes.
    Publish { edition: EditionId },
    /// Its time has run out.
    Expire { edition: EditionId },
    /// A person takes it back.
    Retract { edition: EditionId, reason: Words },

    /// A household objects to what some of its readings say.
    Object {
        edition: EditionId,
        token: String,
        readings: Vec<ReadingAt>,
        words: Words,
    },
    /// A person decides on it.
    DecideObjection {
        objection: ObjectionId,
        upheld: bool,
        reason: Words,
    },

    /// A new occupant begins on a local day, which counts for nobody; from the next day on the token is theirs.
    MovedIn { token: String, day: Day },
    /// That was a mistake.
    MoveUndone { token: String, day: Day },

    /// Where a household lives was wrong in the register: as it was, and as it is now.
    Correct {
        token: String,
        before: Words,
        after: Words,
    },
    /// A household is erased: its key, its place and its words. The token stays, and says nothing.
    Erase { token: String, reason: Words },

    /// The first of two persons asks that editions from a day on are computed by a rule.
    ProposeRule { rule: Box<Rule>, from: Day },
    /// The second adopts it, named by the position of its proposal.
    AdoptRule { proposal: Position },
    /// A rule runs beside the one in force, for editions from a day on, and publishes nothing.
    ShadowRule { rule: Box<Rule>, from: Day },
    /// It no longer does.
    EndShadow { shadow: Position },

    /// Minutes or points move, or are to.
    Bank(Box<Deal>),

    /// Who may log in changed.
    Account(Change),

    /// A person tried what another had done or decided by then, and was refused.
    Late {
        act: Box<Self>,
        /// Who was faster, and where that stands.
        by: String,
        winner: Position,
    },
}

/// Part of a proposed edition: what was computed. Nobody can write one by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Proposal {
    /// Some of the registered households of one estate, in the order of estate and token; only where the roll is new.
    Roll {
        hash: Sha,
        part: u32,
        estate: String,
        tokens: Vec<String>,
    },
    /// The edition.
    Edition(Box<Proposed>),
    /// Some of its places, in the order of the tokens.
    Places { places: Vec<Placed> },
    /// What may be said of an estate's buildings and units at the edition, or a part of it: no sum of a group too small.
    Groups(EstateGroups),
    /// An edition by a rule in the shadow: nobody is told of it.
    Shadow(Box<Shadowed>),
    /// Some of its places, in the order of the tokens.
    ShadowPlaces { places: Vec<ShadowPlaced> },
    /// Editions whose evidence lost a reading: a corrected revision is due.
    Reopen { editions: Vec<EditionId> },
}

/// What an edition was computed from, and what came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposed {
    pub day: Day,
    pub revision: u32,
    pub rule: Rule,
    /// Of the rule's JSON.
    pub rule_hash: Sha,
    /// Everything up to here is in it.
    pub position: Position,
    /// The edition whose states it goes on from, as they were at `known`.
    pub before: Option<EditionId>,
    pub known: Position,
    /// Who was registered.
    pub roll: Sha,
    /// Red, black, grey, unrated.
    pub counts: [u64; 4],
    pub notices: u64,
    /// Of everybody's place.
    pub digest: Sha,
    /// The edition it corrects.
    pub revises: Option<EditionId>,
    /// Nobody stands worse than in that one, so that its notices and its window hold for this one too.
    pub inherits: bool,
}

/// What an edition by a rule in the shadow was computed from, and what came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shadowed {
    pub shadow: Position,
    pub day: Day,
    /// Everything up to here is in it.
    pub position: Position,
    /// The shadow edition whose states it goes on from.
    pub before: Option<EditionId>,
    /// Red, black, grey, unrated.
    pub counts: [u64; 4],
    /// Of everybody's place.
    pub digest: Sha,
}

/// A household's place in a shadow edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShadowPlaced {
    pub token: String,
    pub status: Status,
    pub hits: u16,
}

/// A household's place as computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    pub token: String,
    pub status: Status,
    pub hits: u16,
    pub notice: bool,
    pub score: u8,
    pub p_black: Ppb,
    pub p_red: Ppb,
    pub deposit_days: u32,
    pub inspected_days: u32,
    /// Within the status; 1 is first.
    pub rank: u32,
}

/// What of an act the audit trail is searched by.
#[derive(Debug, Default)]
pub(crate) struct About<'a> {
    pub(crate) edition: Option<EditionId>,
    pub(crate) token: Option<&'a str>,
}

impl Act {
    /// A person strikes a reading, and says why.
    pub fn strike(reading: ReadingAt, reason: impl Into<String>) -> Self {
        let reason = Some(Words::new(reason));
        Self::Strike { reading, reason }
    }

    /// Its word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Strike { .. } => "strike",
            Self::Restore { .. } => "restore",
            Self::ClockChecked { .. } => "clock_checked",
            Self::DeviceChecked { .. } => "device_checked",
            Self::NamePhoto { .. } => "name_photo",
            Self::CardLost { .. } => "card_lost",
            Self::CardFound { .. } => "card_found",
            Self::RedOptIn { .. } => "red_opt_in",
            Self::RedOptOut { .. } => "red_opt_out",
            Self::Notice { .. } => "notice",
            Self::Open { .. } => "open",
            Self::ProposeBlack { .. } => "propose_black",
            Self::ConfirmBlack { .. } => "confirm_black",
            Self::Lift { .. } => "lift",
            Self::ProposePublication { .. } => "propose_publication",
            Self::Publish { .. } => "publish",
            Self::Expire { .. } => "expire",
            Self::Retract { .. } => "retract",
            Self::Object { .. } => "object",
            Self::DecideObjection { .. } => "decide_objection",
            Self::MovedIn { .. } => "moved_in",
            Self::MoveUndone { .. } => "move_undone",
            Self::Correct { .. } => "correct",
            Self::Erase { .. } => "erase",
            Self::ProposeRule { .. } => "propose_rule",
            Self::AdoptRule { .. } => "adopt_rule",
            Self::ShadowRule { .. } => "shadow_rule",
            Self::EndShadow { .. } => "end_shadow",
            Self::Bank(deal) => deal.kind(),
            Self::Account(change) => change.kind(),
            Self::Late { .. } => "late",
        }
    }

    /// What a person wrote with it.
    pub fn words(&self) -> Vec<&Words> {
        match self {
            Self::Lift { reason, .. }
            | Self::Retract { reason, .. }
            | Self::DecideObjection { reason, .. }
            | Self::Erase { reason, .. } => vec![reason],
            Self::ProposePublication { basis, .. } => vec![basis],
            Self::Object { words, .. } => vec![words],
            Self::NamePhoto { reference, .. } => vec![reference],
            Self::Strike { reason, .. } => reason.iter().collect(),
            Self::Correct { before, after, .. } => vec![before, after],
            Self::Bank(deal) => deal.words().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn about(&self) -> About<'_> {
        let (edition, token) = match self {
            Self::Notice { edition, .. }
            | Self::Open { edition }
            | Self::ProposePublication { edition, .. }
            | Self::Publish { edition }
            | Self::Expire { edition }
            | Self::Retract { edition, .. } => (Some(*edition), None),
            Self::ProposeBlack { edition, token }
            | Self::ConfirmBlack { edition, token }
            | Self::Lift { edition, token, .. }
            | Self::Object { edition, token, .. } => (Some(*edition), Some(token.as_str())),
            Self::NamePhoto { token, .. }
            | Self::CardLost { token, .. }
            | Self::CardFound { token }
            | Self::RedOptIn { token }
            | Self::RedOptOut { token }
            | Self::MovedIn { token, .. }
            | Self::MoveUndone { token, .. }
            | Self::Correct { token, .. }
            | Self::Erase { token, .. } => (None, Some(token.as_str())),
            Self::Bank(deal) => (None, deal.token()),
            Self::Account(change) => (None, change.token()),
            Self::Late { act, .. } => return act.about(),
            Self::Strike { .. }
            | Self::Restore { .. }
            | Self::ClockChecked { .. }
            | Self::DeviceChecked { .. }
            | Self::DecideObjection { .. }
            | Self::ProposeRule { .. }
            | Self::AdoptRule { .. }
            | Self::ShadowRule { .. }
            | Self::EndShadow { .. } => (None, None),
        };
        About { edition, token }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strike_of_before_reasons_were_asked_for_is_read_and_written_as_it_was() {
        let old = r#"{"strike":{"reading":[4711,3]}}"#;
        let act: Act = serde_json::from_str(old).unwrap();
        let strike = Act::Strike {
            reading: (4711, 3),
            reason: None,
        };
        assert_eq!(act, strike);
        assert!(act.words().is_empty());
        assert_eq!(serde_json::to_string(&act).unwrap(), old);
    }

    #[test]
    fn a_strikes_reason_is_in_the_journal_as_its_hash_alone() {
        let act = Act::strike((1, 0), "the bag was a neighbour's");
        let bytes = serde_json::to_string(&act).unwrap();
        assert!(!bytes.contains("neighbour"), "{bytes}");
        assert_eq!(serde_json::from_str::<Act>(&bytes).unwrap(), act);
    }
}
