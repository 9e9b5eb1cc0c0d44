//! The only floor that awaits: sockets, sessions, timers, pages.

mod accept;
mod attempts;
pub mod banner;
mod board;
mod clock;
pub mod descriptors;
mod door;
mod farewell;
mod headers;
mod hosts;
mod http_stream;
mod laggards;
mod line;
pub mod listen;
pub mod logging;
mod measured;
mod metrics;
mod notices;
mod pages;
mod poller;
mod process;
mod pulse;
mod reactor;
mod refusal;
mod router;
mod secret;
mod session;
mod shared;
mod snapshot;
mod socket;
mod status;
pub mod systemd;
mod tally;
#[cfg(feature = "tls")]
pub mod tls;
mod transport;
mod watchers;

use crate::{
    config::Settings,
    hub::{Hub, Identity},
    protocol::frame::CloseCode,
    switchboard::Switchboard,
};
use accept::Places;
use door::Door;
use notices::{Notice, Notices};
use poller::Poller;
use pulse::Part;
use shared::Shared;
use std::{future::Future, io, net::TcpListener, sync::Arc, time::Duration};
use systemd::{StatusLine, Supervisor};
#[cfg(feature = "tls")]
use tokio::signal::unix::{SignalKind, signal};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// How often the hub hears that time has passed, while somebody is there.
const TICK: Duration = Duration::from_millis(100);
/// How long the peers of a stopping server get to take its last words; the kernel still has them after it.
const CLOSING: Duration = Duration::from_secs(2);
/// How often a stopping server looks whether everything has been sent.
const DRAIN_TICK: Duration = Duration::from_millis(20);

/// Serves on `listeners` (which do not block) until `stop` completes; then tells the clients that
/// the server restarts, drains for at most `grace_ms`, closes every connection and returns.
/// `supervisor` is told meanwhile how the server is.
///
/// # Errors
///
/// When a listener or the certificate cannot be used, or the system has no random numbers.
pub async fn serve(
    settings: Settings,
    listeners: Vec<TcpListener>,
    supervisor: Supervisor,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let settings = Settings { listen: listen::bound(&listeners), ..settings };
    let hub = Hub::new(settings.capacities(), identity()?);
    let poller = Poller::new()?;
    let switchboard = Switchboard::new(hub, settings.inbound_bytes);
    let places = Places::new(settings.clients, settings.handshakes);
    let door = Door::new(&settings);
    #[cfg(feature = "tls")]
    let tls = tls::Tls::of(&settings).map_err(io::Error::other)?;
    let shared = Shared::new(settings, door, poller, switchboard, supervisor);
    #[cfg(feature = "tls")]
    let shared = shared.speaking(tls);
    let shared = Arc::new(shared);
    let router = router::router(shared.clone());

    // Tasks of a set end when it is dropped; by themselves none of these ends.
    let (mut accepting, mut working) = (JoinSet::new(), JoinSet::new());
    let listeners = listeners.into_iter().map(tokio::net::TcpListener::from_std).collect::<Result<_, _>>()?;
    accepting.spawn(accept::accept(listeners, places.clone(), shared.clone(), router, shared.pulse.part()));
    working.spawn(tick(shared.clone(), shared.pulse.part()));
    working.spawn(reactor::run(shared.clone(), shared.pulse.part()));
    working.spawn(systemd::report(shared.clone()));
    #[cfg(feature = "tls")]
    if shared.tls.is_some() {
        working.spawn(tls::reload_on(signal(SignalKind::hangup())?, shared.clone()));
    }

    let failed = tokio::select! {
        () = stop => None,
        Some(ended) = accepting.join_next() => Some(ended.map(|()| io::Error::other("no more connections"))),
        Some(ended) = working.join_next() => Some(ended),
    };
    if let Some(ended) = failed {
        return Err(io::Error::other(format!("a task of the server has ended: {ended:?}")));
    }
    shared.begin_stopping();
    systemd::stopping(&shared).await;
    accepting.shutdown().await;
    stop_in_order(&shared, &places).await;
    Ok(())
}

/// Never made from the time: a board that has no clock lives the same minute again and again.
fn identity() -> io::Result<Identity> {
    const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = [0; 12];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let epoch = random.iter().map(|byte| char::from(DIGITS[usize::from(byte % 32)])).collect();
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    Ok(Identity { epoch, seed: u64::from_ne_bytes(seed) })
}

/// Tells the hub that time passes. With nobody there nothing is due, and the board may sleep.
async fn tick(shared: Arc<Shared>, mut part: Part) -> io::Error {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut status = StatusLine::default();
    loop {
        part.answering(ticks.tick()).await;
        let (is_empty, notice, has_news) = {
            let (now, mut board) = (shared.now(), shared.lock());
            board.tick(now);
            let notice = shared.notice(&mut board, now, Notices::notice);
            let has_news = status.refresh(board.hub(), &shared.supervisor, now);
            (board.hub().client_count() == 0, notice, has_news)
        };
        notice.log();
        if is_empty && !has_news && notice != Notice::Later {
            part.answering(shared.arrival.notified()).await;
        }
    }
}

async fn stop_in_order(shared: &Shared, places: &Places) {
    let now = shared.now();
    shared.lock().announce_restart(now);

    let grace = Duration::from_millis(shared.settings.grace_ms);
    // Whoever has not taken everything by then is told to come back all the same.
    let _ = timeout(grace, async {
        while shared.lock().hub().waiting() > 0 {
            sleep(DRAIN_TICK).await;
        }
    })
    .await;

    let now = shared.now();
    shared.lock().end_all(CloseCode::Restart, "The server restarts.", now);
    let _ = timeout(CLOSING, places.all_free()).await;
    shared.notice(&mut shared.lock(), shared.now(), Notices::last).log();
}
