//! One client as the hub knows it.

use super::{
    allowance::Allowance,
    memberships::{Membership, Memberships},
    outbox::Outbox,
    resume::Token,
};
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

/// What it is owed comes first, in this order: a delivery to one of many finds all of it in one line of the
/// processor's cache.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Client {
    // What it is owed.
    pub(super) memberships: Memberships,
    pub(super) outbox: Option<Box<Outbox>>,
    /// The announcement of the client count that it has.
    pub(super) count_seen: u32,
    /// The place in `memberships` whose log the socket was last given bytes of.
    pub(super) reading: u8,
    /// Whether its socket has taken nothing since `stalled_at_ms`, and whether it was tried again since.
    pub(super) is_stalled: bool,
    pub(super) is_tried: bool,
    pub(super) quiet: bool,

    // Fixed when it connects.
    /// Never used again in this life of the process.
    pub(super) serial: u64,
    pub(super) token: Token,
    pub(super) name: DisplayName,

    /// Messages declared missing since it was last named as a laggard.
    pub(super) missed_untold: u64,

    // Its time.
    pub(super) stalled_at_ms: u64,
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

    /// Whether answers wait for it.
    pub(super) fn has_answers(&self) -> bool {
        self.outbox.as_ref().is_some_and(|outbox| !outbox.is_empty())
    }

    /// Whether it may have to be told of dropped answers or the count of clients, or has answers waiting; for
    /// most there is nothing of this, and they are many.
    pub(super) const fn may_be_told(&self, announced: u32) -> bool {
        self.outbox.is_some() || (!self.quiet && self.count_seen != announced)
    }

    /// The membership whose log the socket was last given bytes of. In no other log it is in the middle of a
    /// message.
    pub(super) fn current(&self) -> &Membership {
        &self.memberships[usize::from(self.reading)]
    }

    /// The same, to change.
    pub(super) fn current_mut(&mut self) -> &mut Membership {
        &mut self.memberships[usize::from(self.reading)]
    }

    /// Nothing waits for it: it begins a new round of its rooms, in which the lobby comes last.
    pub(super) const fn rest(&mut self) {
        (self.is_stalled, self.reading) = (false, 0);
    }

    /// The log and message that it is in the middle of.
    pub(super) fn inside(&self) -> Option<(RoomId, u64)> {
        self.current().inside()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_delivery_needs_is_in_one_line_of_the_cache() {
        assert!(std::mem::offset_of!(Client, serial) <= 64);
        assert_eq!(size_of::<Option<Client>>(), size_of::<Client>(), "whether there is one as well");
        assert_eq!(size_of::<Client>(), 256);
    }
}
