//! The way into a log: encode once, make room, append, mark who is due.

use super::{
    ClientId, Hub, Now,
    client::{Client, RoomId},
    counters::Counter,
};
use crate::{
    protocol::{
        chat::{ChatMessage, WireId},
        encode::{Body, ServerMessage},
        message::JsonString,
    },
    table::Full,
};
use std::fmt;

impl Hub {
    /// Writes a client's text into a log. `Full` if it is more than a quarter of the log once encoded.
    pub(super) fn publish_chat(
        &mut self,
        id: RoomId,
        author: ClientId,
        content: JsonString<'_>,
        now: Now,
    ) -> Result<u64, Full> {
        let Some(client) = self.clients.get(author) else { return Err(Full) };
        let room = &self.rooms[id.index()];
        let seq = room.log.next();
        let chat = ChatMessage {
            content,
            sender: &client.name,
            room: &room.name,
            timestamp: now.unix_s,
            seq,
            client_id: WireId::new(&self.identity.epoch, client.serial),
        };
        let start = chat.write_frame(&mut self.envelope, &mut self.scratch);
        let len = self.append(id, start)?;
        let room = &mut self.rooms[id.index()];
        self.due.message(&mut room.unsent, &room.members, len);
        Ok(seq)
    }

    /// Writes a line of the server's own into a log.
    pub(super) fn publish_line(&mut self, id: RoomId, line: fmt::Arguments<'_>, now: Now) {
        let room = &self.rooms[id.index()];
        let body = Body::System { seq: room.log.next() };
        let message = ServerMessage::system(line, now.unix_s, body).about(&room.name);
        let start = message.write_frame(&mut self.scratch);
        let appended = self.append(id, start);
        debug_assert!(appended.is_ok(), "a line is an envelope and a name, which every log takes");
        if let Ok(len) = appended {
            let room = &self.rooms[id.index()];
            self.due.line(&room.members, room.member_count, len, now);
        }
    }

    /// Appends the frame that stands in the scratch memory from `start` on to a log: how many bytes it has.
    fn append(&mut self, id: RoomId, start: usize) -> Result<usize, Full> {
        let len = self.scratch.len() - start;
        if len > self.capacities.entry_bytes() {
            return Err(Full);
        }
        self.set_aside(id, len)?;
        let room = &mut self.rooms[id.index()];
        room.log.push(&self.scratch[start..])?;
        self.counters.add(Counter::Published, 1);
        self.counters.add(Counter::Owed, room.member_count as u64);
        Ok(len)
    }

    /// Takes the rest of those frames out of a log that are half on the wire and about to be
    /// overwritten, so that their clients can be given whole frames.
    fn set_aside(&mut self, id: RoomId, len: usize) -> Result<(), Full> {
        let room = &self.rooms[id.index()];
        if room.members_inside == 0 {
            return Ok(());
        }
        let tail = room.log.tail_after(len)?;
        if tail <= room.oldest_inside {
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
}
