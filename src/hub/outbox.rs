//! What waits for one client alone: whole frames, bounded by count and bytes.
//!
//! Answers give way: when there is no room the oldest one goes, and how many went is told once.
//! What says that messages are missing (a `gap`), and the rest of a frame that is half on the wire,
//! never go: without them the client could not know, or could not read on.

use super::capacities::{Capacities, FACT_BYTES_MAX};
use crate::{limits::OUTBOX_MESSAGES_MAX, table::Full};
use heapless::Vec;
use std::collections::VecDeque;

/// Frames for one client, the front one perhaps half sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: VecDeque<u8>,
    /// One more than can be set, for the rest of a frame.
    entries: Vec<Entry, { OUTBOX_MESSAGES_MAX + 1 }>,
    /// Bytes of the front frame that are on the wire, and so no longer in `bytes`.
    sent: u32,
    /// Answers that went since this was last told.
    dropped: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    len: u32,
    kind: Kind,
}

/// Whether a frame may be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Answer,
    Fact,
    /// What is left of a frame of a log that is half on the wire.
    Rest,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the client has received a part of the front frame and waits for the rest.
    pub(super) fn is_inside_frame(&self) -> bool {
        self.sent > 0 || self.entries.first().is_some_and(|front| front.kind == Kind::Rest)
    }

    /// Answers dropped since this was last asked.
    pub(super) fn take_dropped(&mut self) -> u32 {
        std::mem::take(&mut self.dropped)
    }

    pub(super) fn has_dropped(&self) -> bool {
        self.dropped > 0
    }

    /// Everything that waits.
    pub(super) fn slices(&self) -> [&[u8]; 2] {
        let (head, wrapped) = self.bytes.as_slices();
        [head, wrapped]
    }

    /// What is still to be sent of the front frame, if a part of it is on the wire.
    pub(super) fn rest_of_front(&self) -> impl Iterator<Item = u8> + '_ {
        let len = self.entries.first().filter(|_| self.is_inside_frame()).map_or(0, |front| self.left(front));
        self.bytes.iter().copied().take(len)
    }

    /// Bytes that the outbox keeps reserved.
    pub(super) fn reserved(&self) -> usize {
        self.bytes.capacity()
    }

    /// Adds an answer, for lack of room in place of the oldest ones, or not at all. How many were dropped.
    pub(super) fn push_answer(&mut self, frame: &[u8], capacities: &Capacities) -> u32 {
        let before = self.dropped;
        while !self.fits(frame.len(), capacities) {
            if !self.drop_oldest_answer(1) {
                self.dropped += 1;
                return self.dropped - before;
            }
        }
        self.push(frame, Kind::Answer, capacities);
        self.dropped - before
    }

    /// Adds what must not get lost, if need be in place of answers; how many were dropped. `Full` if
    /// nothing that waits may be dropped.
    pub(super) fn push_fact(&mut self, frame: &[u8], capacities: &Capacities) -> Result<u32, Full> {
        debug_assert!(frame.len() <= FACT_BYTES_MAX);
        let before = self.dropped;
        while self.entries.len() >= capacities.outbox_messages {
            if !self.drop_oldest_answer(1) {
                return Err(Full);
            }
        }
        self.push(frame, Kind::Fact, capacities);
        Ok(self.dropped - before)
    }

    /// Puts the rest of a log's frame, which is half on the wire, in front of everything. How many
    /// answers had to go.
    pub(super) fn push_rest(&mut self, rest: [&[u8]; 2], capacities: &Capacities) -> u32 {
        debug_assert!(!self.is_inside_frame(), "a client is inside one frame at most");
        let (before, len) = (self.dropped, rest[0].len() + rest[1].len());
        while !self.fits(len, capacities) && self.drop_oldest_answer(0) {}
        self.reserve(len, capacities);
        for &byte in rest[1].iter().rev().chain(rest[0].iter().rev()) {
            self.bytes.push_front(byte);
        }
        let inserted = self.entries.insert(0, Entry { len: length(len), kind: Kind::Rest });
        debug_assert!(inserted.is_ok(), "a place is kept for it");
        self.dropped - before
    }

    /// Takes `taken` bytes, which are on the wire now, from the front.
    pub(super) fn advance(&mut self, taken: usize) {
        self.bytes.drain(..taken);
        let mut sent = self.sent as usize + taken;
        while let Some(front) = self.entries.first().filter(|front| front.len as usize <= sent) {
            sent -= front.len as usize;
            self.entries.remove(0);
        }
        self.sent = length(sent);
    }

    /// Whether entries and bytes agree.
    pub(super) fn is_sound(&self) -> bool {
        self.entries.iter().map(|entry| self.left(entry)).sum::<usize>() == self.bytes.len()
            && self.entries.iter().skip(1).all(|entry| entry.kind != Kind::Rest)
    }

    /// Whether what a message of so many bytes brings about may find no room: its echo, or two
    /// answers and what says that something is missing.
    pub(super) fn is_crowded(&self, bytes: usize, capacities: &Capacities) -> bool {
        const FRAMES: usize = 3;
        !self.is_empty()
            && (self.entries.len() + FRAMES > capacities.outbox_messages
                || self.bytes.len() + bytes + FRAMES * FACT_BYTES_MAX > capacities.outbox_bytes)
    }

    fn fits(&self, len: usize, capacities: &Capacities) -> bool {
        self.entries.len() < capacities.outbox_messages
            && (self.is_empty() || self.bytes.len() + len <= capacities.outbox_bytes)
    }

    fn push(&mut self, frame: &[u8], kind: Kind, capacities: &Capacities) {
        self.reserve(frame.len(), capacities);
        self.bytes.extend(frame);
        let pushed = self.entries.push(Entry { len: length(frame.len()), kind });
        debug_assert!(pushed.is_ok(), "room was made");
    }

    /// Doubles like any vector, but not past what an outbox may ever hold.
    fn reserve(&mut self, len: usize, capacities: &Capacities) {
        let needed = self.bytes.len() + len;
        if needed > self.bytes.capacity() {
            let roomy = (self.bytes.capacity() * 2).min(capacities.outbox_ceiling());
            self.bytes.reserve_exact(roomy.max(needed) - self.bytes.len());
        }
    }

    /// Drops the oldest answer at or behind a place; the front one may be half on the wire, and a
    /// caller that cannot rule this out starts behind it.
    fn drop_oldest_answer(&mut self, first: usize) -> bool {
        let Some(place) = (first..self.entries.len()).find(|&place| self.entries[place].kind == Kind::Answer)
        else {
            return false;
        };
        let start: usize = self.entries[..place].iter().map(|entry| self.left(entry)).sum();
        let len = self.entries.remove(place).len as usize;
        self.bytes.drain(start..start + len);
        self.dropped += 1;
        true
    }

    /// Bytes of an entry that are not on the wire.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "its address tells whether it is the front one")]
    fn left(&self, entry: &Entry) -> usize {
        let is_front = self.entries.first().is_some_and(|front| std::ptr::eq(front, entry));
        entry.len as usize - if is_front { self.sent as usize } else { 0 }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "frames are below 4 GiB, as the logs are")]
const fn length(len: usize) -> u32 {
    len as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::tests::tiny;
    use proptest::prelude::*;

    fn text(outbox: &Outbox) -> String {
        String::from_utf8(outbox.slices().concat()).unwrap()
    }

    fn three_messages_ten_bytes() -> Capacities {
        Capacities { outbox_messages: 3, outbox_bytes: 10, ..tiny() }
    }

    #[test]
    fn the_answer_above_the_count_pushes_out_the_oldest_but_never_the_front() {
        let (mut outbox, capacities) = (Outbox::default(), three_messages_ten_bytes());
        for answer in [b"a", b"b", b"c"] {
            assert_eq!(outbox.push_answer(answer, &capacities), 0);
        }
        assert_eq!(outbox.push_answer(b"d", &capacities), 1);
        assert_eq!((text(&outbox).as_str(), outbox.take_dropped()), ("acd", 1));
        assert_eq!(outbox.take_dropped(), 0);
    }

    #[test]
    fn bytes_are_bounded_and_the_first_frame_always_fits() {
        let (mut outbox, capacities) = (Outbox::default(), three_messages_ten_bytes());
        assert_eq!(outbox.push_answer(b"123456789012", &capacities), 0);
        assert_eq!(outbox.push_answer(b"x", &capacities), 1, "the new one gives way to the front");
        outbox.advance(12);
        outbox.push_answer(b"12345", &capacities);
        assert_eq!(outbox.push_answer(b"67890", &capacities), 0);
        assert_eq!(outbox.push_answer(b"y", &capacities), 1);
        assert_eq!(text(&outbox), "12345y");
    }

    #[test]
    fn a_fact_takes_the_place_of_an_answer_and_is_full_among_facts() {
        let (mut outbox, capacities) = (Outbox::default(), three_messages_ten_bytes());
        outbox.push_fact(b"A", &capacities).unwrap();
        outbox.push_answer(b"b", &capacities);
        outbox.push_fact(b"C", &capacities).unwrap();
        assert_eq!(outbox.push_fact(b"D", &capacities), Ok(1));
        assert_eq!(text(&outbox), "ACD");
        assert_eq!(outbox.push_fact(b"E", &capacities), Err(Full));
        assert_eq!(outbox.push_answer(b"f", &capacities), 1);
        assert_eq!(text(&outbox), "ACD");
    }

    #[test]
    fn an_answer_is_dropped_behind_a_half_sent_front() {
        let (mut outbox, capacities) = (Outbox::default(), three_messages_ten_bytes());
        for answer in [b"aaa", b"bbb", b"ccc"] {
            outbox.push_answer(answer, &capacities);
        }
        outbox.advance(2);
        assert!(outbox.is_inside_frame());
        assert_eq!(outbox.push_answer(b"ddd", &capacities), 1);
        assert_eq!(text(&outbox), "acccddd");
        assert_eq!(outbox.rest_of_front().collect::<Vec<_, 8>>(), b"a");
        outbox.advance(4);
        assert!(!outbox.is_inside_frame());
        assert_eq!(outbox.rest_of_front().count(), 0);
    }

    #[test]
    fn the_rest_of_a_frame_goes_first_even_among_facts() {
        let (mut outbox, capacities) = (Outbox::default(), three_messages_ten_bytes());
        for fact in [b"A", b"B", b"C"] {
            outbox.push_fact(fact, &capacities).unwrap();
        }
        assert_eq!(outbox.push_rest([b"re", b"st"], &capacities), 0);
        assert_eq!(text(&outbox), "restABC");
        assert!(outbox.is_inside_frame());
        assert_eq!(outbox.rest_of_front().count(), 4);
    }

    #[test]
    fn the_rest_of_a_frame_pushes_out_answers() {
        let (mut outbox, capacities) = (Outbox::default(), three_messages_ten_bytes());
        outbox.push_answer(b"aaa", &capacities);
        outbox.push_answer(b"bbb", &capacities);
        assert_eq!(outbox.push_rest([b"12345", b"6"], &capacities), 1);
        assert_eq!(text(&outbox), "123456bbb");
    }

    proptest! {
        #[test]
        fn entries_and_bytes_agree_and_bounds_hold(
            steps in prop::collection::vec((0..4u8, 1..12usize), 0..100),
        ) {
            let (mut outbox, capacities) = (Outbox::default(), three_messages_ten_bytes());
            for (step, size) in steps {
                match step {
                    0 => { outbox.push_answer(&vec![b'a'; size], &capacities); }
                    1 => { let _ = outbox.push_fact(&vec![b'f'; size.min(3)], &capacities); }
                    2 if !outbox.is_inside_frame() => {
                        outbox.push_rest([&vec![b'r'; size], b""], &capacities);
                    }
                    _ => outbox.advance(size.min(outbox.slices().concat().len())),
                }
                prop_assert!(outbox.is_sound());
                prop_assert!(outbox.slices().concat().len() <= capacities.outbox_ceiling());
                prop_assert!(outbox.reserved() <= capacities.outbox_ceiling());
            }
        }
    }
}
