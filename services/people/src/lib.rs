#![doc = include_str!("../README.md")]

mod role;
mod scope;

pub use role::{Right, Role, UnknownRole};
pub use scope::Scope;
