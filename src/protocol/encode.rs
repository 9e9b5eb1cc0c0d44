//! What the server says: every message as a strict value, written once as a finished frame.

use super::{
    frame::{self, Opcode},
    message::ErrorCode,
    name::SYSTEM,
};
use crate::limits::FRAME_HEADER_BYTES_MAX;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;
use std::fmt;

/// One message of the server: the envelope, and what its type adds.
#[derive(Debug)]
pub struct ServerMessage<'a> {
    /// The text that people read.
    pub content: Content<'a>,
    /// Whom it comes from.
    pub sender: &'a str,
    /// The room; empty for the lobby.
    pub room: &'a str,
    /// Unix seconds.
    pub timestamp: u64,
    /// The type, and its own fields.
    pub body: Body<'a>,
}

/// The `content` of a message.
#[derive(Debug)]
pub enum Content<'a> {
    /// A JSON string as a client sent it, checked to be whole text.
    Json(&'a RawValue),
    /// Text that is put together while it is written.
    Text(fmt::Arguments<'a>),
}

/// The types of server messages, each with the fields that it has beside the envelope's.
#[derive(Debug)]
#[expect(missing_docs, reason = "the documentation of the protocol has the table of fields")]
pub enum Body<'a> {
    Welcome {
        client_id: &'a str,
        username: &'a str,
        epoch: &'a str,
        resume: &'a str,
        limits: &'a AnnouncedLimits,
        heartbeat_s: u64,
    },
    System {
        seq: u64,
    },
    ClientCount,
    Chat {
        seq: u64,
        client_id: &'a str,
    },
    Joined {
        epoch: &'a str,
        seq: u64,
        members: &'a [&'a str],
        member_count: usize,
    },
    Left,
    Gap {
        from: u64,
        to: u64,
        reason: GapReason,
    },
    Rooms {
        rooms: &'a [RoomLine<'a>],
        room_count: usize,
    },
    Members {
        members: &'a [&'a str],
        member_count: usize,
    },
    Ack {
        id: &'a str,
        seq: u64,
    },
    Pong,
    Error {
        code: ErrorCode,
        id: Option<&'a str>,
    },
    Restarting {
        retry_ms: u64,
    },
}

/// What a client may do, told by `welcome`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the documentation of the protocol has the table of fields")]
pub struct AnnouncedLimits {
    pub message_bytes: usize,
    pub rooms_per_client: usize,
    pub name_graphemes: usize,
    pub messages_per_second: u32,
    pub burst: u32,
    pub write_timeout_ms: u64,
}

/// Why messages are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The client did not read fast enough.
    Slow,
    /// They were no longer kept when the client came back.
    Expired,
    /// The log that the client knew is gone.
    Restart,
}

/// One line of `rooms`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the documentation of the protocol has the table of fields")]
pub struct RoomLine<'a> {
    pub room: &'a str,
    pub members: usize,
    pub seq: u64,
}

/// Name and version, as `welcome` tells it.
pub const SERVER: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

impl<'a> ServerMessage<'a> {
    /// A message of the server itself to one client, or to everyone.
    pub const fn system(content: fmt::Arguments<'a>, timestamp: u64, body: Body<'a>) -> Self {
        Self { content: Content::Text(content), sender: SYSTEM, room: "", timestamp, body }
    }

    /// The same about a room.
    #[must_use]
    pub const fn about(mut self, room: &'a str) -> Self {
        self.room = room;
        self
    }

    /// Writes the message as one text frame over whatever `buffer` holds; the frame is at the end of
    /// it, the start is returned.
    pub fn write_frame(&self, buffer: &mut Vec<u8>) -> usize {
        buffer.clear();
        buffer.extend_from_slice(&[0; FRAME_HEADER_BYTES_MAX]);
        if let (Content::Json(content), Body::Chat { seq, client_id }) = (&self.content, &self.body) {
            self.write_chat(content, *seq, client_id, buffer);
        } else {
            write_json(buffer, self);
        }
        frame::seal(buffer, Opcode::Text)
    }

    /// Writes what nearly all messages are: to the byte what the serializer makes of it, without its detours.
    fn write_chat(&self, content: &RawValue, seq: u64, client_id: &str, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(br#"{"type":"chat","content":"#);
        buffer.extend_from_slice(content.get().as_bytes());
        buffer.extend_from_slice(br#","sender":"#);
        write_json(buffer, self.sender);
        if !self.room.is_empty() {
            buffer.extend_from_slice(br#","room":"#);
            write_json(buffer, self.room);
        }
        buffer.extend_from_slice(br#","timestamp":"#);
        write_json(buffer, &self.timestamp);
        buffer.extend_from_slice(br#","seq":"#);
        write_json(buffer, &seq);
        buffer.extend_from_slice(br#","client_id":"#);
        write_json(buffer, client_id);
        buffer.push(b'}');
    }
}

fn write_json(buffer: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(buffer, value).expect("a message is serialized into memory");
}

impl Serialize for ServerMessage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.body.kind())?;
        match &self.content {
            Content::Json(content) => map.serialize_entry("content", content)?,
            Content::Text(content) => map.serialize_entry("content", content)?,
        }
        map.serialize_entry("sender", self.sender)?;
        if !self.room.is_empty() {
            map.serialize_entry("room", self.room)?;
        }
        map.serialize_entry("timestamp", &self.timestamp)?;
        self.body.serialize_fields(&mut map)?;
        map.end()
    }
}

impl Body<'_> {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Welcome { .. } => "welcome",
            Self::System { .. } => "system",
            Self::ClientCount => "client_count",
            Self::Chat { .. } => "chat",
            Self::Joined { .. } => "joined",
            Self::Left => "left",
            Self::Gap { .. } => "gap",
            Self::Rooms { .. } => "rooms",
            Self::Members { .. } => "members",
            Self::Ack { .. } => "ack",
            Self::Pong => "pong",
            Self::Error { .. } => "error",
            Self::Restarting { .. } => "restarting",
        }
    }

    fn serialize_fields<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Welcome { client_id, username, epoch, resume, limits, heartbeat_s } => {
                map.serialize_entry("client_id", client_id)?;
                map.serialize_entry("username", username)?;
                map.serialize_entry("epoch", epoch)?;
                map.serialize_entry("resume", resume)?;
                map.serialize_entry("limits", limits)?;
                map.serialize_entry("heartbeat_s", heartbeat_s)?;
                map.serialize_entry("server", SERVER)
            }
            Self::System { seq } => map.serialize_entry("seq", seq),
            Self::ClientCount | Self::Left | Self::Pong => Ok(()),
            Self::Chat { seq, client_id } => {
                map.serialize_entry("seq", seq)?;
                map.serialize_entry("client_id", client_id)
            }
            Self::Joined { epoch, seq, members, member_count } => {
                map.serialize_entry("epoch", epoch)?;
                map.serialize_entry("seq", seq)?;
                map.serialize_entry("members", members)?;
                map.serialize_entry("member_count", member_count)
            }
            Self::Gap { from, to, reason } => {
                map.serialize_entry("from", from)?;
                map.serialize_entry("to", to)?;
                map.serialize_entry("missed", &(to + 1 - from))?;
                map.serialize_entry("reason", reason)
            }
            Self::Rooms { rooms, room_count } => {
                map.serialize_entry("rooms", rooms)?;
                map.serialize_entry("room_count", room_count)
            }
            Self::Members { members, member_count } => {
                map.serialize_entry("members", members)?;
                map.serialize_entry("member_count", member_count)
            }
            Self::Ack { id, seq } => {
                map.serialize_entry("id", id)?;
                map.serialize_entry("seq", seq)
            }
            Self::Error { code, id } => {
                map.serialize_entry("code", code)?;
                match id {
                    Some(id) => map.serialize_entry("id", id),
                    None => Ok(()),
                }
            }
            Self::Restarting { retry_ms } => map.serialize_entry("retry_ms", retry_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_chat_is_written_as_the_serializer_would(
            content: String, sender: String, room: String, timestamp: u64, seq: u64,
        ) {
            let content = serde_json::value::to_raw_value(&content).unwrap();
            for room in ["", &room] {
                let body = Body::Chat { seq, client_id: "r6gy-1" };
                let content = Content::Json(&content);
                let message = ServerMessage { content, sender: &sender, room, timestamp, body };
                let mut buffer = Vec::new();
                let start = message.write_frame(&mut buffer);
                let payload = serde_json::to_vec(&message).unwrap();
                let header = frame::header(Opcode::Text, payload.len());
                prop_assert_eq!(&buffer[start..], [&*header, &*payload].concat());
            }
        }
    }
}
