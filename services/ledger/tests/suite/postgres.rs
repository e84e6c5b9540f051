//! The whole contract again, on a PostgreSQL.

use std::path::Path;
use std::process::Command;

use crate::postgres_server::{Server, programs};

/// Names the server to a suite that is to run on it.
const GIVEN: &str = "HEMU_TEST_POSTGRES";

/// A database's name for a folder's: its last letters, whose chance is enough.
pub(crate) fn name_for(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().as_encoded_bytes();
    name.iter()
        .fold("t".to_owned(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The server that this run of the suite is on; none: it is on files.
pub(crate) fn given() -> Option<String> {
    std::env::var(GIVEN).ok()
}

/// What is about files, or about nothing that is stored.
const NOT_ON_POSTGRES: [&str; 6] = [
    "bytes::",
    "chain::",
    "postgres::",
    "store::",
    "tamper::",
    "verify::",
];

/// One contract for both stores: this program runs itself again, on a database.
#[test]
fn the_whole_contract_holds_on_postgresql_too() {
    if given().is_some() {
        return;
    }
    let Some(programs) = programs() else { return };
    let server = Server::start(&programs, false);
    let skipped = NOT_ON_POSTGRES.iter().flat_map(|name| ["--skip", name]);
    let run = Command::new(std::env::current_exe().unwrap())
        .args(skipped)
        .arg("--test-threads=6")
        .env(GIVEN, server.url())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let last = said.lines().rev().find(|line| line.starts_with("test result"));
    println!("on PostgreSQL: {}", last.unwrap_or("nothing was said"));
}
