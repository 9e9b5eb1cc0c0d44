//! Joining, leaving and listing.

use super::{
    ClientId, Hub, Now,
    client::{Client, RoomId},
    counters::Counter,
    room::Room,
};
use crate::{
    limits::{EPOCH_BYTES_MAX, JOINED_MEMBERS_MAX, NAME_BYTES_MAX},
    protocol::{
        encode::{Body, GapReason, RoomLine, ServerMessage},
        message::{ErrorCode, Refusal, Replay},
    },
};
use std::fmt::Write as _;

pub(super) type Epoch = heapless::String<EPOCH_BYTES_MAX>;

/// Bytes of an answer that are not the list in it.
const ANSWER_BYTES: usize = 512;
/// Bytes of a line of `rooms` beside the name: field names and the longest numbers.
const ROOM_LINE_BYTES: usize = r#"{"room":,"members":65535,"seq":18446744073709551615}"#.len();
/// A name in a list is two quotes and a comma longer than itself, and any byte may be escaped.
const fn listed_bytes(name: &str) -> usize {
    2 * name.len() + 3
}
/// Most bytes of the list in a `joined`.
pub const JOINED_LIST_BYTES_MAX: usize = JOINED_MEMBERS_MAX * (2 * NAME_BYTES_MAX + 3);

impl Hub {
    /// The epoch of a room's present life.
    pub(super) fn epoch(&self, room: RoomId) -> Epoch {
        let mut epoch = Epoch::new();
        // At most 12 of the process, a hyphen and a number that a process lives too short to let overflow.
        let _ = write!(epoch, "{}-{}", self.identity.epoch, self.room(room).life);
        epoch
    }

    /// Puts a client into a room, which is made if need be, and starts the replay.
    pub(super) fn join(
        &mut self,
        id: ClientId,
        name: &str,
        replay: &Replay<'_>,
        now: Now,
    ) -> Result<(), Refusal> {
        let found = self.find_room(name);
        let rooms_per_client = self.capacities.rooms_per_client;
        let Some(client) = self.clients.get_mut(id) else { return Ok(()) };
        if let Some(room) = found.filter(|&room| client.memberships.place_of(room).is_some()) {
            let head = self.room(room).log.head();
            self.answer_joined(id, room, head, now);
            return Ok(());
        }
        let Some(place) = client.memberships.vacancy(rooms_per_client) else {
            return Err((
                ErrorCode::TooManyRooms,
                "Leave one of your rooms first; you are in as many as one client may be.",
            ));
        };
        let member = client.name.clone();
        let room = match found {
            Some(room) => room,
            None => self.make_room(name)?,
        };
        let before = self.room(room).log.next();
        self.publish_line(room, format_args!("{member} joined the room"), now);
        self.room_mut(room).add(id.index());
        if let Some(client) = self.clients.get_mut(id) {
            client.memberships[place].room = Some(room);
        }
        self.answer_joined(id, room, before - 1, now);
        self.start_reading(id, place, room, before, replay, now);
        Ok(())
    }

    /// Sets the cursor of a new member. `before` is the first message that is new to it whatever it
    /// asks for: the line of its own coming, published just now.
    pub(super) fn start_reading(
        &mut self,
        id: ClientId,
        place: usize,
        room: RoomId,
        before: u64,
        replay: &Replay<'_>,
        now: Now,
    ) {
        let (tail, end) = (self.room(room).log.tail(), self.room(room).log.next());
        let (wanted, missing) = match replay {
            Replay::None => (before, None),
            Replay::Last(count) => (before.saturating_sub(*count).max(tail), None),
            Replay::Since(position)
                if position.seq < before && position.epoch == self.epoch(room).as_str() =>
            {
                (position.seq + 1, Some(GapReason::Expired).filter(|_| position.seq + 1 < tail))
            }
            Replay::Since(_) => (1, Some(GapReason::Restart)),
        };
        if let Some(client) = self.clients.get_mut(id) {
            client.memberships[place].next = wanted.max(tail);
        }
        self.counters.add(Counter::Owed, end - wanted.max(tail));
        if let Some(reason) = missing {
            self.declare_gap(id, room, wanted, tail - 1, reason, now);
        }
        self.due.mark(id.index());
    }

    /// Takes a client out of a room. What a blocked socket has not taken by now is declared missing.
    pub(super) fn leave(&mut self, id: ClientId, name: &str, now: Now) -> Result<(), Refusal> {
        let room = self.find_room(name);
        let place = room.and_then(|room| Some((room, self.clients.get(id)?.memberships.place_of(room)?)));
        let Some((room, place)) = place else {
            return Err((ErrorCode::NotInRoom, "Join the room before you leave it."));
        };
        self.finish_reading(id, room, place, now);
        if self.clients.get(id).is_none() {
            return Ok(());
        }
        self.leave_at_once(id, place, now);
        let content = format_args!("You left {name}.");
        self.answer(id, &ServerMessage::system(content, now.unix_s, Body::Left).about(name));
        Ok(())
    }

    /// Declares everything that waits in a log as missing, but for a frame that is half on the wire.
    fn finish_reading(&mut self, id: ClientId, room: RoomId, place: usize, now: Now) {
        if self.clients.get(id).and_then(Client::inside).is_some_and(|inside| inside.0 == room) {
            self.take_rest(id.index());
        }
        let next = self.room(room).log.next();
        let Some(client) = self.clients.get_mut(id) else { return };
        let from = std::mem::replace(&mut client.memberships[place].next, next);
        if from < next {
            client.missed_untold += next - from;
            self.counters.add(Counter::Missed, next - from);
            self.declare_gap(id, room, from, next - 1, GapReason::Slow, now);
        }
    }

    /// Takes a client out of the room at a place of its memberships, and tells those that stay.
    pub(super) fn leave_at_once(&mut self, id: ClientId, place: usize, now: Now) {
        let Some(client) = self.clients.get_mut(id) else { return };
        let membership = &mut client.memberships[place];
        let Some(room_id) = membership.room.take() else { return };
        let (next, offset) = (membership.next, std::mem::take(&mut membership.offset));
        let name = client.name.clone();
        let room = &mut self.rooms[room_id.index()];
        room.members_inside -= usize::from(offset > 0);
        room.remove(id.index());
        self.counters.add(Counter::Discarded, room.log.next() - next);
        if room_id == RoomId::LOBBY {
            return;
        }
        if room.member_count == 0 {
            self.empties += 1;
            room.emptied = self.empties;
        }
        self.publish_line(room_id, format_args!("{name} left the room"), now);
    }

    /// Lists the rooms, as many as an outbox takes.
    pub(super) fn list_rooms(&mut self, id: ClientId, now: Now) {
        let mut left = self.list_bytes();
        let rooms: Vec<_> = self
            .rooms
            .iter()
            .skip(1)
            .map(|room| RoomLine { room: &room.name, members: room.member_count, seq: room.log.head() })
            .take_while(|line| take(&mut left, listed_bytes(line.room) + ROOM_LINE_BYTES))
            .collect();
        let body = Body::Rooms { rooms: &rooms, room_count: self.room_count() };
        let message = ServerMessage::system(format_args!(""), now.unix_s, body);
        let start = message.write_frame(&mut self.scratch);
        self.push_answer(id, start);
    }

    /// Lists the members of a room, as many as an outbox takes; of the lobby, everyone who is here.
    pub(super) fn list_members(&mut self, id: ClientId, name: &str, now: Now) -> Result<(), Refusal> {
        let unknown = (ErrorCode::UnknownRoom, "Ask for a room that `list_rooms` names.");
        let room = match self.find_room(name) {
            _ if name.is_empty() => None,
            Some(room) => Some(&self.rooms[room.index()]),
            None => return Err(unknown),
        };
        let mut left = self.list_bytes();
        let members: Vec<&str> = (0..self.clients.used())
            .filter(|&index| room.is_none_or(|room| room.members.contains(index)))
            .filter_map(|index| self.clients.at(index))
            .map(|client| client.name.as_str())
            .take_while(|name| take(&mut left, listed_bytes(name)))
            .collect();
        let member_count = room.map_or(self.clients.len(), |room| room.member_count);
        let body = Body::Members { members: &members, member_count };
        let message = ServerMessage::system(format_args!(""), now.unix_s, body).about(name);
        let start = message.write_frame(&mut self.scratch);
        self.push_answer(id, start);
        Ok(())
    }

    /// The room of this name, if it exists.
    pub(super) fn find_room(&self, name: &str) -> Option<RoomId> {
        let index = self.room_names.find(self.hash(name), |index| self.rooms[index].name == name)?;
        u16::try_from(index).ok().map(RoomId)
    }

    fn answer_joined(&mut self, id: ClientId, room: RoomId, head: u64, now: Now) {
        let epoch = self.epoch(room);
        let mut left = self.list_bytes();
        let (here, clients) = (&self.rooms[room.index()], &self.clients);
        let members: Vec<&str> = here
            .members
            .iter()
            .filter_map(|index| clients.at(index))
            .map(|client| client.name.as_str())
            .take_while(|name| take(&mut left, listed_bytes(name)))
            .take(JOINED_MEMBERS_MAX)
            .collect();
        let body =
            Body::Joined { epoch: &epoch, seq: head, members: &members, member_count: here.member_count };
        let content = format_args!("You joined {}.", here.name);
        let message = ServerMessage::system(content, now.unix_s, body).about(&here.name);
        let start = message.write_frame(&mut self.scratch);
        self.push_answer(id, start);
    }

    /// A new room, if need be in the place of the one that has been empty for longest.
    fn make_room(&mut self, name: &str) -> Result<RoomId, Refusal> {
        let index = if self.rooms.len() <= self.capacities.rooms {
            self.rooms.push(Room::new(&self.capacities));
            self.rooms.len() - 1
        } else {
            self.drop_emptied().ok_or((
                ErrorCode::RoomsFull,
                "Use a room that exists: there are as many as this server holds, and none is empty.",
            ))?
        };
        self.room_names.insert(self.hash(name), index);
        self.lives += 1;
        self.rooms[index].begin(name, self.lives);
        self.counters.add(Counter::RoomsMade, 1);
        // The table holds fewer rooms than 16 bits can name.
        Ok(RoomId(u16::try_from(index).unwrap_or(u16::MAX)))
    }

    /// Ends the room that has been empty for longest; its place.
    fn drop_emptied(&mut self) -> Option<usize> {
        let emptied = self.rooms.iter().enumerate().skip(1).filter(|(_, room)| room.member_count == 0);
        let (index, _) = emptied.min_by_key(|(_, room)| room.emptied)?;
        let seed = self.identity.seed;
        self.room_names.remove(index, |index| super::hash(seed, &self.rooms[index].name));
        self.counters.add(Counter::RoomsDropped, 1);
        Some(index)
    }

    fn list_bytes(&self) -> usize {
        self.capacities.outbox_bytes.saturating_sub(ANSWER_BYTES)
    }
}

fn take(left: &mut usize, bytes: usize) -> bool {
    let fits = *left >= bytes;
    *left = left.saturating_sub(bytes);
    fits
}
