//! The memory that the settings can need at most, line by line.

use std::fmt;

use super::{Settings, value::show_bytes};

/// What a connection needs whatever it does: the kernel's objects for a socket, a descriptor and what
/// watches it (some 5 KiB), its line in this process, and the task that says farewell to it, in bytes.
const CONNECTION_BYTES: u64 = 8 << 10;
/// What an HTTP connection can need beside kernel buffers: the head of a request as it came and as it was
/// understood, response and task, in bytes.
const HANDSHAKE_BYTES: u64 = 64 << 10;
/// What TLS needs for a client: its keys, one half-received record (in a buffer that doubles as it grows)
/// and one that waits to be sent, in bytes.
const TLS_SESSION_BYTES: u64 = 64 << 10;
/// What TLS needs for an HTTP connection: handshake messages and a record each way, in bytes.
const TLS_HANDSHAKE_BYTES: u64 = 128 << 10;
/// Program, stacks, the buffer that all read into, the table of addresses and the embedded pages, in bytes.
const PROCESS_BYTES: u64 = 16 << 20;
/// What comes and goes leaves holes: the allocator needs up to this part more of it.
const ALLOCATOR_PART: u64 = 4;
/// The lines of that.
const CHURNING: [&str; 5] = ["outboxes", "half-received messages", "last words", "handshakes", "TLS"];
/// Linux doubles `SO_SNDBUF` and `SO_RCVBUF` to make room for its own bookkeeping (socket(7)).
const KERNEL_FACTOR: u64 = 2;
/// It looks for room before it begins a segment, and so goes beyond a send buffer by one of up to 64 KiB with
/// its bookkeeping, and beyond a receive buffer by that of a small one, in bytes.
const SEGMENT_BYTES: u64 = (64 + 4 + 4) << 10;

/// One use of memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is for.
    pub name: &'static str,
    /// How the number comes about.
    pub formula: String,
    /// At most so many bytes.
    pub bytes: u64,
    /// Keys of the settings that change it.
    pub settings: &'static [&'static str],
}

/// The memory ceiling of roomd: what its settings add up to when everything is full at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// All uses.
    pub lines: Vec<Line>,
}

impl Plan {
    /// The plan of these settings.
    pub fn of(settings: &Settings) -> Self {
        let mut lines: Vec<Line> = hub(settings).collect();
        lines.extend(connections(settings));
        lines.push(tls(settings));
        lines.extend(kernel(settings));
        let churn: u64 =
            lines.iter().filter(|line| CHURNING.contains(&line.name)).map(|line| line.bytes).sum();
        let formula = format!("1/{ALLOCATOR_PART} of {}", CHURNING.join(", "));
        lines.push(line("allocator", churn / ALLOCATOR_PART, formula, &["clients", "outbox_bytes"]));
        lines.push(line("process", PROCESS_BYTES, "program, stacks, buffers", &[]));
        Self { lines }
    }

    /// The sum of all lines, in bytes.
    pub fn total(&self) -> u64 {
        self.lines.iter().map(|line| line.bytes).sum()
    }

    /// The `count` lines that need most and that settings can change, the largest first.
    pub fn largest(&self, count: usize) -> Vec<&Line> {
        let mut lines: Vec<_> = self.lines.iter().filter(|line| !line.settings.is_empty()).collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.bytes));
        lines.truncate(count);
        lines
    }
}

/// What the core holds.
fn hub(settings: &Settings) -> impl Iterator<Item = Line> {
    settings.capacities().memory().into_iter().map(|part| {
        let formula = format!("{} x {}", part.count, show_bytes(part.bytes as u64));
        line(part.what, part.count as u64 * part.bytes as u64, formula, part.by)
    })
}

/// What connections hold in this process.
fn connections(settings: &Settings) -> [Line; 4] {
    let (clients, handshakes) = (settings.clients as u64, settings.handshakes as u64);
    let outbox = settings.capacities().outbox_ceiling() as u64;
    [
        line("half-received messages", settings.inbound_bytes as u64, "inbound_bytes", &["inbound_bytes"]),
        // A connection has an outbox or last words, never both; there are so many more than clients.
        line(
            "last words",
            handshakes * outbox,
            format!("{handshakes} x {}", show_bytes(outbox)),
            &["handshakes", "outbox_bytes", "message_bytes"],
        ),
        line(
            "handshakes",
            handshakes * HANDSHAKE_BYTES,
            format!("{handshakes} x {}", show_bytes(HANDSHAKE_BYTES)),
            &["handshakes"],
        ),
        line(
            "connections",
            (clients + handshakes) * CONNECTION_BYTES,
            format!("({clients} + {handshakes}) x {}", show_bytes(CONNECTION_BYTES)),
            &["clients", "handshakes"],
        ),
    ]
}

/// What connections hold in the kernel, while they are ours and before they are accepted.
fn kernel(settings: &Settings) -> [Line; 2] {
    let (clients, handshakes) = (settings.clients as u64, settings.handshakes as u64);
    let (send, receive) = (settings.send_buffer_bytes as u64, settings.receive_buffer_bytes as u64);
    let each = KERNEL_FACTOR * (send + receive) + SEGMENT_BYTES;
    let listeners = settings.listen.len() as u64;
    let waiting = KERNEL_FACTOR * receive + CONNECTION_BYTES;
    // The kernel lets one more wait than it was told.
    let backlog = handshakes + 1;
    [
        line(
            "kernel socket buffers",
            (clients + handshakes) * each,
            format!(
                "({clients} + {handshakes}) x ({KERNEL_FACTOR} x {} + {})",
                show_bytes(send + receive),
                show_bytes(SEGMENT_BYTES)
            ),
            &["clients", "handshakes", "send_buffer_bytes", "receive_buffer_bytes"],
        ),
        line(
            "kernel backlog",
            listeners * backlog * waiting,
            format!(
                "{listeners} listening x {backlog} x ({KERNEL_FACTOR} x {} + {})",
                show_bytes(receive),
                show_bytes(CONNECTION_BYTES)
            ),
            &["listen", "handshakes", "receive_buffer_bytes"],
        ),
    ]
}

/// What speaking TLS adds to that; nothing without a certificate.
fn tls(settings: &Settings) -> Line {
    if settings.tls_cert.is_none() {
        return line("TLS", 0, "no tls_cert", &[]);
    }
    let (clients, handshakes) = (settings.clients as u64, settings.handshakes as u64);
    let (session, handshake) = (show_bytes(TLS_SESSION_BYTES), show_bytes(TLS_HANDSHAKE_BYTES));
    line(
        "TLS",
        clients * TLS_SESSION_BYTES + handshakes * TLS_HANDSHAKE_BYTES,
        format!("{clients} clients x {session} + {handshakes} x {handshake}"),
        &["clients", "handshakes"],
    )
}

fn line(
    name: &'static str,
    bytes: u64,
    formula: impl Into<String>,
    settings: &'static [&'static str],
) -> Line {
    Line { name, formula: formula.into(), bytes, settings }
}

/// `17.2 MiB`: at most four digits, for reading, not for computing.
pub fn human(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let (mut tenths, mut unit) = (u128::from(bytes) * 10 / 1024, 0);
    while tenths >= 10_240 && unit + 1 < units.len() {
        (tenths, unit) = (tenths / 1024, unit + 1);
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, units[unit])
}

/// A table with the sum at its foot.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { name, formula, bytes, .. } in &self.lines {
            writeln!(f, "{name:<22} {bytes:>13} {:>10}  {formula}", human(*bytes))?;
        }
        let total = self.total();
        writeln!(f, "{:<22} {total:>13} {:>10}", "in all, at most", human(total))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn bytes_of(plan: &Plan, name: &str) -> u64 {
        plan.lines.iter().find(|line| line.name == name).unwrap().bytes
    }

    #[test]
    fn each_line_is_what_its_formula_says() {
        let settings = Settings {
            clients: 3,
            rooms: 2,
            log_bytes: 10_000,
            log_messages: 5,
            message_bytes: 2_000,
            outbox_bytes: 1_000,
            inbound_bytes: 7_777,
            send_buffer_bytes: 30,
            receive_buffer_bytes: 4,
            handshakes: 6,
            ..Settings::default()
        };
        let plan = Plan::of(&settings);
        for part in settings.capacities().memory() {
            assert_eq!(bytes_of(&plan, part.what), part.count as u64 * part.bytes as u64, "{}", part.what);
        }
        assert_eq!(bytes_of(&plan, "room logs"), 3 * (10_000 + 4 * 5));
        assert_eq!(bytes_of(&plan, "half-received messages"), 7_777);
        assert_eq!(bytes_of(&plan, "last words"), 6 * settings.capacities().outbox_ceiling() as u64);
        assert_eq!(bytes_of(&plan, "handshakes"), 6 * HANDSHAKE_BYTES);
        assert_eq!(bytes_of(&plan, "connections"), (3 + 6) * CONNECTION_BYTES);
        assert_eq!(bytes_of(&plan, "kernel socket buffers"), (3 + 6) * (2 * 34 + SEGMENT_BYTES));
        assert_eq!(bytes_of(&plan, "kernel backlog"), 2 * (6 + 1) * (2 * 4 + CONNECTION_BYTES));
        let churn = |plan: &Plan| CHURNING.map(|name| bytes_of(plan, name)).iter().sum::<u64>();
        assert_eq!(bytes_of(&plan, "allocator"), churn(&plan) / ALLOCATOR_PART);
        assert_eq!(bytes_of(&plan, "TLS"), 0);
        let with_tls = Plan::of(&Settings { tls_cert: Some("cert.pem".into()), ..settings });
        assert_eq!(bytes_of(&with_tls, "TLS"), 3 * TLS_SESSION_BYTES + 6 * TLS_HANDSHAKE_BYTES);
        assert_eq!(bytes_of(&with_tls, "allocator"), churn(&with_tls) / ALLOCATOR_PART);
        assert_eq!(plan.total(), plan.lines.iter().map(|line| line.bytes).sum::<u64>());
    }

    #[test]
    fn the_largest_lines_are_named_and_what_no_setting_changes_is_not() {
        let settings = Settings { clients: 1, rooms: 1, handshakes: 1, ..Settings::default() };
        let names: Vec<_> = Plan::of(&settings).largest(9).iter().map(|line| line.name).collect();
        assert_eq!(names[0], "half-received messages");
        assert!(!names.contains(&"process"));
    }

    #[test]
    fn the_greatest_settings_do_not_overflow() {
        let mut settings = Settings::default();
        for row in super::super::table::TABLE.iter().filter(|row| row.kind.is_number()) {
            (row.set)(&mut settings, super::super::value::Value::Number(row.greatest));
        }
        assert!(Plan::of(&settings).total() > 1 << 40);
    }

    #[test]
    fn human_numbers_change_their_unit_at_1024() {
        assert_eq!(human(0), "0.0 KiB");
        assert_eq!(human((1 << 20) - 1), "1023.9 KiB");
        assert_eq!(human(1 << 20), "1.0 MiB");
        assert_eq!(human(3 << 29), "1.5 GiB");
        assert_eq!(human(u64::MAX / 10 + 1), "1677721.6 TiB");
        assert_eq!(human(u64::MAX), "16777215.9 TiB");
    }
}
