#![doc = include_str!("../README.md")]

mod handset;
mod hex;
mod keyed;
mod password;
mod role;
mod scope;
mod secret;
mod session;
mod throttle;
mod totp;
mod validity;

pub use handset::{HANDSET, handset};
pub use hex::hex;
pub use password::{
    HashFailed, PASSWORD_LEAST, PASSWORD_MOST, WeakPassword, check_password, hash_password, verify_password,
};
pub use role::{Right, Role, UnknownRight, UnknownRole};
pub use scope::Scope;
pub use secret::{Digest, Secret, code_digest, digest, opaque_name};
pub use session::Lasting;
pub use throttle::{ATTEMPTS_WINDOW_MS, Trying, network};
pub use totp::TotpSecret;
pub use validity::{HOUSEHOLD_CODE_DAYS, PASSWORD_CODE_MS, TOKEN_DAYS_MOST};
