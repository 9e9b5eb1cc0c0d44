//! How the server is: for machines that watch it.

use super::shared::Shared;
use crate::protocol::encode::SERVER;
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use std::{sync::Arc, time::Duration};

/// How long the lock may be held by others before the server counts as hung.
const PATIENCE: Duration = Duration::from_secs(1);
const TRY_EVERY: Duration = Duration::from_millis(5);

/// Well if the hub can be had within a second.
pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Response {
    let taken = tokio::time::timeout(PATIENCE, async {
        while shared.try_lock().is_none() {
            tokio::time::sleep(TRY_EVERY).await;
        }
    });
    if taken.await.is_ok() {
        Json(json!({"status": "ok", "server": SERVER})).into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "hung", "server": SERVER}))).into_response()
    }
}

/// Clients, rooms, and every counter.
pub(super) async fn status(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let now = shared.now();
    let board = shared.lock();
    let hub = board.hub();
    let counters: Map<String, Value> =
        hub.counters().iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    Json(json!({
        "server": SERVER,
        "uptime_s": now.ms / 1_000,
        "clients": hub.client_count(),
        "clients_max": hub.capacities().clients,
        "rooms": hub.room_count(),
        "rooms_max": hub.capacities().rooms,
        "blocked": hub.blocked_count(),
        "waiting": hub.waiting(),
        "inbound_bytes": board.inbound_bytes(),
        "counters": counters,
        "requests_refused": shared.refusals.counts(),
    }))
}
