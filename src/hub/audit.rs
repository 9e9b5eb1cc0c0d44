//! Whether the hub is in order: everything that must hold between its parts, checked from scratch.

use super::{Hub, client::RoomId, counters::Counter};

impl Hub {
    /// Checks every invariant; the first that does not hold is named. Slow: for tests, and for the
    /// moment after a panic, when nothing else is known.
    pub fn audit(&self) -> Result<(), &'static str> {
        self.audit_clients()?;
        self.audit_rooms()?;
        self.audit_conservation()
    }

    fn audit_clients(&self) -> Result<(), &'static str> {
        let clients = || self.clients.keys().filter_map(|id| Some((id.index(), self.clients.get(id)?)));
        for (index, client) in clients() {
            let found = self.names.find(self.hash(&client.name), |other| other == index);
            ensure(found.is_some(), "a client is found by its name")?;
            // Whoever has the same name is found by the same hash: no need to compare each with each.
            let is_namesake = |other: usize| {
                other != index && self.clients.at(other).is_some_and(|other| other.name == client.name)
            };
            let namesake = self.names.find(self.hash(&client.name), is_namesake);
            ensure(namesake.is_none(), "a name is present once")?;
            let found = self.tokens.find(client.token.hash(), |other| other == index);
            ensure(found.is_some(), "a client is found by its token")?;
            let sound = client.outbox.as_ref().is_none_or(|outbox| outbox.is_sound());
            ensure(sound, "the entries of an outbox add up to its bytes")?;
            let outbox_inside = client.outbox.as_ref().is_some_and(|outbox| outbox.is_inside_frame());
            let logs_inside = client.memberships.iter().filter(|membership| membership.offset > 0).count();
            ensure(usize::from(outbox_inside) + logs_inside <= 1, "a client is inside one frame at most")?;
            ensure(
                logs_inside == 0 || client.inside().is_some(),
                "it is inside a frame of the log that it reads",
            )?;
            for membership in client.memberships.iter() {
                let Some(room) = membership.room else { continue };
                let log = &self.room(room).log;
                ensure(membership.next <= log.next(), "no cursor is beyond the head")?;
                ensure(self.room(room).members.contains(index), "a room knows its members")?;
            }
            if let Some((room, seq)) = client.inside() {
                let log = &self.room(room).log;
                ensure(log.tail() <= seq && seq < log.next(), "a frame that is half sent is kept")?;
            }
        }
        let taken = self.clients.len() + self.reserved;
        ensure(taken <= self.capacities.clients, "there are no more clients and promises than places")
    }

    fn audit_rooms(&self) -> Result<(), &'static str> {
        for (index, room) in self.rooms.iter().enumerate() {
            ensure(room.members.len() == room.member_count, "the count of members is theirs")?;
            let inside = room.members.iter().filter_map(|member| self.clients.at(member)?.inside());
            let seqs: Vec<u64> = inside.filter(|(id, _)| id.index() == index).map(|(_, seq)| seq).collect();
            ensure(room.members_inside == seqs.len(), "the count of members inside a frame is theirs")?;
            let is_known = seqs.iter().all(|&seq| room.oldest_inside <= seq);
            ensure(is_known, "no frame older than the oldest is half sent")?;
            if index != RoomId::LOBBY.index() {
                let found = self.find_room(&room.name);
                ensure(found.is_some_and(|found| found.index() == index), "a room is found by its name")?;
            }
        }
        Ok(())
    }

    /// Every message owed to a client was delivered, declared missing, discarded, or waits; and every
    /// client that came is there, or went for one reason.
    fn audit_conservation(&self) -> Result<(), &'static str> {
        let memberships = self
            .clients
            .keys()
            .filter_map(|id| self.clients.get(id))
            .flat_map(|client| client.memberships.iter());
        let waiting: u64 = memberships.filter_map(|m| Some(self.room(m.room?).log.next() - m.next)).sum();
        let settled = [Counter::Delivered, Counter::Missed, Counter::Discarded];
        let settled: u64 = settled.into_iter().map(|counter| self.counters.get(counter)).sum();
        ensure(self.counters.get(Counter::Owed) == settled + waiting, "what was owed is accounted for")?;
        let ended: u64 = Counter::ENDINGS.into_iter().map(|ending| self.counters.get(ending)).sum();
        ensure(self.counters.get(Counter::Disconnected) == ended, "who went is counted by the reason")?;
        let present = self.clients.len() as u64;
        ensure(self.counters.get(Counter::Connected) == ended + present, "who came went or is there")
    }
}

fn ensure(holds: bool, invariant: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(invariant) }
}
