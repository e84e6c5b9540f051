//! `hemu backup`.

use std::path::Path;

use anyhow::{Context, Result};
use hemu_ledger::Contents;

use crate::backup::{
    self, Made,
    seal::{self, Seal},
};
use crate::cli::Backup;
use crate::clock;
use crate::config::Config;
use crate::output::out;
use crate::site::Site;
use crate::words::Words;

pub(super) async fn run(config: &Config, options: &Backup, words: &Words) -> Result<()> {
    if let Some(file) = &options.new_key {
        let written = || words.say("cannot-write", &[("file", &file.display())]);
        out!("{}", seal::new_key(file).with_context(written)?);
        eprintln!("{}", words.say("key-is-made", &[("file", &file.display())]));
        return Ok(());
    }
    let Some(to) = &options.file else { return Ok(()) };
    let recipients = if options.recipient.is_empty() {
        config.backup_recipient.as_slice()
    } else {
        &options.recipient
    };
    let seal = Seal::new(recipients, options.passphrase_file.as_deref(), words)?;
    if seal.is_open() {
        eprintln!("{}", words.say("backup-is-open", &[]));
    }
    let clock = clock::system();
    let began = clock();
    let site = Site::open(config).await?;
    let made = backup::make(&site.folder, to, seal, words, true).await?;
    tell(&made, to, clock() - began, words)?;
    Ok(())
}

fn tell(made: &Made, to: &Path, took_ms: i64, words: &Words) -> Result<()> {
    out!("{}", holds(&made.contents, words));
    let seconds = format!("{:.1}", took_ms as f64 / 1_000.0);
    out!(
        "{}",
        words.say(
            "backup-written",
            &[
                ("file", &to.display()),
                ("bytes", &made.bytes),
                ("seconds", &seconds)
            ],
        )
    );
    Ok(())
}

/// What a backup holds, in one line.
pub(super) fn holds(contents: &Contents, words: &Words) -> String {
    let until = clock::rfc3339_or_dash(contents.newest);
    words.say(
        "backup-holds",
        &[
            ("batches", &contents.head.position),
            ("records", &contents.records),
            ("until", &until),
            ("head", &super::hex(&contents.head.hash)),
            ("generation", &contents.generation),
        ],
    )
}
