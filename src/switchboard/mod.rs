//! The hub with a line to each of its clients: what comes in is carried out, what the hub says is due
//! is written, whom it lets go is told.
//!
//! This is the whole way from bytes to bytes, and the only one. It knows no socket, no clock and no
//! runtime: a line is whatever can be read and written without waiting, who is ready is told, and so
//! is the time. After each round of reading those who are due are written to in turn, straight from the
//! logs; a line that takes no more is left until it is told that it does. Nobody waits for anybody else.

mod line;
mod query;
mod receive;
mod settle;
#[cfg(test)]
mod tests;

pub use line::{Line, Ready};
pub use query::Query;
pub use settle::RoundLimits;

use crate::{
    hub::{ClientId, Ending, Hello, Hub, JOINED_LIST_BYTES_MAX, Laggard, Now, Promise, Token},
    protocol::{
        InboundBudget, Reader,
        frame::{self, CloseCode},
        message::Replay,
    },
    table::Full,
};
use std::{io, mem, ops::Range};

/// One read takes at most this much.
const READ_BYTES: usize = 64 << 10;

/// The hub, and a line to each of its clients.
#[derive(Debug)]
pub struct Switchboard<L> {
    hub: Hub,
    /// Half-received messages of all clients together.
    inbound: InboundBudget,
    /// What every line is read into, one after the other.
    buffer: Box<[u8]>,
    /// By slot; there is one where there is a client. Grows to the greatest number of clients there ever were
    /// at once, within its reserved capacity.
    ports: Vec<Option<Port<L>>>,
    /// By slot as well, and apart: most of the time the ports are written to.
    readers: Vec<Reader>,
    round_limits: RoundLimits,
    /// Everyone has had a turn since the round began.
    has_settled: bool,
    /// Slots of which those that are due have been looked at, but for the last of them.
    looked_at: Range<usize>,
    /// Those whose lines have broken: everyone will be told, but not before everyone has had a turn.
    lost: Vec<ClientId>,
    /// Whose bytes are being carried out, and to whom is being written: those whom a panic takes along.
    reading: Option<ClientId>,
    writing: Option<ClientId>,
}

/// The near end of one client's line, in this order: what a write needs is close together.
#[derive(Debug)]
#[repr(C)]
struct Port<L> {
    /// Whose it is; what is told late must not reach its slot's next tenant.
    id: ClientId,
    is_watched_for_room: bool,
    line: L,
}

impl<L: Line> Switchboard<L> {
    /// A switchboard without clients. Half-received messages take at most `inbound_bytes`.
    pub fn new(hub: Hub, inbound_bytes: usize) -> Self {
        let clients = hub.capacities().clients;
        let (ports, readers) = (Vec::with_capacity(clients), Vec::with_capacity(clients));
        let inbound = InboundBudget::new(inbound_bytes);
        let round_limits = RoundLimits::default();
        Self {
            hub,
            inbound,
            buffer: new_buffer(),
            ports,
            readers,
            round_limits,
            has_settled: false,
            looked_at: 0..0,
            lost: Vec::new(),
            reading: None,
            writing: None,
        }
    }

    /// The same with other limits to a round; both at least 1.
    #[must_use]
    pub fn with_round_limits(mut self, limits: RoundLimits) -> Self {
        assert!(limits.clients >= 1 && limits.bytes >= 1, "a round that does nothing has no end");
        self.round_limits = limits;
        self
    }

    /// The hub, to look at.
    pub const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Bytes that half-received messages take.
    pub const fn inbound_bytes(&self) -> usize {
        self.inbound.used()
    }

    /// Promises a place to a handshake, to be taken by [`Self::connect`] or given back by
    /// [`Self::give_back`]; see [`Hub::reserve`].
    pub fn reserve(&mut self, resume: Option<Token>) -> Result<Promise, Full> {
        self.hub.reserve(resume)
    }

    /// Gives a promised place back.
    pub fn give_back(&mut self, promise: Promise) {
        self.hub.give_back(promise);
    }

    /// Connects a client on the place that was promised to it, gives it what its query asks for, and
    /// carries out what had been read behind its request. If there is no place after all, it is told so.
    ///
    /// `token` is 16 fresh random bytes.
    pub fn connect(
        &mut self,
        promise: Promise,
        query: &Query,
        token: Token,
        line: L,
        read_ahead: &mut [u8],
        now: Now,
    ) -> Result<ClientId, Full> {
        let replay = Replay::of(query.since.clone(), query.history);
        let Query { username, quiet, resume, .. } = query;
        let hello = Hello { username, quiet: *quiet, resume: *resume, token, replay };
        let connected = self.hub.connect(promise, &hello, now);
        // Whose place it took must know before the line is opened: it may have been in this very slot.
        self.dismiss_departed();
        let Ok(id) = connected else {
            self.settle(now);
            let reason = "All places are taken; try again later.";
            line.hang_up(frame::close_frame(CloseCode::TryAgainLater, reason).to_vec());
            return Err(Full);
        };
        self.reading = Some(id);
        self.open(id, line, now);
        // Others hear that somebody came before they hear where.
        self.settle(now);
        // An outbox holds fewer answers than a query may ask for.
        for room in query.rooms() {
            self.make_room(id, JOINED_LIST_BYTES_MAX, now);
            self.hub.join_room(id, &room, now);
            self.settle_if_urgent(now);
        }
        if let Some(advice) = query.advice() {
            self.make_room(id, 0, now);
            self.hub.refuse_query(id, advice, now);
        }
        if !read_ahead.is_empty() {
            self.receive(id, read_ahead, now);
        }
        self.reading = None;
        self.settle(now);
        Ok(id)
    }

    /// Serves those whose lines are ready, then writes to those who are due, up to the limits of a round.
    /// Whether others still are: their turn is in the next round, which must come at once.
    ///
    /// If everyone has had a turn while they were served, what has come since waits for the next round: there
    /// may be more to read by then, which goes out with it.
    #[must_use]
    pub fn round(&mut self, ready: &[Ready], now: Now) -> bool {
        self.has_settled = false;
        for &ready in ready {
            self.serve(ready, now);
            self.settle_if_urgent(now);
        }
        (self.has_settled && self.hub.is_any_due()) || self.settle_within(self.round_limits, now)
    }

    /// Time has passed; see [`Hub::tick`].
    pub fn tick(&mut self, now: Now) {
        while self.hub.tick(now) {
            self.settle(now);
        }
        self.settle(now);
    }

    /// The connected clients that were too slow, each with its line; see [`Hub::take_laggards`].
    pub fn take_laggards(&mut self, now: Now) -> impl Iterator<Item = (&L, Laggard)> {
        let laggards = self.hub.take_laggards(now).into_iter();
        laggards.filter_map(|laggard| Some((&self.ports.get(laggard.id.index())?.as_ref()?.line, laggard)))
    }

    /// Tells everyone that the server is about to restart.
    pub fn announce_restart(&mut self, now: Now) {
        self.hub.announce_restart(now);
        self.settle(now);
    }

    /// Ends every client.
    pub fn end_all(&mut self, code: CloseCode, reason: &'static str, now: Now) {
        self.hub.end_all(code, reason, now);
        self.settle(now);
    }

    /// After a panic: if the hub is in order all the same, ends those that were being served, and makes
    /// anew what the panic carried off. If not, says what does not hold.
    ///
    /// These are at most two: whoever was being written to, and whoever caused it, if the rest of what
    /// that client said is lost.
    pub fn recover(&mut self, now: Now) -> Result<(), &'static str> {
        self.hub.audit()?;
        if self.buffer.is_empty() {
            self.buffer = new_buffer();
        }
        self.inbound.recount(self.readers.iter().map(Reader::held));
        for id in [self.writing.take(), self.reading.take()].into_iter().flatten() {
            self.hub.end(id, Ending::By(CloseCode::Internal, "The server failed; try again."), now);
        }
        self.settle(now);
        Ok(())
    }

    /// Opens a client's line. Whoever had the slot before must have been told.
    fn open(&mut self, id: ClientId, mut line: L, now: Now) {
        line.arrived(self.hub.name(id).unwrap_or_default());
        let watched = line.watch(id);
        if self.ports.len() <= id.index() {
            self.ports.resize_with(id.index() + 1, || None);
            self.readers.resize_with(id.index() + 1, Reader::new);
        }
        debug_assert!(self.ports[id.index()].is_none());
        self.ports[id.index()] = Some(Port { id, is_watched_for_room: false, line });
        if watched.is_err() {
            self.hub.end(id, Ending::By(CloseCode::TryAgainLater, "Out of resources; try again later."), now);
        }
    }

    /// The port of a client that is connected.
    fn port(&mut self, id: ClientId) -> Option<&mut Port<L>> {
        self.ports.get_mut(id.index())?.as_mut().filter(|port| port.id == id)
    }

    /// Serves one client. What is due is written when all have been served.
    fn serve(&mut self, ready: Ready, now: Now) {
        self.reading = Some(ready.id);
        if ready.to_write {
            self.unblock(ready.id, now);
        }
        if ready.to_read {
            self.read(ready.id, now);
        }
        self.reading = None;
    }

    /// Hands its last words to each line whose client is gone.
    fn dismiss_departed(&mut self) {
        while let Some(departure) = self.hub.next_departure() {
            let port = self.ports.get_mut(departure.id.index());
            let port = port.and_then(|port| port.take_if(|port| port.id == departure.id));
            if let Some(port) = port {
                mem::take(&mut self.readers[departure.id.index()]).release(&mut self.inbound);
                port.line.departed(&departure);
                port.line.hang_up(departure.last_words);
            }
        }
    }

    fn unblock(&mut self, id: ClientId, now: Now) {
        let Some(port) = self.port(id) else { return };
        match port.line.push().and_then(|()| port.watch_room(false)) {
            Ok(()) => self.hub.unblock(id),
            Err(_) => self.hub.end(id, Ending::Lost, now),
        }
    }
}

impl<L: Line> Port<L> {
    /// Has the line watched for room to write as well, or no longer.
    fn watch_room(&mut self, watch: bool) -> io::Result<()> {
        if self.is_watched_for_room != watch {
            self.line.watch_room(self.id, watch)?;
            self.is_watched_for_room = watch;
        }
        Ok(())
    }
}

fn new_buffer() -> Box<[u8]> {
    vec![0; READ_BYTES].into()
}
