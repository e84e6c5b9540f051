//! The hash that the site's key stands in, so that nobody without it can tell what was hashed.

use hmac::{Hmac, KeyInit};
use sha2::Sha256;

/// Begins such a hash. The key is shorter than a block and filled up with zeros, as HMAC itself would; a block is never
/// refused, and so there is no case in which two names could come out the same.
pub(crate) fn keyed(site: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    for (place, byte) in block.iter_mut().zip(site) {
        *place = *byte;
    }
    Hmac::new(&block.into())
}

#[cfg(test)]
mod tests {
    use hmac::Mac;

    use super::*;

    #[test]
    fn a_key_that_is_filled_up_is_the_same_key() {
        let site = [7; 32];
        let bare = Hmac::<Sha256>::new_from_slice(&site)
            .unwrap()
            .chain_update(b"words");
        let filled = keyed(&site).chain_update(b"words");
        assert_eq!(filled.finalize().into_bytes(), bare.finalize().into_bytes());
    }
}
