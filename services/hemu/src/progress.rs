//! Progress for people: bars on a terminal, nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar towards a known end.
pub(crate) fn bar(what: &'static str, total: u64) -> ProgressBar {
    let template = "{msg:24} [{bar:36}] {human_pos}/{human_len}  {per_sec}  {eta} left";
    styled(ProgressBar::new(total), what, template)
}

/// A counter without a known end.
pub(crate) fn counter(what: &'static str) -> ProgressBar {
    styled(
        ProgressBar::no_length(),
        what,
        "{msg:24} {spinner} {human_pos}  {per_sec}  {elapsed}",
    )
}

fn styled(bar: ProgressBar, what: &'static str, template: &str) -> ProgressBar {
    // A template that does not parse would be a typo here; the default style then still shows progress.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style.progress_chars("=> ")).with_message(what)
}
