//! Prints who may ask for what: `cargo run -p hemu-api --example access > docs/access.md`.

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    write!(std::io::stdout(), "{}", hemu_api::access::page())?;
    Ok(())
}
