//! The values that the server runs with.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use super::table::TABLE;
use crate::{hub::Capacities, limits};

/// The port of the default addresses.
const PORT: u16 = 8080;

/// All settings, checked. Each field has the name of its flag, environment variable and TOML key.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// Addresses to listen on. In the default pair `[::]` may fail to bind: not every board has IPv6.
    pub listen: Vec<SocketAddr>,
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
    /// HTTP connections that are not upgraded (yet), at once.
    pub handshakes: usize,
    /// Time for a request's head to arrive, and for a peer to take a part of the answer, in milliseconds.
    pub handshake_timeout_ms: u64,
    /// Time after which a socket that takes no byte is ended, in milliseconds.
    pub write_timeout_ms: u64,
    /// Seconds between pings.
    pub heartbeat_s: u64,
    /// Time to drain when stopping, in milliseconds.
    pub grace_ms: u64,
    /// Refuse to start when the planned memory is above this, in bytes.
    pub memory_max: Option<u64>,
    /// Certificate chain in PEM: with it and `tls_key` every address in `listen` speaks TLS.
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM.
    pub tls_key: Option<PathBuf>,
    /// Shared secret that clients must show.
    pub token: Option<String>,
    /// Who may ask how the server is.
    pub status_access: StatusAccess,
    /// Secret that whoever asks how the server is must show.
    pub status_token: Option<String>,
    /// Further host names under which the board is reached.
    pub allowed_hosts: Vec<String>,
    /// Further origins whose pages may connect.
    pub allowed_origins: Vec<String>,
    /// The least important lines that are still written to the log.
    pub log: LogLevel,
}

/// Who may ask how the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusAccess {
    /// Whoever reaches it.
    All,
    /// Only who is on the same machine.
    Loopback,
}

impl StatusAccess {
    /// All of them, from open to closed.
    pub const ALL: [Self; 2] = [Self::All, Self::Loopback];

    /// The name under which it is set.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Loopback => "loopback",
        }
    }
}

/// How much is logged; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// What makes roomd useless.
    Error,
    /// What an operator should look at: also what was refused or dropped, at a bounded rate.
    Warn,
    /// Start and stop.
    Info,
    /// Each connection as well.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// All levels, from quiet to loud.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The name under which the level is set.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Shows the values as `roomd check-config` does: a secret is only said to be set.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(TABLE.iter().map(|row| (row.key, row.show(self)))).finish()
    }
}

impl Settings {
    /// How addresses of the page begin: `http` or `https`.
    pub const fn scheme(&self) -> &'static str {
        if self.tls_cert.is_some() { "https" } else { "http" }
    }

    /// What a hub needs to know of them.
    pub fn capacities(&self) -> Capacities {
        Capacities {
            clients: self.clients,
            rooms: self.rooms,
            rooms_per_client: self.rooms_per_client,
            log_bytes: self.log_bytes,
            log_messages: self.log_messages,
            message_bytes: self.message_bytes,
            outbox_messages: self.outbox_messages,
            outbox_bytes: self.outbox_bytes,
            messages_per_second: self.messages_per_second,
            burst: self.burst,
            write_timeout_ms: self.write_timeout_ms,
            heartbeat_s: self.heartbeat_s,
        }
    }
}

/// The defaults, lowered where a build has lower ceilings, so that they always fit together.
impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![(Ipv4Addr::UNSPECIFIED, PORT).into(), (Ipv6Addr::UNSPECIFIED, PORT).into()],
            clients: limits::CLIENTS_MAX.min(1_024),
            rooms: limits::ROOMS_MAX.min(64),
            rooms_per_client: limits::ROOMS_PER_CLIENT_MAX.min(limits::ROOMS_MAX).min(8),
            log_bytes: limits::LOG_BYTES_MAX.min(256 << 10),
            log_messages: limits::LOG_MESSAGES_MAX.min(1_024),
            message_bytes: message_bytes(),
            outbox_messages: limits::OUTBOX_MESSAGES_MAX.min(16),
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
            tls_cert: None,
            tls_key: None,
            token: None,
            status_access: StatusAccess::All,
            status_token: None,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            log: LogLevel::Info,
        }
    }
}

fn message_bytes() -> usize {
    let fitting_log = limits::LOG_BYTES_MAX / limits::LOG_MESSAGES_OF_GREATEST_SIZE;
    limits::MESSAGE_BYTES_MAX.min(fitting_log).min(64 << 10)
}
