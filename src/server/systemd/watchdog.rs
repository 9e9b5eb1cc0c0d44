//! Tells when the server is ready, and from then on that it lives.

use crate::server::shared::Shared;
use std::{future::pending, io, sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// What stopping can take beside `grace_ms`: the last words to everyone, and reserve.
const BEYOND_GRACE: Duration = Duration::from_secs(10);
/// For a supervisor that does not listen.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs for as long as it is polled. A sign of life is one of the whole server, not of this task: it
/// is given only after every loop has answered and the lock could be had, else the process is hung and
/// had better be started anew.
pub(in crate::server) async fn report(shared: Arc<Shared>) -> io::Error {
    let supervisor = &shared.supervisor;
    shared.beat().await;
    supervisor.tell("READY=1").await;
    let Some(patience) = supervisor.watchdog else { return pending().await };
    let mut signs = interval((patience / 2).max(Duration::from_millis(1)));
    signs.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        signs.tick().await;
        shared.beat().await;
        supervisor.tell("WATCHDOG=1").await;
    }
}

/// Tells that the server stops, and for how long that may take.
pub(in crate::server) async fn stopping(shared: &Shared) {
    let grace = Duration::from_millis(shared.settings.grace_ms) + BEYOND_GRACE;
    let state = format!("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", grace.as_micros());
    // Whoever does not listen must not keep the server from stopping.
    let _ = timeout(PATIENCE, shared.supervisor.tell(&state)).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{shared::tests::shared, systemd::notify::tests::Ear};
    use std::{sync::mpsc::sync_channel, thread};
    use tokio::time::sleep;

    const WATCHDOG: Duration = Duration::from_secs(30);
    const ALMOST_HALF: Duration = Duration::from_millis(14_800);
    const MOMENT: Duration = Duration::from_millis(100);

    fn reporting() -> (Arc<Shared>, Ear) {
        let ear = Ear::new();
        let shared = Arc::new(shared(ear.supervisor(Some(WATCHDOG))));
        tokio::spawn(report(shared.clone()));
        (shared, ear)
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_ready_once_and_gives_a_sign_of_life_at_half_the_time() {
        let (shared, ear) = reporting();
        let mut part = shared.pulse.part();
        tokio::spawn(async move { part.answering(pending::<()>()).await });
        sleep(MOMENT).await;
        assert_eq!(ear.heard(), ["READY=1", "WATCHDOG=1"]);
        sleep(ALMOST_HALF).await;
        assert_eq!(ear.heard(), [""; 0]);
        sleep(2 * MOMENT).await;
        assert_eq!(ear.heard(), ["WATCHDOG=1"]);
        sleep(2 * WATCHDOG).await;
        assert_eq!(ear.heard(), ["WATCHDOG=1"; 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_not_ready_before_every_loop_has_turned() {
        let (shared, ear) = reporting();
        let mut hung = shared.pulse.part();
        sleep(2 * WATCHDOG).await;
        assert_eq!(ear.heard(), [""; 0]);
        hung.answer();
        sleep(MOMENT).await;
        assert_eq!(ear.heard(), ["READY=1"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_hangs_stops_the_signs_of_life() {
        let (shared, ear) = reporting();
        sleep(MOMENT).await;
        assert_eq!(ear.heard(), ["READY=1", "WATCHDOG=1"]);
        let mut hung = shared.pulse.part();
        sleep(2 * WATCHDOG).await;
        assert_eq!(ear.heard(), [""; 0]);
        hung.answer();
        sleep(MOMENT).await;
        assert_eq!(ear.heard(), ["WATCHDOG=1"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_that_is_not_given_back_stops_the_signs_of_life() {
        let (shared, ear) = reporting();
        sleep(MOMENT).await;
        assert_eq!(ear.heard(), ["READY=1", "WATCHDOG=1"]);
        let ((has, taken), (release, released)) = (sync_channel(0), sync_channel::<()>(0));
        let holder = thread::spawn(move || {
            let held = shared.lock();
            has.send(()).expect("the test waits");
            released.recv().expect("the test tells");
            drop(held);
        });
        taken.recv().expect("the lock is taken");
        sleep(2 * WATCHDOG).await;
        assert_eq!(ear.heard(), [""; 0]);
        release.send(()).expect("the holder waits");
        holder.join().expect("the holder has ended");
        sleep(MOMENT).await;
        assert_eq!(ear.heard(), ["WATCHDOG=1"; 2], "the one that was late, and the next");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_watchdog_it_is_ready_and_silent() {
        let ear = Ear::new();
        tokio::spawn(report(Arc::new(shared(ear.supervisor(None)))));
        sleep(2 * WATCHDOG).await;
        assert_eq!(ear.heard(), ["READY=1"]);
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_asks_for_as_long_as_it_may_take_and_waits_for_nobody() {
        let ear = Ear::new();
        let shared = shared(ear.supervisor(None));
        stopping(&shared).await;
        assert_eq!(ear.heard(), ["STOPPING=1\nEXTEND_TIMEOUT_USEC=15000000"]);
        while shared.supervisor.try_tell("more") {}
        stopping(&shared).await;
        assert!(ear.heard().iter().all(|state| state == "more"));
    }
}
