//! Who is to be written to, and how soon.
//!
//! What a client says is due at once. So is a line of the server's own (who came, who went), until
//! such lines have caused many writes within a moment; the next ones wait for its end. A thousand that
//! come together are told to everyone in a few writes, not in a million. Neither may wait until a log
//! has no room left for both.

use super::{Capacities, Now};
use crate::{
    limits::{ANNOUNCE_EVERY_MS, LINE_WRITES_MAX},
    table::BitSet,
};

/// What a write may hold and still go through the kernel as one packet, which is 64 KiB with its headers at
/// most; less a message of 2 KiB, by which `enough` is exceeded.
const PACKET_BYTES: usize = 62 << 10;

/// Clients by slot.
#[derive(Debug)]
pub(super) struct Due {
    /// Something waits for them, and their socket takes it, as far as is known.
    at_once: BitSet,
    /// Lines wait for them that may wait.
    soon: BitSet,
    /// Their socket took no more.
    blocked: BitSet,
    /// Whose turn is next.
    turn: usize,
    /// Counts how often nobody was due at once.
    lulls: u64,
    /// Counts whose turn it was, from 1.
    turns: u64,
    /// The most that was written into any one room since the last lull.
    unsent: Written,
    /// Lines told since the last lull, wherever they were written.
    told: Written,
    /// Lines that wait.
    lines: Written,
    /// When the present moment began, and how many writes its lines have caused.
    moment_ms: u64,
    writes: usize,
    /// So many lines do not wait any longer.
    enough_lines: Written,
    /// So much is not exceeded before everyone has had a turn.
    enough: Written,
}

/// What clients have written into one room since nobody was due at once.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Unsent {
    /// How many lulls there had been by then: after another this is nothing.
    lulls: u64,
    written: Written,
    /// How many turns there had been when all members were marked: as long as there is no other, they still
    /// are. 0 if somebody has come since.
    marked: u64,
}

impl Unsent {
    /// There is a member more, who is not marked.
    pub(super) const fn member_came(&mut self) {
        self.marked = 0;
    }
}

/// What went into a log.
#[derive(Debug, Default, Clone, Copy)]
struct Written {
    messages: usize,
    bytes: usize,
}

impl Written {
    const fn message(bytes: usize) -> Self {
        Self { messages: 1, bytes }
    }

    const fn add(&mut self, more: Self) {
        self.messages += more.messages;
        self.bytes += more.bytes;
    }

    fn max(self, other: Self) -> Self {
        Self { messages: self.messages.max(other.messages), bytes: self.bytes.max(other.bytes) }
    }

    const fn is_at_least(self, other: Self) -> bool {
        self.messages >= other.messages || self.bytes >= other.bytes
    }
}

impl Due {
    pub(super) fn new(capacities: &Capacities) -> Self {
        let none = || BitSet::new(capacities.clients);
        // Together with what these two are exceeded by, which is at most one message, a quarter of a log,
        // it fits into the log: nobody whose socket takes what it gets is overrun.
        let eighths_of_a_log = |eighths| Written {
            messages: capacities.log_messages * eighths / 8,
            bytes: capacities.log_bytes / 8 * eighths,
        };
        let enough = eighths_of_a_log(3);
        Self {
            at_once: none(),
            soon: none(),
            blocked: none(),
            turn: 0,
            lulls: 0,
            turns: 1,
            unsent: Written::default(),
            told: Written::default(),
            lines: Written::default(),
            moment_ms: 0,
            writes: 0,
            enough_lines: eighths_of_a_log(2),
            enough: Written { bytes: enough.bytes.min(PACKET_BYTES), ..enough },
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

    /// A message of so many bytes was written into a room, of which this is kept, for all of its members.
    pub(super) fn message(&mut self, unsent: &mut Unsent, members: &BitSet, bytes: usize) {
        if unsent.lulls != self.lulls {
            (unsent.lulls, unsent.written) = (self.lulls, Written::default());
        }
        unsent.written.add(Written::message(bytes));
        self.unsent = self.unsent.max(unsent.written);
        if unsent.marked != self.turns {
            unsent.marked = self.turns;
            self.mark_all(members);
        }
    }

    /// A line of so many bytes was written for all of these, who are `count`. It waits if the lines of
    /// this moment have caused their writes.
    pub(super) fn line(&mut self, clients: &BitSet, count: usize, bytes: usize, now: Now) {
        self.begin_moment(now);
        self.lines.add(Written::message(bytes));
        self.soon.insert_all_except(clients, &self.blocked);
        // It would bring those along that wait already, for whomever.
        let writes = count.max(self.soon.len());
        if self.writes == 0
            || self.writes + writes <= LINE_WRITES_MAX
            || self.lines.is_at_least(self.enough_lines)
        {
            self.writes += writes;
            self.tell();
        }
    }

    /// Lines that have waited for long enough are due.
    pub(super) fn tick(&mut self, now: Now) {
        self.begin_moment(now);
    }

    fn begin_moment(&mut self, now: Now) {
        if now.ms < self.moment_ms + ANNOUNCE_EVERY_MS {
            return;
        }
        (self.moment_ms, self.writes) = (now.ms, 0);
        if self.lines.messages > 0 {
            self.writes = self.soon.len();
            self.tell();
        }
    }

    fn tell(&mut self) {
        self.told.add(std::mem::take(&mut self.lines));
        self.at_once.insert_all_except(&self.soon, &self.blocked);
        self.soon.clear();
    }

    /// Whether so much was written into some room that those who are due should be written to now: a log
    /// must not run over for want of a turn.
    pub(super) const fn is_urgent(&self) -> bool {
        let mut most = self.unsent;
        most.add(self.told);
        most.is_at_least(self.enough)
    }

    /// The next one in turn: all of them once before anyone twice.
    pub(super) fn pop(&mut self) -> Option<usize> {
        let next = self.at_once.pop_from(self.turn);
        if let Some(client) = next {
            self.turn = client + 1;
            self.turns += 1;
        } else {
            self.turn = 0;
            self.lulls += 1;
            (self.unsent, self.told) = (Written::default(), Written::default());
        }
        next
    }

    pub(super) fn is_any(&self) -> bool {
        self.at_once.next_from(0).is_some()
    }

    /// Those whose turn is after this client's and before anyone's second.
    pub(super) fn after(&self, client: usize) -> impl Iterator<Item = usize> {
        self.at_once.iter_from(client + 1)
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
        self.blocked.len()
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
    fn lines_are_due_at_once_up_to_so_many_writes_and_the_next_ones_together_after_a_while() {
        for (count, at_once) in [(LINE_WRITES_MAX / 3, 3), (LINE_WRITES_MAX / 3 + 1, 2), (LINE_WRITES_MAX, 1)]
        {
            let (mut due, all) = due(100);
            for _ in 0..at_once {
                due.line(&all, count, 10, at(1_000));
                assert_eq!(everyone(&mut due), [0, 1, 2]);
            }
            due.line(&all, count, 10, at(1_000));
            due.line(&all, count, 10, at(1_000 + ANNOUNCE_EVERY_MS - 1));
            due.tick(at(1_000 + ANNOUNCE_EVERY_MS - 1));
            assert!(everyone(&mut due).is_empty());
            due.tick(at(1_000 + ANNOUNCE_EVERY_MS));
            assert_eq!(everyone(&mut due), [0, 1, 2]);
            due.tick(at(1_000 + 3 * ANNOUNCE_EVERY_MS));
            assert!(everyone(&mut due).is_empty());
        }
    }

    #[test]
    fn the_first_line_of_a_moment_is_due_at_once_however_many_it_is_for() {
        let (mut due, all) = due(100);
        due.line(&all, LINE_WRITES_MAX + 1, 10, at(1_000));
        assert_eq!(everyone(&mut due), [0, 1, 2]);
        due.line(&all, 1, 10, at(1_000));
        assert!(everyone(&mut due).is_empty());
    }

    #[test]
    fn a_line_for_few_does_not_bring_those_along_that_wait_for_many() {
        let (mut due, all) = due(100);
        due.line(&all, LINE_WRITES_MAX, 10, at(1_000));
        assert_eq!(everyone(&mut due), [0, 1, 2]);
        due.line(&all, 3, 10, at(1_001));
        due.line(&BitSet::new(3), 0, 10, at(1_002));
        assert!(everyone(&mut due).is_empty());
        due.tick(at(1_000 + ANNOUNCE_EVERY_MS));
        assert_eq!(everyone(&mut due), [0, 1, 2]);
    }

    #[test]
    fn lines_do_not_wait_when_they_are_a_quarter_of_a_log() {
        for (bytes, lines) in [(10, 25), (512, 2), (1_024, 1)] {
            let (mut due, all) = due(100);
            due.line(&all, LINE_WRITES_MAX, 10, at(1_000));
            everyone(&mut due);
            for _ in 1..lines {
                due.line(&all, 3, bytes, at(1_001));
                assert!(everyone(&mut due).is_empty());
            }
            due.line(&all, 3, bytes, at(1_001));
            assert_eq!(everyone(&mut due), [0, 1, 2], "{lines} lines of {bytes} bytes");
        }
    }

    #[test]
    fn messages_are_urgent_when_they_are_three_eighths_of_a_log_and_until_everyone_is_served() {
        for (bytes, messages) in [(10, 37), (512, 3), (1_536, 1)] {
            let (mut due, all) = due(100);
            let mut room = Unsent::default();
            for _ in 0..2 {
                for _ in 1..messages {
                    due.message(&mut room, &all, bytes);
                    assert!(!due.is_urgent());
                }
                due.message(&mut room, &all, bytes);
                assert!(due.is_urgent(), "{messages} messages of {bytes} bytes");
                assert_eq!(everyone(&mut due), [0, 1, 2]);
                assert!(!due.is_urgent());
            }
        }
    }

    #[test]
    fn messages_are_urgent_when_they_fill_a_packet_however_large_the_log_is() {
        let (_, all) = due(100);
        let mut due = Due::new(&Capacities { clients: 3, log_messages: 4_096, log_bytes: 2 << 20, ..tiny() });
        let mut room = Unsent::default();
        (1..62).for_each(|_| due.message(&mut room, &all, 1 << 10));
        due.message(&mut room, &all, (1 << 10) - 1);
        assert!(!due.is_urgent());
        due.message(&mut room, &all, 1);
        assert!(due.is_urgent());
    }

    #[test]
    fn what_is_written_into_many_rooms_is_urgent_no_sooner_than_it_is_for_one_of_them() {
        let (mut due, all) = due(100);
        let mut rooms = [Unsent::default(); 3];
        for room in &mut rooms {
            (0..36).for_each(|_| due.message(room, &all, 10));
        }
        assert!(!due.is_urgent());
        due.message(&mut rooms[1], &all, 10);
        assert!(due.is_urgent());
        due.message(&mut rooms[2], &all, 10);
        assert!(due.is_urgent(), "until everyone is served");
    }

    #[test]
    fn lines_that_are_told_count_among_the_messages() {
        let (mut due, all) = due(100);
        for _ in 0..36 {
            due.line(&all, 3, 10, at(1_000));
        }
        assert!(!due.is_urgent());
        due.message(&mut Unsent::default(), &all, 10);
        assert!(due.is_urgent());
    }

    #[test]
    fn everyone_has_a_turn_before_anyone_has_a_second() {
        let (mut due, all) = due(100);
        let mut room = Unsent::default();
        due.message(&mut room, &all, 10);
        assert_eq!(due.pop(), Some(0));
        due.message(&mut room, &all, 10);
        assert_eq!(everyone(&mut due), [1, 2, 0]);
    }

    #[test]
    fn who_comes_between_two_messages_is_due_with_the_others() {
        let (mut due, mut members) = due(100);
        members.remove(2);
        let mut room = Unsent::default();
        due.message(&mut room, &members, 10);
        members.insert(2);
        room.member_came();
        due.message(&mut room, &members, 10);
        assert_eq!(everyone(&mut due), [0, 1, 2]);
    }

    #[test]
    fn who_takes_something_again_between_two_messages_is_due_with_the_others() {
        let (mut due, all) = due(100);
        let mut room = Unsent::default();
        due.block(1);
        due.message(&mut room, &all, 10);
        due.unblock(1);
        due.message(&mut room, &all, 10);
        assert_eq!(everyone(&mut due), [0, 1, 2]);
    }

    #[test]
    fn who_has_been_served_meanwhile_or_takes_nothing_is_left_out() {
        let (mut due, all) = due(100);
        due.block(2);
        due.line(&all, LINE_WRITES_MAX, 10, at(1_000));
        assert_eq!(everyone(&mut due), [0, 1]);
        due.line(&all, 3, 10, at(1_001));
        due.is_served(0);
        due.unblock(2);
        assert_eq!(everyone(&mut due), [2]);
        due.tick(at(1_000 + ANNOUNCE_EVERY_MS));
        assert_eq!(everyone(&mut due), [1]);
    }
}
