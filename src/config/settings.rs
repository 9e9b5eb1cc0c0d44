//! The values that the server runs with.

/// All settings, checked. Each field has the name of its flag, environment variable and TOML key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Clients that can be connected at once.
    pub clients: usize,
    /// Rooms that can exist at once, the lobby not counted.
    pub rooms: usize,
    /// Rooms that one client can be in at once, the lobby not counted.
    pub rooms_per_client: usize,
    /// Bytes of the log of each room.
    pub log_bytes: usize,
    /// Messages in the log of each room.
    pub log_messages: usize,
    /// Largest message that a client may send, in bytes.
    pub message_bytes: usize,
    /// Frames for one client alone that can wait for it.
    pub outbox_messages: usize,
    /// Bytes of frames for one client alone that can wait for it.
    pub outbox_bytes: usize,
    /// Bytes of half-received messages, all clients together.
    pub inbound_bytes: usize,
    /// Kernel send buffer of each connection, in bytes.
    pub send_buffer_bytes: usize,
    /// Kernel receive buffer of each connection, in bytes.
    pub receive_buffer_bytes: usize,
    /// Messages that a client may send per second; 0 is no limit.
    pub messages_per_second: u32,
    /// Messages that a client may send at once after a pause; 0 only together with `messages_per_second` 0.
    pub burst: u32,
    /// Connections from one address; 0 is no limit.
    pub connections_per_address: usize,
    /// HTTP connections that are not (yet) WebSockets at once.
    pub handshakes: usize,
    /// Time for a request's head to arrive, in milliseconds.
    pub handshake_timeout_ms: u64,
    /// Time after which a socket that takes no byte is ended, in milliseconds.
    pub write_timeout_ms: u64,
    /// Seconds between pings.
    pub heartbeat_s: u64,
    /// Time to drain when stopping, in milliseconds.
    pub grace_ms: u64,
    /// Refuse to start when the planned memory is above this, in bytes.
    pub memory_max: Option<u64>,
    /// Shared secret that clients must show.
    pub token: Option<String>,
    /// Further host names under which the board is reached.
    pub allowed_hosts: Vec<String>,
    /// Further origins whose pages may connect.
    pub allowed_origins: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clients: 1_024,
            rooms: 64,
            rooms_per_client: 8,
            log_bytes: 256 << 10,
            log_messages: 1_024,
            message_bytes: 64 << 10,
            outbox_messages: 16,
            outbox_bytes: 64 << 10,
            inbound_bytes: 16 << 20,
            send_buffer_bytes: 64 << 10,
            receive_buffer_bytes: 32 << 10,
            messages_per_second: 20,
            burst: 40,
            connections_per_address: 64,
            handshakes: 64,
            handshake_timeout_ms: 5_000,
            write_timeout_ms: 10_000,
            heartbeat_s: 20,
            grace_ms: 5_000,
            memory_max: None,
            token: None,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
        }
    }
}
