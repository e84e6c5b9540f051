//! The commands about who may log in.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hemu_ledger::acts::Actor;
use hemu_people::{Right, Role, TOKEN_DAYS_MOST};

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add an account; its password is read from stdin.
    Add {
        /// Letters, digits and any of `_-.@:`, at most 64; no resident's name.
        name: Actor,
        /// `admin`, `inspector`, `grid_officer`, `volunteer`, `collector` or `auditor`.
        #[arg(long, value_name = "ROLE")]
        role: Role,
        /// Print a code to choose a password with, once, within a day, instead of reading one.
        #[arg(long)]
        code: bool,
    },
    /// List the accounts.
    List,
    /// End an account's right to log in; what it did stays.
    Disable {
        /// The account.
        name: Actor,
    },
    /// Give an account its right to log in back.
    Enable {
        /// The account.
        name: Actor,
    },
    /// Give an account another password, read from stdin; whoever is logged in with it logs in again.
    Password {
        /// The account.
        name: Actor,
    },
    /// Give an account another role.
    Role {
        /// The account.
        name: Actor,
        /// `admin`, `inspector`, `grid_officer`, `volunteer`, `collector` or `auditor`.
        role: Role,
    },
    /// Give an account a second factor, to be scanned with a phone.
    Totp {
        /// The account.
        name: Actor,
        /// Take it away instead.
        #[arg(long)]
        remove: bool,
    },
    /// Print a code with which an account sets its password, once, within a day.
    Code {
        /// The account.
        name: Actor,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Let a program act as an account; prints the token as one JSON line. It is shown only here.
    Add {
        /// The account.
        name: Actor,
        /// The rights it has, of those the account has, such as `see_site,see_lists`; `see_screen` alone for a screen on a
        /// wall.
        #[arg(long, value_name = "RIGHT,...", value_delimiter = ',', required = true)]
        scopes: Vec<Right>,
        /// What it is for.
        #[arg(long)]
        label: String,
        /// Days until it ends.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=i64::from(TOKEN_DAYS_MOST)))]
        days: u16,
    },
    /// List the tokens there are, without what they are.
    List,
    /// End a token.
    Revoke {
        /// What `hemu token list` calls it.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Code {
    /// The household's token; or a building, to print the codes of all its households.
    #[arg(required_unless_present = "building", conflicts_with = "building")]
    pub(crate) token: Option<String>,
    /// The account of somebody else that is to act for the household, for those without a phone.
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "building")]
    pub(crate) delegate: Option<Actor>,
    /// The estate the building stands in.
    #[arg(long, requires = "building")]
    pub(crate) estate: Option<String>,
    /// All households of this building.
    #[arg(long, requires_all = ["csv", "estate"])]
    pub(crate) building: Option<String>,
    /// Where to write the codes, to be printed; `-` for stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// How people reach the site (default: where it listens).
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}
