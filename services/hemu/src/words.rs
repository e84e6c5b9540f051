//! What Hemu says to people, in their language; for every room, in one place. Must not touch what programs read (address
//! lines, JSON, CSV) nor logs, and decides nothing.
//!
//! Our own messages are said by their key. What another room or a library has written in English is known by its English
//! (the keys `known-...`), and stays English where it is not known.

pub(crate) mod help;
#[cfg(test)]
mod tests;

use std::fmt::Display;

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

const ENGLISH: &str = include_str!("words/en.ftl");
const CHINESE: &str = include_str!("words/zh.ftl");

/// A language Hemu speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

impl Language {
    /// The language of the environment, as POSIX has it: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is not
    /// empty. Chinese for `zh` of any country and script, English for everything else.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(variable)
            .find(|locale| !locale.is_empty())
            .unwrap_or_default();
        match locale.split(['_', '-', '.', '@']).next() {
            Some(language) if language.eq_ignore_ascii_case("zh") => Self::Chinese,
            _ => Self::English,
        }
    }
}

/// The messages of one language.
pub(crate) struct Words {
    language: Language,
    messages: FluentBundle<FluentResource>,
    /// By which the English of others is known.
    english: FluentResource,
}

impl Words {
    pub(crate) fn new(language: Language) -> Self {
        let mut messages = FluentBundle::default();
        // Marks of writing direction would be seen on a terminal, and copied out of it with a path.
        messages.set_use_isolating(false);
        messages.add_resource_overriding(resource(ENGLISH));
        if language == Language::Chinese {
            messages.add_resource_overriding(resource(CHINESE));
        }
        Self {
            language,
            messages,
            english: resource(ENGLISH),
        }
    }

    pub(crate) fn language(&self) -> Language {
        self.language
    }

    /// The message of a key, with its variables filled in.
    pub(crate) fn say(&self, key: &str, variables: &[(&str, &dyn Display)]) -> String {
        // As texts: a number's digits stay as they are, without grouping.
        self.fill(
            key,
            variables.iter().map(|(name, value)| (*name, value.to_string())),
        )
    }

    /// What another room or a library wrote in English, in the user's language.
    pub(crate) fn translate(&self, text: &str) -> String {
        if self.language == Language::English {
            return text.to_owned();
        }
        let known = self.english.entries().find_map(|entry| match entry {
            Entry::Message(message) if message.id.name.starts_with("known-") => {
                let values = values(message.value.as_ref()?, text)?;
                Some((message.id.name, values))
            }
            _ => None,
        });
        let Some((key, values)) = known else {
            return text.to_owned();
        };
        self.fill(
            key,
            values
                .into_iter()
                .map(|(name, value)| (name, self.translate(value))),
        )
    }

    /// The same for several lines, each by itself, indented as they are.
    pub(crate) fn translate_lines(&self, text: &str) -> String {
        let line = |line: &str| {
            let content = line.trim_start();
            let indent = " ".repeat(line.len() - content.len());
            format!("{indent}{}\n", self.translate(content))
        };
        text.lines().map(line).collect()
    }

    /// An error and what caused it, in one sentence. A cause that was told already is not told twice.
    pub(crate) fn tell(&self, error: &anyhow::Error) -> String {
        let causes = error.chain().map(|cause| self.translate(&cause.to_string()));
        let add = |told: String, cause: String| {
            if told.contains(&cause) {
                return told;
            }
            self.say("because", &[("what", &told), ("why", &cause)])
        };
        causes.reduce(add).unwrap_or_default()
    }

    fn fill<'k>(&self, key: &str, variables: impl Iterator<Item = (&'k str, String)>) -> String {
        let arguments: FluentArgs = variables.collect();
        let message = self.messages.get_message(key);
        let Some(pattern) = message.and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let mut problems = Vec::new();
        let text = self
            .messages
            .format_pattern(pattern, Some(&arguments), &mut problems);
        debug_assert!(problems.is_empty(), "{key}: {problems:?}");
        text.into_owned()
    }
}

/// A file of messages. A test reads both whole; a line that did not parse would be missing, and said by its key.
fn resource(text: &str) -> FluentResource {
    FluentResource::try_new(text.to_owned()).unwrap_or_else(|(readable, _)| readable)
}

/// What stands in `text` where the pattern has variables, if it is a text of that pattern.
fn values<'p, 't>(pattern: &Pattern<&'p str>, text: &'t str) -> Option<Vec<(&'p str, &'t str)>> {
    let (mut rest, mut open, mut values) = (text, None, Vec::new());
    let mut elements = pattern.elements.iter().peekable();
    while let Some(element) = elements.next() {
        match element {
            PatternElement::TextElement { value } => {
                let (before, after) = if elements.peek().is_none() {
                    (rest.strip_suffix(value)?, "")
                } else {
                    rest.split_once(value)?
                };
                match open.take() {
                    Some(name) => values.push((name, before)),
                    None if before.is_empty() => {}
                    None => return None,
                }
                rest = after;
            }
            PatternElement::Placeable {
                expression: Expression::Inline(InlineExpression::VariableReference { id }),
            } => open = Some(id.name),
            PatternElement::Placeable { .. } => return None,
        }
    }
    if let Some(name) = open {
        values.push((name, rest));
    }
    Some(values)
}
