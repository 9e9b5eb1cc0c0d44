//! The log of a room: a byte ring of its last messages, with an index of where each starts.
//!
//! A message is a run of bytes with a sequence number, 1, 2, 3 … Both bounds hold: the bytes and the
//! count. A new message pushes out as many of the oldest as it needs. Readers hold a position of
//! their own, a sequence number and an offset into that message; the log knows nothing of them.

use super::Full;

/// A line of the processor's cache, with which the ring begins: else the kernel would take a tenth longer to
/// copy messages that are as long as a few such lines.
const CACHE_LINE_BYTES: usize = 64;

/// The last messages, oldest first, as bytes. In this order: what a reader needs that others have gone before
/// is in one line of the processor's cache.
#[derive(Debug)]
#[repr(C)]
pub struct Log {
    /// The ring is in it, from `base` on.
    bytes: Box<[u8]>,
    tail: u64,
    next: u64,
    /// The message from which a reader went on last, and where that starts: most go on from where others do.
    left: u64,
    left_start: u32,
    /// Where the next message will start in `bytes`.
    end: u32,
    base: u32,
    /// Bytes of all messages that are kept.
    used: u32,
    /// Where each kept message starts in `bytes`; a ring as well, the tail's entry at `first`.
    starts: Box<[u32]>,
    first: usize,
}

impl Log {
    /// Bytes that it takes to begin where it should.
    pub const MARGIN_BYTES: usize = CACHE_LINE_BYTES;

    /// An empty log of `bytes` bytes (below 4 GiB) and `messages` messages, both at least 1.
    pub fn new(bytes: usize, messages: usize) -> Self {
        assert!(bytes >= 1 && u32::try_from(bytes + CACHE_LINE_BYTES).is_ok() && messages >= 1);
        let bytes: Box<[u8]> = vec![0; bytes + CACHE_LINE_BYTES].into();
        let base = narrow(bytes.as_ptr().align_offset(CACHE_LINE_BYTES).min(CACHE_LINE_BYTES));
        Self {
            bytes,
            tail: 1,
            next: 1,
            left: 0,
            left_start: 0,
            end: base,
            base,
            used: 0,
            starts: vec![0; messages].into(),
            first: 0,
        }
    }

    /// Bytes that a log takes on the heap, beside [`Self::MARGIN_BYTES`].
    pub const fn bytes(bytes: usize, messages: usize) -> usize {
        bytes + messages * size_of::<u32>()
    }

    /// Sequence number of the oldest message that is kept; that of the next one if none is.
    pub const fn tail(&self) -> u64 {
        self.tail
    }

    /// Sequence number of the newest message; 0 before the first.
    pub const fn head(&self) -> u64 {
        self.next - 1
    }

    /// Sequence number that the next message will get.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Starts a new life: empty, sequence numbers from 1.
    pub fn clear(&mut self) {
        (self.first, self.tail, self.next, self.left, self.used) = (0, 1, 1, 0, 0);
        self.end = self.base;
    }

    /// The tail as it will be when a message of `len` bytes has been pushed.
    pub fn tail_after(&self, len: usize) -> Result<u64, Full> {
        self.kept_after(len).map(|(tail, _)| tail)
    }

    /// The same, and how many bytes of those that are here now will be left.
    #[inline]
    fn kept_after(&self, len: usize) -> Result<(u64, usize), Full> {
        if len > self.capacity() {
            return Err(Full);
        }
        let (mut tail, mut used) = (self.tail, self.used as usize);
        while self.next - tail == self.starts.len() as u64 || used + len > self.capacity() {
            used -= self.between(tail, tail + 1);
            tail += 1;
        }
        Ok((tail, used))
    }

    /// Appends a message (at least one byte), pushing out the oldest ones; its sequence number.
    pub fn push(&mut self, message: &[u8]) -> Result<u64, Full> {
        debug_assert!(!message.is_empty());
        let (tail, used) = self.kept_after(message.len())?;
        self.first = self.slot(tail);
        self.tail = tail;

        let slot = self.slot(self.next);
        self.starts[slot] = self.end;
        let limit = self.limit();
        let room = &mut self.bytes[self.end as usize..limit];
        if let Some((head, wrapped)) = message.split_at_checked(room.len()) {
            room.copy_from_slice(head);
            self.bytes[self.base as usize..][..wrapped.len()].copy_from_slice(wrapped);
        } else {
            room[..message.len()].copy_from_slice(message);
        }
        self.end = self.wrap(self.end as usize + message.len());
        self.used = narrow(used + message.len());
        self.next += 1;
        Ok(self.next - 1)
    }

    /// Everything from `offset` bytes into message `seq` to the head, in two pieces where the ring wraps.
    /// `seq` is between the tail and the next one, and `offset` is less than its length.
    pub fn from(&self, seq: u64, offset: usize) -> [&[u8]; 2] {
        if seq == self.next { [&[], &[]] } else { self.pieces(seq, offset, self.end) }
    }

    /// The rest of the one message `seq` from `offset` bytes into it, less than its length.
    pub fn rest(&self, seq: u64, offset: usize) -> [&[u8]; 2] {
        self.pieces(seq, offset, self.end_before(seq + 1))
    }

    /// The position that is `taken` bytes further than `offset` bytes into message `seq`.
    pub fn advance(&mut self, seq: u64, offset: usize, taken: usize) -> (u64, usize) {
        if seq != self.next {
            (self.left, self.left_start) = (seq, self.start_of(seq));
        }
        let target = offset + taken;
        debug_assert!(target <= self.between(seq, self.next));
        if target == self.between(seq, self.next) {
            return (self.next, 0);
        }
        // The message that holds the target byte: the last one that starts at or before it.
        let (mut low, mut high) = (seq, self.next);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.between(seq, middle) <= target { low = middle } else { high = middle }
        }
        (low, target - self.between(seq, low))
    }

    /// At least one byte: from `offset` bytes into `seq` to a place in the ring.
    fn pieces(&self, seq: u64, offset: usize, end: u32) -> [&[u8]; 2] {
        let start = self.wrap(self.start_of(seq) as usize + offset) as usize;
        let end = end as usize;
        if start < end {
            [&self.bytes[start..end], &[]]
        } else {
            [&self.bytes[start..self.limit()], &self.bytes[self.base as usize..end]]
        }
    }

    /// Bytes of the messages from `from` up to but without `to`; `tail <= from <= to <= next`.
    #[inline]
    fn between(&self, from: u64, to: u64) -> usize {
        if from == to {
            return 0;
        }
        let start = self.start_of(from) as usize;
        let end = self.end_before(to) as usize;
        if end > start { end - start } else { end + self.capacity() - start }
    }

    /// Where in the ring a message starts.
    fn start_of(&self, seq: u64) -> u32 {
        if seq == self.left { self.left_start } else { self.starts[self.slot(seq)] }
    }

    /// Where in the ring the messages before this one end.
    fn end_before(&self, seq: u64) -> u32 {
        if seq == self.next { self.end } else { self.start_of(seq) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most the number of messages kept")]
    fn slot(&self, seq: u64) -> usize {
        let slot = self.first + (seq - self.tail) as usize;
        if slot >= self.starts.len() { slot - self.starts.len() } else { slot }
    }

    fn wrap(&self, position: usize) -> u32 {
        narrow(if position >= self.limit() { position - self.capacity() } else { position })
    }

    /// Length of the ring.
    const fn capacity(&self) -> usize {
        self.bytes.len() - CACHE_LINE_BYTES
    }

    /// Where the ring ends.
    const fn limit(&self) -> usize {
        self.base as usize + self.capacity()
    }
}

/// A place in the ring or a part of its length, as it is kept.
#[expect(clippy::cast_possible_truncation, reason = "the ring is below 4 GiB")]
const fn narrow(bytes: usize) -> u32 {
    bytes as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn text(pieces: [&[u8]; 2]) -> String {
        String::from_utf8(pieces.concat()).unwrap()
    }

    #[test]
    fn a_message_that_just_fits_is_kept_and_one_byte_more_is_refused() {
        let mut log = Log::new(4, 2);
        assert_eq!(log.push(b"abcd"), Ok(1));
        assert_eq!(text(log.from(1, 0)), "abcd");
        assert_eq!(log.push(b"abcde"), Err(Full));
        assert_eq!((log.tail(), log.head()), (1, 1));
    }

    #[test]
    fn the_oldest_goes_when_the_count_is_reached_although_bytes_are_left() {
        let mut log = Log::new(100, 2);
        log.push(b"a").unwrap();
        log.push(b"b").unwrap();
        assert_eq!(log.tail(), 1);
        log.push(b"c").unwrap();
        assert_eq!((log.tail(), log.head()), (2, 3));
        assert_eq!(text(log.from(2, 0)), "bc");
    }

    #[test]
    fn one_large_message_pushes_out_several_small_ones() {
        let mut log = Log::new(6, 10);
        for message in [b"aa", b"bb", b"cc"] {
            log.push(message).unwrap();
        }
        assert_eq!(log.tail_after(3), Ok(3));
        log.push(b"ddd").unwrap();
        assert_eq!((log.tail(), text(log.from(3, 0))), (3, "ccddd".into()));
    }

    #[test]
    fn a_message_across_the_end_of_the_ring_comes_in_two_pieces() {
        let mut log = Log::new(5, 10);
        log.push(b"abc").unwrap();
        log.push(b"defg").unwrap();
        assert_eq!(log.from(2, 0), [&b"de"[..], b"fg"]);
        assert_eq!(log.from(2, 2), [&b"fg"[..], b""]);
        assert_eq!(log.rest(2, 3), [&b"g"[..], b""]);
    }

    #[test]
    fn what_a_reader_needs_that_others_have_gone_before_is_in_one_line_of_the_cache() {
        assert!(std::mem::offset_of!(Log, starts) <= 64);
    }

    #[test]
    fn a_ring_begins_with_a_line_of_the_cache_and_goes_on_there_where_it_wraps() {
        for bytes in 1..200 {
            let mut log = Log::new(bytes, 2);
            log.push(&vec![1; bytes]).unwrap();
            let [whole, _] = log.from(1, 0);
            assert_eq!((whole.len(), whole.as_ptr().align_offset(64)), (bytes, 0));
            log.push(&[2]).unwrap();
            assert_eq!(log.from(2, 0)[0].as_ptr(), log.bytes[log.base as usize..].as_ptr());
        }
    }

    #[test]
    fn readers_of_a_life_do_not_go_on_where_those_of_the_last_one_did() {
        let mut log = Log::new(10, 10);
        log.push(b"abc").unwrap();
        log.push(b"d").unwrap();
        assert_eq!(log.advance(2, 0, 1), (3, 0));
        log.clear();
        log.push(b"e").unwrap();
        log.push(b"f").unwrap();
        assert_eq!(text(log.from(2, 0)), "f");
    }

    #[test]
    fn a_cleared_log_counts_from_one_again() {
        let mut log = Log::new(5, 2);
        log.push(b"abc").unwrap();
        log.clear();
        assert_eq!((log.tail(), log.head(), log.next()), (1, 0, 1));
        assert_eq!(log.push(b"d"), Ok(1));
        assert_eq!(text(log.from(1, 0)), "d");
    }

    proptest! {
        /// Against a queue of the messages themselves: what is kept, and every walk over it.
        #[test]
        fn keeps_what_a_queue_of_messages_keeps(
            bytes in 1..40usize, count in 1..6usize,
            sizes in prop::collection::vec(1..45usize, 1..60), step in 1..20usize,
        ) {
            let mut log = Log::new(bytes, count);
            let mut model: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
            for (number, size) in (0u8..).zip(sizes) {
                let message = vec![number; size];
                let pushed = log.push(&message);
                if size > bytes {
                    prop_assert_eq!(pushed, Err(Full));
                    continue;
                }
                let seq = pushed.unwrap();
                let mut used: usize = model.iter().map(|kept| kept.1.len()).sum();
                while model.len() == count || used + size > bytes {
                    used -= model[0].1.len();
                    model.pop_front();
                }
                model.push_back((seq, message));
                prop_assert_eq!(log.tail(), model[0].0);
                prop_assert_eq!(log.head(), seq);
                // One that others went on from may be long gone.
                log.advance(seq, 0, size);
                let all: Vec<u8> = model.iter().flat_map(|kept| kept.1.clone()).collect();
                prop_assert_eq!(log.from(log.tail(), 0).concat(), all.clone());

                // Walk through in steps, as a slow socket would.
                let (mut at, mut walked) = ((log.tail(), 0), Vec::new());
                loop {
                    let left = log.from(at.0, at.1).concat();
                    if left.is_empty() { break }
                    prop_assert!(log.rest(at.0, at.1).concat().len() <= left.len());
                    let taken = step.min(left.len());
                    walked.extend_from_slice(&left[..taken]);
                    at = log.advance(at.0, at.1, taken);
                }
                prop_assert_eq!(walked, all);
                prop_assert_eq!(at, (log.next(), 0));
            }
        }
    }
}
