//! Progress for people: bars on a terminal, nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

use crate::words::Words;

/// A bar towards a known end.
pub(crate) fn bar(words: &Words, what: String, total: u64) -> ProgressBar {
    let left = words.say("time-left", &[("eta", &"{eta}")]);
    let template = format!("{{msg:24}} [{{bar:36}}] {{human_pos}}/{{human_len}}  {{per_sec}}  {left}");
    styled(ProgressBar::new(total), what, &template)
}

/// A bar of bytes.
pub(crate) fn bytes(words: &Words, what: String, total: u64) -> ProgressBar {
    let left = words.say("time-left", &[("eta", &"{eta}")]);
    let template = format!("{{msg:24}} [{{bar:36}}] {{bytes}}/{{total_bytes}}  {{bytes_per_sec}}  {left}");
    styled(ProgressBar::new(total), what, &template)
}

/// A counter without a known end.
pub(crate) fn counter(what: String) -> ProgressBar {
    styled(
        ProgressBar::no_length(),
        what,
        "{msg:24} {spinner} {human_pos}  {per_sec}  {elapsed}",
    )
}

fn styled(bar: ProgressBar, what: String, template: &str) -> ProgressBar {
    // A template that does not parse would be a typo here; the default style then still shows progress.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style.progress_chars("=> ")).with_message(what)
}
