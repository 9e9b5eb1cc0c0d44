//! Tokens by which a client takes its name back, while it is connected and for a while after.

use crate::{limits::RESUME_MS, protocol::name::DisplayName, table::Index};
use std::{collections::VecDeque, fmt};

/// A secret that only the client and the hub know.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token([u8; 16]);

impl Token {
    /// A token of 16 random bytes.
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// Reads what [`Token`] displays; anything else is no token.
    pub fn parse(text: &str) -> Option<Self> {
        let is_ours = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_ours)?;
        Some(Self(number.to_be_bytes()))
    }

    /// Tokens are random, so a part of one is a hash of it.
    pub(super) const fn hash(self) -> u64 {
        (u128::from_be_bytes(self.0) >> 64) as u64
    }

    /// A random number that belongs to this client, below `bound`.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is as random")]
    pub(super) const fn below(self, bound: u64) -> u64 {
        u128::from_be_bytes(self.0) as u64 % bound
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// Secrets stay out of logs.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// A client that is gone and may come back.
#[derive(Debug)]
pub(super) struct Departed {
    token: Token,
    name: DisplayName,
    until_ms: u64,
    resumed: bool,
}

/// The last clients that went. All stay equally long, so the first to come is the first to expire.
#[derive(Debug)]
pub(super) struct DepartedClients {
    queue: VecDeque<Departed>,
    /// Number of the queue's front among all that were ever queued, modulo the capacity.
    front: usize,
    index: Index,
    capacity: usize,
}

impl DepartedClients {
    pub(super) fn new(capacity: usize) -> Self {
        Self { queue: VecDeque::with_capacity(capacity), front: 0, index: Index::new(capacity), capacity }
    }

    /// Remembers a name; the oldest one goes when there is no room.
    pub(super) fn remember(&mut self, token: Token, name: DisplayName, now_ms: u64) {
        self.forget_expired(now_ms);
        if self.queue.len() == self.capacity {
            self.forget_first();
        }
        let place = (self.front + self.queue.len()) % self.capacity;
        self.queue.push_back(Departed { token, name, until_ms: now_ms + RESUME_MS, resumed: false });
        self.index.insert(token.hash(), place);
    }

    /// The name that belongs to a token; good once.
    pub(super) fn take(&mut self, token: Token, now_ms: u64) -> Option<DisplayName> {
        self.forget_expired(now_ms);
        let place = self.index.find(token.hash(), |place| {
            let departed = &self.queue[self.position(place)];
            departed.token == token && !departed.resumed
        })?;
        let position = self.position(place);
        self.queue[position].resumed = true;
        Some(self.queue[position].name.clone())
    }

    fn forget_expired(&mut self, now_ms: u64) {
        while self.queue.front().is_some_and(|departed| departed.until_ms <= now_ms) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let (front, capacity) = (self.front, self.capacity);
        self.index.remove(front, |place| self.queue[(place + capacity - front) % capacity].token.hash());
        self.queue.pop_front();
        self.front = (front + 1) % capacity;
    }

    fn position(&self, place: usize) -> usize {
        (place + self.capacity - self.front) % self.capacity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u8) -> Token {
        Token::new([number; 16])
    }

    fn name(text: &str) -> DisplayName {
        DisplayName::try_from(text).unwrap()
    }

    #[test]
    fn a_name_is_given_back_once() {
        let mut departed = DepartedClients::new(2);
        departed.remember(token(1), name("aki"), 0);
        assert_eq!(departed.take(token(2), 1), None);
        assert_eq!(departed.take(token(1), 1).as_deref(), Some("aki"));
        assert_eq!(departed.take(token(1), 1), None);
    }

    #[test]
    fn a_name_is_kept_for_five_minutes_and_no_millisecond_more() {
        for (at, kept) in [(RESUME_MS - 1, true), (RESUME_MS, false), (RESUME_MS + 1, false)] {
            let mut departed = DepartedClients::new(1);
            departed.remember(token(1), name("aki"), 0);
            assert_eq!(departed.take(token(1), at).is_some(), kept, "{at}");
        }
    }

    #[test]
    fn the_oldest_is_forgotten_when_the_table_is_full() {
        let mut departed = DepartedClients::new(2);
        for number in 1..=9 {
            departed.remember(token(number), name("aki"), u64::from(number));
        }
        assert_eq!(departed.take(token(7), 10), None);
        assert!(departed.take(token(8), 10).is_some() && departed.take(token(9), 10).is_some());
    }

    #[test]
    fn a_token_reads_back_from_its_text_and_from_nothing_else() {
        let token = Token::new(*b"0123456789abcdef");
        assert_eq!(Token::parse(&token.to_string()), Some(token));
        for text in ["", "7", &"0".repeat(31), &"0".repeat(33), &"+".repeat(32), &"A".repeat(32)] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
        assert_eq!(format!("{token:?}"), "Token");
    }
}
