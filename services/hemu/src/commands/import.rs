//! `hemu import`.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use hemu_ingest::import::{Options, REJECTED_COLUMNS, import};

use crate::cli::Import;
use crate::clock;
use crate::config::Config;
use crate::output::out;
use crate::progress;
use crate::site::Site;
use crate::words::Words;

pub(super) async fn run(config: &Config, options: &Import, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let input = super::open_input(&options.file, words)?;
    let rejected = rejected_path(&options.file);
    make_way(&rejected, words)?;
    let bar = progress::counter(words.say("rows", &[]));
    let open = || File::create(&rejected).map(BufWriter::new);
    let settings = Options {
        strict: options.strict,
    };
    let summary = Box::pin(import(
        &site.ledger,
        clock::system(),
        input,
        open,
        settings,
        |rows| {
            bar.set_position(rows);
        },
    ))
    .await?;
    bar.finish_and_clear();
    let series = site.series(site.engine(config, words).await?).await?;
    hemu_ingest::feed::catch_up(&site.ledger, &series, |_, _| {}).await?;
    series.close().await;
    out!(
        "{}",
        words.say(
            "rows-imported",
            &[
                ("read", &summary.read),
                ("new", &summary.new),
                ("repeated", &summary.repeated),
                ("conflicting", &summary.conflicting),
                ("rejected", &summary.rejected),
            ],
        )
    );
    if summary.conflicting + summary.rejected > 0 {
        out!(
            "{}",
            words.say("rejected-rows-are-in", &[("file", &rejected.display())])
        );
    }
    Ok(())
}

/// Removes what an earlier run rejected, so that what is there afterwards is of this run; another's file stays.
fn make_way(rejected: &Path, words: &Words) -> Result<()> {
    let failed = || words.say("cannot-write", &[("file", &rejected.display())]);
    let mut first = Vec::new();
    match File::open(rejected) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => {
            let head = file.with_context(failed)?.take(64);
            BufReader::new(head)
                .read_until(b'\n', &mut first)
                .with_context(failed)?;
        }
    }
    if !first.is_empty() && first.trim_ascii_end() != REJECTED_COLUMNS.join(",").as_bytes() {
        bail!(words.say("rejected-file-is-another", &[("file", &rejected.display())]));
    }
    std::fs::remove_file(rejected).with_context(failed)
}

/// `FILE.rejected.csv`; for stdin in the current folder.
fn rejected_path(file: &Path) -> PathBuf {
    let stem = if file == Path::new("-") {
        Path::new("stdin.csv")
    } else {
        file
    };
    let name = stem.to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    PathBuf::from(format!(
        "{}.rejected.csv",
        name.strip_suffix(".csv").unwrap_or(name)
    ))
}
