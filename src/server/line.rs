//! The server's end of one client's connection.

use super::{
    door::{Pass, Place},
    farewell,
    poller::Poller,
};
use crate::{hub::ClientId, protocol::Reader};
use std::{
    io::{self, IoSlice, Read as _, Write as _},
    net::{IpAddr, TcpStream},
};

/// A connection after the upgrade: raw, non-blocking, and without a buffer of its own.
#[derive(Debug)]
pub(super) struct Line {
    /// Whose it is; what is told late must not reach its slot's next tenant.
    pub(super) id: ClientId,
    pub(super) reader: Reader,
    stream: TcpStream,
    is_watched_for_room: bool,
    pass: Pass,
    place: Place,
}

impl Line {
    /// A line over a stream that does not block.
    pub(super) const fn new(id: ClientId, stream: TcpStream, pass: Pass, place: Place) -> Self {
        Self { id, reader: Reader::new(), stream, is_watched_for_room: false, pass, place }
    }

    /// The address that it counts for.
    pub(super) const fn address(&self) -> IpAddr {
        self.pass.address()
    }

    /// Reads what there is, up to the size of the buffer; 0 is the end.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.stream).read(buffer)
    }

    /// Writes what the kernel takes at once.
    pub(super) fn write(&self, [head, tail]: [&[u8]; 2]) -> io::Result<usize> {
        if tail.is_empty() {
            return (&self.stream).write(head);
        }
        (&self.stream).write_vectored(&[IoSlice::new(head), IoSlice::new(tail)])
    }

    /// Has the poller watch for bytes to read.
    pub(super) fn watch(&self, poller: &Poller) -> io::Result<()> {
        poller.add(&self.stream, self.id)
    }

    /// Has the poller watch for room to write as well, or no longer.
    pub(super) fn watch_room(&mut self, poller: &Poller, watch: bool) -> io::Result<()> {
        if self.is_watched_for_room != watch {
            poller.watch_room(&self.stream, self.id, watch)?;
            self.is_watched_for_room = watch;
        }
        Ok(())
    }

    /// Gives the peer its last words, if there are any, and hangs up.
    pub(super) fn hang_up(self, poller: &Poller, last_words: Vec<u8>) {
        poller.remove(&self.stream);
        tokio::spawn(farewell::say(self.stream, last_words, (self.pass, self.place)));
    }
}
