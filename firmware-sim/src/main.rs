//! The `firmware-sim` command: the library's parts with files, a clock and a terminal around them.
#![expect(
    clippy::cast_possible_truncation,
    reason = "simulated milliseconds fit an i64 for ages; `as` saturates"
)]

mod cli;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(cli::Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("firmware-sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}
