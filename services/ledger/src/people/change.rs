//! Changes of who may log in, as the journal keeps them: under opaque names, and without anything one could log in with.

use hemu_people::{Right, Role};
use serde::{Deserialize, Serialize};

/// What a one-time code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Makes the first admin.
    First,
    /// Lets somebody of a household in, under a new name.
    Resident,
    /// Lets an account that is there act for a household.
    Delegate,
    /// Sets an account's password.
    Password,
}

impl Purpose {
    pub const ALL: [Self; 4] = [Self::First, Self::Resident, Self::Delegate, Self::Password];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Resident => "resident",
            Self::Delegate => "delegate",
            Self::Password => "password",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == word)
    }
}

/// What became of an account, a token or a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    AccountAdded {
        name: String,
        role: Role,
    },
    /// It can no longer log in.
    AccountDisabled {
        name: String,
    },
    AccountEnabled {
        name: String,
    },
    RoleChanged {
        name: String,
        role: Role,
    },
    PasswordSet {
        name: String,
    },
    TotpSet {
        name: String,
    },
    TotpRemoved {
        name: String,
    },
    /// A program may act as an account, with some of its rights.
    TokenMade {
        id: String,
        name: String,
        scopes: Vec<Right>,
    },
    TokenRevoked {
        id: String,
    },
    /// For an account, a household or both.
    CodeMade {
        purpose: Purpose,
        name: Option<String>,
        token: Option<String>,
    },
    CodeUsed {
        purpose: Purpose,
        name: String,
        token: Option<String>,
    },
    /// An account acts for a household no longer: as one of its own, or as its delegate.
    AccessRevoked {
        name: String,
        token: String,
        delegate: bool,
    },
}

impl Change {
    /// Its word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AccountAdded { .. } => "account_added",
            Self::AccountDisabled { .. } => "account_disabled",
            Self::AccountEnabled { .. } => "account_enabled",
            Self::RoleChanged { .. } => "role_changed",
            Self::PasswordSet { .. } => "password_set",
            Self::TotpSet { .. } => "totp_set",
            Self::TotpRemoved { .. } => "totp_removed",
            Self::TokenMade { .. } => "token_made",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::CodeMade { .. } => "code_made",
            Self::CodeUsed { .. } => "code_used",
            Self::AccessRevoked { .. } => "access_revoked",
        }
    }

    /// What was changed and into what, as the trail tells it: the journal has the account, which is not the one who acted.
    /// The role that an account had before is in the act before it.
    pub(crate) fn told(&self) -> (Option<String>, Option<String>) {
        let between = |name: &str, before: &str, after: &str| {
            (
                Some(format!("{name}: {before}")),
                Some(format!("{name}: {after}")),
            )
        };
        match self {
            Self::AccountAdded { name, role } | Self::RoleChanged { name, role } => {
                (None, Some(format!("{name}: {role}")))
            }
            Self::AccountDisabled { name } => between(name, "may log in", "disabled"),
            Self::AccountEnabled { name } => between(name, "disabled", "may log in"),
            Self::PasswordSet { name } => (None, Some(format!("{name}: another password"))),
            Self::TotpSet { name } => (None, Some(format!("{name}: a second factor"))),
            Self::TotpRemoved { name } => between(name, "a second factor", "no second factor"),
            Self::TokenMade { id, name, scopes } => {
                let scopes: Vec<_> = scopes.iter().map(|right| right.as_str()).collect();
                (
                    None,
                    Some(format!("{name}: token {id} for {}", scopes.join(", "))),
                )
            }
            Self::TokenRevoked { id } => between(&format!("token {id}"), "in use", "revoked"),
            Self::CodeMade { purpose, name, .. } => (None, Some(code(*purpose, name.as_deref()))),
            Self::CodeUsed { purpose, name, .. } => (None, Some(code(*purpose, Some(name)))),
            Self::AccessRevoked { name, delegate, .. } => {
                let before = if *delegate {
                    "acts for the household as a delegate"
                } else {
                    "acts for the household"
                };
                between(name, before, "acts for the household no longer")
            }
        }
    }

    /// The household it concerns.
    pub(crate) fn token(&self) -> Option<&str> {
        match self {
            Self::CodeMade { token, .. } | Self::CodeUsed { token, .. } => token.as_deref(),
            Self::AccessRevoked { token, .. } => Some(token),
            _ => None,
        }
    }
}

/// What a code is for, and whose.
fn code(purpose: Purpose, name: Option<&str>) -> String {
    let of = name.map_or_else(String::new, |name| format!("{name}: "));
    format!("{of}code ({})", purpose.as_str())
}
