#![doc = include_str!("../README.md")]

pub mod child;
pub mod disk;
pub mod fleet;
pub mod journal;
pub mod oracle;
pub mod plan;
pub mod proxy;
pub mod report;
pub mod sabotage;
pub mod said;
pub mod scenario;
pub mod scene;
pub mod store;
pub mod table;
pub mod times;
pub mod witness;
