//! From a front door into the journal and onwards, on real files in temporary folders.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

mod accept;
mod broker;
mod commit;
mod faults;
mod feed;
mod import;
mod import_golden;
mod mosquitto;
mod receipts;
mod scripted;
mod site;
