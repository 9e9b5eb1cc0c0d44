//! What is answered where.

use super::{
    door::{Connection, Door},
    headers, metrics, pages,
    refusal::Refusal,
    session,
    shared::Shared,
    status, watchers,
};
use crate::protocol::handshake::HandshakeError;
use axum::{
    Router,
    body::Body,
    extract::{Extension, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::Response,
    routing::{any, get},
};
use hyper::upgrade::OnUpgrade;
use std::sync::Arc;
#[cfg(feature = "tls")]
use {super::door::host_of, axum::http::uri::PathAndQuery};

/// All paths of the server.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let paths = how_it_is(&shared).route("/ws", any(upgrade)).fallback_service(get(pages::serve));
    behind_the_door(paths, shared)
}

/// The paths that tell how the server is.
fn how_it_is(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/status", get(status::status))
        .route("/metrics", get(metrics::metrics))
        .route_layer(middleware::from_fn_with_state(shared.clone(), watchers::check))
        .route("/healthz", get(status::health))
}

/// For whoever speaks plain HTTP where TLS is spoken: every path is there, over TLS. The board itself is
/// told how the server is all the same: it must be able to ask whatever the certificate, and nobody can
/// listen to what never leaves it.
#[cfg(feature = "tls")]
pub(super) fn plain(shared: Arc<Shared>, connection: &Connection) -> Router {
    let peer = connection.peer.ip();
    let tell = async move |State(shared): State<Arc<Shared>>, request: Request| {
        let host = host_of(request.headers(), request.uri());
        let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        shared.refuse(Refusal::Plain(format!("https://{host}{path}")), peer)
    };
    let paths = if connection.is_from_here() { how_it_is(&shared) } else { Router::new() };
    behind_the_door(paths.fallback(tell), shared)
}

fn behind_the_door(paths: Router<Arc<Shared>>, shared: Arc<Shared>) -> Router {
    paths
        .layer(middleware::from_fn_with_state(shared.clone(), check_host))
        .layer(middleware::from_fn(headers::add))
        .with_state(shared)
}

async fn check_host(
    State(shared): State<Arc<Shared>>,
    Extension(connection): Extension<Connection>,
    request: Request,
    next: Next,
) -> Response {
    match shared.door.check_host(request.headers(), request.uri(), connection.local.ip()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => shared.refuse(refusal, connection.peer.ip()),
    }
}

async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Extension(connection): Extension<Connection>,
    request: Request,
) -> Response {
    let_in(&shared, &connection, request)
        .unwrap_or_else(|refusal| shared.refuse(refusal, connection.peer.ip()))
}

/// Lets a client in, or says why not. Once the answer is out the connection becomes a session.
///
/// The handshake is judged last: a page is not told why its WebSocket failed, and asks again without
/// one to read the reason.
fn let_in(shared: &Arc<Shared>, connection: &Connection, mut request: Request) -> Result<Response, Refusal> {
    shared.door.attempt(connection.peer.ip(), shared.now())?;
    let visitor = shared.door.judge(request.uri(), request.headers(), connection)?;
    if shared.is_stopping() {
        return Err(Refusal::Stopping);
    }
    let pass = shared.door.admit(visitor.address)?;
    let promise = shared.lock().reserve(visitor.query.resume);
    let promise = promise.map_err(|_| Refusal::Full(shared.settings.clients))?;
    let handshake = Door::check_handshake(request.method(), request.headers()).and_then(|accept| {
        let upgrade = request.extensions_mut().remove::<OnUpgrade>();
        Ok((accept, upgrade.ok_or(Refusal::Handshake(HandshakeError::NotAnUpgrade))?))
    });
    let (accept, upgrade) = match handshake {
        Ok(handshake) => handshake,
        Err(refusal) => {
            shared.lock().give_back(promise);
            return Err(refusal);
        }
    };
    tokio::spawn(session::begin(shared.clone(), upgrade, promise, visitor, pass));

    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    Ok(response)
}
