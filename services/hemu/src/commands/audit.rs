//! `hemu audit`: who did what and who looked, for people or as CSV.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use hemu_ledger::Ledger;
use hemu_ledger::cell::guarded;
use hemu_ledger::privacy::{LookQuery, LookRow, TrailQuery, TrailRow};
use hemu_rules::{Day, Zone};

use crate::cli::Audit;
use crate::clock::rfc3339;
use crate::config::Config;
use crate::output::out;
use crate::site::Site;
use crate::words::Words;

const COLUMNS: [&str; 10] = [
    "position",
    "index",
    "at",
    "by",
    "what",
    "edition",
    "household",
    "why",
    "before",
    "after",
];
/// Lines read at once.
const PAGE: u32 = 1_000;
/// Looks read at once: each part is sorted anew.
const LOOKS: u32 = 20_000;
const DAY_MS: i64 = 86_400_000;

pub(super) async fn run(config: &Config, options: &Audit, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let Some(file) = &options.csv else {
        each(&site.ledger, options, |row| {
            out!("{}", line(&row));
            Ok(())
        })
        .await?;
        each_look(&site.ledger, options, |row| {
            out!("{}", look_line(row, words));
            Ok(())
        })
        .await?;
        return Ok(());
    };
    let mut csv = csv::Writer::from_writer(super::open_output(file, words)?);
    csv.write_record(COLUMNS)?;
    let mut rows = 0_u64;
    each(&site.ledger, options, |row| {
        rows += 1;
        write(&mut csv, &act(&row))
    })
    .await?;
    each_look(&site.ledger, options, |row| {
        rows += 1;
        write(&mut csv, &look(row))
    })
    .await?;
    csv.flush()?;
    if file != Path::new("-") {
        out!(
            "{}",
            words.say("audit-written", &[("rows", &rows), ("file", &file.display())])
        );
    }
    Ok(())
}

/// Every line that fits, newest first.
async fn each(ledger: &Ledger, options: &Audit, mut show: impl FnMut(TrailRow) -> Result<()>) -> Result<()> {
    let zone = ledger.zone();
    let mut find = TrailQuery {
        actor: options.actor.as_deref(),
        kind: options.kind.as_deref(),
        token: options.household.as_deref(),
        from: options.from.map(|day| begins(day, zone)),
        to: options.to.map(|day| begins(day, zone) + DAY_MS - 1),
        limit: PAGE,
        ..TrailQuery::default()
    };
    loop {
        let page = ledger.trail(&find).await?;
        let Some(last) = page.last() else { return Ok(()) };
        find.before = Some(last.act.place);
        page.into_iter().try_for_each(&mut show)?;
    }
}

/// Every look that fits, newest day first. What kind of act is asked for leaves out whoever only looked.
async fn each_look(
    ledger: &Ledger,
    options: &Audit,
    mut show: impl FnMut(&LookRow) -> Result<()>,
) -> Result<()> {
    let mut last: Option<LookRow> = None;
    while options.kind.is_none() {
        let find = LookQuery {
            token: options.household.as_deref(),
            actor: options.actor.as_deref(),
            from: options.from,
            to: options.to,
            after: last.as_ref(),
            limit: LOOKS,
        };
        let page = ledger.looks(&find).await?;
        page.iter().try_for_each(&mut show)?;
        last = page.into_iter().next_back();
        if last.is_none() {
            break;
        }
    }
    Ok(())
}

fn look_line(row: &LookRow, words: &Words) -> String {
    let (day, actor, what, count, household) = (row.day, &row.actor, &row.what, row.count, &row.token);
    words.say(
        "audit-look",
        &[
            ("day", &day),
            ("actor", actor),
            ("what", what),
            ("count", &count),
            ("household", household),
        ],
    )
}

/// The first instant of a local day, ms since 1970 UTC.
fn begins(day: Day, zone: Zone) -> i64 {
    day.start(zone).get()
}

fn line(row: &TrailRow) -> String {
    let [
        position,
        index,
        at,
        by,
        what,
        edition,
        household,
        why,
        before,
        after,
    ] = act(row);
    let parts = [
        (" edition ", edition),
        (" household ", household),
        (": ", why),
        (" | ", before),
        (" -> ", after),
    ];
    let filled = parts.into_iter().filter(|(_, part)| !part.is_empty());
    let rest: String = filled.map(|(before, part)| before.to_owned() + &part).collect();
    format!("{position}.{index} {at} {by} {what}{rest}")
}

fn act(row: &TrailRow) -> [String; 10] {
    let (position, index) = row.act.place;
    [
        position.to_string(),
        index.to_string(),
        rfc3339(row.act.at),
        row.act.actor.clone(),
        row.act.kind.clone(),
        row.act.edition.map(|id| id.to_string()).unwrap_or_default(),
        row.act.token.clone().unwrap_or_default(),
        row.why.clone().unwrap_or_default(),
        row.before.clone().unwrap_or_default(),
        row.after.clone().unwrap_or_default(),
    ]
}

fn look(row: &LookRow) -> [String; 10] {
    [
        String::new(),
        String::new(),
        rfc3339(row.last_at),
        row.actor.clone(),
        "look".to_owned(),
        String::new(),
        row.token.clone(),
        format!("{} x {}", row.what, row.count),
        String::new(),
        String::new(),
    ]
}

fn write<W: Write>(csv: &mut csv::Writer<W>, row: &[String; 10]) -> Result<()> {
    Ok(csv.write_record(row.iter().map(|cell| guarded(cell).into_owned()))?)
}
