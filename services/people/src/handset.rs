//! Under which name an account's own readings stand in the journal: it says nothing of whose they are, and is the same on
//! every phone the account is used on.

use std::fmt::Write;

use hmac::Mac;

use crate::keyed::keyed;

/// How such a name begins. No device is registered under one, so that nobody with a key speaks for an account.
pub const HANDSET: &str = "account-";

/// The device that an account is while it grades bags. Nobody without the site's key can tell whose it is.
pub fn handset(account: &str, site: &[u8; 32]) -> String {
    let mut name = HANDSET.to_owned();
    let mac = keyed(site)
        .chain_update(b"handset of an account\0")
        .chain_update(account.as_bytes());
    for byte in mac.finalize().into_bytes().iter().take(12) {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_one_device_at_a_site_and_its_name_is_not_in_it() {
        let name = handset("li.wei", &[1; 32]);
        assert_eq!(name, handset("li.wei", &[1; 32]));
        assert_eq!(name.len(), HANDSET.len() + 24);
        assert!(name.starts_with(HANDSET) && !name.contains("li"));
        assert_ne!(name, handset("li.wei2", &[1; 32]));
        assert_ne!(name, handset("li.wei", &[2; 32]), "another site");
    }
}
