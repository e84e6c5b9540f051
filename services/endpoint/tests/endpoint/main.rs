//! Tests of the endpoint from outside, one program so that it links once.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may fail loudly, helpers of tests as well"
)]

mod backend;
mod bounds;
mod codec;
mod cuts;
mod differential;
mod downlink;
mod encoded;
mod greeting;
mod packets;
mod paho;
mod refusals;
mod server;
mod talk;
mod uplink;
