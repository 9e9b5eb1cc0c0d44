//! One client as the hub knows it.

use super::{memberships::Memberships, outbox::Outbox, resume::Token};
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
    pub(super) allowance: Allowance,
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

/// A token bucket, in thousandths of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    thousandths: u32,
    filled_ms: u64,
}

impl Allowance {
    pub(super) const fn full(burst: u32, now_ms: u64) -> Self {
        Self { thousandths: burst.saturating_mul(1_000), filled_ms: now_ms }
    }

    /// Takes one message's place. `per_second` messages per second are thousandths per millisecond.
    pub(super) fn take(&mut self, per_second: u32, burst: u32, now_ms: u64) -> bool {
        let elapsed = u32::try_from(now_ms.saturating_sub(self.filled_ms)).unwrap_or(u32::MAX);
        let filled = self.thousandths.saturating_add(elapsed.saturating_mul(per_second));
        self.thousandths = filled.min(burst.saturating_mul(1_000));
        self.filled_ms = now_ms;
        let allowed = self.thousandths >= 1_000;
        if allowed {
            self.thousandths -= 1_000;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_one_message_more_is_not() {
        let mut allowance = Allowance::full(3, 0);
        assert!((0..3).all(|_| allowance.take(2, 3, 0)));
        assert!(!allowance.take(2, 3, 0));
        assert!(!allowance.take(2, 3, 499));
        assert!(allowance.take(2, 3, 500));
        assert!(!allowance.take(2, 3, 500));
    }

    #[test]
    fn no_pause_saves_up_more_than_a_burst() {
        let mut allowance = Allowance::full(2, 0);
        assert!((0..2).all(|_| allowance.take(u32::MAX, 2, u64::MAX)));
        assert!(!allowance.take(u32::MAX, 2, u64::MAX));
    }

    #[test]
    fn a_clock_that_stands_or_steps_back_gives_nothing() {
        let mut allowance = Allowance::full(1, 1_000);
        assert!(allowance.take(1, 1, 1_000));
        assert!(!allowance.take(1, 1, 0));
    }
}
