//! Log lines on standard error, for people and for the journal.

use std::{
    env, fmt,
    io::{self, IsTerminal as _},
    panic,
};

use tracing::{Event, Level, Subscriber};
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::{
    filter::LevelFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::config::LogLevel;

/// Starts logging, and has panics logged as one line each. To be called once.
///
/// The journal is spoken to in its own way, so that what a line tells of, as an address, is a field
/// that can be searched for; if it cannot be reached so, it gets lines on standard error.
pub fn start(level: LogLevel) {
    let line = if is_journal() { Line::Journal } else { Line::Plain };
    let journal = if line == Line::Journal { journal().ok() } else { None };
    let lines = journal.is_none().then(|| {
        tracing_subscriber::fmt::layer()
            .with_ansi(line == Line::Plain && io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none())
            .with_writer(io::stderr)
            .event_format(line)
    });
    tracing_subscriber::registry().with(filter(level)).with(journal).with(lines).init();
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, ToString::to_string);
        let cause = info.payload_as_str().unwrap_or("no message").replace('\n', " ");
        tracing::error!("panic at {place}: {cause}");
    }));
}

/// What a line that is written past the log begins with, to be found among the errors of the journal.
pub fn prefix_of_errors() -> &'static str {
    if is_journal() { "<3>" } else { "" }
}

/// Whether standard error is a stream to the journal: systemd tells which file that is, since the
/// variable is inherited also by what has another one (systemd.exec(5)).
fn is_journal() -> bool {
    let Ok(file) = rustix::fs::fstat(io::stderr()) else { return false };
    env::var("JOURNAL_STREAM").is_ok_and(|stream| stream == format!("{}:{}", file.st_dev, file.st_ino))
}

fn journal() -> io::Result<tracing_journald::Layer> {
    let priorities =
        PriorityMappings { info: Priority::Informational, debug: Priority::Debug, ..PriorityMappings::new() };
    let layer = tracing_journald::layer()?;
    Ok(layer
        .with_syslog_identifier("roomd".into())
        .with_field_prefix(Some("ROOMD".into()))
        .with_priority_mappings(priorities))
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// How an event is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Time, level, message.
    Plain,
    /// The journal adds the time by itself and takes the level from a prefix (sd-daemon(3)).
    Journal,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        match self {
            Self::Journal => write!(writer, "<{}>", priority(level))?,
            Self::Plain => {
                SystemTime.format_time(&mut writer)?;
                let color = if writer.has_ansi_escapes() { color(level) } else { None };
                match color {
                    Some(color) => write!(writer, " \x1b[{color}m{level:<5}\x1b[0m ")?,
                    None => write!(writer, " {level:<5} ")?,
                }
            }
        }
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// The syslog priority (RFC 5424, section 6.2.1).
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

/// Red and yellow for what wants attention, nothing for the rest.
fn color(level: Level) -> Option<u8> {
    match level {
        Level::ERROR => Some(31),
        Level::WARN => Some(33),
        _ => None,
    }
}
