//! What clients say, as it goes to everyone in a room: nearly all that there is to be written. To the byte
//! what a serializer would make of it, without its detours.

use super::{
    encode::write_json,
    frame::{self, Opcode},
    message::JsonString,
};
use crate::limits::FRAME_HEADER_BYTES_MAX;
use serde::{Serialize, Serializer};
use std::ops::Range;

/// One message of a client.
#[derive(Debug)]
pub struct ChatMessage<'a> {
    /// The text.
    pub content: JsonString<'a>,
    /// The name of whoever said it.
    pub sender: &'a str,
    /// The room; empty for the lobby.
    pub room: &'a str,
    /// Unix seconds.
    pub timestamp: u64,
    /// Its number in the room's log.
    pub seq: u64,
    /// Whoever said it.
    pub client_id: WireId<'a>,
}

/// The id of a client on the wire: a part of the process's epoch, and the client's serial number.
#[derive(Debug, Clone, Copy)]
pub struct WireId<'a> {
    epoch: &'a str,
    serial: u64,
}

impl<'a> WireId<'a> {
    /// `epoch` is made of letters, digits, `_` and `-`.
    pub fn new(epoch: &'a str, serial: u64) -> Self {
        Self { epoch: epoch.get(..4).unwrap_or(epoch), serial }
    }
}

impl Serialize for WireId<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}-{}", self.epoch, self.serial))
    }
}

const BEFORE_CONTENT: &[u8] = br#"{"type":"chat","content":""#;
/// The same behind room for the header of a frame.
const FRONT: [u8; FRAME_HEADER_BYTES_MAX + BEFORE_CONTENT.len()] = {
    let mut front = [0; FRAME_HEADER_BYTES_MAX + BEFORE_CONTENT.len()];
    front.split_at_mut(FRAME_HEADER_BYTES_MAX).1.copy_from_slice(BEFORE_CONTENT);
    front
};

/// What stands behind the content of the message that was written last: who says several things in a row has
/// the same behind each of them, but for a number that is one more.
#[derive(Debug, Default)]
pub struct Envelope {
    room: String,
    timestamp: u64,
    serial: u64,
    seq: u64,
    /// Empty before the first message.
    bytes: Vec<u8>,
    /// Where the number stands in it.
    digits: Range<usize>,
}

impl Envelope {
    /// Makes it that of this message, which has the next number, or another author, room or second.
    fn turn_to(&mut self, message: &ChatMessage<'_>) {
        let is_next = self.serial == message.client_id.serial
            && self.timestamp == message.timestamp
            && self.seq.checked_add(1) == Some(message.seq)
            && self.room == message.room;
        if !is_next || !count_up(&mut self.bytes[self.digits.clone()]) {
            self.write(message);
        }
        self.seq = message.seq;
    }

    fn write(&mut self, message: &ChatMessage<'_>) {
        let WireId { epoch, serial } = message.client_id;
        self.room.clear();
        self.room.push_str(message.room);
        (self.serial, self.timestamp) = (serial, message.timestamp);

        let bytes = &mut self.bytes;
        bytes.clear();
        bytes.extend_from_slice(br#"","sender":"#);
        write_json(bytes, message.sender);
        if !message.room.is_empty() {
            bytes.extend_from_slice(br#","room":"#);
            write_json(bytes, message.room);
        }
        bytes.extend_from_slice(br#","timestamp":"#);
        write_json(bytes, &message.timestamp);
        bytes.extend_from_slice(br#","seq":"#);
        let start = bytes.len();
        write_json(bytes, &message.seq);
        self.digits = start..bytes.len();
        bytes.extend_from_slice(br#","client_id":""#);
        bytes.extend_from_slice(epoch.as_bytes());
        bytes.push(b'-');
        write_json(bytes, &serial);
        bytes.extend_from_slice(br#""}"#);
    }
}

/// Adds one to a decimal number; `false` if it would need another digit.
fn count_up(digits: &mut [u8]) -> bool {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return true;
        }
        *digit = b'0';
    }
    false
}

impl ChatMessage<'_> {
    /// Writes the message as one text frame over whatever `buffer` holds; the frame is at the end of
    /// it, the start is returned. `envelope` is that of the message before; a client has one name, and its
    /// serial number to itself.
    pub fn write_frame(&self, envelope: &mut Envelope, buffer: &mut Vec<u8>) -> usize {
        envelope.turn_to(self);
        buffer.clear();
        buffer.extend_from_slice(&FRONT);
        buffer.extend_from_slice(self.content.inside().as_bytes());
        buffer.extend_from_slice(&envelope.bytes);
        frame::seal(buffer, Opcode::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::{Request, parse};
    use proptest::prelude::*;
    use serde_json::{json, to_string};

    fn frame_of(chat: &ChatMessage<'_>, envelope: &mut Envelope) -> Vec<u8> {
        let mut buffer = Vec::new();
        let start = chat.write_frame(envelope, &mut buffer);
        buffer.split_off(start)
    }

    proptest! {
        #[test]
        fn a_chat_is_written_as_a_serializer_would(
            content: String, sender: String, room: String, timestamp: u64, seq: u64, serial: u64,
        ) {
            let text = json!({"type": "chat", "content": content}).to_string();
            let Ok(Request::Chat(content)) = parse(&text).request else { panic!("{text}") };
            for room in ["", &room] {
                let client_id = WireId::new("r6gyx", serial);
                let chat = ChatMessage { content, sender: &sender, room, timestamp, seq, client_id };

                let id = to_string(&client_id).unwrap();
                let (content, sender) = (content.inside(), json!(sender));
                let about = format!(r#","room":{}"#, json!(room));
                let room = if room.is_empty() { "" } else { &about };
                let payload = [
                    format!(r#"{{"type":"chat","content":"{content}","sender":{sender}{room}"#),
                    format!(r#","timestamp":{timestamp},"seq":{seq},"client_id":{id}}}"#),
                ].concat();
                let header = frame::header(Opcode::Text, payload.len());
                let expected = [&*header, payload.as_bytes()].concat();
                prop_assert_eq!(frame_of(&chat, &mut Envelope::default()), expected);
                prop_assert_eq!(id, format!("\"r6gy-{serial}\""));
            }
        }

        #[test]
        fn a_chat_does_not_depend_on_what_was_written_before(
            first in prop_oneof![Just(0), Just(7), Just(96), Just(u64::MAX - 40)],
            said in prop::collection::vec((0..2usize, 0..2u64, 0..3u64, 0..2usize), 1..20),
        ) {
            let text = r#"{"type":"chat","content":"hi"}"#;
            let Ok(Request::Chat(content)) = parse(text).request else { panic!("{text}") };
            let (mut envelope, mut seq) = (Envelope::default(), first);
            for (room, timestamp, further, client) in said {
                seq += further;
                let (room, sender) = (["", "k"][room], ["noor", "aki"][client]);
                let client_id = WireId::new("r6gy", client as u64);
                let chat = ChatMessage { content, sender, room, timestamp, seq, client_id };
                prop_assert_eq!(frame_of(&chat, &mut envelope), frame_of(&chat, &mut Envelope::default()));
            }
        }

        #[test]
        fn who_goes_on_is_written_with_one_number_after_the_other(first in 0..2_000u64) {
            let text = r#"{"type":"chat","content":"hi"}"#;
            let Ok(Request::Chat(content)) = parse(text).request else { panic!("{text}") };
            let mut envelope = Envelope::default();
            for seq in first..first + 120 {
                let client_id = WireId::new("r6gy", 5);
                let chat = ChatMessage { content, sender: "aki", room: "", timestamp: 1, seq, client_id };
                prop_assert_eq!(frame_of(&chat, &mut envelope), frame_of(&chat, &mut Envelope::default()));
            }
        }
    }
}
