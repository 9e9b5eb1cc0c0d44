//! What all tasks of a server share.

use super::{
    clock::Clock, door::Door, notices::Refusals, poller::Poller, refusal::Refusal, transport::ClientLine,
};
use crate::{config::Settings, hub::Now, switchboard};
use axum::response::{IntoResponse as _, Response};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use tokio::sync::{Notify, watch};

/// The switchboard of sockets.
pub(super) type Switchboard = switchboard::Switchboard<ClientLine>;

/// One for each server; every task has a handle.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) door: Door,
    /// What every connection speaks, if there is a certificate.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<super::tls::Tls>,
    /// Watches every line of the switchboard.
    pub(super) poller: Poller,
    clock: Clock,
    /// Held for one round and never across an await: a plain mutex is the fastest there is, and
    /// what it guards stays one consistent whole.
    switchboard: Mutex<Switchboard>,
    pub(super) refusals: Refusals,
    /// Somebody came, or was refused; the ticker has something to do.
    pub(super) arrival: Notify,
    stopping: watch::Sender<bool>,
}

impl Shared {
    pub(super) fn new(settings: Settings, door: Door, poller: Poller, switchboard: Switchboard) -> Self {
        Self {
            settings,
            door,
            #[cfg(feature = "tls")]
            tls: None,
            poller,
            clock: Clock::start(),
            switchboard: Mutex::new(switchboard),
            refusals: Refusals::default(),
            arrival: Notify::new(),
            stopping: watch::Sender::new(false),
        }
    }

    /// With what every connection speaks.
    #[cfg(feature = "tls")]
    pub(super) fn speaking(self, tls: Option<super::tls::Tls>) -> Self {
        Self { tls, ..self }
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

    /// Counts a refusal and makes its answer.
    pub(super) fn refuse(&self, refusal: Refusal) -> Response {
        self.refusals.count(refusal.code());
        self.arrival.notify_one();
        refusal.into_response()
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
        if let Err(broken) = guard.recover(self.now()) {
            tracing::error!("after a panic the hub is not in order ({broken}); ending the process");
            std::process::abort();
        }
        self.switchboard.clear_poison();
        guard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{Hub, Identity};

    #[tokio::test]
    async fn a_panic_under_the_lock_ends_at_most_itself() {
        let settings = Settings { clients: 2, ..Settings::default() };
        let identity = Identity { epoch: "epoch".try_into().expect("it is short"), seed: 0 };
        let hub = Hub::new(settings.capacities(), identity);
        let board = Switchboard::new(hub, settings.inbound_bytes);
        let poller = Poller::new().expect("there is epoll");
        let shared = Shared::new(settings.clone(), Door::new(&settings), poller, board);
        let panicked = std::thread::scope(|scope| {
            let session = scope.spawn(|| {
                let _board = shared.lock();
                panic!("a session fails while it holds the lock");
            });
            session.join().is_err()
        });
        assert!(panicked);
        assert!(shared.lock().reserve(None).is_ok());
        assert!(shared.try_lock().is_some(), "the lock is no longer poisoned");
    }
}
