#![doc = include_str!("../README.md")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "drawn and clamped figures become integers here on every page; `as` saturates floats"
)]

pub mod demo;
pub mod device;
pub mod draw;
pub mod estate;
pub mod faults;
pub mod hex;
pub mod keys;
pub mod life;
pub mod load;
pub mod mqtt;
pub mod oracle;
pub mod reading;
pub mod replay;
pub mod run;
pub mod stats;
pub mod update;
