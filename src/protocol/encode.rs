//! What the server says: every message as a strict value, written once as a finished frame.

use super::{
    chat::WireId,
    frame::{self, Opcode},
    message::ErrorCode,
    name::SYSTEM,
};
use crate::limits::FRAME_HEADER_BYTES_MAX;
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::fmt;

/// One message of the server itself: the envelope, and what its type adds.
#[derive(Debug)]
pub struct ServerMessage<'a> {
    /// The text that people read.
    pub content: fmt::Arguments<'a>,
    /// The room; empty for the lobby.
    pub room: &'a str,
    /// Unix seconds.
    pub timestamp: u64,
    /// The type, and its own fields.
    pub body: Body<'a>,
}

/// The types of server messages, each with the fields that it has beside the envelope's.
#[derive(Debug)]
#[expect(missing_docs, reason = "the documentation of the protocol has the table of fields")]
pub enum Body<'a> {
    Welcome {
        client_id: WireId<'a>,
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
    /// A message to one client, or to everyone.
    pub const fn system(content: fmt::Arguments<'a>, timestamp: u64, body: Body<'a>) -> Self {
        Self { content, room: "", timestamp, body }
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
        begin_frame(buffer);
        write_json(buffer, self);
        frame::seal(buffer, Opcode::Text)
    }
}

/// Leaves room for the header of a frame at the front of a buffer, and nothing else.
fn begin_frame(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.extend_from_slice(&[0; FRAME_HEADER_BYTES_MAX]);
}

pub(super) fn write_json(buffer: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(buffer, value).expect("a message is serialized into memory");
}

impl Serialize for ServerMessage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.body.kind())?;
        map.serialize_entry("content", &self.content)?;
        map.serialize_entry("sender", SYSTEM)?;
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
