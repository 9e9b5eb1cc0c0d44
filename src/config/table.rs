//! The table of settings: flags, environment names, TOML keys, ranges, help and the report of
//! `roomd check-config` all come from it. Defaults come from [`Settings::default`].

use super::{
    settings::Settings,
    value::{Kind, Value},
};
use crate::limits;

/// Largest message: the log of the greatest size must still hold several.
const MESSAGE_BYTES_MAX: usize =
    min(limits::MESSAGE_BYTES_MAX, limits::LOG_BYTES_MAX / limits::LOG_MESSAGES_OF_GREATEST_SIZE);
/// Most rooms that one client can be in: not more than there are.
const ROOMS_PER_CLIENT_MAX: usize = min(limits::ROOMS_PER_CLIENT_MAX, limits::ROOMS_MAX);
/// Largest number of bytes for what has no ceiling of its own; fits a 32-bit `usize`.
const BYTES_MAX: u64 = 1 << 30;
/// Largest rate and burst, in messages: above it a limit limits nothing on a board.
const RATE_MAX: u64 = 100_000;
/// Largest number of connections of a kind.
const CONNECTIONS_MAX: u64 = 65_535;
/// Largest kernel buffer: what the kernel lets anybody ask for by default is far less.
const SOCKET_BUFFER_BYTES_MAX: u64 = 16 << 20;
/// Largest number of entries in `listen`.
const ADDRESSES_MAX: u64 = 8;
/// Largest number of entries in a list of names.
const NAMES_MAX: u64 = 64;
/// Longest path (`PATH_MAX` of Linux, with its 0).
const PATH_BYTES_MAX: u64 = 4_095;
/// Least outbox: a `joined` that lists 64 names of 96 bytes, each character escaped, fits.
const OUTBOX_BYTES_MIN: u64 = 16 << 10;
/// Least kernel buffer: below it Linux raises the value by itself (`SOCK_MIN_SNDBUF`).
const SOCKET_BUFFER_BYTES_MIN: u64 = 4 << 10;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The TOML key; flag and environment variable are made from it.
    pub key: &'static str,
    /// The heading under which help and sample configuration show it.
    pub group: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// Least number; for a list the least number of entries, for a secret or path the least bytes.
    pub least: u64,
    /// Greatest number; for a list the greatest number of entries, for a secret or path the greatest bytes.
    pub greatest: u64,
    /// Whether 0 switches off what the setting limits.
    pub zero_is_off: bool,
    /// One sentence.
    pub help: &'static str,
    pub(super) get: fn(&Settings) -> Value,
    pub(super) set: fn(&mut Settings, Value),
}

impl Row {
    /// The flag, `--log-bytes`.
    pub fn flag(&self) -> String {
        format!("--{}", self.key.replace('_', "-"))
    }

    /// The environment variable, `ROOMD_LOG_BYTES`.
    pub fn variable(&self) -> String {
        format!("ROOMD_{}", self.key.to_ascii_uppercase())
    }

    /// Its place in [`TABLE`].
    pub(super) fn index(&self) -> usize {
        TABLE.iter().position(|row| row.key == self.key).expect("rows stand in the table")
    }

    /// The value in `settings`, as people read it; a secret is only said to be set.
    pub fn show(&self, settings: &Settings) -> String {
        let value = (self.get)(settings);
        if self.zero_is_off && value == Value::Number(0) {
            "0 (off)".to_owned()
        } else {
            value.show(self.kind)
        }
    }
}

/// The row with this key.
pub fn row(key: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.key == key)
}

const NETWORK: &str = "Network";
const ROOMS: &str = "Clients and rooms";
const MEMORY: &str = "Messages and memory";
const ABUSE: &str = "Limits per client and address";
const TIME: &str = "Time";
const ACCESS: &str = "Access";
const LOG: &str = "Log";

macro_rules! number {
    ($field:ident, $kind:expr, $group:expr, $least:expr, $greatest:expr, $help:expr) => {
        setting(
            stringify!($field),
            ($group, $help),
            $kind,
            ($least as u64, $greatest as u64),
            |settings| Value::Number(settings.$field as u64),
            |settings, value| settings.$field = value.number().try_into().expect("in range, so it fits"),
        )
    };
}

/// Every setting, in the order in which help and reports show them.
#[allow(clippy::cast_lossless, reason = "the fields have several widths")]
#[rustfmt::skip]
pub static TABLE: [Row; 29] = [
    setting("listen", (NETWORK, "Addresses to listen on."), Kind::Addresses, (1, ADDRESSES_MAX),
        |settings| Value::Addresses(settings.listen.clone()),
        |settings, value| settings.listen = value.addresses()),
    number!(send_buffer_bytes, Kind::Bytes, NETWORK, SOCKET_BUFFER_BYTES_MIN, SOCKET_BUFFER_BYTES_MAX,
        "Kernel send buffer of each connection."),
    number!(receive_buffer_bytes, Kind::Bytes, NETWORK, SOCKET_BUFFER_BYTES_MIN, SOCKET_BUFFER_BYTES_MAX,
        "Kernel receive buffer of each connection."),

    number!(clients, Kind::Count, ROOMS, 1, limits::CLIENTS_MAX,
        "Clients connected at once."),
    number!(rooms, Kind::Count, ROOMS, 1, limits::ROOMS_MAX,
        "Rooms at once, the lobby not counted."),
    number!(rooms_per_client, Kind::Count, ROOMS, 1, ROOMS_PER_CLIENT_MAX,
        "Rooms that one client is in at once."),

    number!(log_bytes, Kind::Bytes, MEMORY, 4 << 10, limits::LOG_BYTES_MAX,
        "Log of each room, in bytes."),
    number!(log_messages, Kind::Count, MEMORY, 4, limits::LOG_MESSAGES_MAX,
        "Log of each room, in messages."),
    number!(message_bytes, Kind::Bytes, MEMORY, 1 << 10, MESSAGE_BYTES_MAX,
        "Largest message from a client."),
    number!(outbox_messages, Kind::Count, MEMORY, 2, limits::OUTBOX_MESSAGES_MAX,
        "Answers waiting for one client, in messages."),
    number!(outbox_bytes, Kind::Bytes, MEMORY, OUTBOX_BYTES_MIN, BYTES_MAX,
        "Answers waiting for one client, in bytes."),
    number!(inbound_bytes, Kind::Bytes, MEMORY, 1 << 10, BYTES_MAX,
        "Half-received messages, all clients together."),
    off_at_0(setting("memory_max", (MEMORY, "Refuse to start if the plan needs more."),
        Kind::Bytes, (0, 1 << 40),
        |settings| Value::Number(settings.memory_max.unwrap_or(0)),
        |settings, value| settings.memory_max = Some(value.number()).filter(|bytes| *bytes > 0))),

    off_at_0(number!(messages_per_second, Kind::Count, ABUSE, 0, RATE_MAX,
        "Messages from one client per second.")),
    number!(burst, Kind::Count, ABUSE, 0, RATE_MAX,
        "Messages from one client at once after a pause."),
    off_at_0(number!(connections_per_address, Kind::Count, ABUSE, 0, CONNECTIONS_MAX,
        "Connections from one address at once.")),
    number!(handshakes, Kind::Count, ABUSE, 1, CONNECTIONS_MAX,
        "HTTP connections not upgraded (yet), at once."),

    number!(handshake_timeout_ms, Kind::Milliseconds, TIME, 100, 60_000,
        "How long a request, and then its answer, may take to go over."),
    number!(write_timeout_ms, Kind::Milliseconds, TIME, 100, 600_000,
        "Until a client that takes no byte is ended."),
    number!(heartbeat_s, Kind::Seconds, TIME, 1, limits::HEARTBEAT_S_MAX,
        "How often each client is pinged; one that is silent for 1.5 times as long is ended."),
    number!(grace_ms, Kind::Milliseconds, TIME, 0, 600_000,
        "To deliver what still waits when stopping; 0 drops it."),

    setting("tls_cert", (ACCESS, "Certificate chain, in PEM; with tls_key, to speak TLS."),
        Kind::Path, (0, PATH_BYTES_MAX),
        |settings| Value::Path(settings.tls_cert.clone()),
        |settings, value| settings.tls_cert = value.path()),
    setting("tls_key", (ACCESS, "Private key of the certificate, in PEM."), Kind::Path, (0, PATH_BYTES_MAX),
        |settings| Value::Path(settings.tls_key.clone()),
        |settings, value| settings.tls_key = value.path()),
    setting("token",
        (ACCESS, "Secret that clients must show. As a flag other users of the machine can see it."),
        Kind::Secret, (1, 256),
        |settings| Value::Secret(settings.token.clone()),
        |settings, value| settings.token = value.secret()),
    setting("status_access", (ACCESS, "Who may read /metrics and /api/status."), Kind::Access, (1, 1),
        |settings| Value::Access(settings.status_access),
        |settings, value| settings.status_access = value.access()),
    setting("status_token",
        (ACCESS, "Secret that /metrics and /api/status ask for."),
        Kind::Secret, (1, 256),
        |settings| Value::Secret(settings.status_token.clone()),
        |settings, value| settings.status_token = value.secret()),
    setting("allowed_hosts", (ACCESS, "Further names under which browsers reach this board."),
        Kind::Hosts, (0, NAMES_MAX),
        |settings| Value::Names(settings.allowed_hosts.clone()),
        |settings, value| settings.allowed_hosts = value.names()),
    setting("allowed_origins", (ACCESS, "Further origins whose pages may connect."),
        Kind::Origins, (0, NAMES_MAX),
        |settings| Value::Names(settings.allowed_origins.clone()),
        |settings, value| settings.allowed_origins = value.names()),

    setting("log", (LOG, "How much to log, on standard error."), Kind::Level, (1, 1),
        |settings| Value::Level(settings.log),
        |settings, value| settings.log = value.level()),
];

const fn min(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

const fn setting(
    key: &'static str,
    (group, help): (&'static str, &'static str),
    kind: Kind,
    (least, greatest): (u64, u64),
    get: fn(&Settings) -> Value,
    set: fn(&mut Settings, Value),
) -> Row {
    Row { key, group, kind, least, greatest, zero_is_off: false, help, get, set }
}

const fn off_at_0(row: Row) -> Row {
    Row { zero_is_off: true, ..row }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_within_its_range_and_reads_back_the_same() {
        let defaults = Settings::default();
        for row in &TABLE {
            let mut copy = defaults.clone();
            (row.set)(&mut copy, (row.get)(&defaults));
            assert_eq!(copy, defaults, "{}", row.key);
            if let Value::Number(number) = (row.get)(&defaults) {
                assert!((row.least..=row.greatest).contains(&number), "{}", row.key);
            }
        }
    }

    #[test]
    fn no_two_rows_share_a_key_and_groups_stand_together() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(TABLE[..index].iter().all(|earlier| earlier.key != row.key), "{}", row.key);
            let group_ended = TABLE[index..].iter().skip_while(|later| later.group == row.group);
            assert!(group_ended.clone().all(|later| later.group != row.group), "{}", row.key);
        }
    }

    #[test]
    fn flag_and_variable_are_made_from_the_key() {
        let row = row("log_bytes").unwrap();
        assert_eq!((row.flag().as_str(), row.variable().as_str()), ("--log-bytes", "ROOMD_LOG_BYTES"));
    }
}
