//! What all tasks of a server share.

use super::{
    clock::Clock, door::Door, notices::Refusals, pulse::Pulse, refusal::Refusal, switchboard::Switchboard,
    systemd::Supervisor,
};
use crate::{config::Settings, hub::Now};
use axum::response::{IntoResponse as _, Response};
use std::{
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

/// How often whoever asks for a sign of life tries to get the lock.
const TRY_EVERY: Duration = Duration::from_millis(5);

/// One for each server; every task has a handle.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) door: Door,
    clock: Clock,
    /// Held for one round and never across an await: a plain mutex is the fastest there is, and
    /// what it guards stays one consistent whole.
    switchboard: Mutex<Switchboard>,
    pub(super) refusals: Refusals,
    /// Somebody came, or was refused; the ticker has something to do.
    pub(super) arrival: Notify,
    pub(super) pulse: Pulse,
    pub(super) supervisor: Supervisor,
    stopping: watch::Sender<bool>,
}

impl Shared {
    pub(super) fn new(
        settings: Settings,
        door: Door,
        switchboard: Switchboard,
        supervisor: Supervisor,
    ) -> Self {
        Self {
            settings,
            door,
            clock: Clock::start(),
            switchboard: Mutex::new(switchboard),
            refusals: Refusals::default(),
            arrival: Notify::new(),
            pulse: Pulse::new(),
            supervisor,
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

    /// Completes when every loop has turned since and the lock could be had: a sign of life.
    pub(super) async fn beat(&self) {
        self.pulse.beat().await;
        while self.try_lock().is_none() {
            sleep(TRY_EVERY).await;
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
        if let Err(broken) = guard.hub.audit() {
            tracing::error!("after a panic the hub is not in order ({broken}); ending the process");
            std::process::abort();
        }
        guard.recover(self.now());
        self.switchboard.clear_poison();
        guard
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::hub::{Hello, Hub, Identity, Token};
    use crate::protocol::message::Replay;
    use crate::server::poller::Poller;

    /// What a server of two clients shares.
    pub(in crate::server) fn shared(supervisor: Supervisor) -> Shared {
        let settings = Settings { clients: 2, ..Settings::default() };
        let identity = Identity { epoch: "epoch".try_into().expect("it is short"), seed: 0 };
        let hub = Hub::new(settings.capacities(), identity);
        let board = Switchboard::new(hub, settings.inbound_bytes, Poller::new().expect("there is epoll"));
        let door = Door::new(&settings);
        Shared::new(settings, door, board, supervisor)
    }

    #[tokio::test]
    async fn a_panic_under_the_lock_ends_at_most_itself() {
        let shared = shared(Supervisor::default());
        let panicked = std::thread::scope(|scope| {
            let session = scope.spawn(|| {
                let mut board = shared.lock();
                board.buffer = Box::default();
                panic!("a session fails while it holds the lock and the buffer");
            });
            session.join().is_err()
        });
        assert!(panicked);
        let mut board = shared.lock();
        assert!(!board.buffer.is_empty(), "the buffer is made anew");
        let token = Token::new([0; 16]);
        let hello = Hello { username: "aki", quiet: false, resume: None, token, replay: Replay::None };
        assert!(board.hub.connect(&hello, shared.now()).is_ok());
        drop(board);
        assert!(shared.try_lock().is_some(), "the lock is no longer poisoned");
    }
}
