//! The rooms that one client is in, and how far it has read in each.

use super::client::RoomId;
use std::ops::{Index, IndexMut};

/// That a client is in a room, and how far it has read there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Membership {
    /// Nothing in a vacant place.
    pub(super) room: Option<RoomId>,
    /// The cursor: the message that is sent next, perhaps half sent already. May have fallen behind
    /// the log's tail, which is a gap.
    pub(super) next: u64,
}

impl Membership {
    const VACANT: Self = Self { room: None, next: 0 };
}

/// Memberships by place. The lobby's place is the first; it is vacant for a quiet client. Places for
/// rooms are there from the first room on: most clients of most boards are in the lobby alone.
#[derive(Debug)]
pub(super) struct Memberships {
    lobby: Membership,
    rooms: Option<Box<[Membership]>>,
}

impl Memberships {
    pub(super) const fn new(quiet: bool) -> Self {
        let room = if quiet { None } else { Some(RoomId::LOBBY) };
        Self { lobby: Membership { room, next: 0 }, rooms: None }
    }

    /// Bytes on the heap once a client has been in a room.
    pub(super) const fn bytes(rooms_per_client: usize) -> usize {
        rooms_per_client * size_of::<Membership>()
    }

    /// How many places there are.
    pub(super) fn places(&self) -> usize {
        1 + self.rooms().len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Membership> {
        std::iter::once(&self.lobby).chain(self.rooms())
    }

    /// The place of a room.
    pub(super) fn place_of(&self, room: RoomId) -> Option<usize> {
        self.iter().position(|membership| membership.room == Some(room))
    }

    /// The place next in turn after `last` for whose room and cursor `waits` holds; `last` comes last.
    pub(super) fn next_after(&self, last: usize, waits: impl Fn(RoomId, u64) -> bool) -> Option<usize> {
        let waits_at = |place: &usize| self[*place].room.is_some_and(|room| waits(room, self[*place].next));
        if self.rooms.is_none() {
            return Some(0).filter(waits_at);
        }
        (last + 1..self.places()).chain(0..=last).find(waits_at)
    }

    /// A place for one more room, of at most so many.
    pub(super) fn vacancy(&mut self, rooms_per_client: usize) -> Option<usize> {
        let rooms = self.rooms.get_or_insert_with(|| vec![Membership::VACANT; rooms_per_client].into());
        rooms.iter().position(|membership| membership.room.is_none()).map(|place| place + 1)
    }

    fn rooms(&self) -> &[Membership] {
        self.rooms.as_deref().unwrap_or_default()
    }
}

impl Index<usize> for Memberships {
    type Output = Membership;

    fn index(&self, place: usize) -> &Membership {
        if place == 0 { &self.lobby } else { &self.rooms()[place - 1] }
    }
}

impl IndexMut<usize> for Memberships {
    fn index_mut(&mut self, place: usize) -> &mut Membership {
        if place == 0 {
            return &mut self.lobby;
        }
        &mut self.rooms.as_deref_mut().unwrap_or_default()[place - 1]
    }
}
