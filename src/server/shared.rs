//! What all tasks of a server share.

use super::{
    board::Board,
    clock::Clock,
    door::Door,
    measured::Measured,
    notices::{Figures, Notice, Notices, Refusals},
    poller::Poller,
    process::Descriptors,
    pulse::Pulse,
    refusal::{Refusal, UNHEARD},
    systemd::Supervisor,
    tally::Tally,
    transport::ClientLine,
};
use crate::{config::Settings, hub::Now, switchboard};
use axum::response::Response;
use std::{
    fmt::Write as _,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

/// How often whoever asks for a sign of life tries to get the lock.
const TRY_EVERY: Duration = Duration::from_millis(5);

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
    pub(super) clock: Clock,
    /// Held for one round and never across an await: a plain mutex is the fastest there is, and
    /// what it guards stays one consistent whole.
    switchboard: Mutex<Switchboard>,
    /// Of memory and descriptors by this process.
    pub(super) usage: Measured<(Option<u64>, Descriptors)>,
    /// The share of memory that is its own, and how the board is.
    pub(super) board: Measured<(Option<u64>, Board)>,
    pub(super) refusals: Refusals,
    pub(super) tally: Arc<Tally>,
    notices: Mutex<Notices>,
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
        poller: Poller,
        switchboard: Switchboard,
        supervisor: Supervisor,
    ) -> Self {
        Self {
            settings,
            door,
            #[cfg(feature = "tls")]
            tls: None,
            poller,
            clock: Clock::start(),
            switchboard: Mutex::new(switchboard),
            usage: Measured::default(),
            board: Measured::default(),
            refusals: Refusals::default(),
            tally: Arc::default(),
            notices: Mutex::default(),
            arrival: Notify::new(),
            pulse: Pulse::new(),
            supervisor,
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

    /// Counts a connection that is closed without an answer.
    pub(super) fn refuse_unheard(&self, address: IpAddr) {
        tracing::debug!(%address, code = UNHEARD, "refused unheard");
        self.refusals.count(UNHEARD, address);
        self.arrival.notify_one();
    }

    /// Completes when every loop has turned since and the lock could be had: a sign of life.
    pub(super) async fn beat(&self) {
        self.pulse.beat().await;
        while self.try_lock().is_none() {
            sleep(TRY_EVERY).await;
        }
    }

    /// Counts a refusal and makes its answer.
    pub(super) fn refuse(&self, refusal: Refusal, address: IpAddr) -> Response {
        let parts = refusal.parts();
        let (status, code, content) = &parts;
        tracing::debug!(%address, status = status.as_u16(), code, "refused, {content}");
        self.refusals.count(code, address);
        self.arrival.notify_one();
        refusal.answer(parts)
    }

    /// What an operator should hear of, and who was too slow.
    pub(super) fn notice(
        &self,
        board: &mut Switchboard,
        now: Now,
        ask: impl FnOnce(&mut Notices, Figures, Now) -> Notice,
    ) -> Notice {
        let figures = Figures::of(board.hub().counters(), &self.refusals, &self.tally);
        // What it remembers is changed in one step; it is right even after a panic.
        let mut notice = ask(&mut self.notices.lock().unwrap_or_else(PoisonError::into_inner), figures, now);
        if let Notice::Line(line) = &mut notice {
            // Writing to a string does not fail.
            let _ = write!(line, "{}", self.tally.take_laggards(board, now));
        }
        notice
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
pub(super) mod tests {
    use super::*;
    use crate::hub::{Hub, Identity};

    fn settings() -> Settings {
        Settings { clients: 2, ..Settings::default() }
    }

    /// A hub of two clients.
    pub(in crate::server) fn hub() -> Hub {
        let identity = Identity { epoch: "epoch".try_into().expect("it is short"), seed: 0 };
        Hub::new(settings().capacities(), identity)
    }

    /// What a server of two clients shares.
    pub(in crate::server) fn shared(supervisor: Supervisor) -> Shared {
        let settings = settings();
        let board = Switchboard::new(hub(), settings.inbound_bytes);
        let (poller, door) = (Poller::new().expect("there is epoll"), Door::new(&settings));
        Shared::new(settings, door, poller, board, supervisor)
    }

    #[tokio::test]
    async fn a_panic_under_the_lock_ends_at_most_itself() {
        let shared = shared(Supervisor::default());
        let panicked = std::thread::scope(|scope| {
            let session = scope.spawn(|| {
                let _board = shared.lock();
                panic!("a session fails while it holds the lock");
            });
            session.join().is_err()
        });
        assert!(panicked);
        let promise = shared.lock().reserve(None).unwrap();
        shared.lock().give_back(promise);
        assert!(shared.try_lock().is_some(), "the lock is no longer poisoned");
    }
}
