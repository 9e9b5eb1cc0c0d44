//! How the server is: for machines that watch it.

use super::{
    board::Board,
    process::{self, Descriptors},
    shared::Shared,
    snapshot::Snapshot,
};
use crate::{hub::Counter, protocol::encode::SERVER};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;
use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc, time::Duration};

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

/// Everything that there is to tell.
pub(super) async fn status(State(shared): State<Arc<Shared>>) -> Json<Status> {
    let snapshot = Snapshot::take(&shared);
    let measure = || (process::pss_bytes(), Board::read(Path::new("/")));
    let (pss_bytes, board) = shared.board.get(snapshot.now, measure);
    Json(Status::new(snapshot, pss_bytes, board))
}

/// What `/api/status` tells, field by field as in docs/OPERATING.md.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    server: &'static str,
    version: &'static str,
    target: &'static str,
    uptime_s: u64,
    start_unix_s: u64,
    now_unix_s: u64,
    listen: Vec<SocketAddr>,
    clients: usize,
    clients_max: usize,
    rooms: usize,
    rooms_max: usize,
    blocked: usize,
    waiting: usize,
    inbound_bytes: usize,
    inbound_bytes_max: usize,
    drops: Drops,
    memory: Memory,
    descriptors: Descriptors,
    board: Board,
    counters: BTreeMap<&'static str, u64>,
    requests_refused: BTreeMap<&'static str, u64>,
}

/// What was dropped for slow readers.
#[derive(Debug, Serialize)]
struct Drops {
    messages: u64,
    answers: u64,
}

#[derive(Debug, Serialize)]
struct Memory {
    #[serde(skip_serializing_if = "Option::is_none")]
    rss_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pss_bytes: Option<u64>,
    plan_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_bytes: Option<u64>,
}

impl Status {
    fn new(snapshot: Snapshot, pss_bytes: Option<u64>, board: Board) -> Self {
        let outcomes = snapshot.outcomes.into_iter().map(|(outcome, count)| (outcome.name(), count));
        let counters = &snapshot.counters;
        Self {
            server: SERVER,
            version: env!("CARGO_PKG_VERSION"),
            target: env!("BUILT_FOR"),
            uptime_s: snapshot.now.ms / 1_000,
            start_unix_s: snapshot.start_unix_s,
            now_unix_s: snapshot.now.unix_s,
            listen: snapshot.listen,
            clients: snapshot.clients,
            clients_max: snapshot.clients_max,
            rooms: snapshot.rooms,
            rooms_max: snapshot.rooms_max,
            blocked: snapshot.blocked,
            waiting: snapshot.waiting,
            inbound_bytes: snapshot.inbound_bytes,
            inbound_bytes_max: snapshot.inbound_bytes_max,
            drops: Drops {
                messages: counters.get(Counter::Missed),
                answers: counters.get(Counter::AnswersDropped),
            },
            memory: Memory {
                rss_bytes: snapshot.rss_bytes,
                pss_bytes,
                plan_bytes: snapshot.plan_bytes,
                max_bytes: snapshot.memory_max,
            },
            descriptors: snapshot.descriptors,
            board,
            counters: counters
                .iter()
                .chain(outcomes)
                .chain([("log_lines_lost", snapshot.log_lines_lost)])
                .collect(),
            requests_refused: snapshot.refusals,
        }
    }
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
