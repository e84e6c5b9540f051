//! Under which name an account's own readings stand in the journal: it says nothing of whose they are, and is the same on
//! every phone the account is used on.

use hmac::Mac;

use crate::hex::hex;
use crate::keyed::keyed;

/// How such a name begins. No device is registered under one, so that nobody with a key speaks for an account.
pub const HANDSET: &str = "account-";
/// Bytes of its hash that tell an account from the others.
const TOLD: usize = 12;

/// The device that an account is while it grades bags. Nobody without the site's key can tell whose it is.
pub fn handset(account: &str, site: &[u8; 32]) -> String {
    let mac = keyed(site)
        .chain_update(b"handset of an account\0")
        .chain_update(account.as_bytes());
    let whole: [u8; 32] = mac.finalize().into_bytes().into();
    let (told, _) = whole.split_at(TOLD);
    format!("{HANDSET}{}", hex(told))
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
