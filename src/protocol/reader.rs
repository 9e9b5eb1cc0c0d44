//! Reads the frames of one client (RFC 6455, as a server has to read them), without a socket.
//!
//! Bytes go in as they came from the network, cut anywhere; messages and control frames come out. A
//! message that lies whole in the input is unmasked where it stands and handed out without a copy.
//! Only what is received by halves is kept, in memory that counts against an [`InboundBudget`], grows
//! with what has really come (not with what was announced) and is freed with the message.

use std::ops::Range;

use self::header::{Context, HEADER_BYTES_MAX, Payload};
use super::{budget::InboundBudget, frame::Opcode};
use crate::limits::{CONTROL_PAYLOAD_BYTES_MAX, MESSAGE_BYTES_MAX};

mod event;
mod header;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use event::{Event, Violation};

/// The first piece of memory for a half-received message, unless less will do.
const BUFFER_BYTES_MIN: usize = 256;

const _: () = assert!(
    MESSAGE_BYTES_MAX + CONTROL_PAYLOAD_BYTES_MAX <= u32::MAX as usize,
    "a reader counts the bytes of its buffer in 32 bits"
);

/// The state of one connection's inbound side. Small, and without heap memory while nothing is
/// half-received.
#[derive(Debug)]
pub struct Reader {
    state: State,
    /// The first `message_bytes` are the half-received message; what is behind them belongs to a
    /// control frame, or has been handed out and goes at the next call.
    buffer: Vec<u8>,
    /// Bytes of the budget that `buffer` stands for, at most its capacity.
    held: u32,
    message_bytes: u32,
    /// Bytes of a half-received text known to be whole characters of UTF-8.
    checked_bytes: u32,
    /// What the half-received message is, if there is one.
    message: Option<Kind>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    BetweenFrames,
    /// Within a header of which `len` bytes have come, at least one.
    Header {
        bytes: [u8; HEADER_BYTES_MAX],
        len: u8,
    },
    Payload(Payload),
    /// After a close frame or a violation: what comes is dropped.
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

/// A finished message or control frame, not looked into yet.
struct Found {
    opcode: Opcode,
    payload: Place,
}

enum Place {
    Input(Range<usize>),
    Buffer(Range<usize>),
}

impl Reader {
    /// A reader at the first byte after the opening handshake.
    pub const fn new() -> Self {
        Self {
            state: State::BetweenFrames,
            buffer: Vec::new(),
            held: 0,
            message_bytes: 0,
            checked_bytes: 0,
            message: None,
        }
    }

    /// Takes bytes from the front of `input`, which it unmasks in place, up to the end of the first
    /// event or else all. Returns how many it took, and the event if there is one.
    ///
    /// Call again with the rest until it takes nothing: that last call, with an empty rest, also frees
    /// a message that was handed out before. Messages above `message_bytes_max` bytes (at most
    /// [`MESSAGE_BYTES_MAX`]) are refused as soon as they are announced.
    ///
    /// After a close frame or a violation nothing more comes out: bytes are taken and dropped. The
    /// memory of what was half-received then goes with the next call or [`Self::release`].
    pub fn read<'a>(
        &'a mut self,
        input: &'a mut [u8],
        message_bytes_max: usize,
        budget: &mut InboundBudget,
    ) -> Result<(usize, Option<Event<'a>>), Violation> {
        self.tidy(budget);
        let found = self.advance(input, message_bytes_max.min(MESSAGE_BYTES_MAX), budget);
        let event = match found {
            Ok((taken, None)) => return Ok((taken, None)),
            Ok((taken, Some(Found { opcode, payload }))) => {
                let payload = match payload {
                    Place::Input(range) => &input[range],
                    Place::Buffer(range) => &self.buffer[range],
                };
                Event::new(opcode, payload).map(|event| (taken, Some(event)))
            }
            Err(violation) => Err(violation),
        };
        if matches!(event, Err(_) | Ok((_, Some(Event::Close { .. })))) {
            self.state = State::Ended;
        }
        event
    }

    /// Bytes of the budget that a half-received message holds.
    pub const fn held(&self) -> usize {
        self.held as usize
    }

    /// Gives up what was half-received and its memory. For the end of the connection; nothing more can
    /// be read afterwards.
    pub fn release(&mut self, budget: &mut InboundBudget) {
        self.state = State::Ended;
        self.tidy(budget);
    }

    /// Drops from the buffer what has been handed out.
    fn tidy(&mut self, budget: &mut InboundBudget) {
        match self.state {
            State::Payload(_) => return,
            State::Ended => self.message_bytes = 0,
            State::BetweenFrames | State::Header { .. } => {}
        }
        self.buffer.truncate(self.message_bytes as usize);
        if self.buffer.is_empty() {
            self.buffer = Vec::new();
            budget.give(self.held as usize);
            self.held = 0;
        }
    }

    /// Goes through `input` up to the end of the first event.
    fn advance(
        &mut self,
        input: &mut [u8],
        message_bytes_max: usize,
        budget: &mut InboundBudget,
    ) -> Result<(usize, Option<Found>), Violation> {
        let mut at = 0;
        while at < input.len() {
            let frame = match self.state {
                State::Ended => break,
                State::Payload(frame) => frame,
                State::BetweenFrames | State::Header { .. } => {
                    let Some((taken, frame)) = self.read_header(&input[at..], message_bytes_max)? else {
                        break;
                    };
                    at += taken;
                    frame
                }
            };
            // A header may be the end of its frame: an empty payload needs no further byte.
            let chunk = at..input.len().min(at + frame.left as usize);
            at = chunk.end;
            let found = self.read_payload(frame, input, chunk, message_bytes_max, budget)?;
            if found.is_some() {
                return Ok((at, found));
            }
        }
        Ok((input.len(), None))
    }

    /// Reads a header, of which the first bytes may have come before. Returns how many bytes of `input` are
    /// its, and what it announces; nothing if all of them are, and more must come.
    fn read_header(
        &mut self,
        input: &[u8],
        message_bytes_max: usize,
    ) -> Result<Option<(usize, Payload)>, Violation> {
        let context = Context {
            in_message: self.message.is_some(),
            room: message_bytes_max.saturating_sub(self.message_bytes as usize),
        };
        let mut joined;
        let (before, bytes) = match self.state {
            State::Header { bytes, len } => {
                let before = usize::from(len);
                let added = input.len().min(HEADER_BYTES_MAX - before);
                joined = bytes;
                joined[before..before + added].copy_from_slice(&input[..added]);
                (before, &joined[..before + added])
            }
            State::BetweenFrames | State::Payload(_) | State::Ended => (0, input),
        };
        if let Some((header_len, payload)) = header::parse(bytes, context)? {
            return Ok(Some((header_len - before, payload)));
        }
        let (mut begun, len) = ([0; HEADER_BYTES_MAX], bytes.len());
        begun[..len].copy_from_slice(bytes);
        self.state = State::Header { bytes: begun, len: len.to_le_bytes()[0] };
        Ok(None)
    }

    /// Takes the `chunk` of `input` that the frame still wants, or as much as there is.
    fn read_payload(
        &mut self,
        mut frame: Payload,
        input: &mut [u8],
        chunk: Range<usize>,
        message_bytes_max: usize,
        budget: &mut InboundBudget,
    ) -> Result<Option<Found>, Violation> {
        let bytes = &mut input[chunk.clone()];
        unmask(bytes, frame.mask);
        let whole = bytes.len() == frame.left as usize;
        if whole && frame.fin && self.has_nothing_of(frame.opcode) {
            self.state = State::BetweenFrames;
            return Ok(Some(Found { opcode: frame.opcode, payload: Place::Input(chunk) }));
        }
        self.collect(frame, bytes, message_bytes_max, budget)?;
        if !whole {
            frame.left -= count(bytes.len());
            frame.mask.rotate_left(bytes.len() % 4);
            self.state = State::Payload(frame);
            return Ok(None);
        }
        self.state = State::BetweenFrames;
        if frame.opcode.is_control() {
            let payload = Place::Buffer(self.message_bytes as usize..self.buffer.len());
            return Ok(Some(Found { opcode: frame.opcode, payload }));
        }
        Ok(frame.fin.then(|| self.finish_message()))
    }

    /// Whether no earlier byte of what such a frame belongs to is in the buffer.
    fn has_nothing_of(&self, opcode: Opcode) -> bool {
        if opcode.is_control() {
            self.buffer.len() == self.message_bytes as usize
        } else {
            self.message.is_none()
        }
    }

    /// Adds `chunk` to the buffer, with memory for it from the budget.
    fn collect(
        &mut self,
        frame: Payload,
        chunk: &[u8],
        message_bytes_max: usize,
        budget: &mut InboundBudget,
    ) -> Result<(), Violation> {
        // Where more may follow, an exact size would be outgrown again and again, with a copy each time.
        let more_follows = !frame.fin || (frame.opcode.is_control() && self.message.is_some());
        let len_max = if more_follows {
            message_bytes_max + CONTROL_PAYLOAD_BYTES_MAX
        } else {
            self.buffer.len() + frame.left as usize
        };
        self.reserve(self.buffer.len() + chunk.len(), len_max, budget)?;
        self.buffer.extend_from_slice(chunk);
        if frame.opcode.is_control() {
            return Ok(());
        }
        self.message_bytes = count(self.buffer.len());
        let first = if frame.opcode == Opcode::Text { Kind::Text } else { Kind::Binary };
        let kind = *self.message.get_or_insert(first);
        // The last piece is checked with the whole, when it is handed out.
        let is_last = frame.fin && chunk.len() == frame.left as usize;
        if kind == Kind::Text && !is_last { self.check_text() } else { Ok(()) }
    }

    /// Makes room for `len` bytes and as many again, so that copying stays in proportion to what comes;
    /// but no more than `len_max` if that is enough.
    fn reserve(&mut self, len: usize, len_max: usize, budget: &mut InboundBudget) -> Result<(), Violation> {
        let held = self.held as usize;
        if len <= held {
            return Ok(());
        }
        let mut wanted = (2 * len).max(BUFFER_BYTES_MIN).min(len_max).max(len);
        if budget.take(wanted - held).is_err() {
            // What has come is what is needed.
            wanted = len;
            budget.take(wanted - held)?;
        }
        self.held = count(wanted);
        self.buffer.try_reserve_exact(wanted - self.buffer.len()).map_err(|_| Violation::NoMemory)
    }

    /// Checks what has come of a text since the last time; a character cut short may still be completed.
    fn check_text(&mut self) -> Result<(), Violation> {
        let valid = match str::from_utf8(&self.buffer[self.checked_bytes as usize..]) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Err(Violation::NotUtf8),
        };
        self.checked_bytes += count(valid);
        Ok(())
    }

    /// Hands over the message in the buffer, which stays there until the next call.
    fn finish_message(&mut self) -> Found {
        let opcode = match self.message.take() {
            Some(Kind::Text) => Opcode::Text,
            Some(Kind::Binary) | None => Opcode::Binary,
        };
        self.message_bytes = 0;
        self.checked_bytes = 0;
        Found { opcode, payload: Place::Buffer(0..self.buffer.len()) }
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

/// Section 5.3. The first byte of `mask` is for the first of `bytes`. Word by word, which the compiler
/// widens further where the machine can.
fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= key;
    }
}

/// A number of bytes in the buffer, which the assertion at the top keeps within 32 bits.
fn count(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("the buffer is bounded")
}
