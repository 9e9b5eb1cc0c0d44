//! The header of a client's frame (RFC 6455, section 5.2).

use super::Violation;
use crate::{limits::CONTROL_PAYLOAD_BYTES_MAX, protocol::frame::Opcode};

/// Longest header of a client's frame: 2 bytes, 8 of length, 4 of mask.
pub(super) const HEADER_BYTES_MAX: usize = 14;

/// The part of a frame's payload that has not come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload {
    /// In bytes.
    pub(super) left: u32,
    /// Turned so that its first byte is for the next byte to come.
    pub(super) mask: [u8; 4],
    pub(super) opcode: Opcode,
    pub(super) fin: bool,
}

/// What a header is judged by beside its own bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// Whether a message has begun and not ended.
    pub(super) in_message: bool,
    /// How many more bytes the message may have.
    pub(super) room: usize,
}

/// The length of the header at the front of `bytes` and what it announces; `None` if it is not whole, which
/// one of [`HEADER_BYTES_MAX`] bytes always is. What can be judged from the bytes at hand is judged, whole or
/// not.
#[inline]
pub(super) fn parse(bytes: &[u8], context: Context) -> Result<Option<(usize, Payload)>, Violation> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let (fin, opcode) = parse_first_bytes(*first, *second, context)?;
    let Some((len, rest)) = parse_len(second & 0x7F, rest)? else { return Ok(None) };
    let left = u32::try_from(len)
        .ok()
        .filter(|&len| opcode.is_control() || len as usize <= context.room)
        .ok_or(Violation::TooLarge)?;
    Ok(rest.first_chunk().map(|&mask| {
        let header_len = bytes.len() - rest.len() + mask.len();
        (header_len, Payload { left, mask, opcode, fin })
    }))
}

/// All but the length: FIN and opcode, if they may stand here.
fn parse_first_bytes(first: u8, second: u8, context: Context) -> Result<(bool, Opcode), Violation> {
    let fin = first & 0x80 != 0;
    if first & 0x70 != 0 {
        return Err(Violation::Protocol("a reserved bit is set and no extension was agreed on"));
    }
    let opcode =
        Opcode::from_bits(first & 0x0F).ok_or(Violation::Protocol("the opcode is a reserved one"))?;
    if second & 0x80 == 0 {
        return Err(Violation::Protocol("a client's frame must be masked"));
    }
    match opcode {
        Opcode::Close | Opcode::Ping | Opcode::Pong => {
            if !fin {
                return Err(Violation::Protocol("a control frame must not be fragmented"));
            }
            if usize::from(second & 0x7F) > CONTROL_PAYLOAD_BYTES_MAX {
                return Err(Violation::Protocol("a control frame carries at most 125 bytes"));
            }
        }
        Opcode::Continuation if !context.in_message => {
            return Err(Violation::Protocol("a continuation without a message to continue"));
        }
        Opcode::Text | Opcode::Binary if context.in_message => {
            return Err(Violation::Protocol("a new message before the end of the last one"));
        }
        Opcode::Continuation | Opcode::Text | Opcode::Binary => {}
    }
    Ok((fin, opcode))
}

/// The payload's length, from the 7 bits in the second byte and what follows it, and the rest of the
/// header; `None` if it is not whole. It must have its shortest form.
fn parse_len(short: u8, bytes: &[u8]) -> Result<Option<(u64, &[u8])>, Violation> {
    let (len, least, rest) = match short {
        126 => match bytes.split_first_chunk() {
            Some((len, rest)) => (u64::from(u16::from_be_bytes(*len)), 126, rest),
            None => return Ok(None),
        },
        127 => match bytes.split_first_chunk() {
            Some((len, rest)) => (u64::from_be_bytes(*len), 65_536, rest),
            None => return Ok(None),
        },
        _ => (u64::from(short), 0, bytes),
    };
    if len < least {
        return Err(Violation::Protocol("a length must have its shortest form"));
    }
    if len >> 63 != 0 {
        return Err(Violation::Protocol("the top bit of a length must be 0"));
    }
    Ok(Some((len, rest)))
}
