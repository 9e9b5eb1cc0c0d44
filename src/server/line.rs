//! The server's end of one client's connection.

use super::{
    door::{Pass, Place},
    farewell,
    poller::Poller,
    socket,
    tally::Outcome,
};
use crate::{
    hub::{ClientId, Departure, Laggard},
    switchboard::Line,
};
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use std::{
    io::{self, IoSlice, Read as _, Write as _},
    net::{IpAddr, TcpStream},
};

/// A connection after the upgrade: raw, non-blocking, and without a buffer of its own. In this order, for
/// what a write needs of it is the first.
#[derive(Debug)]
#[repr(C)]
pub(super) struct TcpLine {
    stream: TcpStream,
    poller: Poller,
    pass: Pass,
    place: Place,
}

impl TcpLine {
    /// A line over a stream that does not block.
    pub(super) fn new(stream: TcpStream, poller: Poller, pass: Pass, place: Place) -> Self {
        socket::be_patient(&stream);
        Self { stream, poller, pass, place }
    }

    /// The address that it counts for.
    pub(super) const fn address(&self) -> IpAddr {
        self.pass.address()
    }

    /// The stream, for what is spoken on it.
    #[cfg(feature = "tls")]
    pub(super) const fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }
}

impl Line for TcpLine {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }

    fn write(&mut self, [head, tail]: [&[u8]; 2]) -> io::Result<usize> {
        if tail.is_empty() {
            return self.stream.write(head);
        }
        // To the kernel this is less than a vectored write, which is for whatever may be written to.
        let pieces = [IoSlice::new(head), IoSlice::new(tail)];
        let ancillary = &mut SendAncillaryBuffer::default();
        Ok(sendmsg(&self.stream, &pieces, ancillary, SendFlags::NOSIGNAL)?)
    }

    fn watch(&mut self, id: ClientId) -> io::Result<()> {
        self.poller.add(&self.stream, id).inspect_err(|_| self.place.tally.count(Outcome::WatchFailed))
    }

    fn watch_room(&mut self, id: ClientId, watch: bool) -> io::Result<()> {
        self.poller.watch_room(&self.stream, id, watch)
    }

    fn arrived(&self, name: &str) {
        tracing::debug!(address = %self.address(), name, "connected");
    }

    fn departed(&self, departure: &Departure) {
        let Departure { name, ending, laggard, .. } = departure;
        tracing::debug!(address = %self.address(), name = name.as_str(), "disconnected, {ending}");
        if let Some(laggard) = laggard {
            self.place.tally.note_laggard(self.address(), Laggard::clone(laggard));
        }
    }

    fn hang_up(self, last_words: Vec<u8>) {
        self.poller.remove(&self.stream);
        let Self { stream, pass, place, .. } = self;
        let is_owed = !last_words.is_empty();
        tokio::spawn(async move {
            let is_said = farewell::say(stream, last_words).await;
            if is_owed {
                place.tally.count(if is_said { Outcome::Farewell } else { Outcome::FarewellLost });
            }
            drop((pass, place));
        });
    }
}
