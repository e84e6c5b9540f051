#![doc = include_str!("../README.md")]

mod backend;
mod backup;
mod broker;
mod cli;
mod clock;
mod commands;
mod config;
mod disk;
mod handset;
mod http;
mod jobs;
mod memory;
mod output;
mod progress;
mod retention;
mod roles;
mod server;
mod site;
mod threads;
mod upkeep;
mod words;

use std::process::ExitCode;

use clap::FromArgMatches;

use crate::words::{Language, Words, help};

fn main() -> ExitCode {
    // Where the system refuses, it costs memory and nothing else.
    memory::in_small_pages();
    let words = Words::new(Language::of(|name| std::env::var(name).ok()));
    let matches = help::command(&words).try_get_matches();
    let cli = match matches.and_then(|matches| cli::Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(help::show(&words, &error)),
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            return fail(
                &words,
                &anyhow::Error::new(error).context(words.say("cannot-start", &[])),
            );
        }
    };
    let outcome = runtime.block_on(commands::run(cli, &words));
    // Whatever still runs has been told to end and had its time; what it holds is safe in the journal.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&words, &error),
    }
}

/// One sentence on stderr, and exit 1 (wrong usage is clap's, exit 2).
fn fail(words: &Words, error: &anyhow::Error) -> ExitCode {
    if !output::is_unread(error) {
        eprintln!("hemu: {}", words.tell(error));
    }
    ExitCode::FAILURE
}
