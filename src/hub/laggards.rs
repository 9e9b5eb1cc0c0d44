//! Clients that read too slowly, for whoever watches the server.

use super::{ClientId, Hub, Now, client::Client, connect::Ending};
use crate::protocol::{frame::CloseCode, name::DisplayName};

/// Most laggards that are named at a time.
pub const LAGGARDS_MAX: usize = 3;

/// A client that lost messages since it was last named, or that was ended for taking nothing or for
/// giving no sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laggard {
    /// Who it is, or was.
    pub id: ClientId,
    /// Its name, as it was cleaned: without control characters.
    pub name: DisplayName,
    /// How it went, if it did.
    pub ending: Option<Ending>,
    /// Messages declared missing since it was last named.
    pub missed: u64,
    /// Messages of its rooms that it has not got, those included that are no longer kept.
    pub behind_messages: u64,
    /// Bytes that wait for it, of logs and answers.
    pub behind_bytes: u64,
    /// Milliseconds since anything came from it.
    pub silent_ms: u64,
}

impl Laggard {
    /// What makes one worse than another: that it was ended for it, then what it lost.
    pub fn rank(&self) -> (bool, u64) {
        (self.ending.is_some_and(is_for_slowness), self.missed)
    }
}

const fn is_for_slowness(ending: Ending) -> bool {
    matches!(ending, Ending::By(CloseCode::NotReadable | CloseCode::NoSignOfLife, _))
}

impl Hub {
    /// The connected clients that lost most since they were last named, the worst first. From now on
    /// all are named anew. Looks at every client.
    pub fn take_laggards(&mut self, now: Now) -> heapless::Vec<Laggard, LAGGARDS_MAX> {
        let mut worst = heapless::Vec::<(u64, ClientId), LAGGARDS_MAX>::new();
        for index in 0..self.clients.used() {
            let missed =
                self.clients.at_mut(index).map_or(0, |client| std::mem::take(&mut client.missed_untold));
            let Some(id) = self.clients.key_at(index).filter(|_| missed > 0) else { continue };
            let place = worst.iter().position(|other| other.0 < missed).unwrap_or(worst.len());
            if place == LAGGARDS_MAX {
                continue;
            }
            worst.truncate(LAGGARDS_MAX - 1);
            // Room was made.
            let _ = worst.insert(place, (missed, id));
        }
        worst.iter().filter_map(|&(missed, id)| self.laggard(id, missed, None, now)).collect()
    }

    /// A client that is about to go, if it is one.
    pub(super) fn laggard_at_its_end(&self, id: ClientId, ending: Ending, now: Now) -> Option<Laggard> {
        let missed = self.clients.get(id)?.missed_untold;
        let is_one = missed > 0 || is_for_slowness(ending);
        if is_one { self.laggard(id, missed, Some(ending), now) } else { None }
    }

    fn laggard(&self, id: ClientId, missed: u64, ending: Option<Ending>, now: Now) -> Option<Laggard> {
        let client = self.clients.get(id)?;
        let (behind_messages, behind_bytes) = self.behind(client);
        let silent_ms = now.ms.saturating_sub(client.last_heard_ms);
        Some(Laggard {
            id,
            name: client.name.clone(),
            ending,
            missed,
            behind_messages,
            behind_bytes,
            silent_ms,
        })
    }

    fn behind(&self, client: &Client) -> (u64, u64) {
        let size = |pieces: [&[u8]; 2]| pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
        let answers = client.outbox.as_ref().map_or(0, |outbox| size(outbox.slices()));
        client.memberships.iter().fold((0, answers), |(messages, bytes), membership| {
            let Some(room) = membership.room else { return (messages, bytes) };
            let log = &self.room(room).log;
            let kept = size(log.from(membership.next.max(log.tail()), 0));
            (messages + log.next() - membership.next, bytes + kept)
        })
    }
}
