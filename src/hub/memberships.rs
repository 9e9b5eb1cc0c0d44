//! The rooms that one client is in, and how far it has read in each.

use super::client::RoomId;
use std::ops::{Index, IndexMut};

/// That a client is in a room, and how far it has read there: the cursor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Membership {
    /// Nothing in a vacant place.
    pub(super) room: Option<RoomId>,
    /// How many bytes of the next message are on the wire: more than 0 is inside a frame.
    pub(super) offset: u32,
    /// The message that is sent next, perhaps half sent already. May have fallen behind the log's
    /// tail, which is a gap.
    pub(super) next: u64,
}

impl Membership {
    const VACANT: Self = Self { room: None, offset: 0, next: 0 };

    /// The log and message that it is in the middle of.
    pub(super) fn inside(&self) -> Option<(RoomId, u64)> {
        self.room.filter(|_| self.offset > 0).map(|room| (room, self.next))
    }
}

/// Memberships by place. The lobby's place is the first; it is vacant for a quiet client. Most clients of
/// most boards are in one more room at most: places for others are made when there is need of them.
#[derive(Debug)]
pub(super) struct Memberships {
    first: [Membership; 2],
    others: Option<Box<[Membership]>>,
}

impl Memberships {
    pub(super) const fn new(quiet: bool) -> Self {
        let room = if quiet { None } else { Some(RoomId::LOBBY) };
        Self { first: [Membership { room, ..Membership::VACANT }, Membership::VACANT], others: None }
    }

    /// Bytes on the heap once a client has been in two rooms.
    pub(super) const fn bytes(rooms_per_client: usize) -> usize {
        rooms_per_client.saturating_sub(1) * size_of::<Membership>()
    }

    /// How many places there are.
    pub(super) fn places(&self) -> usize {
        self.first.len() + self.others().len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Membership> {
        self.first.iter().chain(self.others())
    }

    /// The place of a room.
    pub(super) fn place_of(&self, room: RoomId) -> Option<usize> {
        self.iter().position(|membership| membership.room == Some(room))
    }

    /// The place next in turn after `last` for whose room and cursor `waits` holds; `last` comes last.
    pub(super) fn next_after(&self, last: usize, waits: impl Fn(RoomId, u64) -> bool) -> Option<usize> {
        let waits_at = |place: &usize| self[*place].room.is_some_and(|room| waits(room, self[*place].next));
        if self.others.is_none() {
            // For most, and they are many.
            return [1 - last.min(1), last.min(1)].into_iter().find(waits_at);
        }
        (last + 1..self.places()).chain(0..=last).find(waits_at)
    }

    /// A place for one more room, of at most so many.
    pub(super) fn vacancy(&mut self, rooms_per_client: usize) -> Option<usize> {
        if self.first[1].room.is_none() {
            return Some(1).filter(|_| rooms_per_client >= 1);
        }
        let others = rooms_per_client.saturating_sub(1);
        let others = self.others.get_or_insert_with(|| vec![Membership::VACANT; others].into());
        others.iter().position(|membership| membership.room.is_none()).map(|place| place + self.first.len())
    }

    fn others(&self) -> &[Membership] {
        self.others.as_deref().unwrap_or_default()
    }
}

impl Index<usize> for Memberships {
    type Output = Membership;

    fn index(&self, place: usize) -> &Membership {
        let first = self.first.len();
        if place < first { &self.first[place] } else { &self.others()[place - first] }
    }
}

impl IndexMut<usize> for Memberships {
    fn index_mut(&mut self, place: usize) -> &mut Membership {
        let first = self.first.len();
        if place < first {
            &mut self.first[place]
        } else {
            &mut self.others.as_deref_mut().unwrap_or_default()[place - first]
        }
    }
}
