//! Log lines on standard error, for people and for the journal.
//!
//! The server has one thread and never waits for whoever takes its log: a line for which there is no room is
//! lost, and counted.

mod journal;
mod lines;

use crate::config::LogLevel;
use journal::Journal;
use lines::{Format, StandardError};
use std::{
    env,
    io::{self, IsTerminal as _},
    panic,
    sync::atomic::{AtomicU64, Ordering},
};
use tracing::Level;
use tracing_subscriber::{filter::LevelFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// There is one log, whatever writes to it.
static LINES_LOST: AtomicU64 = AtomicU64::new(0);

/// Starts logging, and has panics logged as one line each. To be called once.
///
/// The journal is spoken to in its own way, so that what a line tells of, as an address, is a field
/// that can be searched for; if it cannot be reached so, it gets lines on standard error.
pub fn start(level: LogLevel) {
    let format = if is_journal() { Format::Journal } else { Format::Plain };
    let journal = if format == Format::Journal { Journal::open().ok() } else { None };
    let is_colored =
        format == Format::Plain && io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none();
    let lines = journal
        .is_none()
        .then(|| fmt::layer().with_ansi(is_colored).with_writer(|| StandardError).event_format(format));
    tracing_subscriber::registry().with(filter(level)).with(journal).with(lines).init();
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, ToString::to_string);
        let cause = info.payload_as_str().unwrap_or("no message").replace('\n', " ");
        tracing::error!("panic at {place}: {cause}");
    }));
}

/// Lines since the start that nobody took.
pub(super) fn lines_lost() -> u64 {
    LINES_LOST.load(Ordering::Relaxed)
}

fn lose_line() {
    LINES_LOST.fetch_add(1, Ordering::Relaxed);
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

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
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
