//! Frames as a server writes them (RFC 6455, section 5.2): never masked, lengths in their shortest
//! form; and the close codes that roomd uses.

use heapless::Vec;

use crate::limits::{CONTROL_PAYLOAD_BYTES_MAX, FRAME_HEADER_BYTES_MAX};

const FIN: u8 = 0x80;
/// Lengths up to this stand in the second byte itself.
const SHORT_LEN_MAX: usize = 125;
/// The second byte's value where 16 bits of length follow, and where 64 do.
const LEN_IN_16_BITS: u8 = 126;
const LEN_IN_64_BITS: u8 = 127;

/// Most bytes of a control frame as a server writes it: 2 of header and the payload.
pub const CONTROL_FRAME_BYTES_MAX: usize = 2 + CONTROL_PAYLOAD_BYTES_MAX;
/// Longest reason that a close frame carries, in bytes: the payload less the code.
pub const CLOSE_REASON_BYTES_MAX: usize = CONTROL_PAYLOAD_BYTES_MAX - 2;

/// A whole control frame, ready to be sent.
pub type ControlFrame = Vec<u8, CONTROL_FRAME_BYTES_MAX, u8>;

/// What a frame is (RFC 6455, section 11.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of the message begun before.
    Continuation = 0x0,
    /// A message of UTF-8 text, or its first fragment.
    Text = 0x1,
    /// A message of bytes, or its first fragment.
    Binary = 0x2,
    /// The closing handshake.
    Close = 0x8,
    /// A question for life, to be answered with a pong of the same payload.
    Ping = 0x9,
    /// The answer to a ping, or unasked.
    Pong = 0xA,
}

impl Opcode {
    /// The opcode of these four bits; `None` for one that RFC 6455 reserves.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    /// Close, ping and pong: never fragmented, allowed between the fragments of a message.
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The header of a final, unmasked frame: 2 to [`FRAME_HEADER_BYTES_MAX`] bytes.
pub fn header(opcode: Opcode, payload_len: usize) -> Vec<u8, FRAME_HEADER_BYTES_MAX, u8> {
    let mut bytes = [0; FRAME_HEADER_BYTES_MAX];
    let start = write_header(&mut bytes, opcode, payload_len);
    let mut header = Vec::new();
    header.extend_from_slice(&bytes[start..]).expect("the longest fits");
    header
}

/// Writes it to the end of `free`. Returns where it starts; nothing before that is written.
fn write_header(free: &mut [u8; FRAME_HEADER_BYTES_MAX], opcode: Opcode, payload_len: usize) -> usize {
    let first = FIN | opcode as u8;
    if payload_len <= SHORT_LEN_MAX {
        free[8..].copy_from_slice(&[first, payload_len.to_le_bytes()[0]]);
        8
    } else if let Ok(short) = u16::try_from(payload_len) {
        free[6..8].copy_from_slice(&[first, LEN_IN_16_BITS]);
        free[8..].copy_from_slice(&short.to_be_bytes());
        6
    } else {
        free[..2].copy_from_slice(&[first, LEN_IN_64_BITS]);
        free[2..].copy_from_slice(&(payload_len as u64).to_be_bytes());
        0
    }
}

/// Makes a frame of the payload that stands in `buffer` behind [`FRAME_HEADER_BYTES_MAX`] bytes left
/// free, without moving it. Returns where the frame starts; it goes on to the end of `buffer`.
///
/// So a message is encoded once, straight into the buffer that it is sent from, although the length
/// of its header is only known afterwards.
///
/// # Panics
///
/// When `buffer` is shorter than the bytes that must be left free.
pub fn seal(buffer: &mut [u8], opcode: Opcode) -> usize {
    let (free, payload) = buffer.split_first_chunk_mut().expect("bytes for a header are left free");
    write_header(free, opcode, payload.len())
}

/// A ping or pong frame. A pong carries the payload of the ping that it answers (RFC 6455, section
/// 5.5.3); what is beyond [`CONTROL_PAYLOAD_BYTES_MAX`] bytes is cut off.
pub fn control_frame(opcode: Opcode, payload: &[u8]) -> ControlFrame {
    debug_assert!(opcode.is_control());
    let payload = &payload[..payload.len().min(CONTROL_PAYLOAD_BYTES_MAX)];
    let mut frame = ControlFrame::new();
    for part in [&header(opcode, payload.len())[..], payload] {
        frame.extend_from_slice(part).expect("a cut payload fits");
    }
    frame
}

/// A close frame with `code` and `reason`, the latter cut to [`CLOSE_REASON_BYTES_MAX`] bytes at the
/// end of a character.
pub fn close_frame(code: CloseCode, reason: &str) -> ControlFrame {
    let reason = &reason[..reason.floor_char_boundary(CLOSE_REASON_BYTES_MAX)];
    let mut payload = Vec::<u8, CONTROL_PAYLOAD_BYTES_MAX, u8>::new();
    for part in [&(code as u16).to_be_bytes()[..], reason.as_bytes()] {
        payload.extend_from_slice(part).expect("a cut reason fits");
    }
    control_frame(Opcode::Close, &payload)
}

/// The answer to a client's close frame: its own code comes back, and an empty frame for one without
/// a code (RFC 6455, section 5.5.1). `code` is as the reader gave it, so one that may be sent.
pub fn close_echo(code: Option<u16>) -> ControlFrame {
    match code {
        Some(code) => control_frame(Opcode::Close, &code.to_be_bytes()),
        None => control_frame(Opcode::Close, &[]),
    }
}

/// Why roomd ends a connection (RFC 6455, section 7.4; 4000 and up are roomd's own).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// Done. A client comes back when its user wants to.
    Normal = 1000,
    /// The server is going away for good. A client comes back, slowly.
    GoingAway = 1001,
    /// A frame broke RFC 6455. Not to come back: it would only happen again.
    Protocol = 1002,
    /// Text was not UTF-8. Not to come back: it would only happen again.
    NotUtf8 = 1007,
    /// Against the server's policy. Not to come back.
    Policy = 1008,
    /// A message above `message_bytes`. To come back, but not with that message.
    TooLarge = 1009,
    /// The server failed at something of its own. To come back.
    Internal = 1011,
    /// A planned restart. To come back after the `retry_ms` of the `restarting` message.
    Restart = 1012,
    /// Out of memory for messages or out of places. To come back after a while, longer each time.
    TryAgainLater = 1013,
    /// Another connection resumed this client. Not to come back: the two would evict each other forever.
    TakenOver = 4001,
    /// The client took no byte for the write timeout. To come back, and to resume.
    NotReadable = 4002,
    /// The client gave no sign of life. To come back, and to resume.
    NoSignOfLife = 4003,
}

impl CloseCode {
    /// The number on the wire.
    pub const fn code(self) -> u16 {
        self as u16
    }
}

/// Whether a client may send this code in a close frame (RFC 6455, sections 7.4.1 and 7.4.2, and the
/// IANA registry): those that only stand for an end without a close frame, and those that nobody has
/// defined, it may not.
pub const fn may_be_received(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn lengths_take_their_shortest_form() {
        let table: &[(usize, &[u8])] = &[
            (0, &[0x81, 0]),
            (1, &[0x81, 1]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 0xFF, 0xFF]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ];
        for (len, bytes) in table {
            assert_eq!(header(Opcode::Text, *len), **bytes, "{len} bytes");
        }
    }

    #[test]
    fn every_opcode_has_its_bits_and_all_others_are_reserved() {
        for bits in 0..=0xF {
            let known = matches!(bits, 0x0..=0x2 | 0x8..=0xA);
            let opcode = Opcode::from_bits(bits);
            assert_eq!(opcode.is_some(), known, "{bits:#x}");
            assert!(opcode.is_none_or(|opcode| opcode as u8 == bits));
            assert_eq!(opcode.is_some_and(Opcode::is_control), known && bits >= 8);
        }
    }

    #[test]
    fn a_sealed_payload_stays_in_its_place() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let mut buffer = vec![0xEE; FRAME_HEADER_BYTES_MAX];
            buffer.resize(FRAME_HEADER_BYTES_MAX + len, b'x');
            let start = seal(&mut buffer, Opcode::Binary);
            let (head, payload) = buffer.split_at(FRAME_HEADER_BYTES_MAX);
            assert_eq!(head[start..], header(Opcode::Binary, len));
            assert!(head[..start].iter().all(|&byte| byte == 0xEE), "nothing before the frame is written");
            assert!(payload.len() == len && payload.iter().all(|&byte| byte == b'x'));
        }
    }

    #[test]
    fn a_pong_carries_the_payload_of_its_ping() {
        assert_eq!(control_frame(Opcode::Pong, b"abc"), b"\x8a\x03abc");
        assert_eq!(control_frame(Opcode::Ping, b""), b"\x89\x00");
        for len in [124, 125, 126] {
            let frame = control_frame(Opcode::Pong, &[7; 200][..len]);
            assert_eq!(frame.len(), 2 + len.min(125));
            assert_eq!(usize::from(frame[1]), len.min(125));
        }
    }

    #[test]
    fn a_close_frame_has_code_and_reason() {
        assert_eq!(close_frame(CloseCode::Normal, ""), b"\x88\x02\x03\xe8");
        assert_eq!(close_frame(CloseCode::TakenOver, "bye"), b"\x88\x05\x0f\xa1bye");
    }

    #[test]
    fn a_reason_is_cut_at_the_end_of_a_character() {
        for (reason, kept) in [("x".repeat(123), 123), ("x".repeat(124), 123), ("é".repeat(62), 122)] {
            let frame = close_frame(CloseCode::Policy, &reason);
            assert_eq!(frame.len(), 4 + kept);
            assert!(reason.starts_with(str::from_utf8(&frame[4..]).unwrap()));
        }
    }

    #[test]
    fn a_close_is_answered_with_its_own_code_or_none() {
        assert_eq!(close_echo(Some(1001)), b"\x88\x02\x03\xe9");
        assert_eq!(close_echo(Some(4999)), b"\x88\x02\x13\x87");
        assert_eq!(close_echo(None), b"\x88\x00");
    }

    #[test]
    fn codes_at_every_edge_of_the_allowed_ranges() {
        let allowed = [1000, 1003, 1007, 1014, 3000, 4001, 4999];
        let refused = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
        assert!(allowed.into_iter().all(may_be_received));
        assert!(!refused.into_iter().any(may_be_received));
    }

    #[test]
    fn every_code_that_roomd_sends_may_be_sent() {
        use CloseCode::*;
        let all = [
            (Normal, 1000),
            (GoingAway, 1001),
            (Protocol, 1002),
            (NotUtf8, 1007),
            (Policy, 1008),
            (TooLarge, 1009),
            (Internal, 1011),
            (Restart, 1012),
            (TryAgainLater, 1013),
            (TakenOver, 4001),
            (NotReadable, 4002),
            (NoSignOfLife, 4003),
        ];
        for (code, number) in all {
            assert_eq!(code.code(), number);
            assert!(may_be_received(number));
        }
    }
}
