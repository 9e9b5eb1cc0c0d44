//! What clients say, as it goes to everyone in a room: nearly all that there is to be written. To the byte
//! what a serializer would make of it, without its detours.

use super::{
    encode::{begin_frame, write_json},
    frame::{self, Opcode},
    message::JsonString,
};
use serde::{Serialize, Serializer};

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

impl ChatMessage<'_> {
    /// Writes the message as one text frame over whatever `buffer` holds; the frame is at the end of
    /// it, the start is returned.
    pub fn write_frame(&self, buffer: &mut Vec<u8>) -> usize {
        begin_frame(buffer);
        buffer.extend_from_slice(br#"{"type":"chat","content":""#);
        buffer.extend_from_slice(self.content.inside().as_bytes());
        buffer.extend_from_slice(br#"","sender":"#);
        write_json(buffer, self.sender);
        if !self.room.is_empty() {
            buffer.extend_from_slice(br#","room":"#);
            write_json(buffer, self.room);
        }
        buffer.extend_from_slice(br#","timestamp":"#);
        write_json(buffer, &self.timestamp);
        buffer.extend_from_slice(br#","seq":"#);
        write_json(buffer, &self.seq);
        buffer.extend_from_slice(br#","client_id":""#);
        buffer.extend_from_slice(self.client_id.epoch.as_bytes());
        buffer.push(b'-');
        write_json(buffer, &self.client_id.serial);
        buffer.extend_from_slice(br#""}"#);
        frame::seal(buffer, Opcode::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::{Request, parse};
    use proptest::prelude::*;
    use serde_json::{json, to_string};

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
                let mut buffer = Vec::new();
                let start = chat.write_frame(&mut buffer);

                let id = to_string(&client_id).unwrap();
                let (content, sender) = (content.inside(), json!(sender));
                let about = format!(r#","room":{}"#, json!(room));
                let room = if room.is_empty() { "" } else { &about };
                let payload = [
                    format!(r#"{{"type":"chat","content":"{content}","sender":{sender}{room}"#),
                    format!(r#","timestamp":{timestamp},"seq":{seq},"client_id":{id}}}"#),
                ].concat();
                let header = frame::header(Opcode::Text, payload.len());
                prop_assert_eq!(&buffer[start..], [&*header, payload.as_bytes()].concat());
                prop_assert_eq!(id, format!("\"r6gy-{serial}\""));
            }
        }
    }
}
