//! The figures as tables of Markdown.

use std::fmt::Write as _;

use crate::figures::{Figures, Of};

/// Between these lines of docs/BENCHMARKS.md stands what is written here.
const BEGIN: &str = "<!-- figures: written by scripts/bench-peers --report -->";
const END: &str = "<!-- end of figures -->";

/// What a table shows of each measure.
struct Table {
    title: &'static str,
    explained: &'static str,
    of: Of,
    show: fn(f64) -> String,
    /// What of the losses is told beside it.
    lost: [(Of, &'static str); 2],
    columns: &'static [(&'static str, &'static str)],
}

const TABLES: [Table; 5] = [
    Table {
        title: "Throughput",
        explained: "Million deliveries a second, and how many times roomd's: more is better.",
        of: |run| run.per_s,
        show: |per_s| significant(per_s / 1e6),
        lost: LOST,
        columns: &[
            ("closed-1000", "closed loop, 1,000"),
            ("bundled-1000", "the same, bundled"),
            ("closed-100", "closed loop, 100"),
            ("rooms-50", "50 rooms of 20"),
            ("open-100", "open, 100"),
        ],
    },
    Table {
        title: "Processor time",
        explained: "Microseconds of the server for each delivery, in user and kernel space, and how many \
                    times roomd's: less is better.",
        of: |run| run.cpu_us,
        show: significant,
        lost: NOTHING,
        columns: &[
            ("paced-500", "paced, 500 x 100/s"),
            ("closed-1000", "closed loop, 1,000"),
            ("bundled-1000", "the same, bundled"),
            ("closed-100", "closed loop, 100"),
            ("rooms-50", "50 rooms of 20"),
            ("open-100", "open, 100"),
        ],
    },
    Table {
        title: "Processor time, at once",
        explained: "How many times roomd's processor time each delivery takes, in runs in which both share a \
                    core: less is better. Such runs are three times as long.",
        of: |run| run.cpu_ratio,
        show: |ratio| format!("{} x", significant(ratio)),
        lost: NOTHING,
        columns: &[
            ("paced-500-at-once", "paced, 500 x 100/s"),
            ("bundled-1000-at-once", "closed loop, 1,000, bundled"),
            ("rooms-50-at-once", "50 rooms of 20"),
            ("open-100-at-once", "open, 100"),
        ],
    },
    Table {
        title: "Latency",
        explained: "Milliseconds that 99 % of the deliveries stay below, and how many times roomd's: less is \
                    better. In the closed loops it follows from the throughput.",
        of: |run| run.p99_ms,
        show: significant,
        lost: NOTHING,
        columns: &[
            ("paced-500", "paced, 500 x 100/s"),
            ("closed-1000", "closed loop, 1,000"),
            ("bundled-1000", "the same, bundled"),
            ("closed-100", "closed loop, 100"),
            ("rooms-50", "50 rooms of 20"),
        ],
    },
    Table {
        title: "Memory",
        explained: "Bytes of the server's memory (PSS) that each of 5,000 idle connections adds, and how \
                    many times roomd's: less is better. What the kernel keeps for the sockets is not \
                    among it.",
        of: |run| run.bytes_each,
        show: |bytes| thousands(bytes.round()),
        lost: NOTHING,
        columns: &[("idle-5000", "bytes for each connection")],
    },
];

/// The document with these figures in their place.
///
/// # Errors
/// The document does not have the place.
pub(crate) fn written_into(document: &str, figures: &Figures) -> Result<String, String> {
    let place = document.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, behind) = place.ok_or_else(|| format!("no lines `{BEGIN}` and `{END}`; put them back"))?;
    Ok(format!("{before}{BEGIN}\n{}{END}{behind}", all(figures)))
}

fn all(figures: &Figures) -> String {
    let conditions = &figures.conditions;
    let mut text = format!(
        "\n{}: {}, {} cores, {} GiB, {}; medians of {} rounds; each run publishes for {} s, those at a pace \
        twice as long, the open ones 1 s.\n\n\
        | server | which |\n| --- | --- |\n",
        conditions.date,
        conditions.cpu,
        conditions.cores,
        (conditions.memory_kib + (1 << 19)) >> 20,
        conditions.kernel,
        figures.rounds_max(),
        conditions.seconds
    );
    for peer in &figures.peers {
        let about = peer.absent.as_ref().map(|reason| format!("could not be installed: {reason}"));
        let about = about.or_else(|| peer.about.clone()).unwrap_or_default();
        let _ = writeln!(text, "| {} | {} |", title_of(&peer.name), about.replace('|', "\\|"));
    }
    for table in &TABLES {
        text.push_str(&table.markdown(figures));
    }
    text + "\n"
}

impl Table {
    /// Empty if nothing of it was measured.
    fn markdown(&self, figures: &Figures) -> String {
        let measured =
            figures.peers.iter().filter(|peer| peer.absent.is_none() && self.has(figures, &peer.name));
        let rows: String = measured.map(|peer| self.row(figures, &peer.name)).collect();
        if rows.is_empty() {
            return rows;
        }
        let heads: Vec<_> = self.columns.iter().map(|(_, head)| *head).collect();
        let (title, explained, heads) = (self.title, self.explained, heads.join(" | "));
        let rule = "| --: ".repeat(self.columns.len());
        format!("\n### {title}\n\n{explained}\n\n| server | {heads} |\n| --- {rule}|\n{rows}")
    }

    /// Whether this peer was measured so.
    fn has(&self, figures: &Figures, peer: &str) -> bool {
        self.columns.iter().any(|(measure, _)| !figures.rounds(measure, peer).is_empty())
    }

    fn row(&self, figures: &Figures, peer: &str) -> String {
        let cells: Vec<_> =
            self.columns.iter().map(|(measure, _)| self.cell(figures, measure, peer)).collect();
        format!("| {} | {} |\n", title_of(peer), cells.join(" | "))
    }

    fn cell(&self, figures: &Figures, measure: &str, peer: &str) -> String {
        let median = figures.median(measure, peer, self.of).map(self.show);
        let ratio = figures.ratio(measure, peer, self.of).filter(|_| peer != "roomd");
        let ratio = ratio.map(|ratio| format!("{} x", significant(ratio)));
        let [lost, declared] = self.lost.map(|(of, what)| {
            let share = figures.median(measure, peer, of).filter(|share| *share >= 0.000_5);
            share.map(|share| format!("{} % {what}", significant(share * 100.0)))
        });
        let failed = figures.failure(measure, peer).map(|(reason, failed, all)| match failed {
            _ if failed == all => reason.to_owned(),
            _ => format!("{reason} {failed} times of {all}"),
        });
        let parts: Vec<_> = [median, ratio, lost, declared, failed].into_iter().flatten().collect();
        if parts.is_empty() { "n/a".to_owned() } else { parts.join(", ").replace('|', "\\|") }
    }
}

/// A share of what was due; 0 in a run that has none of it.
const LOST: [(Of, &str); 2] = [
    (|run| run.per_s.map(|_| run.lost.unwrap_or(0.0)), "lost in silence"),
    (|run| run.per_s.map(|_| run.declared.unwrap_or(0.0)), "lost and told"),
];
const NOTHING: [(Of, &str); 2] = [(|_| None, ""); 2];

/// A peer as people know it.
pub(crate) fn title_of(peer: &str) -> &str {
    match peer {
        "floor" => "floor, coalesced",
        "floor-single" => "floor, single writes",
        "hub" => "Go hub",
        "axum" => "axum, broadcast",
        "nats-server" => "NATS",
        other => other,
    }
}

/// Three digits, or as many as a whole number has.
pub(crate) fn significant(value: f64) -> String {
    let places = match value.abs() {
        v if v >= 99.95 || v == 0.0 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.099_95 => 2,
        _ => 3,
    };
    if value >= 999.5 { thousands(value.round()) } else { format!("{value:.places$}") }
}

/// With commas.
pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let grouped: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    grouped.join(",")
}
