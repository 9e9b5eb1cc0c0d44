//! How much a hub can hold, and what that costs at most.

use super::{client::Client, client::Membership, outbox::Outbox, resume::Departed, room::Room};
use crate::{
    limits::{FRAME_HEADER_BYTES_MAX, LOG_MESSAGES_OF_GREATEST_SIZE, NAME_GRAPHEMES_MAX},
    protocol::encode::AnnouncedLimits,
    table::{BitSet, Index, Log, Slots},
};

/// The sizes and limits of a hub; all tables are reserved from it when the hub is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacities {
    /// Clients at once.
    pub clients: usize,
    /// Rooms at once, the lobby not counted.
    pub rooms: usize,
    /// Rooms of one client at once, the lobby not counted.
    pub rooms_per_client: usize,
    /// Bytes in the log of a room.
    pub log_bytes: usize,
    /// Messages in the log of a room.
    pub log_messages: usize,
    /// Bytes of the largest message that a client may send.
    pub message_bytes: usize,
    /// Frames in an outbox, at least 2.
    pub outbox_messages: usize,
    /// Bytes in an outbox.
    pub outbox_bytes: usize,
    /// Messages per second of one client; 0 is no limit.
    pub messages_per_second: u32,
    /// Messages of one client at once.
    pub burst: u32,
    /// Milliseconds after which a socket that takes nothing is ended.
    pub write_timeout_ms: u64,
    /// Seconds between pings.
    pub heartbeat_s: u64,
}

/// One consumer of memory: so many of so many bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryLine {
    /// What it is, in words of the settings.
    pub what: &'static str,
    /// How many there are.
    pub count: usize,
    /// Bytes of each.
    pub bytes: usize,
    /// The fields of [`Capacities`] that change it.
    pub by: &'static [&'static str],
}

/// More than the envelope of any message adds to its content: field names, 20-digit numbers, the
/// sender and the room with every byte escaped.
const ENVELOPE_BYTES_MAX: usize = 1_024;
/// More than the largest frame that says what is missing: an envelope without content.
pub(super) const FACT_BYTES_MAX: usize = 512;

impl Capacities {
    /// Largest frame that a log takes: a quarter of the log, so that it always holds four.
    pub fn entry_bytes(&self) -> usize {
        (self.log_bytes / LOG_MESSAGES_OF_GREATEST_SIZE).min(self.message_bytes + ENVELOPE_BYTES_MAX)
    }

    /// Most bytes that wait in one outbox: its frames, one of which may be as large as a message,
    /// or the rest of a log's frame; and what says that something is missing.
    pub fn outbox_ceiling(&self) -> usize {
        let frame = self.entry_bytes().max(self.message_bytes + FRAME_HEADER_BYTES_MAX);
        self.outbox_bytes.max(frame) + self.outbox_messages * FACT_BYTES_MAX
    }

    /// Every consumer of memory in the hub at its greatest.
    pub fn memory(&self) -> Vec<MemoryLine> {
        let log = Log::bytes(self.log_bytes, self.log_messages);
        let room = size_of::<Room>() + BitSet::bytes(self.clients);
        let outbox = self.outbox_ceiling() + size_of::<Outbox>();
        let memberships = (self.rooms_per_client + 1) * size_of::<Membership>();
        let tables = Slots::<Client>::bytes(self.clients)
            + self.clients * size_of::<Departed>()
            + 3 * Index::bytes(self.clients)
            + Index::bytes(self.rooms)
            + 4 * BitSet::bytes(self.clients);
        let line = |what, count, bytes, by| MemoryLine { what, count, bytes, by };
        vec![
            line("room logs", self.rooms + 1, log, &["rooms", "log_bytes", "log_messages"]),
            line("rooms", self.rooms + 1, room, &["rooms", "clients"]),
            line("tables", 1, tables, &["clients"]),
            line("memberships", self.clients, memberships, &["clients", "rooms_per_client"]),
            line("outboxes", self.clients, outbox, &["clients", "outbox_bytes", "message_bytes"]),
        ]
    }
}

impl Capacities {
    /// The part that clients are told.
    pub(super) fn announced(&self) -> AnnouncedLimits {
        AnnouncedLimits {
            message_bytes: self.message_bytes,
            rooms_per_client: self.rooms_per_client,
            name_graphemes: NAME_GRAPHEMES_MAX,
            messages_per_second: self.messages_per_second,
            burst: self.burst,
            write_timeout_ms: self.write_timeout_ms,
        }
    }
}
