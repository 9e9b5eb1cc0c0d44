//! Who is to be written to, and how soon.
//!
//! What a client says is due at once. A line of the server's own (who came, who went) may wait for a
//! moment when another one was told just now: a thousand that come together are told to everyone in
//! a few writes, not in a million. Neither may wait until a log has no room left for both.

use super::{Capacities, Now};
use crate::{limits::ANNOUNCE_EVERY_MS, table::BitSet};

/// Clients by slot.
#[derive(Debug)]
pub(super) struct Due {
    /// Something waits for them, and their socket takes it, as far as is known.
    at_once: BitSet,
    /// Lines wait for them that may wait.
    soon: BitSet,
    /// Their socket took no more.
    blocked: BitSet,
    /// Written since nobody was due at once.
    unsent: Written,
    /// Lines written since nobody was due soon.
    lines: Written,
    /// When a line was last due at once.
    told_ms: Option<u64>,
    /// A quarter of a log.
    enough: Written,
}

/// What went into the logs.
#[derive(Debug, Default, Clone, Copy)]
struct Written {
    messages: usize,
    bytes: usize,
}

impl Written {
    const fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes;
    }

    const fn is_at_least(self, other: Self) -> bool {
        self.messages >= other.messages || self.bytes >= other.bytes
    }
}

impl Due {
    pub(super) fn new(capacities: &Capacities) -> Self {
        let none = || BitSet::new(capacities.clients);
        let enough = Written { messages: capacities.log_messages / 4, bytes: capacities.log_bytes / 4 };
        Self {
            at_once: none(),
            soon: none(),
            blocked: none(),
            unsent: Written::default(),
            lines: Written::default(),
            told_ms: None,
            enough,
        }
    }

    /// Bytes that it takes on the heap for so many clients.
    pub(super) const fn bytes(clients: usize) -> usize {
        3 * BitSet::bytes(clients)
    }

    /// Something waits for this client; its turn comes unless its socket is blocked.
    pub(super) fn mark(&mut self, client: usize) {
        if !self.blocked.contains(client) {
            self.at_once.insert(client);
        }
    }

    /// Something waits for all of these.
    pub(super) fn mark_all(&mut self, clients: &BitSet) {
        self.at_once.insert_all_except(clients, &self.blocked);
    }

    /// A message of so many bytes was written for all of these.
    pub(super) fn message(&mut self, clients: &BitSet, bytes: usize) {
        self.unsent.add(bytes);
        self.mark_all(clients);
    }

    /// A line of so many bytes was written for all of these, which may wait.
    pub(super) fn line(&mut self, clients: &BitSet, bytes: usize, now: Now) {
        self.lines.add(bytes);
        self.soon.insert_all_except(clients, &self.blocked);
        if !self.is_early(now) || self.lines.is_at_least(self.enough) {
            self.tell(now);
        }
    }

    /// Lines that have waited for long enough are due.
    pub(super) fn tick(&mut self, now: Now) {
        if self.lines.messages > 0 && !self.is_early(now) {
            self.tell(now);
        }
    }

    fn is_early(&self, now: Now) -> bool {
        self.told_ms.is_some_and(|then| now.ms < then + ANNOUNCE_EVERY_MS)
    }

    fn tell(&mut self, now: Now) {
        self.told_ms = Some(now.ms);
        self.lines = Written::default();
        self.at_once.insert_all_except(&self.soon, &self.blocked);
        self.soon.clear();
    }

    /// Whether so much was written for those who are due that they should be written to now: a log must
    /// not run over for want of a turn.
    pub(super) const fn is_urgent(&self) -> bool {
        self.unsent.is_at_least(self.enough)
    }

    /// The next one in turn.
    pub(super) fn pop(&mut self) -> Option<usize> {
        let next = self.at_once.pop_first();
        if next.is_none() {
            self.unsent = Written::default();
        }
        next
    }

    /// Nothing waits for this client.
    pub(super) fn is_served(&mut self, client: usize) {
        self.soon.remove(client);
    }

    pub(super) fn is_blocked(&self, client: usize) -> bool {
        self.blocked.contains(client)
    }

    /// How many are blocked.
    pub(super) fn blocked_count(&self) -> usize {
        self.blocked.iter().count()
    }

    /// Its socket takes no more; whether that is new.
    pub(super) fn block(&mut self, client: usize) -> bool {
        self.at_once.remove(client);
        let is_new = !self.blocked.contains(client);
        self.blocked.insert(client);
        is_new
    }

    /// Its socket may take something again.
    pub(super) fn unblock(&mut self, client: usize) {
        self.blocked.remove(client);
        self.at_once.insert(client);
    }

    /// The client is gone.
    pub(super) fn forget(&mut self, client: usize) {
        for set in [&mut self.at_once, &mut self.soon, &mut self.blocked] {
            set.remove(client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::tests::tiny;

    const fn at(ms: u64) -> Now {
        Now { ms, unix_s: 0 }
    }

    fn due(log_messages: usize) -> (Due, BitSet) {
        let capacities = Capacities { clients: 3, log_messages, log_bytes: 4_096, ..tiny() };
        let mut all = BitSet::new(3);
        (0..3).for_each(|client| all.insert(client));
        (Due::new(&capacities), all)
    }

    fn everyone(due: &mut Due) -> Vec<usize> {
        std::iter::from_fn(|| due.pop()).collect()
    }

    #[test]
    fn the_first_line_is_due_at_once_and_the_next_ones_together_after_a_while() {
        let (mut due, all) = due(100);
        due.line(&all, 10, at(0));
        assert_eq!(everyone(&mut due), [0, 1, 2]);
        due.line(&all, 10, at(1));
        due.line(&all, 10, at(ANNOUNCE_EVERY_MS - 1));
        due.tick(at(ANNOUNCE_EVERY_MS - 1));
        assert!(everyone(&mut due).is_empty());
        due.tick(at(ANNOUNCE_EVERY_MS));
        assert_eq!(everyone(&mut due), [0, 1, 2]);
        due.tick(at(3 * ANNOUNCE_EVERY_MS));
        assert!(everyone(&mut due).is_empty());
    }

    #[test]
    fn lines_do_not_wait_when_they_are_a_quarter_of_a_log() {
        for (bytes, lines) in [(10, 25), (512, 2), (1_024, 1)] {
            let (mut due, all) = due(100);
            due.line(&all, 10, at(0));
            everyone(&mut due);
            for _ in 1..lines {
                due.line(&all, bytes, at(1));
                assert!(everyone(&mut due).is_empty());
            }
            due.line(&all, bytes, at(1));
            assert_eq!(everyone(&mut due), [0, 1, 2], "{lines} lines of {bytes} bytes");
        }
    }

    #[test]
    fn messages_are_urgent_when_they_are_a_quarter_of_a_log_and_until_everyone_is_served() {
        let (mut due, all) = due(100);
        for _ in 1..25 {
            due.message(&all, 10);
            assert!(!due.is_urgent());
        }
        due.message(&all, 10);
        assert!(due.is_urgent());
        assert_eq!(everyone(&mut due), [0, 1, 2]);
        assert!(!due.is_urgent());
    }

    #[test]
    fn who_has_been_served_meanwhile_or_takes_nothing_is_left_out() {
        let (mut due, all) = due(100);
        due.block(2);
        due.line(&all, 10, at(0));
        assert_eq!(everyone(&mut due), [0, 1]);
        due.line(&all, 10, at(1));
        due.is_served(0);
        due.unblock(2);
        assert_eq!(everyone(&mut due), [2]);
        due.tick(at(ANNOUNCE_EVERY_MS));
        assert_eq!(everyone(&mut due), [1]);
    }
}
