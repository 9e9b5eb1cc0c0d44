//! One client as the hub knows it.

use super::{allowance::Allowance, memberships::Memberships, outbox::Outbox, resume::Token};
use crate::protocol::name::DisplayName;

/// A room's place in the table of rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RoomId(pub(super) u16);

impl RoomId {
    /// Everyone who is not quiet is in the lobby; it always exists.
    pub(super) const LOBBY: Self = Self(0);

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug)]
pub(super) struct Client {
    // Fixed when it connects.
    pub(super) name: DisplayName,
    /// Never used again in this life of the process.
    pub(super) serial: u64,
    pub(super) token: Token,
    pub(super) quiet: bool,

    // What it is owed.
    pub(super) memberships: Memberships,
    pub(super) outbox: Option<Box<Outbox>>,
    /// The place in `memberships` whose log the socket was last given bytes of.
    pub(super) reading: u8,
    /// How many bytes of that log's next message are on the wire: more than 0 is inside a frame.
    pub(super) offset: u32,
    /// The announcement of the client count that it has.
    pub(super) count_seen: u32,
    /// Messages declared missing since it was last named as a laggard.
    pub(super) missed_untold: u64,

    // Its time.
    /// When its socket last began to take nothing.
    pub(super) blocked_since_ms: Option<u64>,
    pub(super) last_heard_ms: u64,
    pub(super) ping_due_ms: u64,
    /// Messages that are carried out.
    pub(super) allowance: Allowance,
    /// Messages above those that are answered with an error: whoever goes on is ended.
    pub(super) refusals: Allowance,
}

impl Client {
    /// Its outbox, made of the spare one if there was none.
    pub(super) fn outbox(&mut self, spare: &mut Option<Box<Outbox>>) -> &mut Outbox {
        self.outbox.get_or_insert_with(|| spare.take().unwrap_or_default())
    }

    /// The log and message that it is in the middle of.
    pub(super) fn inside(&self) -> Option<(RoomId, u64)> {
        let membership = &self.memberships[usize::from(self.reading)];
        membership.room.filter(|_| self.offset > 0).map(|room| (room, membership.next))
    }
}
