//! The way into a log: encode once, make room, append, mark who is due.

use super::{
    ClientId, Hub, Now,
    client::{Client, RoomId},
    counters::Counter,
};
use crate::{
    protocol::{
        encode::{Body, Content, ServerMessage},
        name::SYSTEM,
    },
    table::Full,
};
use serde_json::value::RawValue;
use std::fmt::{self, Write as _};

/// The id of a client on the wire: a part of the process's epoch, and its serial number.
pub(super) type WireId = heapless::String<33>;

impl Hub {
    /// Writes a client's text into a log. `Full` if it is more than a quarter of the log once encoded.
    pub(super) fn publish_chat(
        &mut self,
        room: RoomId,
        author: ClientId,
        content: &RawValue,
        now: Now,
    ) -> Result<u64, Full> {
        let Some(client) = self.clients.get(author) else { return Err(Full) };
        let client_id = self.wire_id(client.serial);
        let (sender, seq) = (client.name.clone(), self.room(room).log.next());
        let body = Body::Chat { seq, client_id: &client_id };
        let (seq, len) = self.publish(room, Content::Json(content), &sender, body, now)?;
        self.due.message(&self.rooms[room.index()].members, len);
        Ok(seq)
    }

    /// Writes a line of the server's own into a log.
    pub(super) fn publish_line(&mut self, room: RoomId, line: fmt::Arguments<'_>, now: Now) {
        let body = Body::System { seq: self.room(room).log.next() };
        let published = self.publish(room, Content::Text(line), SYSTEM, body, now);
        debug_assert!(published.is_ok(), "a line is an envelope and a name, which every log takes");
        if let Ok((_, len)) = published {
            let room = &self.rooms[room.index()];
            self.due.line(&room.members, room.member_count, len, now);
        }
    }

    /// Encodes a message and appends it to a log: its sequence number, and how many bytes it has there.
    fn publish(
        &mut self,
        id: RoomId,
        content: Content<'_>,
        sender: &str,
        body: Body<'_>,
        now: Now,
    ) -> Result<(u64, usize), Full> {
        let room = &self.rooms[id.index()];
        let message = ServerMessage { content, sender, room: &room.name, timestamp: now.unix_s, body };
        let start = message.write_frame(&mut self.scratch);
        let len = self.scratch.len() - start;
        if len > self.capacities.entry_bytes() {
            return Err(Full);
        }
        self.set_aside(id, len)?;
        let room = &mut self.rooms[id.index()];
        let seq = room.log.push(&self.scratch[start..])?;
        self.counters.add(Counter::Published, 1);
        self.counters.add(Counter::Owed, room.member_count as u64);
        Ok((seq, len))
    }

    /// Takes the rest of those frames out of a log that are half on the wire and about to be
    /// overwritten, so that their clients can be given whole frames.
    fn set_aside(&mut self, id: RoomId, len: usize) -> Result<(), Full> {
        let room = &self.rooms[id.index()];
        let tail = room.log.tail_after(len)?;
        if room.members_inside == 0 || tail <= room.oldest_inside {
            return Ok(());
        }
        let (mut from, mut oldest) = (0, u64::MAX);
        while let Some(index) = self.rooms[id.index()].members.next_from(from) {
            from = index + 1;
            match self.clients.at(index).and_then(Client::inside) {
                Some((room, seq)) if room == id && seq < tail => self.take_rest(index),
                Some((room, seq)) if room == id => oldest = oldest.min(seq),
                _ => {}
            }
        }
        self.rooms[id.index()].oldest_inside = oldest;
        Ok(())
    }

    /// Moves the rest of the frame that a client is inside of from its log to its outbox.
    pub(super) fn take_rest(&mut self, index: usize) {
        let Some(client) = self.clients.at_mut(index) else { return };
        let Some((id, seq)) = client.inside() else { return };
        let room = &mut self.rooms[id.index()];
        let current = client.current_mut();
        let rest = room.log.rest(seq, std::mem::take(&mut current.offset) as usize);
        current.next += 1;
        let dropped = client.outbox(&mut self.spare_outbox).push_rest(rest, &self.capacities);
        room.members_inside -= 1;
        self.counters.add(Counter::Delivered, 1);
        self.counters.add(Counter::AnswersDropped, dropped.into());
    }

    pub(super) fn wire_id(&self, serial: u64) -> WireId {
        let epoch = self.identity.epoch.as_str();
        let mut id = WireId::new();
        // 4 of the epoch, a hyphen and at most 20 digits always fit.
        let _ = write!(id, "{}-{serial}", epoch.get(..4).unwrap_or(epoch));
        id
    }
}
