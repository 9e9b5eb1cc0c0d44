//! What becomes of connections beside the hub: each outcome has a counter, all there from the start.

use super::{laggards::Laggards, shared::Switchboard};
use crate::hub::{Laggard, Now};
use std::{
    array, mem,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::OwnedSemaphorePermit;

/// What is counted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Outcome {
    /// A connection was accepted.
    Accepted,
    /// One could not be accepted, for want of descriptors or memory.
    AcceptFailed,
    /// One was gone before it was accepted.
    AcceptAborted,
    /// An HTTP connection was closed because no request, or no further one, came in time.
    HttpTimedOut,
    /// An HTTP connection broke, or what came on it was not HTTP.
    HttpFailed,
    /// A client was let in and was gone before its upgrade was done.
    UpgradeFailed,
    /// A client was let in, and its socket could not be watched.
    WatchFailed,
    /// The last words of a connection were taken, and it was closed in order.
    Farewell,
    /// They were not, or not in time.
    FarewellLost,
}

impl Outcome {
    /// Every outcome, in the order in which they are shown.
    pub(super) const ALL: [Self; 9] = [
        Self::Accepted,
        Self::AcceptFailed,
        Self::AcceptAborted,
        Self::HttpTimedOut,
        Self::HttpFailed,
        Self::UpgradeFailed,
        Self::WatchFailed,
        Self::Farewell,
        Self::FarewellLost,
    ];

    /// The name under which its counter is shown.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "connections_accepted",
            Self::AcceptFailed => "accepts_failed",
            Self::AcceptAborted => "accepts_aborted",
            Self::HttpTimedOut => "http_timed_out",
            Self::HttpFailed => "http_failed",
            Self::UpgradeFailed => "upgrades_failed",
            Self::WatchFailed => "watches_failed",
            Self::Farewell => "farewells",
            Self::FarewellLost => "farewells_lost",
        }
    }
}

/// How often each came about; and who of the departed is still to be named.
#[derive(Debug)]
pub(super) struct Tally {
    counts: [AtomicU64; Outcome::ALL.len()],
    departed: Mutex<Laggards>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { counts: array::from_fn(|_| AtomicU64::new(0)), departed: Mutex::default() }
    }
}

impl Tally {
    /// Counts one more.
    pub(super) fn count(&self, outcome: Outcome) {
        self.counts[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The present value.
    pub(super) fn get(&self, outcome: Outcome) -> u64 {
        self.counts[outcome as usize].load(Ordering::Relaxed)
    }

    /// Keeps somebody who goes and was too slow, until the next line names the worst.
    pub(super) fn note_laggard(&self, address: IpAddr, laggard: Laggard) {
        self.departed.lock().unwrap_or_else(PoisonError::into_inner).note(address, laggard);
    }

    /// The worst since this was last asked, those that are gone among them.
    pub(super) fn take_laggards(&self, board: &mut Switchboard, now: Now) -> Laggards {
        let mut laggards = mem::take(&mut *self.departed.lock().unwrap_or_else(PoisonError::into_inner));
        for (line, laggard) in board.take_laggards(now) {
            laggards.note(line.address(), laggard);
        }
        laggards
    }
}

/// A connection's place among all, until its socket is closed; and where its end is counted.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) tally: Arc<Tally>,
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    pub(super) const fn new(permit: OwnedSemaphorePermit, tally: Arc<Tally>) -> Self {
        Self { tally, _permit: permit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_listed_once_in_its_own_place() {
        for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, place, "{}", outcome.name());
        }
    }
}
