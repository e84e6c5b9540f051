//! Lines on stdout. Whoever reads them may leave, as `head` does: that ends a command, and is no crash.

use std::fmt::Arguments;
use std::io::{Error, ErrorKind, Result, Write};

/// Prints a line, or leaves the function with what went wrong.
macro_rules! out {
    ($($text:tt)*) => {
        $crate::output::line(format_args!($($text)*))?
    };
}
pub(crate) use out;

pub(crate) fn line(text: Arguments<'_>) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")
}

/// Whether what failed is that nobody reads any more.
pub(crate) fn is_unread(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<Error>();
    io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
