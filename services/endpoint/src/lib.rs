#![doc = include_str!("../README.md")]
//!
//! This crate speaks MQTT and nothing else: it does not look into payloads, stores nothing, and knows no reading.

pub mod backend;
pub mod codec;
mod connection;
pub mod greeting;
pub mod limits;
pub mod metrics;
mod registry;
mod server;
pub mod session;
mod socket;
pub mod tls;

pub use backend::{
    Backend, COMMANDS_AT_ONCE, Chunk, LoginError, PendingCommand, Presence, Publish, Stored, Ticket,
};
pub use hemu_wire::{DeviceId, Down, Up};
pub use limits::Limits;
pub use metrics::Metrics;
pub use registry::Downlink;
pub use server::{Config, Endpoint, TlsConfig};
