//! The whole contract again, on a PostgreSQL.

use crate::postgres_server::hold_there_too;

/// What is about files, or about nothing that is stored, or has servers of its own.
const NOT_ON_POSTGRES: [&str; 8] = [
    // Nodes that share a store cannot know of each other what a restart broke off.
    "a_restart_frees_the_day",
    "bytes::",
    "chain::",
    "lost_answers::",
    "postgres::",
    "store::",
    "tamper::",
    "verify::",
];

#[test]
fn the_whole_contract_holds_on_postgresql_too() {
    hold_there_too(&NOT_ON_POSTGRES);
}
