//! The command line of `roomd bench`: a mode, and flags of its own.

use std::{ffi::OsString, ops::RangeInclusive};

use clap::{
    Arg, ArgAction, ArgMatches,
    builder::OsStringValueParser,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{
    dialect::{Dialect, ROOMD},
    failure::Failure,
    stamp::CONTENT_BYTES_MIN,
    target::{DEFAULT_URL, Target},
};
use crate::limits::{CLIENTS_MAX, MESSAGE_BYTES_MAX, ROOMS_MAX};

/// What the envelope around a content needs, with names to spare.
const ENVELOPE_BYTES: u64 = 1_024;
/// Longest run: the stamps of messages count 71 minutes of microseconds.
const SECONDS_MAX: u64 = 3_600;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    FanOut,
    Slow,
    Echo,
    Idle,
    Storm,
}

impl Mode {
    const ALL: [Self; 5] = [Self::FanOut, Self::Slow, Self::Echo, Self::Idle, Self::Storm];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::FanOut => "fan-out",
            Self::Slow => "slow",
            Self::Echo => "echo",
            Self::Idle => "idle",
            Self::Storm => "storm",
        }
    }

    /// Without rooms, whoever comes is announced to nobody, which would be most of the work.
    const fn has_rooms(self) -> bool {
        !matches!(self, Self::Idle | Self::Storm)
    }

    const fn default_pace(self) -> Pace {
        match self {
            Self::Slow => Pace::Rate(1_000),
            Self::Echo => Pace::Window(1),
            Self::FanOut | Self::Idle | Self::Storm => Pace::Window(32),
        }
    }
}

/// When a publisher sends its next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// When fewer than so many are not yet with everyone: a closed loop.
    Window(u64),
    /// So many times a second, however late the answers are.
    Rate(u64),
    /// As soon as its socket takes it.
    Open,
}

/// A run as it was asked for.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) mode: Mode,
    pub(super) dialect: Dialect,
    pub(super) target: Target,
    pub(super) token: Option<String>,
    pub(super) pid: Option<u32>,
    pub(super) clients: usize,
    pub(super) publishers: usize,
    pub(super) slow: usize,
    pub(super) rooms: usize,
    pub(super) content_bytes: usize,
    pub(super) seconds: u64,
    pub(super) pace: Pace,
    /// Whether a publisher writes in one piece what it may send at once.
    pub(super) bundle: bool,
    pub(super) json: bool,
}

/// Reads the arguments behind `bench`; `None` if they ask for help.
pub(super) fn options(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, Failure> {
    let matches = grammar().try_get_matches_from(arguments).map_err(|error| explain(&error))?;
    if matches.get_flag("help") {
        return Ok(None);
    }
    let mode = mode(&matches)?;
    let default_clients = if mode == Mode::Idle { 1_000 } else { 100 };
    let content_max = MESSAGE_BYTES_MAX as u64 - ENVELOPE_BYTES;
    let clients = size(&matches, "clients", 1..=CLIENTS_MAX as u64, default_clients)?;
    let pace = pace(&matches, mode)?;
    let options = Options {
        mode,
        dialect: ROOMD,
        target: Target::parse(text(&matches, "url")?.unwrap_or(DEFAULT_URL))?,
        token: text(&matches, "token")?.map(str::to_owned),
        pid: number(&matches, "pid", 1..=u32::MAX.into())?.and_then(|pid| pid.try_into().ok()),
        clients,
        publishers: size(&matches, "publishers", 1..=CLIENTS_MAX as u64, 1)?,
        slow: size(&matches, "slow", 1..=CLIENTS_MAX as u64, clients as u64 / 10)?.max(1),
        rooms: size(&matches, "rooms", 0..=ROOMS_MAX as u64, u64::from(mode.has_rooms()))?,
        content_bytes: size(&matches, "content-bytes", CONTENT_BYTES_MIN as u64..=content_max, 128)?,
        seconds: number(&matches, "seconds", 1..=SECONDS_MAX)?.unwrap_or(5),
        pace,
        bundle: matches.get_flag("bundle") || pace == Pace::Open,
        json: matches.get_flag("json"),
    };
    check(&options)?;
    Ok(Some(options))
}

/// What is wrong only together.
fn check(options: &Options) -> Result<(), Failure> {
    let (clients, slow, rooms) = (options.clients, options.slow, options.rooms);
    if options.mode == Mode::Slow && slow >= clients {
        let what = format!("flag --slow: {slow} of {clients} clients leave none whose latency could be seen");
        return Err(Failure::invalid(&what, "give fewer, or more --clients"));
    }
    if rooms > clients {
        let what = format!("flag --rooms: {rooms} rooms for {clients} clients leave some empty");
        return Err(Failure::invalid(&what, "give fewer, or more --clients"));
    }
    Ok(())
}

fn grammar() -> clap::Command {
    let text = |name| Arg::new(name).value_parser(OsStringValueParser::new()).action(ArgAction::Set);
    let switch = |name| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let flags = FLAGS.iter().filter(|flag| flag.takes_value).map(|flag| text(flag.name).long(flag.name));
    let switches = FLAGS.iter().filter(|flag| !flag.takes_value).map(|flag| switch(flag.name));
    clap::Command::new("bench")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .allow_negative_numbers(true)
        .arg(text("mode"))
        .args(flags)
        .args(switches)
        .mut_arg("help", |help| help.short('h'))
}

/// One flag, for the grammar and for whoever mistypes it.
struct Flag {
    name: &'static str,
    takes_value: bool,
}

const FLAGS: [Flag; 15] = {
    const fn flag(name: &'static str, takes_value: bool) -> Flag {
        Flag { name, takes_value }
    }
    [
        flag("url", true),
        flag("pid", true),
        flag("token", true),
        flag("clients", true),
        flag("publishers", true),
        flag("slow", true),
        flag("rooms", true),
        flag("content-bytes", true),
        flag("seconds", true),
        flag("window", true),
        flag("rate", true),
        flag("open", false),
        flag("bundle", false),
        flag("json", false),
        flag("help", false),
    ]
};

fn mode(matches: &ArgMatches) -> Result<Mode, Failure> {
    let Some(word) = text(matches, "mode")? else { return Ok(Mode::FanOut) };
    Mode::ALL.into_iter().find(|mode| mode.name() == word).ok_or_else(|| {
        let names = Mode::ALL.map(Mode::name);
        let otherwise = format!("give one of {}, or none for fan-out", names.join(", "));
        let change = nearest(word, names).map_or(otherwise, |name| format!("did you mean {name}?"));
        Failure::invalid(&format!("`{}`: there is no such mode", shown(word)), &change)
    })
}

fn pace(matches: &ArgMatches, mode: Mode) -> Result<Pace, Failure> {
    let window = number(matches, "window", 1..=1_000_000)?.map(Pace::Window);
    let rate = number(matches, "rate", 1..=1_000_000)?.map(Pace::Rate);
    let open = matches.get_flag("open").then_some(Pace::Open);
    let mut given = [window, rate, open].into_iter().flatten();
    let pace = given.next().unwrap_or(mode.default_pace());
    if given.next().is_some() {
        return Err(Failure::invalid(
            "flags --window, --rate and --open: more than one is given",
            "give one",
        ));
    }
    Ok(pace)
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> Result<Option<&'a str>, Failure> {
    let Some(value) = matches.get_one::<OsString>(name) else { return Ok(None) };
    let not_utf8 =
        || Failure::invalid(&format!("flag --{name}: the value is not UTF-8"), "write it in UTF-8");
    value.to_str().map(Some).ok_or_else(not_utf8)
}

fn number(matches: &ArgMatches, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Failure> {
    let Some(text) = text(matches, name)? else { return Ok(None) };
    let number = text.parse().ok().filter(|number| range.contains(number));
    let change = format!("give a whole number from {} to {}", range.start(), range.end());
    let what = || format!("flag --{name}: `{}` is not a number that can be used", shown(text));
    number.map(Some).ok_or_else(|| Failure::invalid(&what(), &change))
}

fn size(
    matches: &ArgMatches,
    name: &str,
    range: RangeInclusive<u64>,
    default: u64,
) -> Result<usize, Failure> {
    let number = number(matches, name, range)?.unwrap_or(default);
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

/// The parser's error in one line.
fn explain(error: &clap::Error) -> Failure {
    let named = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) => text.split(' ').next().unwrap_or_default(),
        _ => "",
    };
    let flag = format!("flag {named}");
    let kind = error.kind();
    if kind == ErrorKind::UnknownArgument && named.starts_with('-') {
        let near = nearest(named.trim_start_matches('-'), FLAGS.map(|flag| flag.name));
        let change =
            near.map_or("see roomd bench --help".to_owned(), |name| format!("did you mean --{name}?"));
        return Failure::invalid(&format!("`{}`: bench has no such flag", shown(named)), &change);
    }
    let (what, change) = if kind == ErrorKind::UnknownArgument {
        (format!("`{}`: one argument too many", shown(named)), "give one mode, and the rest as flags")
    } else if kind == ErrorKind::ArgumentConflict {
        (format!("{flag}: given more than once"), "give it once")
    } else if kind == ErrorKind::TooManyValues {
        (format!("{flag}: takes no value"), "leave the value out")
    } else {
        (format!("{flag}: needs a value"), "write it behind the flag, as in --clients 100")
    };
    Failure::invalid(&what, change)
}

/// A few letters off are taken for a slip.
fn nearest<const N: usize>(word: &str, names: [&'static str; N]) -> Option<&'static str> {
    let slips = |name| strsim::damerau_levenshtein(word, name);
    names.into_iter().filter(|name| slips(name) <= 2).min_by_key(|name| slips(name))
}

/// Input as it can be repeated within a line.
fn shown(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, String> {
        match options(arguments.iter().map(OsString::from)) {
            Ok(options) => Ok(options.unwrap()),
            Err(failure) => {
                assert_eq!(failure.exit_code(), 78);
                Err(failure.to_string())
            }
        }
    }

    #[test]
    fn without_arguments_it_is_the_closed_loop_against_this_machine() {
        let options = read(&[]).unwrap();
        assert_eq!((options.mode, options.pace, options.clients), (Mode::FanOut, Pace::Window(32), 100));
        assert_eq!((options.rooms, options.content_bytes, options.seconds), (1, 128, 5));
        assert_eq!(options.target.to_string(), DEFAULT_URL);
    }

    #[test]
    fn each_mode_has_its_name_and_its_pace() {
        for mode in Mode::ALL {
            let options = read(&["--clients", "20", mode.name()]).unwrap();
            assert_eq!((options.mode, options.pace), (mode, mode.default_pace()));
        }
        assert_eq!(read(&["slow", "--open"]).unwrap().pace, Pace::Open);
        assert_eq!(read(&["--rate=7"]).unwrap().pace, Pace::Rate(7));
        assert!(!read(&[]).unwrap().bundle && read(&["--bundle"]).unwrap().bundle);
        assert!(read(&["--open"]).unwrap().bundle);
        assert!(options([OsString::from("-h")]).unwrap().is_none());
    }

    #[test]
    fn each_number_is_taken_up_to_its_bounds() {
        let content_max = MESSAGE_BYTES_MAX as u64 - ENVELOPE_BYTES;
        for (flag, least, greatest) in [
            ("--clients", 1, CLIENTS_MAX as u64),
            ("--publishers", 1, CLIENTS_MAX as u64),
            ("--content-bytes", CONTENT_BYTES_MIN as u64, content_max),
            ("--seconds", 1, SECONDS_MAX),
            ("--window", 1, 1_000_000),
            ("--rate", 1, 1_000_000),
            ("--pid", 1, u64::from(u32::MAX)),
        ] {
            for good in [least, greatest] {
                assert!(read(&[flag, &good.to_string()]).is_ok(), "{flag} {good}");
            }
            for bad in [(least - 1).to_string(), (greatest + 1).to_string(), "-1".into(), "many".into()] {
                let wanted = format!(
                    "flag {flag}: `{bad}` is not a number that can be used; \
                    give a whole number from {least} to {greatest}"
                );
                assert_eq!(read(&[flag, &bad]).unwrap_err(), wanted);
            }
        }
    }

    #[test]
    fn each_slip_is_one_line_that_says_what_to_change() {
        for (arguments, said) in [
            (&["fanout"][..], "`fanout`: there is no such mode; did you mean fan-out?"),
            (
                &["x"],
                "`x`: there is no such mode; \
                give one of fan-out, slow, echo, idle, storm, or none for fan-out",
            ),
            (&["echo", "slow"], "`slow`: one argument too many; give one mode, and the rest as flags"),
            (&["--clinets", "1"], "`--clinets`: bench has no such flag; did you mean --clients?"),
            (&["--log-bytes", "1"], "`--log-bytes`: bench has no such flag; see roomd bench --help"),
            (&["--rate"], "flag --rate: needs a value; write it behind the flag, as in --clients 100"),
            (&["--open=1"], "flag --open: takes no value; leave the value out"),
            (&["--rate=1", "--rate=2"], "flag --rate: given more than once; give it once"),
            (&["--open", "--rate=1"], "flags --window, --rate and --open: more than one is given; give one"),
            (
                &["slow", "--slow=100"],
                "flag --slow: 100 of 100 clients leave none whose latency could be seen; \
                give fewer, or more --clients",
            ),
            (
                &["--clients=2", "--rooms=3"],
                "flag --rooms: 3 rooms for 2 clients leave some empty; give fewer, or more --clients",
            ),
        ] {
            assert_eq!(read(arguments).unwrap_err(), said);
        }
        assert_eq!(read(&["slow", "--slow=99"]).unwrap().slow, 99);
        assert_eq!(read(&["--clients=2", "--rooms=2"]).unwrap().rooms, 2);
    }
}
