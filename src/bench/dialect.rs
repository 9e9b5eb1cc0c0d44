//! How a server is spoken to: what a client says first, and what stands around a message's content.
//!
//! roomd's own is [`ROOMD`]. Other servers, which are measured beside it, have theirs with the benches.

use std::iter;

/// What stands before and behind a content of so many bytes, by type and room.
pub type Around = fn(kind: &str, room: &str, content_bytes: usize) -> (Vec<u8>, Vec<u8>);

/// A way to publish and to receive over WebSocket.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The path that is asked for, up to where `quiet=1&room=NAME` follows: it ends in `?` or `&`.
    pub path: &'static str,
    /// Further lines of the request, each with its end.
    pub headers: &'static str,
    /// Whether messages are binary frames, not text.
    pub is_binary: bool,
    /// The payload of the first frame of a client, by its room (`""` is the lobby); empty: there is none.
    pub greeting: fn(room: &str) -> Vec<u8>,
    /// How the answer begins that must have come before anything is published; empty: there is none.
    pub welcome: &'static [u8],
    /// The message around its content.
    pub around: Around,
    /// The length of the first message of a payload; `None` where a frame holds one, never several.
    pub first: Option<fn(payload: &[u8]) -> usize>,
}

/// docs/PROTOCOL.md.
pub(super) const ROOMD: Dialect = Dialect {
    path: "/ws?",
    headers: "",
    is_binary: false,
    greeting: |_| Vec::new(),
    welcome: b"",
    around: |kind, room, _| {
        let head = format!("{{\"type\":\"{kind}\",\"content\":\"");
        let tail = if room.is_empty() { "\"}".to_owned() } else { format!("\",\"room\":\"{room}\"}}") };
        (head.into_bytes(), tail.into_bytes())
    },
    first: None,
};

impl Dialect {
    pub(super) fn is_welcome(&self, message: &[u8]) -> bool {
        !self.welcome.is_empty() && message.starts_with(self.welcome)
    }

    /// The messages that a frame holds, in order.
    #[inline]
    pub(super) fn messages<'a>(&self, payload: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (first, mut rest) = (self.first, payload);
        iter::from_fn(move || {
            let len = first.map_or(rest.len(), |first| first(rest).clamp(1, rest.len().max(1)));
            let (message, behind) = rest.split_at_checked(len).filter(|_| len > 0)?;
            rest = behind;
            Some(message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(first: Option<fn(&[u8]) -> usize>, payload: &[u8]) -> Vec<&[u8]> {
        Dialect { first, ..ROOMD }.messages(payload).collect()
    }

    #[test]
    fn a_frame_is_one_message_where_the_dialect_has_no_other_rule() {
        assert_eq!(messages(None, b"abc"), [b"abc"]);
        assert_eq!(messages(None, b""), [b""; 0]);
    }

    #[test]
    fn a_welcome_is_known_by_its_beginning_and_roomd_has_none() {
        let dialect = Dialect { welcome: b"40", ..ROOMD };
        assert!(dialect.is_welcome(b"40{}") && !dialect.is_welcome(b"0{}") && !dialect.is_welcome(b"4"));
        assert!(!ROOMD.is_welcome(b"") && !ROOMD.is_welcome(b"40{}"));
    }

    #[test]
    fn a_frame_is_cut_by_the_rule_of_the_dialect_whatever_that_says() {
        assert_eq!(messages(Some(|_| 2), b"abcde"), [&b"ab"[..], b"cd", b"e"]);
        assert_eq!(messages(Some(|_| 0), b"ab"), [b"a", b"b"]);
        assert_eq!(messages(Some(|_| usize::MAX), b"ab"), [b"ab"]);
        assert_eq!(messages(Some(|_| 2), b""), [b""; 0]);
    }
}
