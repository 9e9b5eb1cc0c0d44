//! What a connection has to be able to do.

use crate::hub::{ClientId, Departure};
use std::io;

/// The server's end of one client's connection: raw, and without waiting.
pub trait Line {
    /// Reads what there is, up to the size of the buffer; 0 is the end.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing, `Interrupted` if it should be tried again; others are its end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes what is taken at once, at least one byte, of two pieces that follow each other.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is taken, `Interrupted` if it should be tried again; others are its end.
    fn write(&mut self, pieces: [&[u8]; 2]) -> io::Result<usize>;

    /// From now on it is told, as of `id`, when there is something to read.
    ///
    /// # Errors
    /// The system has no means left for one more.
    fn watch(&mut self, id: ClientId) -> io::Result<()>;

    /// From now on it is told as well, or no longer, when something can be written.
    ///
    /// # Errors
    /// It cannot be watched; it is useless then.
    fn watch_room(&mut self, id: ClientId, watch: bool) -> io::Result<()>;

    /// It takes bytes again: what the line itself has left to write, if it is one that has, goes out now.
    ///
    /// # Errors
    /// It has ended.
    fn push(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Its client has come, under this name.
    fn arrived(&self, _name: &str) {}

    /// Its client has gone.
    fn departed(&self, _departure: &Departure) {}

    /// Gives the peer its last words, if there are any, and hangs up. Nobody waits for it.
    fn hang_up(self, last_words: Vec<u8>);
}

/// A line with something to be done. To be told again for as long as it is so: nothing is forgotten
/// between two rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// Whose line it is.
    pub id: ClientId,
    /// There are bytes to read, or the end.
    pub to_read: bool,
    /// It takes bytes again.
    pub to_write: bool,
}
