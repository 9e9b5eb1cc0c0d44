//! What clients say, carried out; and the answers that they get.

use super::{ClientId, Hub, Now, client::RoomId, connect::Ending, counters::Counter};
use crate::protocol::{
    encode::{Body, GapReason, ServerMessage},
    frame::{self, CloseCode, Opcode},
    message::{ClientMessage, ErrorCode, JsonString, Refusal, Replay, Request},
    name,
};

impl Hub {
    /// Carries out one text message; `text` is what `message` was parsed from. Nothing, if the client was
    /// ended by what it sent before.
    pub fn receive(&mut self, id: ClientId, text: &str, message: &ClientMessage<'_>, now: Now) {
        if self.clients.get(id).is_none() {
            return;
        }
        self.counters.add(Counter::Received, 1);
        let (room, message_id) = (&*message.room, message.id.as_deref());
        if !self.is_within_rate(id, now) {
            return self.refuse_rate(id, room, message_id, now);
        }
        let carried_out = match &message.request {
            Ok(Request::Chat(content)) => self.chat(id, *content, room, message_id, now),
            Ok(Request::JoinRoom(replay)) => self.join(id, room, replay, now),
            Ok(Request::LeaveRoom) => self.leave(id, room, now),
            Ok(Request::ListRooms) => return self.list_rooms(id, now),
            Ok(Request::ListMembers) => self.list_members(id, room, now),
            Ok(Request::Ping) => return self.pong(id, now),
            Ok(Request::Other) => return self.echo(id, Opcode::Text, text.as_bytes()),
            Err(refusal) => Err(*refusal),
        };
        if let Err(refusal) = carried_out {
            self.refuse(id, refusal, room, message_id, now);
        }
    }

    /// Sends a binary message back as it came.
    pub fn receive_binary(&mut self, id: ClientId, payload: &[u8], now: Now) {
        if self.clients.get(id).is_none() {
            return;
        }
        self.counters.add(Counter::Received, 1);
        if self.is_within_rate(id, now) {
            self.echo(id, Opcode::Binary, payload);
        } else {
            self.refuse_rate(id, "", None, now);
        }
    }

    /// Answers a ping (RFC 6455, section 5.5.3).
    pub fn receive_ping(&mut self, id: ClientId, payload: &[u8]) {
        self.push_frame(id, &frame::control_frame(Opcode::Pong, payload));
    }

    /// Takes note of a sign of life: any frame from the client, or a part of one.
    pub fn heard(&mut self, id: ClientId, now: Now) {
        if let Some(client) = self.clients.get_mut(id) {
            client.last_heard_ms = now.ms;
        }
    }

    /// Takes note of bytes that came from a socket.
    pub const fn count_received(&mut self, bytes: usize) {
        self.counters.add(Counter::BytesReceived, bytes as u64);
    }

    /// Puts a client into a room by a name as it came, outside of any message.
    pub fn join_room(&mut self, id: ClientId, wanted: &str, now: Now) {
        let Ok(room) = name::room(wanted) else {
            let advice = "Give each `room` a name of 1 to 48 bytes without control or invisible characters.";
            return self.refuse(id, (ErrorCode::BadRoomName, advice), "", None, now);
        };
        if let Err(refusal) = self.join(id, room, &Replay::None, now) {
            self.refuse(id, refusal, room, None, now);
        }
    }

    /// Tells a client that something it asked for while connecting could not be read.
    pub fn refuse_query(&mut self, id: ClientId, advice: &'static str, now: Now) {
        self.refuse(id, (ErrorCode::BadMessage, advice), "", None, now);
    }

    fn chat(
        &mut self,
        id: ClientId,
        content: JsonString<'_>,
        name: &str,
        message_id: Option<&str>,
        now: Now,
    ) -> Result<(), Refusal> {
        let room = self.chat_room(id, name)?;
        let too_large = (ErrorCode::TooLarge, "Send it in smaller parts: it does not fit a log entry.");
        let seq = self.publish_chat(room, id, content, now).map_err(|_| too_large)?;
        if let Some(message_id) = message_id {
            let body = Body::Ack { id: message_id, seq };
            self.answer(id, &ServerMessage::system(format_args!(""), now.unix_s, body).about(name));
        }
        Ok(())
    }

    /// Where a client may write: everyone to the lobby, members to their rooms.
    fn chat_room(&self, id: ClientId, name: &str) -> Result<RoomId, Refusal> {
        if name.is_empty() {
            return Ok(RoomId::LOBBY);
        }
        // Its own are few: they are asked for their names sooner than the table of all rooms is.
        let own = self.clients.get(id).map(|client| client.memberships.iter());
        let is_meant = |room: &RoomId| self.room(*room).name == name;
        own.and_then(|mut own| own.find_map(|membership| membership.room.filter(is_meant)))
            .ok_or((ErrorCode::NotInRoom, "Join the room before you write into it."))
    }

    fn echo(&mut self, id: ClientId, opcode: Opcode, payload: &[u8]) {
        self.counters.add(Counter::Echoed, 1);
        self.scratch.clear();
        self.scratch.extend_from_slice(&frame::header(opcode, payload.len()));
        self.scratch.extend_from_slice(payload);
        self.push_answer(id, 0);
    }

    fn pong(&mut self, id: ClientId, now: Now) {
        self.answer(id, &ServerMessage::system(format_args!(""), now.unix_s, Body::Pong));
    }

    fn is_within_rate(&mut self, id: ClientId, now: Now) -> bool {
        let (per_second, burst) = (self.capacities.messages_per_second, self.capacities.burst);
        let client = self.clients.get_mut(id).filter(|_| per_second > 0);
        client.is_none_or(|client| client.allowance.take(per_second, burst, now.ms))
    }

    /// Answers a message above the rate; whoever sends them at more than twice the rate, and does not stop,
    /// is ended.
    fn refuse_rate(&mut self, id: ClientId, room: &str, message_id: Option<&str>, now: Now) {
        self.counters.add(Counter::RateLimited, 1);
        let (per_second, refusals) = (self.capacities.messages_per_second, self.capacities.refusals());
        let Some(client) = self.clients.get_mut(id) else { return };
        if !client.refusals.take(per_second, refusals, now.ms) {
            let reason = "Keep to the rate: `limits` in `welcome` has it.";
            return self.end(id, Ending::By(CloseCode::Policy, reason), now);
        }
        let advice = "Send fewer messages: `limits` in `welcome` has how many.";
        self.error(id, (ErrorCode::RateLimited, advice), room, message_id, now);
    }

    fn refuse(&mut self, id: ClientId, refusal: Refusal, room: &str, message_id: Option<&str>, now: Now) {
        self.counters.add(Counter::Refused, 1);
        self.error(id, refusal, room, message_id, now);
    }

    fn error(
        &mut self,
        id: ClientId,
        (code, advice): Refusal,
        room: &str,
        message_id: Option<&str>,
        now: Now,
    ) {
        let body = Body::Error { code, id: message_id };
        self.answer(id, &ServerMessage::system(format_args!("{advice}"), now.unix_s, body).about(room));
    }

    /// Says that messages are missing. A client for which nothing but such notes waits, and which
    /// keeps on doing what makes more of them without reading any, is ended.
    pub(super) fn declare_gap(
        &mut self,
        id: ClientId,
        room: RoomId,
        from: u64,
        to: u64,
        reason: GapReason,
        now: Now,
    ) {
        let missed = to + 1 - from;
        let room = &self.rooms[room.index()];
        let body = Body::Gap { from, to, reason };
        let content = format_args!("{missed} messages are missing.");
        let message = ServerMessage::system(content, now.unix_s, body).about(&room.name);
        let start = message.write_frame(&mut self.scratch);
        self.counters.add(Counter::Gaps, 1);
        let Some(client) = self.clients.get_mut(id) else { return };
        let outbox = client.outbox(&mut self.spare_outbox);
        let Ok(dropped) = outbox.push_fact(&self.scratch[start..], &self.capacities) else {
            let reason = "Read what is sent before you ask for more.";
            return self.end(id, Ending::By(CloseCode::Policy, reason), now);
        };
        self.counters.add(Counter::AnswersDropped, dropped.into());
        self.due.mark(id.index());
    }

    /// Gives a message to one client.
    pub(super) fn answer(&mut self, id: ClientId, message: &ServerMessage<'_>) {
        let start = message.write_frame(&mut self.scratch);
        self.push_answer(id, start);
    }

    /// Gives the frame that stands in the scratch memory from `start` on to one client.
    pub(super) fn push_answer(&mut self, id: ClientId, start: usize) {
        let scratch = std::mem::take(&mut self.scratch);
        self.push_frame(id, &scratch[start..]);
        self.scratch = scratch;
    }

    pub(super) fn push_frame(&mut self, id: ClientId, frame: &[u8]) {
        let Some(client) = self.clients.get_mut(id) else { return };
        let outbox = client.outbox(&mut self.spare_outbox);
        let dropped = outbox.push_answer(frame, &self.capacities);
        self.counters.add(Counter::AnswersDropped, dropped.into());
        self.due.mark(id.index());
    }
}
