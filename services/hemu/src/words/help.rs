//! The command line's help and its complaints about wrong usage, in the user's language. Clap writes them in English;
//! what it lets one set is set here, and what it does not is translated line by line.

use clap::{Arg, Command, CommandFactory};

use super::{Language, Words};
use crate::cli::Cli;

/// The command line.
pub(crate) fn command(words: &Words) -> Command {
    let mut command = Cli::command();
    if words.language() == Language::English {
        return command;
    }
    // Built first, so that clap's own arguments and commands are there to be translated.
    command.build();
    translated(words, command)
}

/// Prints help that was asked for, or what is wrong with the usage; the exit status for it.
pub(crate) fn show(words: &Words, error: &clap::Error) -> u8 {
    if words.language() == Language::English || is_help(error) {
        // Nobody is left to be told when the terminal is gone.
        let _ = error.print();
    } else {
        eprint!("{}", words.translate_lines(&error.render().to_string()));
    }
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// Whether it is help or the version: it was translated when the command line was.
fn is_help(error: &clap::Error) -> bool {
    use clap::error::ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    matches!(
        error.kind(),
        DisplayHelp | DisplayHelpOnMissingArgumentOrSubcommand | DisplayVersion
    )
}

fn translated(words: &Words, command: Command) -> Command {
    let mut command = command
        .mut_args(|arg| argument(words, arg))
        .mut_subcommands(|command| translated(words, command))
        .subcommand_value_name(words.translate("COMMAND"));
    if let Some(about) = command.get_about().map(ToString::to_string) {
        command = command.about(words.translate(&about));
    }
    let template = template(words, &mut command);
    command.help_template(template)
}

fn argument(words: &Words, arg: Arg) -> Arg {
    let mut help: Vec<String> = arg.get_help().iter().map(ToString::to_string).collect();
    if let Some(name) = arg.get_env() {
        help.push(format!("[env: {}]", name.display()));
    }
    if arg.get_action().takes_values()
        && let [default] = arg.get_default_values()
    {
        help.push(format!("[default: {}]", default.display()));
    }
    let names = arg.get_value_names().unwrap_or_default();
    let names: Vec<String> = names.iter().map(|name| words.translate(name)).collect();
    let help: Vec<String> = help.iter().map(|part| words.translate(part)).collect();
    let arg = arg.help(help.join(" ")).hide_env(true).hide_default_value(true);
    if names.is_empty() {
        arg
    } else {
        arg.value_names(names)
    }
}

/// Clap's own arrangement of a help page, under translated headings.
fn template(words: &Words, command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    let usage = words.translate(usage.trim_start_matches("Usage:").trim());
    let header = *command.get_styles().get_header();
    let heading = |english: &str| format!("{header}{}{header:#}", words.translate(english));
    let sections = [
        (command.has_subcommands(), "Commands:", "subcommands"),
        (
            command.get_positionals().next().is_some(),
            "Arguments:",
            "positionals",
        ),
        (command.get_opts().next().is_some(), "Options:", "options"),
    ];
    // A heading brings its own space: a full-width colon needs none.
    let usage = format!("{{about-with-newline}}\n{}{usage}", heading("Usage:"));
    let sections = sections.into_iter().filter(|(there, ..)| *there);
    let sections = sections.map(|(_, english, tag)| format!("{}\n{{{tag}}}", heading(english)));
    [usage]
        .into_iter()
        .chain(sections)
        .collect::<Vec<_>>()
        .join("\n\n")
}
