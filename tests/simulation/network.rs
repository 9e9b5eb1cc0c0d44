//! A network in memory, with the faults of real ones: delay, loss, partial reads and writes, closed
//! windows, and an end at any byte.

use crate::dice::Dice;
use roomd::{
    hub::ClientId,
    switchboard::{Line, Ready},
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    panic::resume_unwind,
    rc::Rc,
};

/// The payload of a panic that the network throws into the server.
pub(crate) struct Thrown;

/// What may go wrong with a connection without its end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// Reads and writes are cut short, in so many of a thousand cases.
    pub(crate) partial: usize,
    /// They are interrupted by a signal.
    pub(crate) interrupted: usize,
    /// They would block although they need not.
    pub(crate) blocked: usize,
}

/// One connection, both of its ends.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "what may be wrong with it may be so at once")]
pub(crate) struct Link {
    now: Rc<Cell<u64>>,
    dice: Dice,
    pub(crate) faults: Faults,
    /// Milliseconds that the client's bytes take.
    pub(crate) delay_ms: u64,
    under_way: VecDeque<(u64, Vec<u8>)>,
    /// In the server's kernel: what can be read.
    arrived: VecDeque<u8>,
    /// What the server has written and the client has not read; no more than `window` by itself.
    waiting: VecDeque<u8>,
    pub(crate) window: usize,
    /// The connection is reset when so many more bytes have passed, 0 included.
    pub(crate) reset_after_up: Option<usize>,
    pub(crate) reset_after_down: Option<usize>,
    /// Nothing passes any more, and nobody is told.
    pub(crate) is_dark: bool,
    is_reset: bool,
    is_closed_by_client: bool,
    /// The next read or write of the server panics.
    pub(crate) throws: bool,
    pub(crate) cannot_be_watched: bool,

    // What the server has done with it.
    pub(crate) watched_as: Option<ClientId>,
    pub(crate) is_watched_for_room: bool,
    /// When it last read something, or began.
    pub(crate) heard_ms: u64,
    /// Since when it could not write.
    pub(crate) refused_ms: Option<u64>,
    /// Its last words' close code, 0 for none at all, once it has hung up.
    pub(crate) ended: Option<u16>,
}

pub(crate) type Shared = Rc<RefCell<Link>>;

impl Link {
    pub(crate) fn new(now: Rc<Cell<u64>>, dice: Dice, window: usize) -> Shared {
        let heard_ms = now.get();
        Rc::new(RefCell::new(Self {
            now,
            dice,
            faults: Faults::default(),
            delay_ms: 0,
            under_way: VecDeque::new(),
            arrived: VecDeque::new(),
            waiting: VecDeque::new(),
            window,
            reset_after_up: None,
            reset_after_down: None,
            is_dark: false,
            is_reset: false,
            is_closed_by_client: false,
            throws: false,
            cannot_be_watched: false,
            watched_as: None,
            is_watched_for_room: false,
            heard_ms,
            refused_ms: None,
            ended: None,
        }))
    }

    // The client's end.

    pub(crate) fn send(&mut self, bytes: Vec<u8>) {
        if !self.is_dark && !self.is_reset && !self.is_closed_by_client {
            self.under_way.push_back((self.now.get() + self.delay_ms, bytes));
        }
    }

    /// What the client has received, up to `most` bytes.
    pub(crate) fn receive(&mut self, most: usize) -> Vec<u8> {
        if self.is_dark {
            return Vec::new();
        }
        let mut most = most.min(self.waiting.len());
        if let Some(left) = &mut self.reset_after_down {
            most = most.min(*left);
            *left -= most;
            self.is_reset |= *left == 0;
        }
        self.waiting.drain(..most).collect()
    }

    /// Whether nothing more will come.
    pub(crate) fn is_over(&self) -> bool {
        self.is_reset || (self.ended.is_some() && self.waiting.is_empty() && !self.is_dark)
    }

    /// Closes in order: what was sent still arrives.
    pub(crate) const fn close(&mut self) {
        self.is_closed_by_client = true;
    }

    pub(crate) fn reset(&mut self) {
        self.is_reset |= !self.is_dark;
    }

    // The network.

    /// Time has passed: what was under way for long enough arrives.
    pub(crate) fn deliver(&mut self) {
        self.is_reset |= self.reset_after_up == Some(0);
        while let Some((due, _)) = self.under_way.front() {
            if self.is_dark || *due > self.now.get() {
                return;
            }
            let (_, mut bytes) = self.under_way.pop_front().unwrap();
            if let Some(left) = &mut self.reset_after_up {
                bytes.truncate(*left);
                *left -= bytes.len();
                self.is_reset |= *left == 0;
            }
            self.arrived.extend(bytes);
        }
    }

    pub(crate) fn ready(&self) -> Option<Ready> {
        let id = self.watched_as.filter(|_| self.ended.is_none())?;
        let is_end =
            self.is_reset || (self.is_closed_by_client && self.under_way.is_empty() && !self.is_dark);
        let to_read = !self.arrived.is_empty() || is_end;
        let to_write = self.is_watched_for_room && (self.is_reset || self.waiting.len() < self.window);
        (to_read || to_write).then_some(Ready { id, to_read, to_write })
    }

    /// A fault, if there is one now.
    fn fault(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.throws) {
            // Past the hook that would print it.
            resume_unwind(Box::new(Thrown));
        }
        if self.dice.happens(self.faults.interrupted) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.dice.happens(self.faults.blocked) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    }

    fn some_of(&mut self, most: usize) -> usize {
        if self.dice.happens(self.faults.partial) { self.dice.between(1, most) } else { most }
    }
}

/// The server's end.
#[derive(Debug)]
pub(crate) struct Wire(pub(crate) Shared);

impl Line for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut link = self.0.borrow_mut();
        link.fault()?;
        if link.arrived.is_empty() {
            return match () {
                () if link.is_reset => Err(io::ErrorKind::ConnectionReset.into()),
                () if link.is_closed_by_client && link.under_way.is_empty() => Ok(0),
                () => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        let most = buffer.len().min(link.arrived.len());
        let some = link.some_of(most);
        link.heard_ms = link.now.get();
        io::Read::read(&mut link.arrived, &mut buffer[..some])
    }

    fn write(&mut self, pieces: [&[u8]; 2]) -> io::Result<usize> {
        let mut link = self.0.borrow_mut();
        let bytes = pieces.concat();
        assert!(!bytes.is_empty(), "what is written is something");
        assert_eq!(link.ended, None, "nothing is written after the last words");
        if link.is_reset {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = link.window.saturating_sub(link.waiting.len()).min(bytes.len());
        let fault = link.fault();
        if room == 0 || fault.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            let now = link.now.get();
            link.refused_ms.get_or_insert(now);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        fault?;
        let some = link.some_of(room);
        link.waiting.extend(&bytes[..some]);
        if link.refused_ms.take().is_some() {
            // It reads: a sign of life.
            link.heard_ms = link.now.get();
        }
        Ok(some)
    }

    fn watch(&mut self, id: ClientId) -> io::Result<()> {
        let mut link = self.0.borrow_mut();
        if link.cannot_be_watched {
            return Err(io::ErrorKind::StorageFull.into());
        }
        link.watched_as = Some(id);
        Ok(())
    }

    fn watch_room(&mut self, id: ClientId, watch: bool) -> io::Result<()> {
        let mut link = self.0.borrow_mut();
        assert_eq!(link.watched_as, Some(id), "it is watched as whose it is");
        assert_ne!(link.is_watched_for_room, watch, "nobody is asked for what is so already");
        link.is_watched_for_room = watch;
        Ok(())
    }

    fn hang_up(self, last_words: Vec<u8>) {
        let mut link = self.0.borrow_mut();
        assert_eq!(link.ended, None, "a line is hung up once");
        link.ended = Some(close_code(&last_words));
        if !link.is_reset {
            link.waiting.extend(last_words);
        }
    }
}

/// The code of the close frame that last words end with; 1005 if it has none, 0 if there are no words.
fn close_code(words: &[u8]) -> u16 {
    if words.is_empty() {
        return 0;
    }
    let found = (0..=125).find_map(|len: u8| {
        let frame = &words[words.len().checked_sub(2 + usize::from(len))?..];
        (frame[0] == 0x88 && frame[1] == len).then_some(&frame[2..])
    });
    let payload = found.expect("last words end with a close frame");
    payload.first_chunk::<2>().map_or(1005, |code| u16::from_be_bytes(*code))
}
