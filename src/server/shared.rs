//! What all tasks of a server share.

use super::{clock::Clock, door::Door, switchboard::Switchboard};
use crate::{config::Settings, hub::Now};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use tokio::sync::{Notify, watch};

/// One for each server; every task has a handle.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) door: Door,
    clock: Clock,
    /// Held for microseconds and never across an await: a plain mutex is the fastest there is, and
    /// what it guards stays one consistent whole.
    switchboard: Mutex<Switchboard>,
    /// Somebody came; the ticker has something to do.
    pub(super) arrival: Notify,
    stopping: watch::Sender<bool>,
}

impl Shared {
    pub(super) fn new(settings: Settings, door: Door, switchboard: Switchboard) -> Self {
        Self {
            settings,
            door,
            clock: Clock::start(),
            switchboard: Mutex::new(switchboard),
            arrival: Notify::new(),
            stopping: watch::Sender::new(false),
        }
    }

    pub(super) fn now(&self) -> Now {
        self.clock.now()
    }

    /// The switchboard, to be held briefly.
    pub(super) fn lock(&self) -> MutexGuard<'_, Switchboard> {
        self.switchboard.lock().unwrap_or_else(|poisoned| self.recover(poisoned))
    }

    /// The switchboard if nobody holds it.
    pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, Switchboard>> {
        match self.switchboard.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(self.recover(poisoned)),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    pub(super) fn begin_stopping(&self) {
        self.stopping.send_replace(true);
    }

    /// Completes when the server begins to stop.
    pub(super) async fn stopped(&self) {
        // The sender is a part of what is borrowed here, so it is there.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Somebody panicked while holding the lock. If the hub is in order all the same, only that
    /// session ends; if not, nothing that it says could be trusted, and the process ends for its
    /// supervisor to start it anew.
    fn recover<'a>(&self, poisoned: PoisonError<MutexGuard<'a, Switchboard>>) -> MutexGuard<'a, Switchboard> {
        let mut guard = poisoned.into_inner();
        if let Err(broken) = guard.hub.audit() {
            tracing::error!("after a panic the hub is not in order ({broken}); ending the process");
            std::process::abort();
        }
        guard.restore_buffer();
        self.switchboard.clear_poison();
        guard
    }
}
