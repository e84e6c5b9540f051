//! `hemu export`: every accepted deposit in journal order, in the import's columns plus three.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use hemu_ingest::fold;
use hemu_ingest::import::COLUMNS;
use hemu_ledger::Ledger;
use hemu_ledger::cell::guarded;
use hemu_ledger::entry::{Body, Deposit, Entry, Origin};
use hemu_ledger::registry::HouseholdQuery;
use hemu_rules::{By, Day};

use crate::cli::Export;
use crate::clock::rfc3339;
use crate::config::Config;
use crate::output::out;
use crate::progress;
use crate::site::Site;
use crate::words::Words;

/// Journal records read at once.
const STRETCH: u64 = 20_000;
/// Households read at once.
const PAGE: u32 = 1_000;

pub(super) async fn run(config: &Config, options: &Export, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    // Everything that is stored by now, whether a server has folded it yet or a killed one never did.
    fold::settle(&site.ledger, site.ledger.head().await?).await?;
    let out = super::open_output(&options.csv, words)?;
    let rows = write(&site.ledger, out, options.from, options.to, words).await?;
    if options.csv != Path::new("-") {
        let file = options.csv.display();
        out!(
            "{}",
            words.say("deposits-written", &[("rows", &rows), ("file", &file)])
        );
    }
    Ok(())
}

async fn write(
    ledger: &Ledger,
    out: impl Write,
    from: Option<Day>,
    to: Option<Day>,
    words: &Words,
) -> Result<u64> {
    let estates = estates(ledger).await?;
    let bar = progress::bar(words, words.say("exporting", &[]), ledger.records_after(0).await?);
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS.into_iter().chain(["boot", "seq", "received_at"]))?;
    let (mut after, mut rows) = (0, 0);
    loop {
        let tail = ledger.tail(after, STRETCH).await?;
        let Some(last) = tail.last() else { break };
        let mut outcome = Ok(());
        tail.for_each(|batch, _, entry| {
            if let Body::Deposit(deposit) = &entry.body {
                let day = Day::of(deposit.at, ledger.zone());
                if from.is_some_and(|from| day < from) || to.is_some_and(|to| day > to) || outcome.is_err() {
                    return;
                }
                let estate = deposit
                    .household
                    .and_then(|token| estates.get(token))
                    .map_or("", String::as_str);
                let row = record(&entry, deposit, estate, batch.at);
                outcome = csv.write_record(row.iter().map(|cell| guarded(cell).into_owned()));
                rows += 1;
            }
        })?;
        outcome?;
        bar.inc(tail.records());
        after = last;
    }
    csv.flush()?;
    bar.finish_and_clear();
    Ok(rows)
}

fn record(entry: &Entry<'_>, deposit: &Deposit<'_>, estate: &str, received_at: i64) -> [String; 14] {
    let (reading_id, boot, seq) = match entry.origin {
        Origin::Device { device, boot, seq } => (
            format!("{device}:{boot}:{seq}"),
            boot.to_string(),
            seq.to_string(),
        ),
        Origin::Import { reading_id, .. } => (reading_id.to_owned(), String::new(), String::new()),
        Origin::Unidentified { .. } | Origin::Account { .. } => (String::new(), String::new(), String::new()),
    };
    [
        reading_id,
        deposit.bag.unwrap_or("").to_owned(),
        deposit.household.unwrap_or("").to_owned(),
        estate.to_owned(),
        rfc3339(deposit.at.get()),
        deposit.stream.to_string(),
        deposit.weight.to_string(),
        match deposit.by {
            By::Camera => "cam".into(),
            By::Inspector => "insp".into(),
        },
        entry.origin.device().to_owned(),
        format!("{:.4}", deposit.quality.share()),
        format!("{:.3}", deposit.confidence.share()),
        boot,
        seq,
        rfc3339(received_at),
    ]
}

/// The estate of every registered household.
async fn estates(ledger: &Ledger) -> Result<HashMap<String, String>> {
    let mut estates = HashMap::new();
    let mut after: Option<String> = None;
    loop {
        let query = HouseholdQuery {
            after: after.as_deref(),
            limit: PAGE,
            ..HouseholdQuery::default()
        };
        let page = ledger.households(&query).await?;
        let Some(last) = page.last() else {
            return Ok(estates);
        };
        after = Some(last.token.clone());
        estates.extend(
            page.into_iter()
                .filter_map(|household| Some((household.token, household.estate?))),
        );
    }
}
