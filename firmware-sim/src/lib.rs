#![doc = include_str!("../README.md")]

pub mod demo;
pub mod device;
pub mod draw;
pub mod estate;
pub mod faults;
pub mod keys;
pub mod life;
pub mod load;
pub mod mqtt;
pub mod oracle;
pub mod reading;
pub mod replay;
pub mod run;
pub mod stats;
