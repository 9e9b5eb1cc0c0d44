//! The book-keeping behind "no silent hole".

use serde_json::Value;

use super::{room_of, seq_of};

/// What one client knows of one room: the seqs received and the gaps declared must be all the seqs
/// from its start on, in order, none twice.
#[derive(Debug)]
pub(crate) struct Ledger {
    room: String,
    next: u64,
    /// Messages received.
    pub(crate) received: u64,
    /// Messages declared missing.
    pub(crate) missed: u64,
    /// The gaps, as they came.
    pub(crate) gaps: Vec<Value>,
}

impl Ledger {
    /// Opens the book of `room`; `first` is the first seq that may come.
    pub(crate) fn starting_at(room: &str, first: u64) -> Self {
        Self { room: room.to_owned(), next: first, received: 0, missed: 0, gaps: Vec::new() }
    }

    /// Opens the book with an answer to `join_room` that asked for no replay.
    pub(crate) fn after_joined(joined: &Value) -> Self {
        assert_eq!(joined["type"], "joined", "{joined}");
        Self::starting_at(room_of(joined), seq_of(joined) + 1)
    }

    /// Enters a message; those of other rooms and answers are left alone.
    pub(crate) fn enter(&mut self, message: &Value) {
        if room_of(message) != self.room {
            return;
        }
        match message["type"].as_str() {
            Some("chat" | "system") => self.enter_entry(message),
            Some("gap") => self.enter_gap(message),
            _ => {}
        }
    }

    /// The last seq that is accounted for.
    pub(crate) fn last(&self) -> u64 {
        self.next - 1
    }

    fn enter_entry(&mut self, message: &Value) {
        assert_eq!(seq_of(message), self.next, "a hole or a double in room {:?}: {message}", self.room);
        self.next += 1;
        self.received += 1;
    }

    fn enter_gap(&mut self, gap: &Value) {
        let (from, to) = (gap["from"].as_u64().unwrap(), gap["to"].as_u64().unwrap());
        assert_eq!(from, self.next, "the gap does not begin where the hole does: {gap}");
        assert!(to >= from, "an empty gap: {gap}");
        assert_eq!(gap["missed"], to - from + 1, "missed does not fit from and to: {gap}");
        self.next = to + 1;
        self.missed += to - from + 1;
        self.gaps.push(gap.clone());
    }
}
