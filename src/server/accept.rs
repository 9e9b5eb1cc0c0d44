//! The accept loop: connections come in bounded numbers, and have little time to say what they want.

use super::{
    door::{Connection, Pass, Place},
    farewell,
    http_stream::HttpStream,
    pulse::Part,
    shared::Shared,
    socket,
    tally::{Outcome, Seat},
};
#[cfg(feature = "tls")]
use super::{router, tls::Opened};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

/// Longest head of a request, in bytes; a longer one gets 431.
pub(crate) const HEAD_BYTES_MAX: usize = 16 << 10;
/// A connection that is still HTTP after this long is told to end with the answer under way; a page is
/// long loaded by then, and what reads no answers must not keep its place.
const HTTP_LIFE: Duration = Duration::from_secs(30);
/// What cannot be accepted now (no descriptor, no memory) may be a moment later.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Counts a connection while it is not (yet) a WebSocket.
pub(super) type Handshake = (OwnedSemaphorePermit, Pass, Place);

/// How many connections there may be, of each kind.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// All, until their socket is closed.
    all: Arc<Semaphore>,
    /// Those that are not (yet) WebSockets.
    handshakes: Arc<Semaphore>,
    total: u32,
}

impl Places {
    pub(super) fn new(clients: usize, handshakes: usize) -> Self {
        let total = clients + handshakes;
        Self {
            all: Arc::new(Semaphore::new(total)),
            handshakes: Arc::new(Semaphore::new(handshakes)),
            total: u32::try_from(total).unwrap_or(u32::MAX),
        }
    }

    /// Completes when no connection is left.
    pub(super) async fn all_free(&self) {
        // The semaphore is never closed.
        let _ = self.all.acquire_many(self.total).await;
    }

    async fn take(&self) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let handshake = self.handshakes.clone().acquire_owned().await.ok()?;
        let place = self.all.clone().acquire_owned().await.ok()?;
        Some((handshake, place))
    }
}

/// Accepts until it is dropped. With every place taken the next connections wait in the kernel.
///
/// One loop for all listeners: each of several would keep a place for whoever comes to it.
pub(super) async fn accept(
    listeners: Vec<TcpListener>,
    places: Places,
    shared: Arc<Shared>,
    router: Router,
    mut part: Part,
) {
    let mut listeners = Listeners { all: listeners, turn: 0 };
    let patience = Duration::from_millis(shared.settings.handshake_timeout_ms);
    loop {
        let next = part.answering(next(&mut listeners, &places)).await;
        let Some((handshake, place, accepted)) = next else { return };
        match accepted {
            Ok(Accepted { stream, peer, local }) => {
                shared.tally.count(Outcome::Accepted);
                socket::tune(&stream, &shared.settings);
                let Ok(pass) = shared.door.begin(peer.ip()) else {
                    farewell::reset(stream);
                    shared.refuse_unheard(peer.ip().to_canonical());
                    continue;
                };
                let place = Arc::new(Seat::new(place, shared.tally.clone()));
                let local = canonical(local);
                let stream = HttpStream::new(stream, (handshake, pass, place.clone()), patience);
                let connection = Connection { peer: canonical(peer), local, is_tls: false, place };
                tokio::spawn(serve(stream, connection, shared.clone(), router.clone()));
            }
            Err(error) if is_of_one_connection(&error) => shared.tally.count(Outcome::AcceptAborted),
            Err(error) => {
                tracing::debug!("cannot accept a connection: {error}");
                shared.tally.count(Outcome::AcceptFailed);
                shared.arrival.notify_one();
                sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

/// The next connection, once there is a place for it.
async fn next(listeners: &mut Listeners, places: &Places) -> Option<Next> {
    let (handshake, place) = places.take().await?;
    Some((handshake, place, poll_fn(|context| listeners.poll_accept(context)).await))
}

type Next = (OwnedSemaphorePermit, OwnedSemaphorePermit, io::Result<Accepted>);

/// A connection, and its two ends.
struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    local: SocketAddr,
}

/// Where connections come in.
struct Listeners {
    all: Vec<TcpListener>,
    /// Who is asked first.
    turn: usize,
}

impl Listeners {
    /// Whoever has a connection; in turn, where several have.
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        for offset in 0..self.all.len() {
            let index = (self.turn + offset) % self.all.len();
            if let Poll::Ready(accepted) = self.all[index].poll_accept(context) {
                self.turn = index + 1;
                return Poll::Ready(accepted.and_then(|(stream, peer)| {
                    let local = stream.local_addr()?;
                    Ok(Accepted { stream, peer, local })
                }));
            }
        }
        Poll::Pending
    }
}

/// A socket for both families shows the addresses of IPv4 as if they were of IPv6.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Serves one connection, over TLS if there is a certificate.
#[cfg(feature = "tls")]
async fn serve(stream: HttpStream<Handshake>, connection: Connection, shared: Arc<Shared>, router: Router) {
    let Some(tls) = &shared.tls else {
        return speak(stream, connection, shared, router).await;
    };
    let patience = Duration::from_millis(shared.settings.handshake_timeout_ms);
    let opened = tokio::select! {
        opened = timeout(patience, tls.open(stream)) => opened,
        () = shared.stopped() => return,
    };
    match opened {
        Ok(Ok(Opened::Tls(stream))) => {
            let connection = Connection { is_tls: true, ..connection };
            speak(*stream, connection, shared, router).await;
        }
        Ok(Ok(Opened::Plain(stream))) => {
            let router = router::plain(shared.clone(), &connection);
            speak(stream, connection, shared, router).await;
        }
        Ok(Ok(Opened::Nothing)) => {}
        Ok(Err(error)) => {
            shared.tally.count(Outcome::HttpFailed);
            tracing::debug!(address = %connection.peer.ip(), "TLS handshake ended: {error}");
        }
        Err(_) => shared.tally.count(Outcome::HttpTimedOut),
    }
}

#[cfg(not(feature = "tls"))]
use speak as serve;

/// Speaks HTTP on a connection, until its end or its upgrade.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    connection: Connection,
    shared: Arc<Shared>,
    router: Router,
) {
    let peer: SocketAddr = connection.peer;
    let patience = Duration::from_millis(shared.settings.handshake_timeout_ms);
    let service = TowerToHyperService::new(router.layer(axum::Extension(connection)));
    let mut http = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    let served = tokio::select! {
        served = http.as_mut() => Some(served),
        () = either(shared.stopped(), sleep(HTTP_LIFE)) => {
            http.as_mut().graceful_shutdown();
            timeout(patience, http).await.ok()
        }
    };
    match served {
        Some(Ok(())) => {}
        Some(Err(error)) => {
            let is_late = error.is_timeout();
            shared.tally.count(if is_late { Outcome::HttpTimedOut } else { Outcome::HttpFailed });
            tracing::debug!(address = %peer.ip(), "connection ended: {error}");
        }
        None => shared.tally.count(Outcome::HttpTimedOut),
    }
}

async fn either(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    tokio::select! {
        () = one => {}
        () = other => {}
    }
}

/// Errors of the connection that was about to be accepted, not of the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{shared::tests::shared, systemd::Supervisor};

    #[tokio::test]
    async fn a_loop_that_waits_for_a_place_turns_all_the_same() {
        let shared = Arc::new(shared(Supervisor::default()));
        let (places, listener) = (Places::new(1, 1), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let held = places.take().await;
        let part = shared.pulse.part();
        let accepting = tokio::spawn(accept(vec![listener], places, shared.clone(), Router::new(), part));
        shared.beat().await;
        shared.beat().await;
        drop(held);
        shared.beat().await;
        assert!(!accepting.is_finished());
    }
}
