//! Watching a server: metrics, status, who may read them, the command for people, and the log lines
//! that name whoever is too slow.
//!
//! The format of the metrics is checked by Prometheus' own `promtool` (`scripts/test sockets` gets it).

#![allow(clippy::unwrap_used, reason = "a test")]

mod access;
mod command;
mod log;
mod metrics;
mod outcomes;
#[path = "../support/mod.rs"]
mod support;

use roomd::config::Settings;
use serde_json::Value;
use support::{Handshake, Response, TestServer, settings};

/// A plain request for a path.
fn get(server: &TestServer, path: &str) -> Handshake {
    let plain = ["Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key"];
    let request = Handshake::new(server, "").line(&format!("GET {path} HTTP/1.1"));
    plain.into_iter().fold(request, Handshake::without)
}

async fn fetch(server: &TestServer, path: &str) -> Response {
    get(server, path).send(server).await
}

async fn status(server: &TestServer) -> Value {
    let response = fetch(server, "/api/status").await;
    assert_eq!(response.status, 200, "{response:?}");
    serde_json::from_str(&response.body).unwrap()
}

/// The number at a place of the status.
#[track_caller]
fn number(status: &Value, pointer: &str) -> u64 {
    status.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {pointer} in {status}"))
}

/// Asks until a number of the status is this one.
async fn becomes(server: &TestServer, pointer: &str, wanted: u64) -> Value {
    let asked = async {
        loop {
            let status = status(server).await;
            if number(&status, pointer) == wanted {
                return status;
            }
        }
    };
    support::guarded(pointer, asked).await
}

/// A log and kernel buffers so small that a stalled reader falls behind at once.
fn small() -> Settings {
    Settings {
        log_bytes: 64 << 10,
        log_messages: 64,
        message_bytes: 8 << 10,
        send_buffer_bytes: 4_096,
        ..settings()
    }
}
