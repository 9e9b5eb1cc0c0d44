//! Whoever is due is written to.

use super::{Line, Switchboard};
use crate::hub::{ClientId, Ending, Now};
use std::{hint::black_box, io};

/// So many whose turn comes next are looked at together.
const AHEAD: usize = 8;

/// How much one round writes, to how many clients, before it is looked again who has something to say.
///
/// What comes in meanwhile goes out with the rest to those whose turn is still to come: in fewer writes,
/// and sooner than if everyone had to be served first.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "each is told by its name")]
pub struct RoundLimits {
    pub clients: usize,
    /// Exceeded by at most what one client is given at once.
    pub bytes: usize,
}

impl RoundLimits {
    const NONE: Self = Self { clients: usize::MAX, bytes: usize::MAX };
}

impl Default for RoundLimits {
    /// The more often it is looked, the fewer and larger are the writes when much is said. But it is not to
    /// be felt when everyone gets one small message.
    fn default() -> Self {
        Self { clients: 256, bytes: 128 << 10 }
    }
}

impl<L: Line> Switchboard<L> {
    /// Carries out everything that is due.
    pub(super) fn settle(&mut self, now: Now) {
        while self.settle_within(RoundLimits::NONE, now) {}
        self.has_settled = true;
    }

    /// Carries out what is due before more comes, if a log may run over else.
    pub(super) fn settle_if_urgent(&mut self, now: Now) {
        if self.hub.is_urgent() {
            self.settle(now);
        }
    }

    /// Carries out what is due up to such limits. Whether there is more.
    pub(super) fn settle_within(
        &mut self,
        RoundLimits { mut clients, mut bytes }: RoundLimits,
        now: Now,
    ) -> bool {
        while clients > 0 && bytes > 0 {
            let Some(id) = self.next_due(now) else { return false };
            self.look_ahead(id);
            self.writing = Some(id);
            let written = self.flush(id, now);
            self.writing = None;
            clients -= 1;
            bytes = bytes.saturating_sub(written);
        }
        true
    }

    /// Tells those that are gone. Then: whose turn it is.
    fn next_due(&mut self, now: Now) -> Option<ClientId> {
        loop {
            self.dismiss_departed();
            if let Some(id) = self.lost.pop_if(|_| !self.hub.is_urgent()) {
                self.hub.end(id, Ending::Lost, now);
            } else if let Some(id) = self.hub.next_due() {
                return Some(id);
            } else if self.lost.is_empty() {
                return None;
            }
        }
    }

    /// Writes to one client if the answers to a message of so many bytes may find no room in its outbox: only
    /// a line that really takes no more loses answers.
    pub(super) fn make_room(&mut self, id: ClientId, bytes: usize, now: Now) {
        if self.hub.is_crowded(id, bytes) {
            self.flush(id, now);
        }
    }

    /// Writes to one client until nothing waits for it or its line takes no more: how many bytes.
    #[expect(clippy::inline_always, reason = "no processor foresees where to return to behind a system call")]
    #[inline(always)]
    pub(super) fn flush(&mut self, id: ClientId, now: Now) -> usize {
        let mut written = 0;
        let port = self.ports.get_mut(id.index()).and_then(Option::as_mut);
        let Some(port) = port.filter(|port| port.id == id) else { return written };
        while let Some(bytes) = self.hub.pending(id, now) {
            match port.line.write(bytes) {
                Ok(taken) => {
                    written += taken;
                    if !self.hub.sent(id, taken, now) {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.hub.block(id, now);
                    if port.watch_room(true).is_err() {
                        self.hub.end(id, Ending::Lost, now);
                    }
                }
                Err(_) => {
                    self.lost.push(id);
                    break;
                }
            }
        }
        // It was tried before it was told that there is room.
        if port.is_watched_for_room && !self.hub.is_blocked(id) && port.watch_room(false).is_err() {
            self.lost.push(id);
        }
        written
    }

    /// Looks at the places of those who come after this client, so that the processor fetches them
    /// all at once.
    ///
    /// A write goes through the whole of the kernel, which leaves nothing of the next client in the nearest
    /// caches; looked at in its turn, it is waited for.
    fn look_ahead(&mut self, id: ClientId) {
        if self.looked_at.contains(&id.index()) {
            return;
        }
        let mut last = id;
        for next in self.hub.due_after(id).take(AHEAD) {
            let port = self.ports.get(next.index()).and_then(Option::as_ref);
            black_box(port.is_some_and(|port| port.id == next));
            last = next;
        }
        self.looked_at = id.index()..last.index();
    }
}
