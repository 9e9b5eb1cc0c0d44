//! The accept loops: connections come in bounded numbers, and have little time to say what they want.

use super::{door::Connection, shared::Shared, socket};
#[cfg(feature = "tls")]
use super::{router, tls::Opened};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
#[cfg(feature = "tls")]
use tokio::net::TcpStream;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
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
pub(super) async fn accept(listener: TcpListener, places: Places, shared: Arc<Shared>, router: Router) {
    let Ok(bound) = listener.local_addr() else { return };
    while let Some((handshake, place)) = places.take().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                socket::tune(&stream, &shared.settings);
                let local = stream.local_addr().unwrap_or(bound);
                let connection = Connection { peer, local, is_tls: false, place: Arc::new(place) };
                tokio::spawn(serve(stream, connection, handshake, shared.clone(), router.clone()));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}; raise LimitNOFILE or lower `clients`");
                sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

/// Serves one connection, over TLS if there is a certificate.
#[cfg(feature = "tls")]
async fn serve(
    stream: TcpStream,
    connection: Connection,
    handshake: OwnedSemaphorePermit,
    shared: Arc<Shared>,
    router: Router,
) {
    let Some(tls) = &shared.tls else {
        return speak(stream, connection, handshake, shared, router).await;
    };
    let patience = Duration::from_millis(shared.settings.handshake_timeout_ms);
    let opened = tokio::select! {
        opened = timeout(patience, tls.open(stream)) => opened.unwrap_or_else(|late| Err(late.into())),
        () = shared.stopped() => return,
    };
    match opened {
        Ok(Opened::Tls(stream)) => {
            let connection = Connection { is_tls: true, ..connection };
            speak(*stream, connection, handshake, shared, router).await;
        }
        Ok(Opened::Plain(stream)) => {
            let router = router::elsewhere(shared.clone());
            speak(stream, connection, handshake, shared, router).await;
        }
        Err(error) => tracing::debug!(address = %connection.peer.ip(), "TLS handshake ended: {error}"),
    }
}

#[cfg(not(feature = "tls"))]
use speak as serve;

/// Speaks HTTP on a connection, until its end or its upgrade.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    connection: Connection,
    handshake: OwnedSemaphorePermit,
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
    drop(handshake);
    if let Some(Err(error)) = served {
        tracing::debug!(address = %peer.ip(), "connection ended: {error}");
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
