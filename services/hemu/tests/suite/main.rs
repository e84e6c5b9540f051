//! The product as its users meet it: the real binary, real folders, real sockets.

mod architecture;
mod backup;
mod behind_a_broker;
mod brokers;
mod cli;
mod compose;
mod conflicts;
mod dashboards;
mod database_away;
mod devices;
mod doctor;
mod editions;
mod engine;
mod fixtures;
mod folders;
mod grafana;
#[expect(clippy::unwrap_used, reason = "a test's helper fails loudly")]
#[expect(dead_code, reason = "here it is not told to fail")]
#[path = "../../../series/tests/contract/influx.rs"]
mod influx;
mod inspections;
mod kill9;
mod languages;
mod listeners;
mod lists;
mod living;
mod migrations;
mod migrations_of_sizes;
mod mosquitto;
mod people;
mod postgres;
mod postgres_migrations;
#[expect(clippy::unwrap_used, reason = "a test's helper fails loudly")]
#[expect(dead_code, reason = "the other test programs need the rest")]
#[path = "../../../ledger/tests/suite/postgres_server.rs"]
mod postgres_server;
mod privacy;
mod replay;
mod rules;
mod sealing;
mod serve;
mod shared_broker;
mod support;
#[expect(clippy::unwrap_used, reason = "a test's helper fails loudly")]
#[path = "../../../series/tests/contract/victoria.rs"]
mod victoria;
