//! What happens by itself as time passes: counts, pings, and ends.

use super::{ClientId, Hub, Now, connect::Ending};
use crate::{
    limits::{ANNOUNCE_EVERY_MS, SILENCE_MS_MAX},
    protocol::{
        encode::{Body, ServerMessage},
        frame::{self, CloseCode, Opcode},
    },
};

/// What a tick is late beyond this is no silence of the clients: the process did not run, and could neither
/// ask them nor hear them.
const LATE_MS: u64 = 200;

/// So long before a client is ended for taking nothing its socket is tried once more: systems tell that there
/// is room again only when there is much of it.
const TRY_BEFORE_MS: u64 = 500;

/// The count of clients is state: it is never queued, only the newest value is told.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// Numbers the announcements; a client that has seen this one is up to date.
    pub(super) announced: u32,
    pub(super) announced_ms: Option<u64>,
    pub(super) changed: bool,
}

impl Hub {
    /// To be called every so often (at least ten times a second): announces, pings, ends. Whether that is not
    /// all: when many go at once, those who are due must be written to before it is called for the rest.
    #[must_use]
    pub fn tick(&mut self, now: Now) -> bool {
        self.due.tick(now);
        self.announce_count(now);
        self.put_off(now);
        while self.checked < self.clients.used() {
            if let Some(id) = self.clients.key_at(self.checked) {
                self.check(id, now);
            }
            self.checked += 1;
            if self.is_urgent() {
                return true;
            }
        }
        self.checked = 0;
        false
    }

    /// Tells everyone that the server is about to restart, and when to come back: spread out, so
    /// that they do not all come in the same instant.
    pub fn announce_restart(&mut self, now: Now) {
        let spread = 1_000 + 2 * self.clients.len() as u64;
        for index in 0..self.clients.used() {
            let Some(client) = self.clients.at(index).filter(|client| !client.quiet) else { continue };
            let retry_ms = 500 + client.token.below(spread);
            let Some(id) = self.clients.key_at(index) else { continue };
            let content = format_args!("The server restarts; come back in a moment.");
            self.answer(id, &ServerMessage::system(content, now.unix_s, Body::Restarting { retry_ms }));
        }
    }

    /// Ends every client.
    pub fn end_all(&mut self, code: CloseCode, reason: &'static str, now: Now) {
        for index in 0..self.clients.used() {
            if let Some(id) = self.clients.key_at(index) {
                self.end(id, Ending::By(code, reason), now);
            }
        }
    }

    /// Announces the count if it changed, but not oftener than so many milliseconds.
    pub(super) fn announce_count(&mut self, now: Now) {
        let is_early = self.count.announced_ms.is_some_and(|then| now.ms < then + ANNOUNCE_EVERY_MS);
        if !self.count.changed || is_early {
            return;
        }
        self.count.changed = false;
        self.count.announced_ms = Some(now.ms);
        self.count.announced = self.count.announced.wrapping_add(1).max(1);
        let lobby = &self.rooms[super::RoomId::LOBBY.index()];
        self.due.mark_all(&lobby.members);
    }

    pub(super) const fn heartbeat_ms(&self) -> u64 {
        self.capacities.heartbeat_s * 1_000
    }

    /// Puts off what clients have to do in time, if the last tick was long ago.
    fn put_off(&mut self, now: Now) {
        let late = now.ms.saturating_sub(std::mem::replace(&mut self.ticked_ms, now.ms) + LATE_MS);
        if late == 0 {
            return;
        }
        for index in 0..self.clients.used() {
            let client = self.clients.key_at(index).and_then(|id| self.clients.get_mut(id));
            let Some(client) = client else { continue };
            // Whoever came or spoke since the last tick has lost less of its time, or nothing.
            for since in [&mut client.last_heard_ms, &mut client.stalled_at_ms] {
                *since = now.ms.min(*since + late);
            }
        }
    }

    /// Ends a client that is gone without saying so; asks one whether it is there, once a heartbeat.
    fn check(&mut self, id: ClientId, now: Now) {
        let (heartbeat, timeout) = (self.heartbeat_ms(), self.capacities.write_timeout_ms);
        let Some(client) = self.clients.get_mut(id) else { return };
        let end_ms = client.stalled_at_ms + timeout;
        if client.is_stalled && now.ms >= end_ms {
            let reason = "You took no byte for the write timeout.";
            return self.end(id, Ending::By(CloseCode::NotReadable, reason), now);
        }
        if client.is_stalled && !client.is_tried && now.ms + TRY_BEFORE_MS >= end_ms {
            client.is_tried = true;
            self.due.unblock(id.index());
        }
        if now.ms >= client.last_heard_ms + SILENCE_MS_MAX.min(heartbeat + heartbeat / 2) {
            let reason = "You gave no sign of life for one and a half heartbeats.";
            return self.end(id, Ending::By(CloseCode::NoSignOfLife, reason), now);
        }
        if now.ms >= client.ping_due_ms {
            client.ping_due_ms = now.ms + heartbeat;
            // Also to a blocked client: one that is always a little behind must be asked as well.
            self.push_frame(id, &frame::control_frame(Opcode::Ping, b""));
        }
    }
}
