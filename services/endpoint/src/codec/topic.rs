//! What a topic name and a topic filter may look like (MQTT section 4.7). Knows nothing of whose topics they are.

use super::{DecodeError, Reason};

/// A topic name: not empty, no wildcard, no control character.
pub(super) fn check_name(topic: &str) -> Result<(), DecodeError> {
    let wrong = |what| Err(DecodeError::new(Reason::TopicNameInvalid, what));
    // Own topics are ASCII, and most packets carry one: look at bytes first.
    if topic.is_empty() {
        return wrong("an empty topic");
    }
    if topic.bytes().any(|byte| byte == b'+' || byte == b'#') {
        return wrong("a wildcard in a topic name");
    }
    if has_control(topic) {
        return wrong("a control character in a topic name");
    }
    Ok(())
}

/// A topic filter: not empty, wildcards alone in their level, `#` only as the last one.
pub(super) fn check_filter(filter: &str) -> Result<(), DecodeError> {
    let wrong = |what| Err(DecodeError::new(Reason::TopicFilterInvalid, what));
    if filter.is_empty() {
        return wrong("an empty topic filter");
    }
    if has_control(filter) {
        return wrong("a control character in a topic filter");
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        if level.len() > 1 && level.contains(['+', '#']) {
            return wrong("a wildcard that is not alone in its level");
        }
        if level == "#" && levels.peek().is_some() {
            return wrong("a # that is not the last level");
        }
    }
    Ok(())
}

fn has_control(text: &str) -> bool {
    if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    }
}
