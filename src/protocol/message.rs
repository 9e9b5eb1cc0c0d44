//! What clients say: parsed permissively and borrowed from the text, represented strictly.

mod fields;
mod plain;

use super::name::{self, BadRoomName};
use crate::limits::{EPOCH_BYTES_MAX, MESSAGE_ID_BYTES_MAX};
use fields::{Fields, Value};
use std::borrow::Cow;

/// What stands between the quotes of a JSON string, escapes included, as it came. Its escapes make whole
/// characters: it can be sent to others as it stands, and every parser takes it for the same text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonString<'a>(&'a str);

impl<'a> JsonString<'a> {
    /// As it came, without the quotes.
    pub const fn inside(self) -> &'a str {
        self.0
    }

    /// This value, if it is a string and its escapes make whole characters.
    fn of(value: Value<'a>) -> Option<Self> {
        match value {
            Value::Text { inside, has_escapes } if !has_escapes || surrogates_are_paired(inside) => {
                Some(Self(inside))
            }
            Value::Text { .. } | Value::Other(_) => None,
        }
    }
}

/// One message from a client: what it asks for, and what its answers say that they are about.
#[derive(Debug)]
pub struct ClientMessage<'a> {
    /// What it asks for, or why that cannot be carried out.
    pub request: Result<Request<'a>, Refusal>,
    /// The room that it names, trimmed, at most as long as a [`RoomName`](name::RoomName); empty for the
    /// lobby, and where there is no good name.
    pub room: Cow<'a, str>,
    /// Its `id`, if it has a good one: comes back in an `ack` or `error`.
    pub id: Option<Cow<'a, str>>,
}

/// What a message asks for.
#[derive(Debug)]
pub enum Request<'a> {
    /// Text for everyone in a room, or for everyone.
    Chat(JsonString<'a>),
    /// Enter a room, which has a name, and have so much of its past.
    JoinRoom(Replay<'a>),
    /// Leave a room, which has a name.
    LeaveRoom,
    /// Ask for the rooms.
    ListRooms,
    /// Ask who is in a room, or here at all.
    ListMembers,
    /// Ask for a sign of life.
    Ping,
    /// Anything else: to be sent back as it came.
    Other,
}

/// Why something cannot be carried out: its code, and one sentence that says what to do.
pub type Refusal = (ErrorCode, &'static str);

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

const BAD_ROOM_NAME: Refusal = (
    ErrorCode::BadRoomName,
    "Give the room a name of 1 to 48 bytes without control or invisible characters.",
);

/// Reads one text message.
pub fn parse(text: &str) -> ClientMessage<'_> {
    read(text).unwrap_or(ClientMessage { request: Ok(Request::Other), room: Cow::default(), id: None })
}

/// The same, if it is of a type that there is.
#[inline]
fn read(text: &str) -> Option<ClientMessage<'_>> {
    let mut fields = Fields::default();
    fields.take(text)?;
    let kind = fields.kind.and_then(text_of)?;
    let id = message_id(&fields);
    let room = room_name(&fields);
    let request = match kind.as_ref() {
        "chat" => chat(&fields, &room, &id),
        "join_room" => join_room(&fields, &room),
        "leave_room" => named(&room).map(|()| Request::LeaveRoom),
        "list_members" => list_members(&room),
        "list_rooms" => Ok(Request::ListRooms),
        "ping" => Ok(Request::Ping),
        _ => return None,
    };
    let is_about_none = matches!(request, Ok(Request::ListRooms | Request::Ping));
    let room = room.filter(|_| !is_about_none).and_then(Result::ok).unwrap_or_default();
    Some(ClientMessage { request, room, id: id.ok().flatten() })
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

/// What `room` is: nothing unless it is a string.
type Room<'a> = Option<Result<Cow<'a, str>, BadRoomName>>;

fn chat<'a>(
    fields: &Fields<'a>,
    room: &Room<'_>,
    id: &Result<Option<Cow<'_, str>>, Refusal>,
) -> Result<Request<'a>, Refusal> {
    let Some(content) = fields.content.and_then(JsonString::of) else {
        return bad("Give `content` as a string of Unicode text.");
    };
    if let Err(refusal) = id {
        return Err(*refusal);
    }
    match room {
        Some(Err(BadRoomName)) => Err(BAD_ROOM_NAME),
        None if present(fields.room).is_some() => {
            bad("Give `room` as a string, or leave it out to reach everyone.")
        }
        None | Some(Ok(_)) => Ok(Request::Chat(content)),
    }
}

fn join_room<'a>(fields: &Fields<'a>, room: &Room<'_>) -> Result<Request<'a>, Refusal> {
    named(room)?;
    let history = match present(fields.history) {
        None => None,
        Some(history) => match number_of(history) {
            Some(count) => Some(count),
            None => return bad("Give `history` as a whole number, 0 or more."),
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
    Ok(Request::JoinRoom(Replay::of(since, history)))
}

fn list_members<'a>(room: &Room<'_>) -> Result<Request<'a>, Refusal> {
    match room {
        None => bad("Give `room` as a string; an empty one asks for everyone."),
        Some(Err(BadRoomName)) => Err(BAD_ROOM_NAME),
        Some(Ok(_)) => Ok(Request::ListMembers),
    }
}

/// Whether there is a name, and not that of the lobby.
fn named(room: &Room<'_>) -> Result<(), Refusal> {
    match room {
        None => bad("Give `room` as a string."),
        Some(Ok(room)) if !room.is_empty() => Ok(()),
        Some(_) => Err(BAD_ROOM_NAME),
    }
}

fn bad<T>(advice: &'static str) -> Result<T, Refusal> {
    Err((ErrorCode::BadMessage, advice))
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

fn room_name<'a>(fields: &Fields<'a>) -> Room<'a> {
    Some(match text_of(fields.room?)? {
        Cow::Borrowed(room) => name::room_or_lobby(room).map(Cow::Borrowed),
        Cow::Owned(room) => name::room_or_lobby(&room).map(|room| Cow::Owned(room.to_owned())),
    })
}

/// For messages that are not acknowledged a bad one is no fault.
fn message_id<'a>(fields: &Fields<'a>) -> Result<Option<Cow<'a, str>>, Refusal> {
    let Some(id) = present(fields.id) else { return Ok(None) };
    match text_of(id).filter(|id| id.len() <= MESSAGE_ID_BYTES_MAX) {
        Some(id) => Ok(Some(id)),
        None => bad("Give `id` as a string of at most 32 bytes, or leave it out."),
    }
}

/// `null` for a field that may be left out is as good as leaving it out.
fn present(field: Option<Value<'_>>) -> Option<Value<'_>> {
    field.filter(|value| *value != Value::Other("null"))
}

/// The text of a JSON string; nothing if it is no string, or names half of a surrogate pair.
#[expect(
    clippy::inline_always,
    reason = "a call would have it in memory, which costs more than all else here"
)]
#[inline(always)]
fn text_of(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value {
        Value::Text { inside, has_escapes: false } => Some(Cow::Borrowed(inside)),
        Value::Text { inside, .. } => unescaped(inside).map(Cow::Owned),
        Value::Other(_) => None,
    }
}

/// With the characters that its escapes stand for; nothing if one is half of a surrogate pair.
fn unescaped(inside: &str) -> Option<String> {
    serde_json::from_str(&format!("\"{inside}\"")).ok()
}

/// A whole number that is not negative.
fn number_of(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Other(json) => json.parse().ok(),
        Value::Text { .. } => None,
    }
}

fn surrogates_are_paired(inside: &str) -> bool {
    let mut rest = inside;
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

/// The code unit that an escape of one at the front of a text stands for.
fn code_unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests;
