//! The journal's own way of being written to: an entry is a datagram of fields, each its name, the length of
//! its value in eight bytes, and the value (the native protocol of systemd's journal).

use super::{lose_line, priority};
use std::{fmt::Debug, io, io::Write as _, os::unix::net::UnixDatagram};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

const SOCKET: &str = "/run/systemd/journal/socket";

/// Where entries go.
pub(super) struct Journal(UnixDatagram);

impl Journal {
    /// # Errors
    /// Nobody takes entries there.
    pub(super) fn open() -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        // One without fields makes no entry, but an error where nobody is.
        socket.send_to(&[], SOCKET)?;
        Ok(Self(socket))
    }
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut entry = Entry::default();
        entry.put("PRIORITY", priority(*metadata.level()));
        entry.put("SYSLOG_IDENTIFIER", "roomd");
        if let (Some(file), Some(line)) = (metadata.file(), metadata.line()) {
            entry.put("CODE_FILE", file);
            entry.put("CODE_LINE", line);
        }
        event.record(&mut entry);
        // By its name each time: the journal may have been started anew.
        if self.0.send_to(&entry.0, SOCKET).is_err() {
            lose_line();
        }
    }
}

/// Fields, as they go out.
#[derive(Default)]
struct Entry(Vec<u8>);

impl Entry {
    fn put(&mut self, name: &str, value: impl std::fmt::Display) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\n\0\0\0\0\0\0\0\0");
        let start = self.0.len();
        // Writing to memory does not fail.
        let _ = write!(self.0, "{value}");
        let length = (self.0.len() - start) as u64;
        self.0[start - 8..start].copy_from_slice(&length.to_le_bytes());
        self.0.push(b'\n');
    }
}

impl Visit for Entry {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.put("MESSAGE", format_args!("{value:?}"));
        } else {
            self.put(&format!("ROOMD_{}", field.name().to_ascii_uppercase()), format_args!("{value:?}"));
        }
    }
}
