//! Why an act was refused, so that whoever asked can mend it.

use std::fmt;

use crate::error::Error;
use crate::journal::Position;

/// A stable word for a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// Too early: something else must be over first.
    NotYet,
    /// What was received is not folded yet.
    NotFolded,
    /// Something about the household came after the list was computed, and speaks for or against it.
    CameLater,
    /// That was so of a name the list would be published with.
    NameOutdated,
    /// What would be shown of a name is also another household's.
    NameAlike,
    /// The objection window is over.
    WindowClosed,
    /// The second person must be another than the first.
    SamePerson,
    /// Only a person may do this.
    NotAPerson,
    /// Another role's to do.
    NotYourDuty,
    /// Somebody was faster; see the winner.
    AlreadyDecided,
    UnknownHousehold,
    UnknownEdition,
    UnknownObjection,
    UnknownRule,
    NoSuchReading,
    UnknownAccount,
    UnknownToken,
    /// Another account has it.
    NameTaken,
    /// The day is not over.
    InTheFuture,
    /// Not possible from the state it is in.
    WrongState,
    UnknownPool,
    /// Of a household's entries and services.
    UnknownEntry,
    /// The account has less.
    NotEnough,
    /// The request's key stands for another request.
    KeyTaken,
    /// More than a day allows.
    TooOften,
    /// Somebody stopped it.
    Stopped,
    /// A text, a number or a list that is too long, too short or out of range.
    Malformed,
}

impl Why {
    pub const ALL: [Self; 27] = [
        Self::NotYet,
        Self::NotFolded,
        Self::CameLater,
        Self::NameOutdated,
        Self::NameAlike,
        Self::WindowClosed,
        Self::SamePerson,
        Self::NotAPerson,
        Self::NotYourDuty,
        Self::AlreadyDecided,
        Self::UnknownHousehold,
        Self::UnknownEdition,
        Self::UnknownObjection,
        Self::UnknownRule,
        Self::NoSuchReading,
        Self::UnknownAccount,
        Self::UnknownToken,
        Self::NameTaken,
        Self::InTheFuture,
        Self::WrongState,
        Self::UnknownPool,
        Self::UnknownEntry,
        Self::NotEnough,
        Self::KeyTaken,
        Self::TooOften,
        Self::Stopped,
        Self::Malformed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotYet => "not_yet",
            Self::NotFolded => "not_folded",
            Self::CameLater => "came_later",
            Self::NameOutdated => "name_outdated",
            Self::NameAlike => "name_alike",
            Self::WindowClosed => "window_closed",
            Self::SamePerson => "same_person",
            Self::NotAPerson => "not_a_person",
            Self::NotYourDuty => "not_your_duty",
            Self::AlreadyDecided => "already_decided",
            Self::UnknownHousehold => "unknown_household",
            Self::UnknownEdition => "unknown_edition",
            Self::UnknownObjection => "unknown_objection",
            Self::UnknownRule => "unknown_rule",
            Self::NoSuchReading => "no_such_reading",
            Self::UnknownAccount => "unknown_account",
            Self::UnknownToken => "unknown_token",
            Self::NameTaken => "name_taken",
            Self::InTheFuture => "in_the_future",
            Self::WrongState => "wrong_state",
            Self::UnknownPool => "unknown_pool",
            Self::UnknownEntry => "unknown_entry",
            Self::NotEnough => "not_enough",
            Self::KeyTaken => "key_taken",
            Self::TooOften => "too_often",
            Self::Stopped => "stopped",
            Self::Malformed => "malformed",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The act that was faster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Winner {
    pub actor: String,
    /// ms since 1970 UTC.
    pub at: i64,
    /// What they did, as its word.
    pub what: String,
    /// Where it stands in the journal.
    pub position: Position,
}

/// An act that was refused. Nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}: {sentence}")]
pub struct Refused {
    pub why: Why,
    /// Names the rule.
    pub sentence: String,
    pub winner: Option<Winner>,
}

impl Refused {
    pub(crate) fn error(why: Why, sentence: impl Into<String>) -> Error {
        Self {
            why,
            sentence: sentence.into(),
            winner: None,
        }
        .into()
    }

    pub(crate) fn lost(sentence: impl Into<String>, winner: Option<Winner>) -> Error {
        Self {
            why: Why::AlreadyDecided,
            sentence: sentence.into(),
            winner,
        }
        .into()
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused))
    }
}

/// Refuses unless something holds.
pub(crate) fn must(holds: bool, why: Why, sentence: impl FnOnce() -> String) -> crate::error::Result<()> {
    if holds {
        return Ok(());
    }
    Err(Refused::error(why, sentence()))
}
