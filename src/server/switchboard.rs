//! The hub with its sockets: what the hub says is due is written, whom it lets go is told.
//!
//! This is the whole way from the logs to the sockets, and the only one. The task that has read and
//! published writes to everyone who is due before it rests, straight from the logs; a socket that
//! takes no more is left to its own session, which waits for it. Nobody waits for anybody else.

use super::socket::Socket;
use crate::{
    hub::{ClientId, Ending, Hub, Now},
    protocol::InboundBudget,
};
use std::{io, sync::Arc, task::Waker};

/// The hub, and a line to each of its clients.
#[derive(Debug)]
pub(super) struct Switchboard {
    pub(super) hub: Hub,
    /// Half-received messages of all clients together.
    pub(super) inbound: InboundBudget,
    /// What a session reads into, one after the other.
    pub(super) buffer: Box<[u8]>,
    /// By slot; there is a line where there is a client.
    lines: Vec<Option<Line>>,
}

#[derive(Debug)]
struct Line {
    /// Whose line it is; a session that outlives its client must not touch its slot's next tenant.
    id: ClientId,
    socket: Arc<Socket>,
    /// Wakes the session.
    waker: Option<Waker>,
}

/// One read takes at most this much; what it brings goes out to each member in one write.
const READ_BYTES: usize = 64 << 10;

impl Switchboard {
    pub(super) fn new(hub: Hub, inbound_bytes: usize) -> Self {
        let mut lines = Vec::new();
        lines.resize_with(hub.capacities().clients, || None);
        Self { hub, inbound: InboundBudget::new(inbound_bytes), buffer: new_buffer(), lines }
    }

    /// Makes the read buffer anew if a panic carried it off.
    pub(super) fn restore_buffer(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = new_buffer();
        }
    }

    /// Connects a client's line. Whoever had the slot before must have been told.
    pub(super) fn open_line(&mut self, id: ClientId, socket: Arc<Socket>) {
        debug_assert!(self.lines[id.index()].is_none());
        self.lines[id.index()] = Some(Line { id, socket, waker: None });
    }

    /// Notes how to wake a client's session.
    pub(super) fn wake_by(&mut self, id: ClientId, waker: &Waker) {
        if let Some(line) = self.lines[id.index()].as_mut().filter(|line| line.id == id) {
            match &mut line.waker {
                Some(present) => present.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
        }
    }

    /// Carries out everything that is due: writes, and tells those that are gone.
    pub(super) fn settle(&mut self, now: Now) {
        loop {
            self.dismiss_departed();
            let Some(id) = self.hub.next_due() else { break };
            self.flush(id, now);
        }
    }

    /// Writes to one client until nothing waits for it or its socket takes no more.
    pub(super) fn flush(&mut self, id: ClientId, now: Now) {
        let Some(line) = self.lines[id.index()].as_ref().filter(|line| line.id == id) else { return };
        while let Some(bytes) = self.hub.pending(id, now) {
            match line.socket.try_write(bytes) {
                Ok(taken) => self.hub.sent(id, taken),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.hub.block(id, now);
                    if let Some(waker) = &line.waker {
                        waker.wake_by_ref();
                    }
                }
                Err(_) => self.hub.end(id, Ending::Lost, now),
            }
        }
    }

    /// Hands its last words to each session whose client is gone.
    pub(super) fn dismiss_departed(&mut self) {
        while let Some(departure) = self.hub.next_departure() {
            if let Some(line) = self.lines[departure.id.index()].take_if(|line| line.id == departure.id) {
                line.socket.dismiss(departure.last_words);
                if let Some(waker) = line.waker {
                    waker.wake();
                }
            }
        }
    }
}

fn new_buffer() -> Box<[u8]> {
    vec![0; READ_BYTES].into()
}
