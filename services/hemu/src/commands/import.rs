//! `hemu import`.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Result;
use hemu_ingest::import::{Options, import};

use crate::cli::Import;
use crate::clock;
use crate::config::Config;
use crate::progress;
use crate::site::Site;
use crate::words::Words;

pub(super) async fn run(config: &Config, options: &Import, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let input = super::open_input(&options.file, words)?;
    let rejected = rejected_path(&options.file);
    let bar = progress::counter(words.say("rows", &[]));
    let open = || File::create(&rejected).map(BufWriter::new);
    let settings = Options {
        strict: options.strict,
    };
    let summary = import(&site.ledger, clock::system(), input, open, settings, |rows| {
        bar.set_position(rows);
    })
    .await?;
    bar.finish_and_clear();
    let series = site.series().await?;
    hemu_ingest::feed::catch_up(&site.ledger, &series, |_, _| {}).await?;
    series.close().await;
    println!(
        "{}",
        words.say(
            "rows-imported",
            &[
                ("read", &summary.read),
                ("new", &summary.new),
                ("repeated", &summary.repeated),
                ("rejected", &summary.rejected),
            ],
        )
    );
    if summary.rejected > 0 {
        println!(
            "{}",
            words.say("rejected-rows-are-in", &[("file", &rejected.display())])
        );
    }
    Ok(())
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
