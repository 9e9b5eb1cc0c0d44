//! Log lines on standard error, for people and for the journal.

use std::{
    env, fmt,
    io::{self, IsTerminal as _},
    panic,
};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    filter::LevelFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

use crate::config::LogLevel;

/// Starts logging, and has panics logged as one line each. To be called once.
pub fn start(level: LogLevel) {
    let line = if env::var_os("JOURNAL_STREAM").is_some() { Line::Journal } else { Line::Plain };
    tracing_subscriber::fmt()
        .with_max_level(filter(level))
        .with_ansi(line == Line::Plain && io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none())
        .with_writer(io::stderr)
        .event_format(line)
        .init();
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, ToString::to_string);
        let cause = info.payload_as_str().unwrap_or("no message").replace('\n', " ");
        tracing::error!("panic at {place}: {cause}");
    }));
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
