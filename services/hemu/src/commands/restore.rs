//! `hemu restore`.

use std::fs::File;

use anyhow::{Context, Result};
use hemu_ledger::privacy::Erased;
use hemu_ledger::{Contents, Folder, Restore, Restored};

use super::backup::holds;
use crate::backup::remembered;
use crate::backup::seal::{self, Key};
use crate::cli;
use crate::clock;
use crate::config::Config;
use crate::output::out;
use crate::progress;
use crate::site;
use crate::words::Words;

pub(super) async fn run(config: &Config, options: &cli::Restore, words: &Words) -> Result<()> {
    let clock = clock::system();
    let began = clock();
    let (identity, passphrase) = (options.identity.as_deref(), options.passphrase_file.as_deref());
    let key = Key::new(identity, passphrase, words)?;
    let unreadable = || words.say("cannot-read", &[("file", &options.file.display())]);
    let from = File::open(&options.file).with_context(unreadable)?;
    let folder = site::folder(config)?;
    let restore = Restore::begin(&folder, options.replace)
        .await?
        .keeping_lists(options.keep_lists);
    let restore = restore.remembering(Erased::read(&remembered(&options.file))?);
    unpack(from, key, restore.file()?, words)
        .await
        .with_context(unreadable)?;
    let bar = progress::bar(words, words.say("hash-chain", &[]), 0);
    let checked = restore.check(|position, last| {
        bar.set_length(last);
        bar.set_position(position);
    });
    let contents = checked.await.with_context(unreadable)?;
    bar.finish_and_clear();
    let bar = progress::bar(words, words.say("projections", &[]), contents.head.position);
    let now = clock();
    let stamp = crate::backup::stamp(now)?;
    let restored = restore
        .finish(config.zone, now, &stamp, |position| bar.set_position(position))
        .await?;
    bar.finish_and_clear();
    tell(&contents, &restored, &folder, clock() - began, words)?;
    Ok(())
}

/// On a thread of its own: it computes, and waits for the disk.
async fn unpack(from: File, key: Key, mut to: File, words: &Words) -> Result<()> {
    let language = words.language();
    let bar = progress::bytes(words, words.say("backup-unpacked", &[]), from.metadata()?.len());
    let read = bar.clone();
    let unpacked = tokio::task::spawn_blocking(move || {
        seal::unpack(
            from,
            |bytes| read.inc(bytes),
            &mut to,
            &key,
            &Words::new(language),
        )
    });
    let outcome = unpacked.await?;
    bar.finish_and_clear();
    outcome
}

fn tell(
    contents: &Contents,
    restored: &Restored,
    folder: &Folder,
    took_ms: i64,
    words: &Words,
) -> Result<()> {
    out!("{}", holds(contents, words));
    let seconds = format!("{:.1}", took_ms as f64 / 1_000.0);
    if let Some(aside) = &restored.replaced {
        out!(
            "{}",
            words.say("restore-moved-aside", &[("folder", &aside.display())])
        );
    }
    if restored.erased > 0 {
        out!(
            "{}",
            words.say("restore-erased-again", &[("households", &restored.erased)])
        );
    }
    if restored.withheld > 0 {
        out!(
            "{}",
            words.say("restore-withheld", &[("editions", &restored.withheld)])
        );
    }
    if restored.locked > 0 {
        let (households, file) = (restored.locked, folder.secrets().display());
        eprintln!(
            "{}",
            words.say("restore-locked", &[("households", &households), ("file", &file)])
        );
    }
    out!(
        "{}",
        words.say(
            "restore-done",
            &[
                ("folder", &folder.path().display()),
                ("generation", &restored.generation),
                ("seconds", &seconds),
            ],
        )
    );
    Ok(())
}
