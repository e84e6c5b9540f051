//! What a node does of what a site needs: everything, unless several nodes share a PostgreSQL.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Devices connect here.
    Endpoint,
    /// The door behind a broker.
    Ingest,
    /// Folds the journal; of several, one at a time.
    Projector,
    /// Dashboards and API, with charts of its own.
    Api,
    /// What the machine does for the lists.
    Jobs,
}

const ALL: [Role; 5] = [
    Role::Endpoint,
    Role::Ingest,
    Role::Projector,
    Role::Api,
    Role::Jobs,
];

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Ingest => "ingest",
            Self::Projector => "projector",
            Self::Api => "api",
            Self::Jobs => "jobs",
        }
    }
}

/// The parts a node does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Roles(Vec<Role>);

impl Default for Roles {
    fn default() -> Self {
        Self(ALL.to_vec())
    }
}

impl Roles {
    pub(crate) fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// Whether it takes readings in, by either door.
    pub(crate) fn take_in(&self) -> bool {
        self.has(Role::Endpoint) || self.has(Role::Ingest)
    }

    pub(crate) fn are_all(&self) -> bool {
        ALL.iter().all(|role| self.has(*role))
    }

    pub(crate) fn are_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|role| role.name()).collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for Roles {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = |name: &str| {
            let role = ALL.into_iter().find(|role| role.name() == name);
            role.ok_or_else(|| format!("expected some of endpoint,ingest,projector,api,jobs, came {name:?}"))
        };
        text.split(',')
            .map(|name| known(name.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_they_are_written() {
        for text in ["endpoint", "endpoint,ingest,projector,api,jobs", "api,jobs"] {
            assert_eq!(text.parse::<Roles>().unwrap().to_string(), text);
        }
        assert!(Roles::default().are_all());
        let refused = "endpoint,broker".parse::<Roles>().unwrap_err();
        assert!(refused.contains("\"broker\""), "{refused}");
        assert!("".parse::<Roles>().is_err());
    }
}
