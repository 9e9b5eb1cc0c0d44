//! One room: its name, its log, and who is in it. The lobby is a room without a name.

use super::{capacities::Capacities, due::Unsent, memberships::Membership};
use crate::{
    protocol::name::RoomName,
    table::{BitSet, Log},
};

/// In this order: a write needs the first line of the processor's cache, a message the second as well.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Room {
    pub(super) log: Log,
    /// Members that have a part of one of its frames on the wire.
    pub(super) members_inside: usize,
    /// No such part is of an older message than this.
    pub(super) oldest_inside: u64,
    pub(super) unsent: Unsent,
    /// Slots of its members.
    pub(super) members: BitSet,
    pub(super) member_count: usize,
    /// Empty for the lobby.
    pub(super) name: RoomName,
    /// Numbers this life of this log among all lives of all rooms; its epoch is made of it.
    pub(super) life: u64,
    /// When it became empty: the emptied room with the least of these goes first.
    pub(super) emptied: u64,
}

impl Room {
    /// A place for rooms, its memory reserved.
    pub(super) fn new(capacities: &Capacities) -> Self {
        Self {
            log: Log::new(capacities.log_bytes, capacities.log_messages),
            members_inside: 0,
            oldest_inside: 0,
            unsent: Unsent::default(),
            members: BitSet::new(capacities.clients),
            member_count: 0,
            name: RoomName::new(),
            life: 0,
            emptied: 0,
        }
    }

    /// Begins a new life in this place.
    pub(super) fn begin(&mut self, name: &str, life: u64) {
        debug_assert!(self.member_count == 0 && self.members.is_empty());
        self.name.clear();
        let pushed = self.name.push_str(name);
        debug_assert!(pushed.is_ok(), "names are read no longer than this");
        self.life = life;
        self.unsent = Unsent::default();
        self.log.clear();
    }

    /// Takes note that so many bytes of the log, from a member's cursor on, are on the wire: how many
    /// messages it has wholly by now that it had not.
    pub(super) fn advance(&mut self, cursor: &mut Membership, taken: usize) -> u64 {
        let before = *cursor;
        let (next, offset) = self.log.advance(before.next, before.offset as usize, taken);
        if before.offset > 0 {
            self.members_inside -= 1;
        }
        if offset > 0 {
            self.enter_frame(next);
        }
        cursor.next = next;
        // An offset is within one message, and logs are below 4 GiB.
        cursor.offset = u32::try_from(offset).unwrap_or(u32::MAX);
        next - before.next
    }

    /// A member has a part of a message on the wire from now on.
    fn enter_frame(&mut self, seq: u64) {
        self.oldest_inside = if self.members_inside == 0 { seq } else { self.oldest_inside.min(seq) };
        self.members_inside += 1;
    }

    pub(super) fn add(&mut self, client: usize) {
        self.members.insert(client);
        self.member_count += 1;
        self.unsent.member_came();
    }

    pub(super) fn remove(&mut self, client: usize) {
        self.members.remove(client);
        self.member_count -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_needs_is_in_two_lines_of_the_cache() {
        assert!(std::mem::offset_of!(Room, members) <= 128);
    }
}
