//! The ledger against its claims, on real files in temporary folders, and on a real PostgreSQL where there is one.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

mod backup;
mod bank;
mod bank_order;
mod bytes;
mod chain;
mod duty;
mod editions;
mod exactly_once;
mod frozen;
mod full_disk;
mod golden;
mod groups;
mod hysteresis;
mod inspectors;
mod late;
mod line;
mod lost_answers;
mod machine;
mod occupancy;
mod order;
mod people;
mod photos;
mod postgres;
mod postgres_server;
mod privacy;
mod process;
mod raw;
mod reads;
mod register;
mod registry;
mod replay;
mod rules;
mod shadow;
mod sight;
mod site;
mod store;
mod strikes;
mod tamper;
mod turn;
mod verify;
mod withheld;
mod work;
