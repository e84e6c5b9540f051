//! The words of editions.

use hemu_ledger::acts::{Audience, EditionState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far an edition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EditionState)]
pub(crate) enum StateWord {
    /// Computed; nobody was told.
    Draft,
    /// Households were told in private; they may object.
    Noticed,
    /// The window is over; people decide.
    Deciding,
    /// For its audience to see.
    Published,
    /// Its time ran out.
    Expired,
    /// A corrected revision took its place.
    Superseded,
    /// A person took it back.
    Retracted,
}

impl From<EditionState> for StateWord {
    fn from(state: EditionState) -> Self {
        match state {
            EditionState::Draft => Self::Draft,
            EditionState::Noticed => Self::Noticed,
            EditionState::Deciding => Self::Deciding,
            EditionState::Published => Self::Published,
            EditionState::Expired => Self::Expired,
            EditionState::Superseded => Self::Superseded,
            EditionState::Retracted => Self::Retracted,
        }
    }
}

impl From<StateWord> for EditionState {
    fn from(word: StateWord) -> Self {
        match word {
            StateWord::Draft => Self::Draft,
            StateWord::Noticed => Self::Noticed,
            StateWord::Deciding => Self::Deciding,
            StateWord::Published => Self::Published,
            StateWord::Expired => Self::Expired,
            StateWord::Superseded => Self::Superseded,
            StateWord::Retracted => Self::Retracted,
        }
    }
}

/// Who may see a published edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Audience)]
pub(crate) enum AudienceWord {
    /// Each household its own place.
    Private,
    /// The people of its building.
    Building,
    /// Everybody, with households masked.
    Masked,
}

impl From<Audience> for AudienceWord {
    fn from(audience: Audience) -> Self {
        match audience {
            Audience::Private => Self::Private,
            Audience::Building => Self::Building,
            Audience::Masked => Self::Masked,
        }
    }
}

impl From<AudienceWord> for Audience {
    fn from(word: AudienceWord) -> Self {
        match word {
            AudienceWord::Private => Self::Private,
            AudienceWord::Building => Self::Building,
            AudienceWord::Masked => Self::Masked,
        }
    }
}
