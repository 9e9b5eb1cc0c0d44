//! The hub with its sockets: what the hub says is due is written, whom it lets go is told.
//!
//! This is the whole way from the logs to the sockets, and the only one. After each round of reading
//! everyone who is due is written to, straight from the logs; a socket that takes no more is left
//! until the kernel says that it does. Nobody waits for anybody else.

use super::{
    line::Line,
    poller::{Poller, Ready},
};
use crate::{
    hub::{ClientId, Ending, Hub, Now},
    protocol::{InboundBudget, frame::CloseCode},
};
use std::{io, mem};

/// The hub, and a line to each of its clients.
#[derive(Debug)]
pub(super) struct Switchboard {
    pub(super) hub: Hub,
    /// Half-received messages of all clients together.
    pub(super) inbound: InboundBudget,
    /// What every line is read into, one after the other.
    pub(super) buffer: Box<[u8]>,
    /// By slot; there is a line where there is a client.
    lines: Vec<Option<Line>>,
    poller: Poller,
    /// Whose bytes are being read or written: the one to blame for a panic.
    served: Option<ClientId>,
}

/// One read takes at most this much; what it brings goes out to each member in one write.
const READ_BYTES: usize = 64 << 10;

impl Switchboard {
    pub(super) fn new(hub: Hub, inbound_bytes: usize, poller: Poller) -> Self {
        let mut lines = Vec::new();
        lines.resize_with(hub.capacities().clients, || None);
        let inbound = InboundBudget::new(inbound_bytes);
        Self { hub, inbound, buffer: new_buffer(), lines, poller, served: None }
    }

    /// Connects a client's line. Whoever had the slot before must have been told.
    pub(super) fn open_line(&mut self, line: Line, now: Now) {
        let (id, watched) = (line.id, line.watch(&self.poller));
        let place = &mut self.lines[id.index()];
        debug_assert!(place.is_none());
        *place = Some(line);
        if let Err(error) = watched {
            tracing::warn!("a socket cannot be watched: {error}; see fs.epoll.max_user_watches");
            self.hub.end(id, Ending::By(CloseCode::TryAgainLater, "Out of resources; try again later."), now);
        }
    }

    /// The line of a client that is connected.
    pub(super) fn line(&mut self, id: ClientId) -> Option<&mut Line> {
        self.lines.get_mut(id.index())?.as_mut().filter(|line| line.id == id)
    }

    /// Serves one client whose socket is ready. What is due is written when all have been served.
    pub(super) fn serve(&mut self, ready: Ready, now: Now) {
        self.served = Some(ready.id);
        if ready.to_write {
            self.unblock(ready.id, now);
        }
        if ready.to_read {
            self.read(ready.id, now);
        }
        self.served = None;
    }

    /// Carries out everything that is due: writes, and tells those that are gone.
    pub(super) fn settle(&mut self, now: Now) {
        loop {
            self.dismiss_departed();
            let Some(id) = self.hub.next_due() else { break };
            let served = self.served.replace(id);
            self.flush(id, now);
            self.served = served;
        }
    }

    /// Writes to one client until nothing waits for it or its socket takes no more.
    pub(super) fn flush(&mut self, id: ClientId, now: Now) {
        let Some(line) = self.lines[id.index()].as_mut().filter(|line| line.id == id) else { return };
        while let Some(bytes) = self.hub.pending(id, now) {
            match line.write(bytes) {
                Ok(taken) => self.hub.sent(id, taken),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.hub.block(id, now);
                    if line.watch_room(&self.poller, true).is_err() {
                        self.hub.end(id, Ending::Lost, now);
                    }
                }
                Err(_) => self.hub.end(id, Ending::Lost, now),
            }
        }
    }

    /// Hands its last words to each line whose client is gone.
    pub(super) fn dismiss_departed(&mut self) {
        while let Some(departure) = self.hub.next_departure() {
            let line = self.lines[departure.id.index()].take_if(|line| line.id == departure.id);
            if let Some(mut line) = line {
                line.reader.release(&mut self.inbound);
                tracing::debug!(address = %line.address(), "disconnected");
                line.hang_up(&self.poller, departure.last_words);
            }
        }
    }

    /// After a panic, if the hub is in order: ends the client that was being served, and makes anew
    /// what the panic carried off.
    pub(super) fn recover(&mut self, now: Now) {
        if self.buffer.is_empty() {
            self.buffer = new_buffer();
        }
        self.inbound.recount(self.lines.iter().flatten().map(|line| line.reader.held()));
        if let Some(id) = mem::take(&mut self.served) {
            self.hub.end(id, Ending::By(CloseCode::Internal, "The server failed; try again."), now);
            self.settle(now);
        }
    }

    fn unblock(&mut self, id: ClientId, now: Now) {
        let Some(line) = self.lines[id.index()].as_mut().filter(|line| line.id == id) else { return };
        match line.watch_room(&self.poller, false) {
            Ok(()) => self.hub.unblock(id),
            Err(_) => self.hub.end(id, Ending::Lost, now),
        }
    }
}

fn new_buffer() -> Box<[u8]> {
    vec![0; READ_BYTES].into()
}
