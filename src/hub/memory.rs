//! What the hub's tables cost at most, line by line.

use super::{
    Departure, capacities::Capacities, client::Client, due::Due, memberships::Memberships, outbox::Outbox,
    resume::Departed, room::Room,
};
use crate::table::{BitSet, Index, Log, Slots};

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

impl Capacities {
    /// Every consumer of memory in the hub at its greatest.
    pub fn memory(&self) -> Vec<MemoryLine> {
        let log = Log::bytes(self.log_bytes, self.log_messages);
        let room = size_of::<Room>() + Log::MARGIN_BYTES + BitSet::bytes(self.clients);
        let outbox = self.outbox_ceiling() + size_of::<Outbox>();
        let memberships = Memberships::bytes(self.rooms_per_client);
        let tables = Slots::<Client>::bytes(self.clients)
            + self.clients * size_of::<Departed>()
            + 3 * Index::bytes(self.clients)
            + Index::bytes(self.rooms + 1)
            + Due::bytes(self.clients)
            + (self.clients + 1) * size_of::<Departure>();
        // Both double until they hold the largest frame, and the longest list; while one grows there are two.
        let scratch = 3 * (self.outbox_ceiling() + self.clients * size_of::<&str>());
        let line = |what, count, bytes, by| MemoryLine { what, count, bytes, by };
        vec![
            line("room logs", self.rooms + 1, log, &["rooms", "log_bytes", "log_messages"]),
            line("rooms", self.rooms + 1, room, &["rooms", "clients"]),
            line("tables", 1, tables, &["clients"]),
            line("memberships", self.clients, memberships, &["clients", "rooms_per_client"]),
            line("scratch", 1, scratch, &["clients", "outbox_bytes", "message_bytes"]),
            line("outboxes", self.clients, outbox, &["clients", "outbox_bytes", "message_bytes"]),
        ]
    }
}
