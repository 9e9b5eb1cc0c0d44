//! Frames from the client's side (RFC 6455, section 5.2): walked over as they come, written masked.

/// The first byte of a whole text message, of a binary one, of a pong.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const PONG: u8 = 0x8A;
/// Opcodes as they stand in the low four bits of the first byte.
pub(super) const OPCODE_TEXT: u8 = 0x1;
pub(super) const OPCODE_BINARY: u8 = 0x2;
pub(super) const OPCODE_CLOSE: u8 = 0x8;
pub(super) const OPCODE_PING: u8 = 0x9;

const MASKED: u8 = 0x80;
/// The second byte's value where 16 bits of length follow, and where 64 do.
const LEN_IN_16_BITS: u8 = 126;
const LEN_IN_64_BITS: u8 = 127;
/// A client masks what it sends (section 5.3). The key is no secret between these two.
pub(super) const MASK: [u8; 4] = [0x5A, 0x3C, 0x69, 0x0F];

/// The whole frames at the start of what was read: opcode and payload of each.
#[derive(Debug)]
pub(super) struct Frames<'a>(&'a [u8]);

impl<'a> Frames<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is left behind the last whole frame.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = (u8, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (&[first, second], rest) = self.0.split_first_chunk()?;
        let (len, rest) = match second & 0x7F {
            LEN_IN_16_BITS => {
                rest.split_first_chunk().map(|(len, rest)| (u64::from(u16::from_be_bytes(*len)), rest))?
            }
            LEN_IN_64_BITS => rest.split_first_chunk().map(|(len, rest)| (u64::from_be_bytes(*len), rest))?,
            short => (u64::from(short), rest),
        };
        let (payload, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some((first & 0x0F, payload))
    }
}

/// A masked message, and where in it the payload begins.
pub(super) fn message(is_binary: bool, payload: &[u8]) -> (Vec<u8>, usize) {
    masked(if is_binary { BINARY } else { TEXT }, payload)
}

/// The answer to a ping.
pub(super) fn pong(payload: &[u8]) -> Vec<u8> {
    masked(PONG, payload).0
}

#[expect(clippy::cast_possible_truncation, reason = "each length is checked right before")]
fn masked(first: u8, payload: &[u8]) -> (Vec<u8>, usize) {
    let mut frame = vec![first];
    match payload.len() {
        len @ ..126 => frame.push(MASKED | len as u8),
        len @ ..0x1_0000 => {
            frame.push(MASKED | LEN_IN_16_BITS);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            frame.push(MASKED | LEN_IN_64_BITS);
            frame.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    let start = frame.len();
    frame.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ MASK[at % 4]));
    (frame, start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Event, InboundBudget, Reader};

    #[test]
    fn whole_frames_are_walked_over_and_a_part_is_left_wherever_it_is_cut() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536] {
            let mut one = crate::protocol::frame::header(crate::protocol::frame::Opcode::Text, len).to_vec();
            one.resize(one.len() + len, b'x');
            let two = [&one[..], &one].concat();
            for cut in (0..one.len().min(12)).chain([one.len() - 1]) {
                let mut frames = Frames::new(&two[..one.len() + cut]);
                let (opcode, payload) = frames.next().unwrap();
                assert_eq!((opcode, payload.len()), (OPCODE_TEXT, len));
                assert!(frames.next().is_none());
                assert_eq!(frames.rest().len(), cut, "{len} bytes");
            }
        }
    }

    #[test]
    fn a_server_reads_what_is_written() {
        for len in [0, 125, 126, 65_535, 65_536] {
            let payload = "y".repeat(len);
            let (mut frame, start) = message(false, payload.as_bytes());
            assert_eq!(frame.len(), start + len);
            let mut budget = InboundBudget::new(1 << 20);
            let mut reader = Reader::new();
            let (taken, event) = reader.read(&mut frame, 1 << 20, &mut budget).unwrap();
            assert!(matches!(event, Some(Event::Text(text)) if text == payload), "{len} bytes");
            assert_eq!(taken, start + len);
        }
    }
}
