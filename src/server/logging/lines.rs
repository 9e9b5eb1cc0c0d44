//! A line for each event, on standard error.

use super::{lose_line, priority};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use std::{
    fmt,
    io::{self, Write},
};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

/// How an event is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Time, level, message.
    Plain,
    /// The journal adds the time by itself and takes the level from a prefix (sd-daemon(3)).
    Journal,
}

impl<S, N> FormatEvent<S, N> for Format
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

/// Red and yellow for what wants attention, nothing for the rest.
fn color(level: Level) -> Option<u8> {
    match level {
        Level::ERROR => Some(31),
        Level::WARN => Some(33),
        _ => None,
    }
}

/// Standard error, which may be a pipe that nobody reads, or a terminal that is held: it is asked first
/// whether it takes something. What says so takes 4 KiB, and a line is shorter (pipe(7), `PIPE_BUF`).
pub(super) struct StandardError;

impl Write for StandardError {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if !takes_something(&io::stderr()) || io::stderr().write_all(line).is_err() {
            lose_line();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn takes_something(stderr: &io::Stderr) -> bool {
    const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut asked = [PollFd::new(stderr, PollFlags::OUT)];
    match poll(&mut asked, Some(&AT_ONCE)) {
        // An end that is gone is told by writing.
        Ok(_) => asked[0].revents().intersects(PollFlags::OUT | PollFlags::ERR | PollFlags::NVAL),
        Err(Errno::INTR) => takes_something(stderr),
        Err(_) => true,
    }
}
