//! The table as CSV, made while it is sent.

use ::csv::WriterBuilder;
use axum::body::Bytes;
use futures::stream::{self, Stream};
use hemu_ledger::cell::guarded;

use super::{COLUMNS, Cell, Places};

/// Without it a spreadsheet reads Chinese as noise.
const MARK: &str = "\u{feff}";

/// The head, then the lines of a page at a time. A failure in between ends the answer without its end, which a client sees.
pub(super) fn lines(places: Places) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send {
    stream::try_unfold((places, true), |(mut places, first)| async move {
        let Some(rows) = places.page().await.map_err(|_| failed())? else {
            return Ok(None);
        };
        let text = written(first, &rows)?;
        Ok(Some((text, (places, false))))
    })
}

/// The cause is in the log already.
fn failed() -> std::io::Error {
    std::io::Error::other("the table could not be read to its end")
}

fn written(head: bool, rows: &[[Cell; COLUMNS.len()]]) -> Result<Bytes, std::io::Error> {
    let mut writer = WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .from_writer(Vec::new());
    if head {
        writer.write_record(COLUMNS)?;
    }
    for row in rows {
        writer.write_record(row.iter().map(|cell| match cell {
            Cell::Text(text) => guarded(text).into_owned(),
            Cell::Number(number) => number.to_string(),
        }))?;
    }
    let body = writer.into_inner().map_err(|_| failed())?;
    let mark = if head { MARK.as_bytes() } else { &[] };
    Ok([mark, body.as_slice()].concat().into())
}
