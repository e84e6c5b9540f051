//! Roles, and the one table of what each may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an account is here for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Keeps accounts, devices and the register of households; decides about no score and no list.
    Admin,
    /// 督导员: stands at the bin, opens bags, puts readings right, prepares the lists.
    Inspector,
    /// 网格员: answers for a neighbourhood: decides on names and objections.
    GridOfficer,
    /// Helps at the bin.
    Volunteer,
    /// Empties the bins.
    Collector,
    /// Reads everything, the trail of who did what included; does nothing.
    Auditor,
    /// Sees the own household.
    Resident,
}

/// Something a role may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See what belongs to nobody in particular: estates, stations, devices, charts, counters.
    SeeSite,
    /// See what hangs in a hall for everybody to read: counters, and buildings of a public edition.
    SeeScreen,
    /// See households within the own scope: scores, deposits, where they stand.
    SeeHouseholds,
    /// See lists of many households: rankings, editions, objections.
    SeeLists,
    /// See what devices sent, byte by byte.
    SeeRaw,
    /// Be told which bag to open.
    Inspect,
    /// Open bags and say how well they were sorted.
    GradeBags,
    /// Strike and restore readings, check clocks and devices.
    MendReadings,
    /// Report cards lost and found, and who moved.
    KeepCards,
    /// Compute editions, give notice, be the first of two persons.
    PrepareLists,
    /// Be the second of two persons, decide on objections, take names off.
    DecideLists,
    /// Propose and adopt rules.
    SetRules,
    /// Object for a household within the own scope.
    Object,
    /// Give and withdraw a household's consent within the own scope.
    Consent,
    /// See what households within the own scope have of minutes and points.
    SeeBalances,
    /// Award points, record services and take entries back.
    KeepBalances,
    /// Spend points and minutes of a household within the own scope, and confirm the help it got.
    Spend,
    /// Fill the pools that points come from.
    FundPools,
    /// Take along everything that is held about a household within the own scope.
    Export,
    /// See who acts for a household within the own scope, and end it.
    KeepDelegates,
    /// Read who did what.
    ReadTrail,
    /// Add, change and disable accounts.
    KeepAccounts,
    /// Print a household's code, end who acts for it, correct and erase it.
    KeepHouseholds,
}

/// Not a role's word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected one of admin, inspector, grid_officer, volunteer, collector, auditor, resident, came {0:?}"
)]
pub struct UnknownRole(String);

/// Not a right's word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a right such as see_site or see_households, came {0:?}")]
pub struct UnknownRight(String);

impl Right {
    pub const ALL: [Self; 23] = [
        Self::SeeSite,
        Self::SeeScreen,
        Self::SeeHouseholds,
        Self::SeeLists,
        Self::SeeRaw,
        Self::Inspect,
        Self::GradeBags,
        Self::MendReadings,
        Self::KeepCards,
        Self::PrepareLists,
        Self::DecideLists,
        Self::SetRules,
        Self::Object,
        Self::Consent,
        Self::SeeBalances,
        Self::KeepBalances,
        Self::Spend,
        Self::FundPools,
        Self::Export,
        Self::KeepDelegates,
        Self::ReadTrail,
        Self::KeepAccounts,
        Self::KeepHouseholds,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SeeSite => "see_site",
            Self::SeeScreen => "see_screen",
            Self::SeeHouseholds => "see_households",
            Self::SeeLists => "see_lists",
            Self::SeeRaw => "see_raw",
            Self::Inspect => "inspect",
            Self::GradeBags => "grade_bags",
            Self::MendReadings => "mend_readings",
            Self::KeepCards => "keep_cards",
            Self::PrepareLists => "prepare_lists",
            Self::DecideLists => "decide_lists",
            Self::SetRules => "set_rules",
            Self::Object => "object",
            Self::Consent => "consent",
            Self::SeeBalances => "see_balances",
            Self::KeepBalances => "keep_balances",
            Self::Spend => "spend",
            Self::FundPools => "fund_pools",
            Self::Export => "export",
            Self::KeepDelegates => "keep_delegates",
            Self::ReadTrail => "read_trail",
            Self::KeepAccounts => "keep_accounts",
            Self::KeepHouseholds => "keep_households",
        }
    }

    /// Whether it changes something.
    pub const fn acts(self) -> bool {
        !matches!(
            self,
            Self::SeeSite
                | Self::SeeScreen
                | Self::SeeHouseholds
                | Self::SeeLists
                | Self::SeeRaw
                | Self::Inspect
                | Self::SeeBalances
                | Self::Export
                | Self::ReadTrail
        )
    }
}

impl Role {
    pub const ALL: [Self; 7] = [
        Self::Admin,
        Self::Inspector,
        Self::GridOfficer,
        Self::Volunteer,
        Self::Collector,
        Self::Auditor,
        Self::Resident,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Inspector => "inspector",
            Self::GridOfficer => "grid_officer",
            Self::Volunteer => "volunteer",
            Self::Collector => "collector",
            Self::Auditor => "auditor",
            Self::Resident => "resident",
        }
    }

    /// Everybody but residents.
    pub const fn is_staff(self) -> bool {
        !matches!(self, Self::Resident)
    }

    /// What it may do. Whoever keeps the accounts touches no score, and whoever reads the trail does nothing.
    pub const fn rights(self) -> &'static [Right] {
        use Right::{
            Consent, DecideLists, Export, FundPools, GradeBags, Inspect, KeepAccounts, KeepBalances,
            KeepCards, KeepDelegates, KeepHouseholds, MendReadings, Object, PrepareLists, ReadTrail,
            SeeBalances, SeeHouseholds, SeeLists, SeeRaw, SeeScreen, SeeSite, SetRules, Spend,
        };
        match self {
            Self::Admin => &[
                SeeSite,
                SeeScreen,
                SeeHouseholds,
                SeeRaw,
                KeepCards,
                KeepAccounts,
                KeepHouseholds,
                FundPools,
                Export,
            ],
            Self::Inspector => &[
                SeeSite,
                SeeScreen,
                SeeHouseholds,
                SeeLists,
                SeeRaw,
                Inspect,
                GradeBags,
                MendReadings,
                KeepCards,
                PrepareLists,
                Object,
            ],
            Self::GridOfficer => &[
                SeeSite,
                SeeScreen,
                SeeHouseholds,
                SeeLists,
                SeeRaw,
                Inspect,
                GradeBags,
                MendReadings,
                KeepCards,
                PrepareLists,
                DecideLists,
                SetRules,
                Object,
                Consent,
                SeeBalances,
                KeepBalances,
                Spend,
            ],
            Self::Volunteer => &[SeeSite, SeeScreen, Inspect, GradeBags],
            Self::Collector => &[SeeSite, SeeScreen],
            Self::Auditor => &[
                SeeSite,
                SeeScreen,
                SeeHouseholds,
                SeeLists,
                SeeRaw,
                Inspect,
                SeeBalances,
                ReadTrail,
            ],
            Self::Resident => &[
                SeeHouseholds,
                Object,
                Consent,
                SeeBalances,
                Spend,
                Export,
                KeepDelegates,
            ],
        }
    }

    pub fn may(self, right: Right) -> bool {
        self.rights().contains(&right)
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, UnknownRole> {
        let role = Self::ALL.into_iter().find(|role| role.as_str() == word);
        role.ok_or_else(|| UnknownRole(word.chars().take(64).collect()))
    }
}

impl FromStr for Right {
    type Err = UnknownRight;

    fn from_str(word: &str) -> Result<Self, UnknownRight> {
        let right = Self::ALL.into_iter().find(|right| right.as_str() == word);
        right.ok_or_else(|| UnknownRight(word.chars().take(64).collect()))
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_to_one_with_roles_and_rights() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        for right in Right::ALL {
            assert_eq!(right.as_str().parse(), Ok(right));
        }
        assert!("everything".parse::<Right>().is_err());
        let wrong = "root".parse::<Role>().unwrap_err();
        assert!(wrong.to_string().contains("grid_officer") && wrong.to_string().contains("root"));
    }

    #[test]
    fn duties_are_separate() {
        let on_scores = [
            Right::MendReadings,
            Right::PrepareLists,
            Right::DecideLists,
            Right::SetRules,
        ];
        for right in on_scores {
            assert!(!Role::Admin.may(right), "{right:?}");
        }
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Admin) {
            assert!(!role.may(Right::KeepAccounts), "{role}");
        }
        assert!(Role::Auditor.rights().iter().all(|right| !right.acts()));
        // All that is held about a household leaves the system for itself, and for whoever answers for the register.
        for role in Role::ALL {
            let answers = matches!(role, Role::Admin | Role::Resident);
            assert_eq!(role.may(Right::Export), answers, "{role}");
        }
        // Bins are emptied and helped at without knowing whose bag it is.
        for role in [Role::Collector, Role::Volunteer] {
            assert!(
                !role.may(Right::SeeHouseholds) && !role.may(Right::SeeLists),
                "{role}"
            );
        }
        assert!(!Role::Resident.may(Right::SeeSite) && !Role::Resident.may(Right::SeeLists));
    }

    #[test]
    fn every_right_is_somebodys() {
        for right in Right::ALL {
            assert!(Role::ALL.iter().any(|role| role.may(right)), "{right:?}");
        }
    }
}
