//! How the server is at one moment: what status and metrics are made from.

use super::{
    clock, logging,
    process::{self, Descriptors},
    shared::Shared,
    tally::Outcome,
};
use crate::{
    config::Plan,
    hub::{Counters, Now},
};
use std::{collections::BTreeMap, net::SocketAddr};

/// Numbers that belong together: what the hub counts is read under its lock.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) now: Now,
    pub(super) start_unix_s: u64,
    pub(super) listen: Vec<SocketAddr>,
    pub(super) clients: usize,
    pub(super) clients_max: usize,
    pub(super) rooms: usize,
    pub(super) rooms_max: usize,
    pub(super) blocked: usize,
    pub(super) waiting: usize,
    pub(super) inbound_bytes: usize,
    pub(super) inbound_bytes_max: usize,
    pub(super) counters: Counters,
    pub(super) outcomes: [(Outcome, u64); Outcome::ALL.len()],
    pub(super) refusals: BTreeMap<&'static str, u64>,
    pub(super) log_lines_lost: u64,
    pub(super) plan_bytes: u64,
    pub(super) memory_max: Option<u64>,
    pub(super) rss_bytes: Option<u64>,
    pub(super) descriptors: Descriptors,
    pub(super) cpu_ms: u64,
}

impl Snapshot {
    pub(super) fn take(shared: &Shared) -> Self {
        let settings = &shared.settings;
        // Before the lock: nobody waits for it.
        let plan_bytes = Plan::of(settings).total();
        let now = shared.now();
        let measure = || (process::rss_bytes(), process::descriptors());
        let (rss_bytes, descriptors) = shared.usage.get(now, measure);
        let board = shared.lock();
        let hub = board.hub();
        Self {
            now,
            start_unix_s: shared.clock.start_unix_s(),
            listen: settings.listen.clone(),
            clients: hub.client_count(),
            clients_max: settings.clients,
            rooms: hub.room_count(),
            rooms_max: settings.rooms,
            blocked: hub.blocked_count(),
            waiting: hub.waiting(),
            inbound_bytes: board.inbound_bytes(),
            inbound_bytes_max: settings.inbound_bytes,
            counters: hub.counters().clone(),
            outcomes: Outcome::ALL.map(|outcome| (outcome, shared.tally.get(outcome))),
            refusals: shared.refusals.counts(),
            log_lines_lost: logging::lines_lost(),
            plan_bytes,
            memory_max: settings.memory_max,
            rss_bytes,
            descriptors,
            cpu_ms: clock::cpu_ms(),
        }
    }
}
