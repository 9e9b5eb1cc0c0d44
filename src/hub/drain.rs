//! The way from the logs to a socket.
//!
//! A client's bytes come from one source at a time: its outbox, or the log of one of its rooms. In
//! the middle of a frame the source stays what it is; else the outbox goes first, then what was
//! dropped from it, then the count of clients if it is not the one that the client has, and then the
//! rooms in turn. A gap is declared when a cursor that fell behind comes to its turn, and goes out
//! before the first message that is left: in the very place of the hole.

use super::{
    ClientId, Hub, Now,
    client::{Client, RoomId},
    counters::Counter,
    room::Room,
};
use crate::{
    protocol::{
        encode::{Body, GapReason, ServerMessage},
        message::ErrorCode,
    },
    table::Log,
};

/// An empty outbox of this size or less is kept for the next client that needs one.
const SPARE_OUTBOX_BYTES: usize = 4_096;

impl Hub {
    /// The bytes that are next for a client's socket, in two pieces; nothing if nothing waits or
    /// the socket is blocked. Write as much of them as it takes, then call [`Hub::sent`].
    pub fn pending(&mut self, id: ClientId, now: Now) -> Option<[&[u8]; 2]> {
        if self.due.is_blocked(id.index()) {
            return None;
        }
        let mut client = self.clients.get_mut(id)?;
        if client.current().offset > 0 {
            let cursor = client.current();
            let bytes = if client.has_answers() { Log::rest } else { Log::from };
            return Some(bytes(&self.rooms[cursor.room?.index()].log, cursor.next, cursor.offset as usize));
        }
        if client.may_be_told(self.count.announced) {
            if self.is_told(id, now) {
                return self.bytes_of_outbox(id);
            }
            client = self.clients.get_mut(id)?;
        }
        let Some(place) = next_place(client, &self.rooms) else {
            client.rest();
            self.due.is_served(id.index());
            return None;
        };
        // Places are at most 256: the ceiling of rooms per client is 255, and the lobby.
        client.reading = u8::try_from(place).unwrap_or(u8::MAX);
        let (room, next) = (client.current().room?.index(), client.current().next);
        if next < self.rooms[room].log.tail() {
            self.declare_slow(id, now);
            return self.bytes_of_outbox(id);
        }
        Some(self.rooms[room].log.from(next, 0))
    }

    /// Takes note that the socket took the first `taken` bytes (at least one) of what was pending. Whether
    /// more may be: if not, [`Hub::pending`] has nothing.
    pub fn sent(&mut self, id: ClientId, taken: usize, now: Now) -> bool {
        let Some(client) = self.clients.get_mut(id) else { return false };
        if client.is_stalled {
            // Only its peer can have made room.
            (client.is_stalled, client.last_heard_ms) = (false, now.ms);
        }
        self.counters.add(Counter::BytesSent, taken as u64);
        self.counters.add(Counter::Writes, 1);
        let is_inside_log = client.current().offset > 0;
        if let Some(outbox) = client.outbox.as_mut().filter(|outbox| !is_inside_log && !outbox.is_empty()) {
            outbox.advance(taken);
            if outbox.is_empty() && !outbox.has_dropped() {
                self.recycle(id);
            }
            return true;
        }
        let cursor = client.current_mut();
        let Some(room) = cursor.room.map(RoomId::index) else { return true };
        self.counters.add(Counter::Delivered, self.rooms[room].advance(cursor, taken));
        if cursor.offset > 0 || client.may_be_told(self.count.announced) {
            return true;
        }
        let more_waits = next_place(client, &self.rooms).is_some();
        if !more_waits {
            client.rest();
            self.due.is_served(id.index());
        }
        more_waits
    }

    /// Takes note that the socket takes nothing more for now.
    pub fn block(&mut self, id: ClientId, now: Now) {
        let Some(client) = self.clients.get_mut(id) else { return };
        if !client.is_stalled {
            (client.is_stalled, client.is_tried, client.stalled_at_ms) = (true, false, now.ms);
        }
        if self.due.block(id.index()) {
            self.counters.add(Counter::Blocked, 1);
        }
    }

    /// Whether the socket took nothing more when it was last tried.
    pub fn is_blocked(&self, id: ClientId) -> bool {
        self.clients.get(id).is_some() && self.due.is_blocked(id.index())
    }

    /// Whether the answers to a message of so many bytes may find no room in a client's outbox.
    pub fn is_crowded(&self, id: ClientId, bytes: usize) -> bool {
        let outbox = self.clients.get(id).and_then(|client| client.outbox.as_ref());
        outbox.is_some_and(|outbox| outbox.is_crowded(bytes, &self.capacities))
    }

    /// How many clients something waits for, blocked or not.
    pub fn waiting(&self) -> usize {
        let is_waiting = |client: &&Client| {
            client.has_answers()
                || client.memberships.iter().any(|membership| {
                    membership.room.is_some_and(|room| membership.next < self.rooms[room.index()].log.next())
                })
        };
        self.clients.keys().filter_map(|id| self.clients.get(id)).filter(is_waiting).count()
    }

    /// Takes note that the socket may take something again.
    pub fn unblock(&mut self, id: ClientId) {
        if self.clients.get(id).is_some() {
            self.due.unblock(id.index());
        }
    }

    /// Whether answers wait for a client that is not inside a log, among them what it has to be told now.
    fn is_told(&mut self, id: ClientId, now: Now) -> bool {
        self.clients.get(id).is_some_and(Client::has_answers)
            || self.tell_dropped(id, now)
            || self.tell_count(id, now)
    }

    /// Tells a client what it has missed of the log that it reads, and lets it go on behind that.
    fn declare_slow(&mut self, id: ClientId, now: Now) {
        let Some(client) = self.clients.get_mut(id) else { return };
        let cursor = client.current_mut();
        let Some(room) = cursor.room else { return };
        let (from, tail) = (cursor.next, self.rooms[room.index()].log.tail());
        cursor.next = tail;
        client.missed_untold += tail - from;
        self.counters.add(Counter::Missed, tail - from);
        self.declare_gap(id, room, from, tail - 1, GapReason::Slow, now);
    }

    fn bytes_of_outbox(&self, id: ClientId) -> Option<[&[u8]; 2]> {
        Some(self.clients.get(id)?.outbox.as_ref()?.slices())
    }

    /// Tells a client that answers for it were dropped.
    fn tell_dropped(&mut self, id: ClientId, now: Now) -> bool {
        let dropped =
            self.clients.get_mut(id).and_then(|client| client.outbox.as_mut()).map(|o| o.take_dropped());
        let Some(dropped) = dropped.filter(|&dropped| dropped > 0) else { return false };
        let content =
            format_args!("{dropped} answers for you were dropped; read faster, or ask for less at once.");
        let body = Body::Error { code: ErrorCode::TooSlow, id: None };
        self.answer(id, &ServerMessage::system(content, now.unix_s, body));
        true
    }

    /// Tells a client how many there are, if it has not heard the newest number.
    fn tell_count(&mut self, id: ClientId, now: Now) -> bool {
        let (announced, count) = (self.count.announced, self.clients.len());
        let Some(client) = self.clients.get_mut(id) else { return false };
        if client.quiet || client.count_seen == announced {
            return false;
        }
        client.count_seen = announced;
        self.answer(id, &ServerMessage::system(format_args!("{count}"), now.unix_s, Body::ClientCount));
        true
    }

    /// Takes an empty outbox away; a small one is kept for whoever needs one next, a large one leaves that
    /// which is kept.
    fn recycle(&mut self, id: ClientId) {
        let outbox = self.clients.get_mut(id).and_then(|client| client.outbox.take());
        let small = outbox.filter(|outbox| outbox.reserved() <= SPARE_OUTBOX_BYTES);
        self.spare_outbox = small.or_else(|| self.spare_outbox.take());
    }
}

/// The place of the next room in turn that has something for a client.
fn next_place(client: &Client, rooms: &[Room]) -> Option<usize> {
    let waits = |room: RoomId, next: u64| next < rooms[room.index()].log.next();
    client.memberships.next_after(usize::from(client.reading), waits)
}
