//! What clients say: parsed permissively and borrowed from the text, represented strictly.

mod fields;

use super::name::{self, RoomName};
use crate::limits::{EPOCH_BYTES_MAX, MESSAGE_ID_BYTES_MAX};
use fields::{Fields, Value};
use std::borrow::Cow;

/// The `id` that a client gave its message.
pub type MessageId = heapless::String<MESSAGE_ID_BYTES_MAX, u8>;

/// A string as JSON has it, quotes and escapes included, as it came. Its escapes make whole characters: it
/// can be sent to others as it stands, valid JSON that every parser takes for the same text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonString<'a>(&'a str);

impl<'a> JsonString<'a> {
    /// The JSON text.
    pub const fn get(self) -> &'a str {
        self.0
    }

    /// This value, if it is a string and its escapes make whole characters.
    fn of(value: Value<'a>) -> Option<Self> {
        let is_whole = !value.has_escapes || surrogates_are_paired(value.json);
        Some(Self(value.json)).filter(|_| value.json.starts_with('"') && is_whole)
    }
}

/// One message from a client.
#[derive(Debug)]
pub enum ClientMessage<'a> {
    /// Text for everyone in a room, or for everyone.
    Chat {
        /// The text.
        content: JsonString<'a>,
        /// Empty for the lobby.
        room: RoomName,
        /// Asks for an `ack`.
        id: Option<MessageId>,
    },
    /// Enter a room.
    JoinRoom {
        /// Not empty.
        room: RoomName,
        /// What of the past is wanted.
        replay: Replay<'a>,
        /// Comes back in an `error`.
        id: Option<MessageId>,
    },
    /// Leave a room.
    LeaveRoom {
        /// Not empty.
        room: RoomName,
        /// Comes back in an `error`.
        id: Option<MessageId>,
    },
    /// Ask for the rooms.
    ListRooms {
        /// Comes back in an `error`.
        id: Option<MessageId>,
    },
    /// Ask who is in a room, or here at all.
    ListMembers {
        /// Empty for the lobby.
        room: RoomName,
        /// Comes back in an `error`.
        id: Option<MessageId>,
    },
    /// Ask for a sign of life.
    Ping {
        /// Comes back in an `error`.
        id: Option<MessageId>,
    },
    /// Anything else: to be sent back as it came.
    Other,
}

impl ClientMessage<'_> {
    /// The room that it names, and its `id`.
    pub fn room_and_id(&self) -> (RoomName, Option<MessageId>) {
        match self {
            Self::Chat { room, id, .. }
            | Self::JoinRoom { room, id, .. }
            | Self::LeaveRoom { room, id }
            | Self::ListMembers { room, id } => (room.clone(), id.clone()),
            Self::ListRooms { id } | Self::Ping { id } => (RoomName::new(), id.clone()),
            Self::Other => Default::default(),
        }
    }
}

/// What of a log's past a client wants to have again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay<'a> {
    /// Only what comes from now on.
    None,
    /// So many of the last messages, as far as they are kept.
    Last(u64),
    /// Everything after a position.
    Since(Position<'a>),
}

/// A position in one life of one log: the last message that a client has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position<'a> {
    /// Names the life of the log.
    pub epoch: Cow<'a, str>,
    /// The last message; 0 before the first.
    pub seq: u64,
}

/// A message of a known type that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadMessage {
    /// Which error the sender gets.
    pub code: ErrorCode,
    /// One sentence that says what to do.
    pub advice: &'static str,
    /// The room that it named, where it is a name.
    pub room: RoomName,
    /// The message's `id`, where it has a good one.
    pub id: Option<MessageId>,
}

/// The codes of `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is told by its name; the documentation of the protocol has the table")]
pub enum ErrorCode {
    BadMessage,
    BadRoomName,
    NotInRoom,
    RoomsFull,
    TooManyRooms,
    RateLimited,
    TooLarge,
    TooSlow,
    UnknownRoom,
}

const ROOM_NAME_ADVICE: &str =
    "Give the room a name of 1 to 48 bytes without control or invisible characters.";

/// Reads one text message.
pub fn parse(text: &str) -> Result<ClientMessage<'_>, BadMessage> {
    let Some(fields) = Fields::of(text) else { return Ok(ClientMessage::Other) };
    let Some(kind) = fields.kind.and_then(text_of) else { return Ok(ClientMessage::Other) };
    let parse = match kind.as_ref() {
        "chat" => chat,
        "join_room" => join_room,
        "leave_room" => leave_room,
        "list_members" => list_members,
        "list_rooms" => |fields: &Fields<'_>| Ok(ClientMessage::ListRooms { id: good_id(fields) }),
        "ping" => |fields: &Fields<'_>| Ok(ClientMessage::Ping { id: good_id(fields) }),
        _ => return Ok(ClientMessage::Other),
    };
    parse(&fields).map_err(|(code, advice)| BadMessage {
        code,
        advice,
        room: fields.room.and_then(text_of).and_then(|room| name::room(&room).ok()).unwrap_or_default(),
        id: good_id(&fields),
    })
}

/// Reads a position, `EPOCH:SEQ`.
pub fn position(text: Cow<'_, str>) -> Option<Position<'_>> {
    let colon = text.find(':')?;
    let (epoch, seq) = (&text[..colon], &text[colon + 1..]);
    let well_formed = (1..=EPOCH_BYTES_MAX).contains(&epoch.len())
        && epoch.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        && seq.bytes().all(|b| b.is_ascii_digit());
    let seq = seq.parse().ok().filter(|_| well_formed)?;
    let epoch = match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..colon]),
        Cow::Owned(mut text) => {
            text.truncate(colon);
            Cow::Owned(text)
        }
    };
    Some(Position { epoch, seq })
}

type Parsed<'a> = Result<ClientMessage<'a>, (ErrorCode, &'static str)>;

fn bad<T>(advice: &'static str) -> Result<T, (ErrorCode, &'static str)> {
    Err((ErrorCode::BadMessage, advice))
}

fn chat<'a>(fields: &Fields<'a>) -> Parsed<'a> {
    let Some(content) = fields.content.and_then(JsonString::of) else {
        return bad("Give `content` as a string of Unicode text.");
    };
    let id = message_id(fields)?;
    let room = match present(fields.room) {
        None => RoomName::new(),
        Some(room) => match text_of(room) {
            Some(room) => {
                name::room_or_lobby(&room).map_err(|_| (ErrorCode::BadRoomName, ROOM_NAME_ADVICE))?
            }
            None => return bad("Give `room` as a string, or leave it out to reach everyone."),
        },
    };
    Ok(ClientMessage::Chat { content, room, id })
}

fn join_room<'a>(fields: &Fields<'a>) -> Parsed<'a> {
    let room = required_room(fields)?;
    let history = match present(fields.history) {
        None => None,
        Some(history) => match history.json.parse() {
            Ok(count) => Some(count),
            Err(_) => return bad("Give `history` as a whole number, 0 or more."),
        },
    };
    let since = match present(fields.since) {
        None => None,
        Some(since) => match text_of(since).and_then(position) {
            Some(since) => Some(since),
            None => {
                return bad("Give `since` as a string EPOCH:SEQ, as `joined` and the messages told them.");
            }
        },
    };
    Ok(ClientMessage::JoinRoom { room, replay: Replay::of(since, history), id: good_id(fields) })
}

impl<'a> Replay<'a> {
    /// A position wins over a count.
    pub fn of(since: Option<Position<'a>>, history: Option<u64>) -> Self {
        match (since, history) {
            (Some(since), _) => Self::Since(since),
            (None, Some(count)) => Self::Last(count),
            (None, None) => Self::None,
        }
    }
}

fn leave_room<'a>(fields: &Fields<'a>) -> Parsed<'a> {
    Ok(ClientMessage::LeaveRoom { room: required_room(fields)?, id: good_id(fields) })
}

fn list_members<'a>(fields: &Fields<'a>) -> Parsed<'a> {
    match fields.room.and_then(text_of) {
        None => bad("Give `room` as a string; an empty one asks for everyone."),
        Some(room) => match name::room_or_lobby(&room) {
            Ok(room) => Ok(ClientMessage::ListMembers { room, id: good_id(fields) }),
            Err(_) => Err((ErrorCode::BadRoomName, ROOM_NAME_ADVICE)),
        },
    }
}

fn required_room(fields: &Fields<'_>) -> Result<RoomName, (ErrorCode, &'static str)> {
    match fields.room.and_then(text_of) {
        None => bad("Give `room` as a string."),
        Some(room) => name::room(&room).map_err(|_| (ErrorCode::BadRoomName, ROOM_NAME_ADVICE)),
    }
}

fn message_id(fields: &Fields<'_>) -> Result<Option<MessageId>, (ErrorCode, &'static str)> {
    let Some(id) = present(fields.id) else { return Ok(None) };
    match text_of(id).and_then(|id| MessageId::try_from(id.as_ref()).ok()) {
        Some(id) => Ok(Some(id)),
        None => bad("Give `id` as a string of at most 32 bytes, or leave it out."),
    }
}

/// The `id` for an `error`; for messages that are not acknowledged a bad one is no fault.
fn good_id(fields: &Fields<'_>) -> Option<MessageId> {
    message_id(fields).ok().flatten()
}

/// `null` for a field that may be left out is as good as leaving it out.
fn present(field: Option<Value<'_>>) -> Option<Value<'_>> {
    field.filter(|value| value.json != "null")
}

/// The text of a JSON string; nothing if it is no string, or names half of a surrogate pair.
fn text_of(value: Value<'_>) -> Option<Cow<'_, str>> {
    let quoted = value.json.strip_prefix('"')?.strip_suffix('"')?;
    if value.has_escapes {
        return serde_json::from_str(value.json).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(quoted))
}

fn surrogates_are_paired(quoted: &str) -> bool {
    let mut rest = quoted;
    while let Some(escape) = rest.find('\\') {
        rest = &rest[escape..];
        match code_unit(rest) {
            None => rest = &rest[2..],
            Some(0xD800..=0xDBFF) => {
                if !matches!(code_unit(&rest[6..]), Some(0xDC00..=0xDFFF)) {
                    return false;
                }
                rest = &rest[12..];
            }
            Some(0xDC00..=0xDFFF) => return false,
            Some(_) => rest = &rest[6..],
        }
    }
    true
}

/// The code unit of a `\uXXXX` at the front of a text.
fn code_unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests;
