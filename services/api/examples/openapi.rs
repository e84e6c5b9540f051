//! Prints the API's document: `cargo run -p hemu-api --example openapi > services/api/openapi.json`.

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    writeln!(std::io::stdout(), "{}", hemu_api::openapi().to_pretty_json()?)?;
    Ok(())
}
