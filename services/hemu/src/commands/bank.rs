//! `hemu bank`: pools of points, and the books. Works beside a running server.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use hemu_ledger::acts::Words as Reason;
use hemu_ledger::bank::{Deal, EntryRow, Side};
use hemu_ledger::cell::guarded;
use serde_json::json;

use crate::cli::{Bank, Budget};
use crate::clock;
use crate::config::Config;
use crate::output::out;
use crate::site::{Site, random};
use crate::words::Words;

/// Entries read at once.
const PAGE: u32 = 1_000;
const COLUMNS: [&str; 12] = [
    "entry", "index", "at", "by", "currency", "kind", "from", "to", "amount", "help", "service", "reverses",
];

pub(super) async fn run(config: &Config, command: Bank, words: &Words) -> Result<()> {
    match command {
        Bank::Fund(budget) => change(config, budget, true, words).await,
        Bank::Release(budget) => change(config, budget, false, words).await,
        Bank::Pools => pools(config).await,
        Bank::Export { csv } => export(config, &csv, words).await,
    }
}

async fn change(config: &Config, budget: Budget, fund: bool, words: &Words) -> Result<()> {
    let mut reason = String::new();
    let file = budget.reason_file;
    let unreadable = || words.say("cannot-read", &[("file", &file.display())]);
    super::open_input(&file, words)?
        .read_to_string(&mut reason)
        .with_context(unreadable)?;
    let key = match budget.key {
        Some(key) => key,
        None => super::hex(&random::<16>(words)?),
    };
    let (pool, points, reason) = (budget.pool, budget.points, Reason::new(reason.trim()));
    let deal = if fund {
        Deal::Fund {
            key,
            pool,
            points,
            reason,
        }
    } else {
        Deal::Release {
            key,
            pool,
            points,
            reason,
        }
    };
    let site = Site::open(config).await?;
    let dealt = site.ledger.deal(&budget.account, clock::system()(), deal).await?;
    out!("{}", words.say("bank-booked", &[("position", &dealt.position)]));
    Ok(())
}

async fn pools(config: &Config) -> Result<()> {
    let site = Site::open(config).await?;
    for pool in site.ledger.pools().await? {
        let line =
            json!({"pool": pool.name, "points": pool.points, "funded": pool.funded, "awarded": pool.awarded});
        out!("{line}");
    }
    Ok(())
}

async fn export(config: &Config, file: &Path, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let mut csv = csv::Writer::from_writer(super::open_output(file, words)?);
    csv.write_record(COLUMNS)?;
    let (mut after, mut rows) = ((0, 0), 0_u64);
    loop {
        let page = site.ledger.books(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.place;
        for row in &page {
            rows += 1;
            csv.write_record(record(row).iter().map(|cell| guarded(cell).into_owned()))?;
        }
    }
    csv.flush()?;
    if file != Path::new("-") {
        let file = file.display();
        out!(
            "{}",
            words.say("bank-written", &[("rows", &rows), ("file", &file)])
        );
    }
    Ok(())
}

fn record(row: &EntryRow) -> [String; 12] {
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let (position, index) = row.place;
    [
        position.to_string(),
        index.to_string(),
        clock::rfc3339(row.at),
        row.by.clone(),
        row.currency.as_str().to_owned(),
        row.kind.clone(),
        side(&row.debit),
        side(&row.credit),
        row.amount.to_string(),
        row.help.map_or("", hemu_ledger::bank::Help::as_str).to_owned(),
        number(row.service),
        number(row.reverses),
    ]
}

fn side(side: &Side) -> String {
    match side {
        Side::Issued => "issued".to_owned(),
        Side::Pool(name) => format!("pool {name}"),
        Side::Home(token) => format!("household {token}"),
    }
}
