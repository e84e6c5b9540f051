//! Which households somebody sees.

use std::collections::BTreeSet;

/// The households a reader's questions reach. Whatever lies outside is answered like what does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of them: staff, and the machine itself.
    Everyone,
    /// These tokens, for as long as the one who asks lives there.
    Own(BTreeSet<String>),
}

impl Scope {
    /// Nobody's.
    pub const fn nobody() -> Self {
        Self::Own(BTreeSet::new())
    }

    /// Whether a household lies within.
    pub fn covers(&self, token: &str) -> bool {
        match self {
            Self::Everyone => true,
            Self::Own(tokens) => tokens.contains(token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sees_nothing_and_everyone_all() {
        assert!(Scope::Everyone.covers("hh-1") && !Scope::nobody().covers("hh-1"));
        let own = Scope::Own(BTreeSet::from(["hh-1".to_owned()]));
        assert!(own.covers("hh-1") && !own.covers("hh-2") && !own.covers(""));
    }
}
