//! Method: situations on a hub of three clients and two rooms, where every limit is one step away.

use super::*;

/// Three clients, two rooms, one room each, logs of four messages.
pub(crate) fn tiny() -> Capacities {
    Capacities {
        clients: 3,
        rooms: 2,
        rooms_per_client: 2,
        log_bytes: 4_096,
        log_messages: 4,
        message_bytes: 1_024,
        outbox_messages: 4,
        outbox_bytes: 2_048,
        messages_per_second: 0,
        burst: 0,
        write_timeout_ms: 10_000,
        heartbeat_s: 20,
    }
}
