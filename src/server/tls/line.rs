//! The server's end of one client's connection over TLS.

use super::RECORD_BYTES;
use crate::{
    hub::{ClientId, Departure},
    server::line::TcpLine,
    switchboard::Line,
};
use rustls::ServerConnection;
use std::{
    io::{self, IoSlice, Read as _, Write as _},
    net::IpAddr,
};

/// A line whose bytes are encrypted. What is taken for the peer is encrypted at once, one record at most,
/// and nothing more is taken until the kernel has it: so much a client that does not read can make wait.
#[derive(Debug)]
pub(in crate::server) struct TlsLine {
    tls: ServerConnection,
    tcp: TcpLine,
    id: Option<ClientId>,
    /// The switchboard wants to be told of room to write; what waits here needs it as well.
    is_room_wanted: bool,
    is_room_watched: bool,
}

impl TlsLine {
    /// A line that goes on with what the handshake has agreed on. What was decrypted must be taken already:
    /// nobody is told of it.
    pub(in crate::server) fn new(mut tls: ServerConnection, tcp: TcpLine) -> Self {
        tls.set_buffer_limit(Some(RECORD_BYTES));
        Self { tls, tcp, id: None, is_room_wanted: false, is_room_watched: false }
    }

    /// The address that it counts for.
    pub(in crate::server) const fn address(&self) -> IpAddr {
        self.tcp.address()
    }
}

impl Line for TlsLine {
    /// Reads once from the socket, and takes all that this decrypts: a few KiB, far less than there is
    /// room for, so that nothing is left of which the poller knows nothing.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tls.read_tls(self.tcp.stream())?;
        let processed = self.tls.process_new_packets();
        // There may be an alert, or an answer of TLS's own.
        self.push()?;
        processed.map_err(io::Error::other)?;
        self.tls.reader().read(buffer)
    }

    fn write(&mut self, [head, tail]: [&[u8]; 2]) -> io::Result<usize> {
        self.push()?;
        if self.tls.wants_write() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = self.tls.writer().write_vectored(&[IoSlice::new(head), IoSlice::new(tail)])?;
        self.push()?;
        Ok(taken)
    }

    fn watch(&mut self, id: ClientId) -> io::Result<()> {
        self.id = Some(id);
        self.tcp.watch(id)
    }

    fn watch_room(&mut self, _: ClientId, watch: bool) -> io::Result<()> {
        self.is_room_wanted = watch;
        self.push()
    }

    /// Hands the kernel what waits, as far as it takes it, and has the rest watched.
    fn push(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(self.tcp.stream()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let watch = self.is_room_wanted || self.tls.wants_write();
        if let Some(id) = self.id
            && watch != self.is_room_watched
        {
            self.tcp.watch_room(id, watch)?;
            self.is_room_watched = watch;
        }
        Ok(())
    }

    fn arrived(&self, name: &str) {
        self.tcp.arrived(name);
    }

    fn departed(&self, departure: &Departure) {
        self.tcp.departed(departure);
    }

    /// The last words are encrypted, with TLS's own behind them.
    fn hang_up(mut self, last_words: Vec<u8>) {
        let mut sealed = Vec::new();
        if !last_words.is_empty() {
            self.tls.set_buffer_limit(None);
            // Neither writing to memory nor to a buffer without a limit fails.
            let _ = self.tls.writer().write_all(&last_words);
            self.tls.send_close_notify();
            while self.tls.wants_write() && self.tls.write_tls(&mut sealed).is_ok() {}
        }
        self.tcp.hang_up(sealed);
    }
}
