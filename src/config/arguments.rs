//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{
    Arg, ArgAction, ArgMatches,
    builder::OsStringValueParser,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{
    invalid::{Fault, Invalid, nearest, quote, suggest},
    origin::{Given, Origin},
    table::{Row, TABLE},
};

const COMMAND: &str = "command";
const CONFIG: &str = "config";
const HELP: &str = "help";
const VERSION: &str = "version";

/// The command that measures a server. It has flags of its own, so it stands first, and its floor
/// reads what comes behind it.
pub const BENCH: &str = "bench";
/// The command that asks a running server how it is; it stands first as well.
pub const STATUS: &str = "status";

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// `--help`.
    Help,
    /// `--version`.
    Version,
    /// A command with settings.
    Run(Command, Flags),
}

/// What roomd can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Serve until stopped.
    Serve,
    /// Print the memory ceiling.
    Plan,
    /// Print every setting with its origin.
    CheckConfig,
}

impl Command {
    /// All commands, the one that runs without being named first.
    pub const ALL: [Self; 3] = [Self::Serve, Self::Plan, Self::CheckConfig];

    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Plan => "plan",
            Self::CheckConfig => "check-config",
        }
    }
}

/// The settings on the command line, not yet read as values.
#[derive(Debug, Default)]
pub struct Flags {
    /// `--config`.
    pub(super) config: Option<PathBuf>,
    pub(super) given: Vec<Given>,
}

/// Reads the command line, the name of the program not included.
///
/// # Errors
/// An unknown command or flag, a flag without value, given twice, or not in UTF-8.
pub fn request(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, Invalid> {
    let matches = grammar().try_get_matches_from(arguments).map_err(|error| explain(&error))?;
    if matches.get_flag(HELP) {
        return Ok(Request::Help);
    }
    if matches.get_flag(VERSION) {
        return Ok(Request::Version);
    }
    let config = matches.get_one::<OsString>(CONFIG).map(PathBuf::from);
    Ok(Request::Run(command(&matches)?, Flags { config, given: given(&matches)? }))
}

/// Settings may stand before and after the command, which is therefore a positional argument.
fn grammar() -> clap::Command {
    let text = |name: &'static str| Arg::new(name).value_parser(OsStringValueParser::new());
    let switch =
        |name: &'static str, short| Arg::new(name).long(name).short(short).action(ArgAction::SetTrue);
    let settings = TABLE.iter().map(|row| {
        let action = if row.kind.is_list() { ArgAction::Append } else { ArgAction::Set };
        text(row.key).long(row.key.replace('_', "-")).action(action)
    });
    clap::Command::new("roomd")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .allow_negative_numbers(true)
        .arg(text(COMMAND))
        .arg(text(CONFIG).long(CONFIG))
        .args([switch(HELP, 'h'), switch(VERSION, 'V')])
        .args(settings)
}

fn command(matches: &ArgMatches) -> Result<Command, Invalid> {
    let Some(word) = matches.get_one::<OsString>(COMMAND) else { return Ok(Command::ALL[0]) };
    let word = word.to_string_lossy();
    if let Some(word) = [BENCH, STATUS].into_iter().find(|own| *own == word) {
        let change = format!("write it first, as in roomd {word} --help");
        return Err(Fault::new("has flags of its own, none stand before it", change).at(quote(word)));
    }
    Command::ALL.into_iter().find(|command| command.name() == word).ok_or_else(|| {
        let names: Vec<_> = Command::ALL.map(Command::name).into_iter().chain([STATUS, BENCH]).collect();
        let near = nearest(&word, names.iter().copied()).map(str::to_owned);
        let otherwise = format!("give one of {}, or none to serve", names.join(", "));
        Fault::new("there is no such command", suggest(near, &otherwise)).at(quote(&word))
    })
}

fn given(matches: &ArgMatches) -> Result<Vec<Given>, Invalid> {
    let mut all = Vec::new();
    for row in &TABLE {
        let Some(values) = matches.get_many::<OsString>(row.key) else { continue };
        let origin = Origin::Flag(row.flag());
        let texts: Option<_> = values.map(|value| value.to_str().map(str::to_owned)).collect();
        let Some(texts) = texts else {
            return Err(Fault::new("the value is not UTF-8", "write it in UTF-8").at(origin));
        };
        all.push(Given { row, texts, origin });
    }
    Ok(all)
}

/// The parser's error in one line; a value is never repeated, it may be a secret.
fn explain(error: &clap::Error) -> Invalid {
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.split(' ').next().unwrap_or_default().to_owned()),
        _ => None,
    };
    let argument = named(ContextKind::InvalidArg).unwrap_or_default();
    if error.kind() == ErrorKind::UnknownArgument {
        return unknown(&argument);
    }
    let fault = if error.kind() == ErrorKind::ArgumentConflict {
        Fault::new("given more than once", "give it once")
    } else if error.kind() == ErrorKind::TooManyValues {
        Fault::new("takes no value", "leave the value out")
    } else {
        Fault::new("needs a value", "write it behind the flag, as in --clients 100")
    };
    fault.at(format!("flag {argument}"))
}

fn unknown(argument: &str) -> Invalid {
    if !argument.starts_with('-') {
        let change = "give one command, and settings as flags";
        return Fault::new("one argument too many", change).at(quote(argument));
    }
    let flags: Vec<_> = TABLE.iter().map(Row::flag).collect();
    let others = ["--config", "--help", "--version"];
    let near = nearest(argument, flags.iter().map(String::as_str).chain(others)).map(str::to_owned);
    Fault::new("there is no such flag", suggest(near, "see roomd --help")).at(quote(argument))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    type Read = (Command, Vec<(&'static str, Vec<String>)>);

    fn read(arguments: &[&str]) -> Result<Read, String> {
        match request(arguments.iter().map(OsString::from)) {
            Ok(Request::Run(command, flags)) => {
                Ok((command, flags.given.into_iter().map(|given| (given.row.key, given.texts)).collect()))
            }
            Ok(other) => panic!("{other:?}"),
            Err(invalid) => Err(invalid.to_string()),
        }
    }

    #[test]
    fn settings_may_stand_before_and_behind_the_command() {
        for arguments in [["plan", "--clients", "5"], ["--clients", "5", "plan"]] {
            assert_eq!(read(&arguments), Ok((Command::Plan, vec![("clients", vec!["5".to_owned()])])));
        }
        assert_eq!(read(&[]), Ok((Command::Serve, vec![])));
    }

    #[test]
    fn a_list_may_be_repeated_and_another_flag_may_not() {
        let (_, given) = read(&["--allowed-hosts", "a", "--allowed-hosts=b"]).unwrap();
        assert_eq!(given, [("allowed_hosts", vec!["a".to_owned(), "b".to_owned()])]);
        let error = read(&["--rooms", "1", "--rooms=2"]).unwrap_err();
        assert_eq!(error, "flag --rooms: given more than once; give it once");
    }

    #[test]
    fn each_slip_is_named() {
        for (arguments, said) in [
            (&["--clinets", "5"][..], "`--clinets`: there is no such flag; did you mean --clients?"),
            (&["--tokn=hush"], "`--tokn`: there is no such flag; did you mean --token?"),
            (&["-x"], "`-x`: there is no such flag; see roomd --help"),
            (&["--clients"], "flag --clients: needs a value; write it behind the flag, as in --clients 100"),
            (
                &["--clients", "--rooms"],
                "flag --clients: needs a value; write it behind the flag, as in --clients 100",
            ),
            (&["--help=x"], "flag --help: takes no value; leave the value out"),
            (&["plna"], "`plna`: there is no such command; did you mean plan?"),
            (
                &["x"],
                "`x`: there is no such command; \
                give one of serve, plan, check-config, status, bench, or none to serve",
            ),
            (
                &["--clients", "5", "bench"],
                "`bench`: has flags of its own, none stand before it; \
                write it first, as in roomd bench --help",
            ),
            (&["plan", "x"], "`x`: one argument too many; give one command, and settings as flags"),
        ] {
            assert_eq!(read(arguments).unwrap_err(), said);
        }
    }
}
