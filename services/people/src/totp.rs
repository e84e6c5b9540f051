//! The second factor: six digits that change every 30 seconds (RFC 6238), each good once.

use std::fmt;

use subtle::ConstantTimeEq;
use totp_rs::{Algorithm, TOTP, TotpUrlError};

const DIGITS: usize = 6;
const STEP_S: u64 = 30;
/// Steps that a phone's clock may be off by, either way.
const SKEW: u8 = 1;

/// What the phone and the server share.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret([u8; 20]);

impl TotpSecret {
    pub const fn new(random: [u8; 20]) -> Self {
        Self(random)
    }

    /// As it was kept; `None` of what none of ours is.
    pub fn kept(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// To be kept.
    pub const fn bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// What a phone scans: `otpauth://totp/...`.
    pub fn url(&self, site: &str, account: &str) -> Option<String> {
        self.totp(site, account).ok().map(|totp| totp.get_url())
    }

    /// What somebody types into a phone that cannot scan.
    pub fn typed(&self) -> Option<String> {
        self.totp("", "account").ok().map(|totp| totp.get_secret_base32())
    }

    /// The step whose digits these are, at an instant (ms since 1970); `None` where they are wrong, or were good once
    /// before: `last` is the last step that was.
    pub fn step(&self, digits: &str, at: i64, last: Option<i64>) -> Option<i64> {
        let totp = self.totp("", "account").ok()?;
        let now = at.div_euclid(1_000) / STEP_S.cast_signed();
        let skew = i64::from(SKEW);
        let mut found = None;
        for step in now - skew..=now + skew {
            let expected = totp.generate(step.max(0).unsigned_abs() * STEP_S);
            let same: bool = expected.as_bytes().ct_eq(digits.trim().as_bytes()).into();
            if same && last.is_none_or(|last| step > last) {
                found = Some(step);
            }
        }
        found
    }

    /// The digits at an instant, as the phone shows them.
    pub fn digits(&self, at: i64) -> Option<String> {
        let seconds = at.div_euclid(1_000).max(0).unsigned_abs();
        self.totp("", "account").ok().map(|totp| totp.generate(seconds))
    }

    fn totp(&self, site: &str, account: &str) -> Result<TOTP, TotpUrlError> {
        // A colon ends a part of the URL's path.
        let (site, account) = (site.replace(':', "."), account.replace(':', "."));
        TOTP::new(
            Algorithm::SHA1,
            DIGITS,
            SKEW,
            STEP_S,
            self.0.to_vec(),
            Some(site),
            account,
        )
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_779_249_600_000;

    #[test]
    fn the_digits_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of eight digits.
        let secret = TotpSecret::new(*b"12345678901234567890");
        for (seconds, digits) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.digits(seconds * 1_000).as_deref(), Some(digits));
        }
    }

    #[test]
    fn digits_are_good_once_and_for_a_minute_and_a_half() {
        let secret = TotpSecret::new([3; 20]);
        let digits = secret.digits(AT).unwrap();
        let step = secret.step(&digits, AT, None).unwrap();
        assert_eq!(secret.step(&digits, AT, Some(step)), None, "a second time");
        assert_eq!(secret.step(&digits, AT, Some(step - 1)), Some(step));
        assert!(secret.step(&digits, AT + 30_000, None).is_some());
        for late in [60_000, -60_000, 3_600_000] {
            assert_eq!(secret.step(&digits, AT + late, None), None, "{late}");
        }
        for wrong in ["", "000000000", "12345", "abcdef"] {
            assert_eq!(secret.step(wrong, AT, None), None, "{wrong}");
        }
        let next = secret.digits(AT + 30_000).unwrap();
        assert_eq!(secret.step(&next, AT + 30_000, Some(step)), Some(step + 1));
    }

    #[test]
    fn a_phone_is_told_the_site_and_the_account() {
        let url = TotpSecret::new([3; 20]).url("和睦", "ops:night").unwrap();
        assert!(
            url.starts_with("otpauth://totp/") && url.contains("ops.night"),
            "{url}"
        );
        // RFC 4648, the test secret of RFC 6238.
        assert_eq!(
            TotpSecret::new(*b"12345678901234567890").typed().as_deref(),
            Some("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
        );
        assert_eq!(format!("{:?}", TotpSecret::new([3; 20])), "TotpSecret");
        assert_eq!(TotpSecret::kept(&[1; 19]), None);
    }
}
