//! What a run's messages carry: a marker by which it knows its own, and when each was sent.
//!
//! The marker begins the content. A server puts the content at the same place of every message, so
//! it is searched for once; from then on a delivery costs one comparison.

use super::{
    dialect::Dialect,
    frames::{self, MASK},
};

/// `bench-`, six letters of this run, `-`.
const MARKER_BYTES: usize = 13;
/// A time as letters from `a` to `p`, four bits each: 32 bits of microseconds are 71 minutes.
const TIME_BYTES: usize = 8;
/// Least content: marker and time.
pub(super) const CONTENT_BYTES_MIN: usize = MARKER_BYTES + TIME_BYTES;

/// What a message of this run says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// Sent, or due to be sent, at this many microseconds.
    Sent(u32),
    /// Everyone should say that it hears.
    Sync,
    /// Everyone has said so: what comes behind this counts.
    Go,
}

impl Stamp {
    fn letters(self) -> [u8; TIME_BYTES] {
        match self {
            Self::Sent(us) => std::array::from_fn(|at| b'a' + ((us >> (28 - 4 * at)) & 15) as u8),
            Self::Sync => *b"SYNC....",
            Self::Go => *b"GO......",
        }
    }

    #[inline]
    fn of(letters: [u8; TIME_BYTES]) -> Self {
        match letters[0] {
            b'S' => Self::Sync,
            b'G' => Self::Go,
            _ => Self::Sent(
                letters.iter().fold(0, |us, letter| us << 4 | u32::from(letter.wrapping_sub(b'a'))),
            ),
        }
    }
}

/// The marker of a run, and where the server puts it.
#[derive(Debug)]
pub(super) struct Marker {
    text: [u8; MARKER_BYTES],
    offset: usize,
}

impl Marker {
    /// A marker that no other run has at the same time.
    pub(super) fn new(run: u32) -> Self {
        let mut text = *b"bench-......-";
        for (at, letter) in text[6..12].iter_mut().enumerate() {
            *letter = b'a' + ((run >> (4 * at)) & 15) as u8;
        }
        Self { text, offset: 0 }
    }

    /// The name of one of the run's rooms. The marker is not in it: a room's name is in every message.
    pub(super) fn room(&self, number: usize) -> String {
        format!("room-{}-{number}", String::from_utf8_lossy(&self.text[6..MARKER_BYTES - 1]))
    }

    /// The stamp of a message of this run, if it is one.
    #[inline]
    pub(super) fn find(&mut self, payload: &[u8]) -> Option<Stamp> {
        Self::at(&self.text, payload, self.offset).or_else(|| self.search(payload))
    }

    #[inline]
    fn at(text: &[u8; MARKER_BYTES], payload: &[u8], offset: usize) -> Option<Stamp> {
        let rest = payload.get(offset..)?.strip_prefix(text)?;
        rest.first_chunk().copied().map(Stamp::of)
    }

    #[cold]
    fn search(&mut self, payload: &[u8]) -> Option<Stamp> {
        let offset = payload.windows(MARKER_BYTES).position(|window| *window == self.text)?;
        let stamp = Self::at(&self.text, payload, offset)?;
        self.offset = offset;
        Some(stamp)
    }
}

/// A message ready to be sent but for its stamp.
#[derive(Debug)]
pub(super) struct Template {
    frame: Vec<u8>,
    /// Where the stamp is, and where it is from the start of the payload, which its mask depends on.
    stamp: usize,
    stamp_in_payload: usize,
}

impl Template {
    /// A message of this type with `content_bytes` of content, at least [`CONTENT_BYTES_MIN`].
    pub(super) fn new(
        dialect: &Dialect,
        kind: &str,
        room: &str,
        marker: &Marker,
        content_bytes: usize,
    ) -> Self {
        let content_bytes = content_bytes.max(CONTENT_BYTES_MIN);
        let (mut payload, tail) = (dialect.around)(kind, room, content_bytes);
        let stamp_in_payload = payload.len() + MARKER_BYTES;
        payload.extend_from_slice(&marker.text);
        payload.resize(stamp_in_payload + content_bytes - MARKER_BYTES, b'x');
        payload.extend_from_slice(&tail);
        let (frame, start) = frames::message(dialect.is_binary, &payload);
        Self { frame, stamp: start + stamp_in_payload, stamp_in_payload }
    }

    pub(super) fn len(&self) -> usize {
        self.frame.len()
    }

    /// Appends the message with this stamp.
    pub(super) fn write(&self, stamp: Stamp, out: &mut Vec<u8>) {
        let at = out.len() + self.stamp;
        out.extend_from_slice(&self.frame);
        for (letter, (place, mask)) in stamp
            .letters()
            .into_iter()
            .zip(out[at..].iter_mut().zip(MASK.into_iter().cycle().skip(self.stamp_in_payload % 4)))
        {
            *place = letter ^ mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::dialect::ROOMD;
    use crate::protocol::{Event, InboundBudget, Reader};

    fn sent(template: &Template, stamp: Stamp) -> String {
        let mut frame = Vec::new();
        template.write(stamp, &mut frame);
        match Reader::new().read(&mut frame, 1 << 20, &mut InboundBudget::new(1 << 20)) {
            Ok((_, Some(Event::Text(text)))) => text.to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_message_keeps_its_stamp_whatever_stands_before_it() {
        let mut marker = Marker::new(0xAB_CDEF);
        for kind in ["chat", "echo!", "x", ""] {
            let template = Template::new(&ROOMD, kind, "kitchen", &marker, 128);
            for stamp in
                [Stamp::Sync, Stamp::Go, Stamp::Sent(0), Stamp::Sent(0x1234_ABCD), Stamp::Sent(u32::MAX)]
            {
                let text = sent(&template, stamp);
                assert_eq!(marker.find(text.as_bytes()), Some(stamp), "{text}");
            }
        }
    }

    #[test]
    fn content_is_as_long_as_was_asked_for_and_no_shorter_than_a_stamp() {
        let marker = Marker::new(1);
        for (asked, got) in
            [(0, CONTENT_BYTES_MIN), (CONTENT_BYTES_MIN, CONTENT_BYTES_MIN), (22, 22), (4_096, 4_096)]
        {
            let text = sent(&Template::new(&ROOMD, "chat", "", &marker, asked), Stamp::Go);
            let message: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(message["content"].as_str().unwrap().len(), got);
            assert_eq!(message.get("room"), None);
        }
    }

    #[test]
    fn what_others_say_has_no_stamp() {
        let mut marker = Marker::new(1);
        assert_ne!(marker.room(0), Marker::new(2).room(0));
        let other = sent(&Template::new(&ROOMD, "chat", "", &Marker::new(2), 64), Stamp::Go);
        for text in ["", "{\"type\":\"chat\",\"content\":\"bench-\"}", other.as_str(), &marker.room(0)] {
            assert_eq!(marker.find(text.as_bytes()), None, "{text}");
        }
    }
}
