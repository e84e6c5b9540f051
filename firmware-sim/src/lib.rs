#![doc = include_str!("../README.md")]

pub mod device;
pub mod draw;
pub mod estate;
pub mod life;
pub mod reading;
