//! The result, for people and for programs.

use std::fmt;

use serde::Serialize;

use super::{
    Watch,
    arguments::{Mode, Options, Pace},
    load::Counts,
    process::{self, Usage},
    tally::Latency,
};

/// What a run measured; what its mode does not measure is absent.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    mode: &'static str,
    url: String,
    clients: usize,
    publishers: usize,
    slow: usize,
    rooms: usize,
    content_bytes: usize,
    seconds: u64,
    pace: String,
    #[serde(flatten)]
    flow: Option<Flow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency_ms: Option<LatencyMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<Lost>,
    /// Clients that did not read, and that the server gave up.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<usize>,
    /// Until the last handshake was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connected_ms: Option<f64>,
    /// Until the count was right, the handshakes included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) joined_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) left_ms: Option<f64>,
    server: Option<Server>,
    bench_cpu_percent: f64,
}

#[derive(Debug, Serialize)]
struct Flow {
    messages: u64,
    messages_per_s: f64,
    deliveries: u64,
    deliveries_per_s: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct LatencyMs {
    p50: f64,
    p99: f64,
    max: f64,
}

impl LatencyMs {
    pub(super) fn of(latency: &mut Latency) -> Self {
        Self { p50: latency.quantile_ms(0.5), p99: latency.quantile_ms(0.99), max: latency.max_ms() }
    }
}

/// Deliveries that did not come.
#[derive(Debug, Serialize)]
pub(super) struct Lost {
    pub(super) declared: u64,
    pub(super) undeclared: u64,
    pub(super) surplus: u64,
}

impl Lost {
    pub(super) fn of(counts: &Counts) -> Self {
        let balance = counts.balance;
        Self { declared: counts.declared, undeclared: balance.undeclared, surplus: balance.surplus }
    }
}

#[derive(Debug, Default, Serialize)]
struct Server {
    pid: u32,
    cpu_percent: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_us_per_delivery: Option<f64>,
    rss_bytes_before: u64,
    rss_bytes_after: u64,
    pss_bytes_before: u64,
    pss_bytes_after: u64,
    /// Of its memory, what each connection added.
    bytes_each: f64,
}

impl Report {
    pub(super) fn new(options: &Options, pid: Option<u32>) -> Self {
        let has_load = matches!(options.mode, Mode::FanOut | Mode::Slow);
        let how = if options.bundle { " bundled" } else { "" };
        let pace = match options.pace {
            _ if matches!(options.mode, Mode::Idle | Mode::Storm) => "none".to_owned(),
            Pace::Window(window) => format!("window {window}{how}"),
            Pace::Rate(rate) => format!("rate {rate}{how}"),
            Pace::Open => "open".to_owned(),
        };
        Self {
            mode: options.mode.name(),
            url: options.target.to_string(),
            clients: options.clients,
            publishers: if has_load { options.publishers.max(options.rooms) } else { 0 },
            slow: if options.mode == Mode::Slow { options.slow } else { 0 },
            rooms: if options.mode == Mode::Echo { 0 } else { options.rooms },
            content_bytes: options.content_bytes,
            seconds: options.seconds,
            pace,
            flow: None,
            latency_ms: None,
            lost: None,
            ended: None,
            connected_ms: None,
            joined_ms: None,
            left_ms: None,
            server: pid.map(|pid| Server { pid, ..Server::default() }),
            bench_cpu_percent: 0.0,
        }
    }

    pub(super) fn deliveries(&mut self, counts: &Counts, run_us: u64) {
        self.flow = Some(Flow {
            messages: counts.messages,
            messages_per_s: per(counts.messages * 1_000_000, run_us),
            deliveries: counts.deliveries,
            deliveries_per_s: per(counts.deliveries * 1_000_000, run_us),
        });
        self.lost = Some(Lost::of(counts));
        self.ended = Some(counts.ended);
    }

    /// The processor time since `server` and `own` were taken, `run_us` ago.
    pub(super) fn cpu(
        &mut self,
        watch: &Watch,
        server: Option<Usage>,
        own: Option<Usage>,
        run_us: u64,
        deliveries: u64,
    ) {
        let spent = |now: Option<Usage>, then: Option<Usage>| {
            now.zip(then).map_or(0, |(now, then)| now.cpu_us.saturating_sub(then.cpu_us))
        };
        self.bench_cpu_percent = per(spent(process::usage(std::process::id()), own) * 100, run_us);
        if let Some(shown) = &mut self.server {
            let cpu_us = spent(watch.server(), server);
            shown.cpu_percent = per(cpu_us * 100, run_us);
            shown.cpu_us_per_delivery = (deliveries > 0).then(|| per(cpu_us, deliveries));
        }
    }

    /// The memory now, with so many connections, beside that before any.
    pub(super) fn memory(&mut self, watch: &Watch, connections: usize) {
        let Some((before, after)) = watch.before.zip(watch.server()) else { return };
        let Some(shown) = &mut self.server else { return };
        (shown.rss_bytes_before, shown.rss_bytes_after) = (before.rss_bytes, after.rss_bytes);
        (shown.pss_bytes_before, shown.pss_bytes_after) = (before.pss_bytes, after.pss_bytes);
        let has_pss = before.pss_bytes > 0 && after.pss_bytes > 0;
        let (less, more) =
            if has_pss { (before.pss_bytes, after.pss_bytes) } else { (before.rss_bytes, after.rss_bytes) };
        shown.bytes_each = per(more.saturating_sub(less), connections as u64);
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("a report is plain") + "\n"
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn per(amount: u64, of: u64) -> f64 {
    amount as f64 / of.max(1) as f64
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "roomd bench {} {}", self.mode, self.url)?;
        writeln!(
            f,
            "clients {}, publishers {}, slow {}, rooms {}, content {} bytes, pace {}, {} s\n",
            self.clients, self.publishers, self.slow, self.rooms, self.content_bytes, self.pace, self.seconds
        )?;
        self.flow_rows(f)?;
        self.time_rows(f)?;
        match &self.server {
            Some(server) => server.rows(f)?,
            None => row(f, "server", "not seen; give --pid on its machine, as its user")?,
        }
        row(f, "bench CPU", &format!("{:.0} % of a core", self.bench_cpu_percent))
    }
}

impl Report {
    fn flow_rows(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(flow) = &self.flow {
            row(f, "messages", &format!("{}, {:.0}/s", flow.messages, flow.messages_per_s))?;
            row(f, "deliveries", &format!("{}, {:.0}/s", flow.deliveries, flow.deliveries_per_s))?;
        }
        if let Some(LatencyMs { p50, p99, max }) = &self.latency_ms {
            row(f, "latency", &format!("p50 {p50:.2} ms, p99 {p99:.2} ms, max {max:.2} ms"))?;
        }
        if let Some(Lost { declared, undeclared, surplus }) = &self.lost {
            row(f, "lost", &format!("{declared} declared, {undeclared} undeclared, {surplus} too many"))?;
        }
        match self.ended {
            Some(ended @ 1..) => row(f, "ended", &format!("{ended} clients that did not read")),
            _ => Ok(()),
        }
    }

    fn time_rows(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, ms) in
            [("connected", self.connected_ms), ("count right", self.joined_ms), ("count after", self.left_ms)]
        {
            if let Some(ms) = ms {
                row(f, name, &format!("{ms:.1} ms"))?;
            }
        }
        Ok(())
    }
}

impl Server {
    fn rows(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each =
            self.cpu_us_per_delivery.map(|us| format!(", {us:.2} us per delivery")).unwrap_or_default();
        row(f, "server CPU", &format!("{:.0} % of a core{each}", self.cpu_percent))?;
        let kib = |bytes: u64| bytes / 1_024;
        row(
            f,
            "server RSS",
            &format!("{} -> {} KiB", kib(self.rss_bytes_before), kib(self.rss_bytes_after)),
        )?;
        row(
            f,
            "server PSS",
            &format!("{} -> {} KiB", kib(self.pss_bytes_before), kib(self.pss_bytes_after)),
        )?;
        row(f, "each client", &format!("{:.0} bytes", self.bytes_each))
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, value: &str) -> fmt::Result {
    writeln!(f, "{name:<14}{value}")
}
