//! How the server is, for Prometheus: its text format 0.0.4. A fixed set of numbers, all there from
//! the start; the only labels are closed sets, never a name.

use super::{shared::Shared, snapshot::Snapshot, tally::Outcome};
use crate::hub::Counter;
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use std::{
    fmt::{Display, Write as _},
    sync::Arc,
};

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], exposition(&Snapshot::take(&shared))).into_response()
}

fn exposition(snapshot: &Snapshot) -> String {
    let mut text = Exposition::default();
    the_process(&mut text, snapshot);
    the_present(&mut text, snapshot);
    the_past(&mut text, snapshot);
    text.0
}

/// Under the names that every client library gives them.
fn the_process(text: &mut Exposition, snapshot: &Snapshot) {
    let start = snapshot.now.unix_s.saturating_sub(snapshot.now.ms / 1_000);
    text.gauge("process_start_time_seconds", "Start in Unix time, by the present wall clock.", start);
    let (name, help) = ("process_cpu_seconds_total", "Processor time used, in user and kernel space.");
    text.counter(name, help, Seconds(snapshot.cpu_ms));
    if let Some(bytes) = snapshot.rss_bytes {
        text.gauge("process_resident_memory_bytes", "Memory that is resident.", bytes);
    }
    if let Some(open) = snapshot.descriptors.open {
        text.gauge("process_open_fds", "File descriptors that are open.", open);
    }
    text.gauge("process_max_fds", "File descriptors that may be open.", snapshot.descriptors.max);
}

fn the_present(text: &mut Exposition, snapshot: &Snapshot) {
    let labels = format!("{{version=\"{}\",target=\"{}\"}}", env!("CARGO_PKG_VERSION"), env!("BUILT_FOR"));
    text.family("roomd_build_info", "gauge", "Always 1; the labels tell the build.");
    text.sample("roomd_build_info", &labels, 1);
    let uptime = Seconds(snapshot.now.ms);
    text.gauge("roomd_uptime_seconds", "Time since the start, on a clock that never steps.", uptime);
    for (name, help, value) in [
        ("roomd_clients", "Clients that are connected.", snapshot.clients),
        ("roomd_clients_max", "Clients that can be connected.", snapshot.clients_max),
        ("roomd_clients_blocked", "Clients whose socket takes nothing at present.", snapshot.blocked),
        ("roomd_clients_waiting", "Clients for which something waits.", snapshot.waiting),
        ("roomd_rooms", "Rooms that exist, the lobby not counted.", snapshot.rooms),
        ("roomd_rooms_max", "Rooms that can exist, the lobby not counted.", snapshot.rooms_max),
        ("roomd_inbound_bytes", "Bytes of half-received messages.", snapshot.inbound_bytes),
        ("roomd_inbound_max_bytes", "Bytes that those may be.", snapshot.inbound_bytes_max),
    ] {
        text.gauge(name, help, value);
    }
    let help = "Memory that the settings can need at most, kernel buffers included.";
    text.gauge("roomd_memory_plan_bytes", help, snapshot.plan_bytes);
}

fn the_past(text: &mut Exposition, snapshot: &Snapshot) {
    for counter in Counter::ALL {
        if let Some((name, help)) = of_counter(counter) {
            text.counter(name, help, snapshot.counters.get(counter));
        }
    }
    let name = "roomd_clients_disconnected_total";
    text.family(name, "counter", "Clients that went, by the reason.");
    for ending in Counter::ENDINGS {
        let labels = format!("{{reason=\"{}\"}}", ending.name());
        text.sample(name, &labels, snapshot.counters.get(ending));
    }
    for (outcome, count) in snapshot.outcomes {
        let (name, help) = of_outcome(outcome);
        text.counter(name, help, count);
    }
    let help = "Lines of the log that nobody took.";
    text.counter("roomd_log_lines_lost_total", help, snapshot.log_lines_lost);
    let name = "roomd_requests_refused_total";
    text.family(name, "counter", "Requests refused before they became a client, by the code they got.");
    for (code, count) in &snapshot.refusals {
        text.sample(name, &format!("{{code=\"{code}\"}}"), count);
    }
}

/// The metric of a counter and its explanation; none for the reasons of endings, which share one, and
/// for the sum of those.
const fn of_counter(counter: Counter) -> Option<(&'static str, &'static str)> {
    Some(match counter {
        Counter::Disconnected
        | Counter::Closed
        | Counter::Lost
        | Counter::ProtocolBroken
        | Counter::NotUtf8
        | Counter::AgainstPolicy
        | Counter::TooLarge
        | Counter::Failed
        | Counter::Restarted
        | Counter::NoResources
        | Counter::TakenOver
        | Counter::NotReadable
        | Counter::NoSignOfLife => return None,
        Counter::Connected => ("roomd_clients_connected_total", "Clients that came."),
        Counter::RefusedFull => ("roomd_clients_refused_total", "Clients for which no place was left."),
        Counter::Received => ("roomd_messages_received_total", "Messages from clients."),
        Counter::Echoed => ("roomd_messages_echoed_total", "Messages sent back as they came."),
        Counter::Published => ("roomd_messages_published_total", "Messages written into a log."),
        Counter::Owed => ("roomd_messages_owed_total", "Messages owed, counted for each member."),
        Counter::Delivered => ("roomd_messages_delivered_total", "Of those owed, handed to a socket."),
        Counter::Missed => ("roomd_messages_missed_total", "Of those owed, declared missing by a gap."),
        Counter::Discarded => {
            ("roomd_messages_discarded_total", "Of those owed, still waiting when their client left or went.")
        }
        Counter::Gaps => ("roomd_gaps_total", "Gaps declared, of whatever reason."),
        Counter::AnswersDropped => ("roomd_answers_dropped_total", "Answers dropped for want of room."),
        Counter::RateLimited => ("roomd_messages_rate_limited_total", "Messages above the rate, refused."),
        Counter::Refused => ("roomd_messages_refused_total", "Other messages refused with an error."),
        Counter::Blocked => ("roomd_sockets_blocked_total", "Times that a socket would take no more."),
        Counter::BytesReceived => ("roomd_received_bytes_total", "Bytes of frames from sockets."),
        Counter::BytesSent => ("roomd_sent_bytes_total", "Bytes of frames handed to sockets."),
        Counter::Writes => ("roomd_writes_total", "Times that bytes were handed to a socket."),
        Counter::RoomsMade => ("roomd_rooms_made_total", "Rooms made."),
        Counter::RoomsDropped => ("roomd_rooms_dropped_total", "Empty rooms dropped for another."),
    })
}

const fn of_outcome(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Accepted => ("roomd_connections_accepted_total", "Connections accepted."),
        Outcome::AcceptFailed => {
            ("roomd_accepts_failed_total", "Failures to accept, for want of descriptors or memory.")
        }
        Outcome::AcceptAborted => {
            ("roomd_accepts_aborted_total", "Connections gone before they were accepted.")
        }
        Outcome::HttpTimedOut => {
            ("roomd_http_timed_out_total", "HTTP connections on which no request, or no further one, came.")
        }
        Outcome::HttpFailed => ("roomd_http_failed_total", "HTTP connections that broke, or were not HTTP."),
        Outcome::UpgradeFailed => {
            ("roomd_upgrades_failed_total", "Clients gone before their upgrade was done.")
        }
        Outcome::WatchFailed => {
            ("roomd_watches_failed_total", "Clients let in whose socket could not be watched.")
        }
        Outcome::Farewell => ("roomd_farewells_total", "Connections whose last words were taken."),
        Outcome::FarewellLost => {
            ("roomd_farewells_lost_total", "Connections whose last words were not taken.")
        }
    }
}

/// Milliseconds, written as seconds.
struct Seconds(u64);

impl Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

/// The text as it grows; writing to it does not fail.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "counter", help);
        self.sample(name, "", value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, "", value);
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}
