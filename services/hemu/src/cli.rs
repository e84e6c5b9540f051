//! The command line. The README of this room says what programs may rely on: what is printed, and how a command ends.

mod bank;
mod people;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use hemu_ledger::acts::Actor;
use hemu_wire::CommandKind;

use crate::roles::Roles;

pub(crate) use bank::{Bank, Budget};
pub(crate) use people::{Code, Token, User};

/// The open backend for household waste sorting.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Settings every command takes. Flags beat the environment (`HEMU_...`), which beats the file.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// The configuration file; `hemu config` prints one with every setting explained.
    #[arg(long, global = true, value_name = "FILE", env = "HEMU_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The data folder (default: ./hemu-data, or what `HEMU_DATA` says).
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// How much to log on stderr: error, warn, info, debug, or a filter as tracing writes it.
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
}

/// What to do, and where to listen; port 0 is any free one.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_field_names, reason = "the fields are the flags")]
pub(crate) struct Listen {
    /// What this node does, where several share a PostgreSQL: endpoint, ingest, projector, api, jobs (default: all).
    #[arg(long, value_name = "ROLE,...")]
    pub(crate) roles: Option<Roles>,
    /// Devices, MQTT 3.1.1 and 5.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) mqtt_listen: Option<SocketAddr>,
    /// Dashboards and API, unencrypted.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) http_listen: Option<SocketAddr>,
    /// Prometheus metrics.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) metrics_listen: Option<SocketAddr>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything on a simulated estate: 90 days of history through MQTT, then live.
    Demo(Demo),
    /// Run the server.
    Serve(Listen),
    /// Print a configuration file with every setting explained.
    Config,
    /// Bring the data folder's files up to this version.
    Migrate,
    /// Devices: add, checked, command, commands, list, revoke, rotate.
    #[command(subcommand)]
    Device(Device),
    /// Accounts of people: add, list, disable, enable, password, role, totp, code.
    #[command(subcommand)]
    User(User),
    /// Tokens of programs: add, list, revoke.
    #[command(subcommand)]
    Token(Token),
    /// Households: import, moved, code, people, revoke, correct, export, erase.
    #[command(subcommand)]
    Household(Household),
    /// Minutes of service and points: fund, release, pools, export.
    #[command(subcommand)]
    Bank(Bank),
    /// Import readings from a CSV file, with the columns
    /// `reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence` in any order. Rows that are
    /// rejected, or that contradict what is stored, go to FILE.rejected.csv with line and reason; one of an earlier run is
    /// removed first.
    Import(Import),
    /// Write every accepted deposit in journal order.
    Export(Export),
    /// Compute editions of the red and black lists, without publishing anything.
    Lists(Lists),
    /// The rule behind the lists: show it, try another, re-estimate its constants, adopt one. Nothing is published.
    #[command(subcommand)]
    Rules(Rules),
    /// Editions of the lists: list, show, recompute.
    #[command(subcommand)]
    Edition(Edition),
    /// The audit trail, newest first: who did what and why, and who looked at a household.
    Audit(Audit),
    /// Print what this system holds of people, why, for how long and who sees it, as Markdown.
    Privacy,
    /// Check the journal's hash chain and the projections against it; exit 1 and the first bad row if not.
    Verify,
    /// Copy a site into an empty PostgreSQL, or from one into an empty data folder: journal, registry, what people decided.
    /// What is copied stays where it is. Stop the servers first.
    Copy {
        /// `postgres://user@host:5432/database` (its password belongs in a passfile), or a folder.
        target: String,
    },
    /// Drop the projections and the charts and fold them again from the journal.
    Rebuild,
    /// The charts' engine that `series_url` names: backfill.
    #[command(subcommand)]
    Series(Series),
    /// Write a backup of everything that cannot be computed again into one file; a server may go on meanwhile.
    Backup(Backup),
    /// Put a backup in the data folder's place; devices then send again what they still hold.
    Restore(Restore),
    /// Ask the running server whether it can do its work; exit 1 if not.
    Ready,
    /// Look for what will cause trouble: the folder, the files, the clock, the listeners.
    Doctor,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Series {
    /// Send the engine everything once more, after it was emptied or restored; goes on where it was stopped. A server may
    /// go on meanwhile.
    Backfill,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) listen: Listen,
    /// Days of history.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(0..=400))]
    pub(crate) days: u16,
    /// The simulated estate's seed: the same seed is the same estate and the same life.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Simulated seconds a second once the history is in.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) speed: u32,
    /// Stop after the history, instead of going on live.
    #[arg(long)]
    pub(crate) history_only: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Device {
    /// Register a device; prints its id and key as one JSON line. The key is shown only here.
    Add {
        /// Letters, digits, `_` and `-`, at most 64.
        id: String,
        /// The estate it stands in.
        #[arg(long)]
        estate: Option<String>,
        /// The station it belongs to.
        #[arg(long)]
        station: Option<String>,
        #[command(flatten)]
        mosquitto: Mosquitto,
    },
    /// Record that a person looked at a device whose records came with two contents under one number: what it sent with
    /// that boot counts again, as it came first.
    Checked {
        /// The device.
        id: String,
        /// The boot, as `hemu doctor` names it.
        #[arg(long)]
        boot: u64,
        /// The account that answers for it.
        #[arg(long, value_name = "ACCOUNT")]
        account: Actor,
    },
    /// Tell a device something. It is kept until the device has it, and comes again with every connection until then.
    Command {
        /// The device.
        id: String,
        /// What it is to do: unlock for a collector, refuse a bag, take new settings, or show a message.
        #[arg(value_parser = kind)]
        kind: CommandKind,
        /// A member of the command, such as text=full or seconds=60; a value that is JSON goes as such. May be given more
        /// than once.
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = member)]
        members: Vec<(String, serde_json::Value)>,
    },
    /// List the newest commands of a device, and whether it has them.
    Commands {
        /// The device.
        id: String,
    },
    /// List registered devices.
    List,
    /// End a device's right to log in, and within five seconds its connection; what it sent stays.
    Revoke {
        /// The device.
        id: String,
        #[command(flatten)]
        mosquitto: Mosquitto,
    },
    /// Give a device a new key; the old one stops working, and within five seconds a connection that was opened with it ends.
    Rotate {
        /// The device.
        id: String,
        #[command(flatten)]
        mosquitto: Mosquitto,
    },
}

fn kind(typed: &str) -> Result<CommandKind, String> {
    serde_json::from_value(typed.into())
        .map_err(|_| format!("expected collect, refuse, config or message, came {typed}"))
}

/// A member of a command as it is typed.
fn member(typed: &str) -> Result<(String, serde_json::Value), String> {
    match typed.split_once('=') {
        Some((name, value)) if !["", "id", "kind"].contains(&name) => {
            let read = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            Ok((name.to_owned(), read))
        }
        _ => Err(format!("expected NAME=VALUE, such as text=full, came {typed}")),
    }
}

#[derive(Debug, Args)]
pub(crate) struct Mosquitto {
    /// Keep Mosquitto's password file in step; the broker reads it again at SIGHUP.
    #[arg(long, value_name = "FILE")]
    pub(crate) mosquitto_password_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Household {
    /// Register households from a CSV file: household,estate,building,unit,door,residents,station (only household is
    /// needed). A household that is there already gets the new place.
    Import {
        /// The file, or `-` for stdin.
        file: PathBuf,
    },
    /// Print a code with which somebody of a household logs in, once, within thirty days.
    Code(Code),
    /// List the accounts that act for a household, its own and its delegates'.
    People {
        /// The household's token.
        token: String,
    },
    /// End that an account acts for a household, at once; the account stays, with its other households.
    Revoke {
        /// The household's token.
        token: String,
        /// The account, as `hemu household people` lists it.
        account: Actor,
    },
    /// Record that a new occupant began: what was before, and that day itself, counts for them in nothing.
    Moved {
        /// The household's token.
        token: String,
        /// The local day on which they began, such as 2026-03-02.
        #[arg(long, value_name = "DATE")]
        day: hemu_rules::Day,
        /// The account that answers for it.
        #[arg(long, value_name = "ACCOUNT")]
        account: Actor,
        /// It was a mistake: nobody moved on that day.
        #[arg(long)]
        undo: bool,
    },
    /// Correct where a household lives; what is not given stays as it is.
    Correct {
        /// The household's token.
        token: String,
        /// The account that answers for it.
        #[arg(long, value_name = "ACCOUNT")]
        account: Actor,
        #[command(flatten)]
        place: Place,
    },
    /// Write everything that is held about a household, as JSON, for the household.
    Export {
        /// The household's token.
        token: String,
        /// Where to write; `-` for stdout.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Erase a household: its key, where it lives and what was written about it. This cannot be undone.
    Erase {
        /// The household's token.
        token: String,
        /// The account that answers for it.
        #[arg(long, value_name = "ACCOUNT")]
        account: Actor,
        /// The file with the reason, or `-` for stdin; it is kept, so it must not say who they were.
        #[arg(long, value_name = "FILE")]
        reason_file: PathBuf,
    },
}

/// Where a household lives.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Place {
    /// The right building.
    #[arg(long)]
    pub(crate) building: Option<String>,
    /// The right unit of it.
    #[arg(long)]
    pub(crate) unit: Option<String>,
    /// The right door.
    #[arg(long)]
    pub(crate) door: Option<String>,
    /// How many live there.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..=99))]
    pub(crate) residents: Option<i64>,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file, or `-` for stdin; `.gz` is unpacked.
    pub(crate) file: PathBuf,
    /// Reject rows that name an unknown household, device or estate, instead of adding it.
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write; one that is there is replaced once the new one is whole.
    #[arg(required_unless_present = "new_key")]
    pub(crate) file: Option<PathBuf>,
    /// Encrypt for the holder of this key, as age writes it (age1...); can be given more than once.
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) recipient: Vec<String>,
    /// Encrypt with the passphrase in the first line of this file.
    #[arg(long, value_name = "FILE", conflicts_with = "recipient")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Make a key instead: write it to this file, to be kept elsewhere, and print its recipient.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "recipient", "passphrase_file"])]
    pub(crate) new_key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup.
    pub(crate) file: PathBuf,
    /// Move what the data folder holds aside, into replaced-TIME in it, instead of refusing.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Leave every list as it is in the backup: nothing was decided or objected to since.
    #[arg(long)]
    pub(crate) keep_lists: bool,
    /// The file with the key that the backup is encrypted for.
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
    /// The file with the passphrase in its first line.
    #[arg(long, value_name = "FILE", conflicts_with = "identity")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Where to write; `-` for stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: PathBuf,
    /// First local day (of the deposit), such as 2026-03-01.
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<hemu_rules::Day>,
    /// Last local day.
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<hemu_rules::Day>,
}

#[derive(Debug, Args)]
pub(crate) struct Lists {
    /// The first edition: evidence of the days before this local day, such as 2026-03-02.
    #[arg(long, value_name = "DATE")]
    pub(crate) from: hemu_rules::Day,
    /// No edition after this day.
    #[arg(long, value_name = "DATE")]
    pub(crate) to: hemu_rules::Day,
    /// Days from one edition to the next.
    #[arg(long, value_name = "DAYS", default_value = "7d", value_parser = days)]
    pub(crate) every: i32,
    /// Where to write; `-` for stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Only what is about this household.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) household: Option<String>,
    /// Only what this account did.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) actor: Option<String>,
    /// Only acts of this kind, such as `correct`.
    #[arg(long, value_name = "WORD")]
    pub(crate) kind: Option<String>,
    /// From this local day on, such as 2026-03-01.
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<hemu_rules::Day>,
    /// Up to the end of this local day.
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<hemu_rules::Day>,
    /// Where to write it as CSV; `-` for stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Print the rule in force, every constant explained; a changed copy is what `dry-run` takes.
    Show,
    /// Compute editions by the rule in force and by another one, and say who would move.
    DryRun(DryRun),
    /// Estimate from the readings what the rule assumes of days and of drift.
    Estimate(Estimate),
    /// Propose a rule for the editions from a day on; it is in force once another person confirms it.
    Propose {
        /// The new rule, with every constant, as `hemu rules show` prints them, and a version number of its own.
        file: PathBuf,
        /// The first edition day it is for, such as 2026-03-02.
        #[arg(long, value_name = "DATE")]
        from: hemu_rules::Day,
        /// The account that answers for it.
        #[arg(long, value_name = "ACCOUNT")]
        account: Actor,
    },
    /// Confirm a rule that another person proposed.
    Confirm {
        /// Its number in `hemu rules list`.
        id: u64,
        /// The account that answers for it.
        #[arg(long, value_name = "ACCOUNT")]
        account: Actor,
    },
    /// Have a rule compute editions of its own beside the real ones, from a day on; it publishes nothing.
    Shadow {
        /// The other rule, with every constant, as `hemu rules show` prints them.
        file: PathBuf,
        /// The first edition day it is for, such as 2026-03-02.
        #[arg(long, value_name = "DATE")]
        from: hemu_rules::Day,
        /// The account that answers for it.
        #[arg(long, value_name = "ACCOUNT")]
        account: Actor,
    },
    /// End a rule that runs in the shadow; what it computed stays readable.
    EndShadow {
        /// Its number in `hemu rules list`.
        id: u64,
        /// The account that answers for it.
        #[arg(long, value_name = "ACCOUNT")]
        account: Actor,
    },
    /// List the rules that were proposed and adopted, and those in the shadow, with their days and who did it.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Edition {
    /// List the editions there are, newest first.
    List,
    /// Show one: how far it is, what it was computed from, and what came out.
    Show {
        /// The edition's number, as `hemu edition list` prints it.
        id: u64,
    },
    /// Compute one again from the journal, bit for bit, and compare it with what is stored; exit 1 if it differs.
    Recompute {
        /// The edition's number, as `hemu edition list` prints it.
        id: u64,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DryRun {
    /// The other rule, with every constant, as `hemu rules show` prints them.
    pub(crate) file: PathBuf,
    /// The first edition: evidence of the days before this local day, such as 2026-03-02.
    #[arg(long, value_name = "DATE")]
    pub(crate) from: hemu_rules::Day,
    /// No edition after this day.
    #[arg(long, value_name = "DATE")]
    pub(crate) to: hemu_rules::Day,
    /// Days from one edition to the next.
    #[arg(long, value_name = "DAYS", default_value = "7d", value_parser = days)]
    pub(crate) every: i32,
    /// What is true of simulated households, to grade both: `household,archetype,edition_day,theta28`.
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
    /// The day that `edition_day` counts from (default: that of the first deposit).
    #[arg(long, value_name = "DATE", requires = "truth")]
    pub(crate) day_zero: Option<hemu_rules::Day>,
    /// Where to write who moves and by which gates; `-` for stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Estimate {
    /// First local day of evidence, such as 2026-03-01.
    #[arg(long, value_name = "DATE")]
    pub(crate) from: hemu_rules::Day,
    /// Last local day of evidence; at most 90 days.
    #[arg(long, value_name = "DATE")]
    pub(crate) to: hemu_rules::Day,
}

/// Days, written `7d` or `7`.
fn days(text: &str) -> Result<i32, String> {
    let number = text.strip_suffix('d').unwrap_or(text).parse();
    number
        .ok()
        .filter(|days| (1..=366).contains(days))
        .ok_or_else(|| format!("expected 1d to 366d, such as 7d, came {text:?}"))
}
