//! The core: clients, rooms, and what is owed to whom.
//!
//! One idea carries it. Every room has one log of finished frames, and every member a cursor into
//! it. Publishing is encoding once into the log; sending is copying bytes from the cursor on;
//! a cursor that fell off the log's tail is a gap, with an exact count.
//!
//! The hub is synchronous. It never reads a clock (`Now` is passed in), never touches a socket,
//! never waits, and never takes randomness but what it is given. Calls go in; what came of them is
//! asked for: [`Hub::next_due`] names a client whose socket should be written to,
//! [`Hub::pending`] has the bytes, [`Hub::sent`] takes note, [`Hub::next_departure`] names a client
//! that is gone.

mod allowance;
mod audit;
mod capacities;
mod client;
mod connect;
mod counters;
mod drain;
mod due;
mod laggards;
mod memberships;
mod memory;
mod namesakes;
mod outbox;
mod publish;
mod receive;
mod resume;
mod room;
mod rooms;
mod tick;

pub use allowance::Allowance;
pub use capacities::Capacities;
pub use connect::{Ending, Hello, Promise};
pub use counters::{Counter, Counters};
pub use laggards::{LAGGARDS_MAX, Laggard};
pub use memory::MemoryLine;
pub use resume::Token;
pub use rooms::JOINED_LIST_BYTES_MAX;

use crate::{
    limits::OUTBOX_MESSAGES_MAX,
    protocol::{chat::Envelope, encode::AnnouncedLimits, name::DisplayName},
    table::{Index, Key, Slots},
};
use client::{Client, RoomId};
use due::Due;
use namesakes::Namesakes;
use outbox::Outbox;
use resume::DepartedClients;
use room::Room;
use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hasher},
};

/// A client: its slot, and which of the slot's tenants it is.
pub type ClientId = Key;

/// The present, as the caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds on a clock that never steps; only differences count.
    pub ms: u64,
    /// Unix seconds, for people; may step.
    pub unix_s: u64,
}

/// What tells this life of the process from all others.
#[derive(Debug, Clone)]
pub struct Identity {
    /// 4 to 12 of `A-Za-z0-9`: every epoch and every client's id contains it.
    pub epoch: heapless::String<12>,
    /// Keys the hash of names, which strangers choose.
    pub seed: u64,
}

/// A client that is gone, and what its socket should still be given.
#[derive(Debug)]
pub struct Departure {
    /// Whom; its slot may have another tenant already.
    pub id: ClientId,
    /// Its name.
    pub name: DisplayName,
    /// Why it went.
    pub ending: Ending,
    /// The rest of the frame that is half on the wire, what answers wait, and a close frame. Empty
    /// when the socket is no longer good for anything.
    pub last_words: Vec<u8>,
    /// If it was too slow, and nobody has been told since.
    pub laggard: Option<Box<Laggard>>,
}

/// Clients, rooms, and what is owed to whom.
#[derive(Debug)]
pub struct Hub {
    // Fixed after construction.
    capacities: Capacities,
    limits: AnnouncedLimits,
    identity: Identity,

    // The tables.
    clients: Slots<Client>,
    names: Index,
    tokens: Index,
    departed: DepartedClients,
    /// The lobby, then the rooms. Grows to the greatest number of rooms there ever were at once, within its
    /// reserved capacity: a log that is not there yet costs nothing.
    rooms: Vec<Room>,
    room_names: Index,
    /// Places that are kept for handshakes that are under way.
    reserved: usize,

    // What is to be done outside.
    due: Due,
    /// How far a tick has come through the clients.
    checked: usize,
    ticked_ms: u64,
    departures: VecDeque<Departure>,

    // State that is announced, not queued.
    count: tick::Count,
    counters: Counters,

    // Numbers that only grow.
    serial: u64,
    user_number: u64,
    namesakes: Namesakes,
    lives: u64,
    empties: u64,

    // Memory that is used again and again.
    scratch: Vec<u8>,
    envelope: Envelope,
    spare_outbox: Option<Box<Outbox>>,
}

impl Hub {
    /// An empty hub. Its tables are reserved now, the log of a room when there is first need of its place.
    pub fn new(capacities: Capacities, identity: Identity) -> Self {
        assert!((2..=OUTBOX_MESSAGES_MAX).contains(&capacities.outbox_messages));
        let clients = capacities.clients;
        let mut rooms = Vec::with_capacity(capacities.rooms + 1);
        rooms.push(Room::new(&capacities));
        Self {
            limits: capacities.announced(),
            identity,
            clients: Slots::new(clients),
            names: Index::new(clients),
            tokens: Index::new(clients),
            departed: DepartedClients::new(clients),
            rooms,
            room_names: Index::new(capacities.rooms + 1),
            reserved: 0,
            due: Due::new(&capacities),
            checked: 0,
            ticked_ms: 0,
            departures: VecDeque::with_capacity(clients + 1),
            count: tick::Count::default(),
            counters: Counters::default(),
            serial: 0,
            user_number: 0,
            namesakes: Namesakes::default(),
            lives: 0,
            empties: 0,
            scratch: Vec::with_capacity(capacities.entry_bytes().min(4_096)),
            envelope: Envelope::default(),
            spare_outbox: None,
            capacities,
        }
    }

    /// Clients that are connected.
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// Rooms that exist, the lobby not counted.
    pub fn room_count(&self) -> usize {
        self.rooms.len() - 1
    }

    /// Clients whose socket takes nothing at present.
    pub fn blocked_count(&self) -> usize {
        self.due.blocked_count()
    }

    /// What happened since the start.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The sizes and limits it was made with.
    pub const fn capacities(&self) -> &Capacities {
        &self.capacities
    }

    /// The name of a client, for the journal.
    pub fn name(&self, id: ClientId) -> Option<&str> {
        self.clients.get(id).map(|client| client.name.as_str())
    }

    /// The client that is due next: write to it until [`Hub::pending`] has nothing more for it.
    pub fn next_due(&mut self) -> Option<ClientId> {
        loop {
            let index = self.due.pop()?;
            if let Some(id) = self.clients.key_at(index) {
                return Some(id);
            }
        }
    }

    /// Whether anyone is due.
    pub fn is_any_due(&self) -> bool {
        self.due.is_any()
    }

    /// Those who are due after this one in the same turn of all, as far as is known by now.
    pub fn due_after(&self, id: ClientId) -> impl Iterator<Item = ClientId> {
        self.due.after(id.index()).filter_map(|index| self.clients.key_at(index))
    }

    /// Whether those who are due should be written to before any more is received.
    pub const fn is_urgent(&self) -> bool {
        self.due.is_urgent()
    }

    /// The next client that is gone.
    pub fn next_departure(&mut self) -> Option<Departure> {
        self.departures.pop_front()
    }

    fn hash(&self, name: &str) -> u64 {
        hash(self.identity.seed, name)
    }

    fn room(&self, id: RoomId) -> &Room {
        &self.rooms[id.index()]
    }

    fn room_mut(&mut self, id: RoomId) -> &mut Room {
        &mut self.rooms[id.index()]
    }
}

fn hash(seed: u64, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(seed);
    hasher.write(name.as_bytes());
    hasher.finish()
}

#[cfg(test)]
pub(crate) mod tests;
