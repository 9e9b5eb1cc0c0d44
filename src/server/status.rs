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

/// How long a sign of life may take before the server counts as hung.
const PATIENCE: Duration = Duration::from_secs(1);

/// Well if within a second every loop has turned and the hub could be had.
pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Response {
    if tokio::time::timeout(PATIENCE, shared.beat()).await.is_ok() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{shared::tests::shared, systemd::Supervisor};

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_hangs_is_told_until_it_turns_again() {
        let shared = Arc::new(shared(Supervisor::default()));
        let mut part = shared.pulse.part();
        assert_eq!(health(State(shared.clone())).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        let (answer, ()) = tokio::join!(health(State(shared.clone())), async {
            part.asked().await;
            part.answer();
        });
        assert_eq!(answer.status(), StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_that_is_held_is_told() {
        let shared = Arc::new(shared(Supervisor::default()));
        let ((has, taken), (release, released)) =
            (std::sync::mpsc::sync_channel(0), std::sync::mpsc::sync_channel::<()>(0));
        let held = shared.clone();
        let holder = std::thread::spawn(move || {
            let held = held.lock();
            has.send(()).expect("the test waits");
            released.recv().expect("the test tells");
            drop(held);
        });
        taken.recv().expect("the lock is taken");
        assert_eq!(health(State(shared.clone())).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        release.send(()).expect("the holder waits");
        holder.join().expect("the holder has ended");
        assert_eq!(health(State(shared)).await.status(), StatusCode::OK);
    }
}
