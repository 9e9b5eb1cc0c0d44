//! The figures as a picture: four panels of bars, on a card that is legible on light and dark pages.

use std::fmt::Write as _;

use crate::{
    figures::{Figures, Of},
    tables::{significant, thousands, title_of},
};

const WIDTH: u32 = 960;
const MARGIN: u32 = 32;
const GAP: u32 = 48;
const PANEL_WIDTH: u32 = (WIDTH - 2 * MARGIN - GAP) / 2;
const HEAD_HEIGHT: u32 = 92;
/// Title and explanation of a panel, and the space behind it.
const PANEL_HEAD: u32 = 58;
const PANEL_FOOT: u32 = 26;
const ROW_HEIGHT: u32 = 25;
const BAR_HEIGHT: u32 = 15;
const NAME_WIDTH: u32 = 136;
/// What the longest value takes behind its bar.
const VALUE_WIDTH: u32 = 62;
const FOOT_HEIGHT: u32 = 60;

/// One measure.
struct Panel {
    title: &'static str,
    explained: &'static str,
    measure: &'static str,
    of: Of,
    show: fn(f64) -> String,
    is_more_better: bool,
}

const PANELS: [Panel; 4] = [
    Panel {
        title: "Everyone hears everyone",
        explained: "1,000 in one room: million deliveries a second, longer is better",
        measure: "closed-1000",
        of: |run| run.per_s,
        show: |per_s| significant(per_s / 1e6),
        is_more_better: true,
    },
    Panel {
        title: "Fifty rooms",
        explained: "20 in each, all talking: million deliveries a second, longer is better",
        measure: "rooms-50",
        of: |run| run.per_s,
        show: |per_s| significant(per_s / 1e6),
        is_more_better: true,
    },
    Panel {
        title: "A steady pace",
        explained: "500 clients, 100 messages/s: CPU µs for a delivery, shorter is better",
        measure: "paced-500",
        of: |run| run.cpu_us,
        show: significant,
        is_more_better: false,
    },
    Panel {
        title: "Nobody talks",
        explained: "5,000 clients: bytes of memory for each, shorter is better",
        measure: "idle-5000",
        of: |run| run.bytes_each,
        show: |bytes| thousands(bytes.round()),
        is_more_better: false,
    },
];

const STYLE: &str = "\
svg { --card: #ffffff; --edge: #d9dfe5; --ink: #1a2129; --soft: #56616d; --bar: #a3afbb; \
--own: #0f766e; --floor: #c9d1d9; }
@media (prefers-color-scheme: dark) { svg { --card: #14191f; --edge: #2c353f; --ink: #e6ebf0; \
--soft: #a3aeb9; --bar: #56626f; --own: #2dd4bf; --floor: #3a434d; } }
text { font: 13px system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; \
fill: var(--ink); }
.card { fill: var(--card); stroke: var(--edge); }
.head { font-size: 21px; font-weight: 650; }
.title { font-size: 15px; font-weight: 650; }
.soft { fill: var(--soft); font-size: 12px; }
.value { font-variant-numeric: tabular-nums; }
.name { text-anchor: end; }
.bar { fill: var(--bar); }
.floor { fill: var(--floor); }
.own { fill: var(--own); }
text.own { font-weight: 650; }
";

/// The picture, the same for the same figures.
pub(crate) fn svg(figures: &Figures) -> String {
    let panels: Vec<_> = PANELS.iter().map(|panel| panel.rows(figures)).collect();
    let rows = |at: usize| count(panels.get(at).map_or(0, Vec::len));
    let heights = [0, 2].map(|at| PANEL_HEAD + ROW_HEIGHT * rows(at).max(rows(at + 1)) + PANEL_FOOT);
    let height = HEAD_HEIGHT + heights[0] + heights[1] + FOOT_HEIGHT;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
        height=\"{height}\" role=\"img\">\n<title>roomd beside other servers</title>\n\
        <style>\n{STYLE}</style>\n"
    );
    let _ = writeln!(
        text,
        "<rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"12\"/>",
        WIDTH - 1,
        height - 1
    );
    put(&mut text, "head", MARGIN, 44, "roomd beside other servers");
    let machine = format!(
        "One core for the server, one for the load, 252 bytes a message, over loopback. \
        Medians of {} rounds.",
        figures.rounds_max()
    );
    put(&mut text, "soft", MARGIN, 66, &machine);
    for (at, (panel, rows)) in PANELS.iter().zip(&panels).enumerate() {
        let x = MARGIN + if at % 2 == 0 { 0 } else { PANEL_WIDTH + GAP };
        let y = HEAD_HEIGHT + if at < 2 { 0 } else { heights[0] };
        panel.draw(&mut text, rows, x, y);
    }
    let conditions = &figures.conditions;
    let floors = "The floors are what the kernel alone costs: they have no names, and no bounds on memory.";
    put(&mut text, "soft", MARGIN, height - 44, floors);
    let about = format!("{}, {}, {}", conditions.cpu, conditions.kernel, conditions.date);
    put(&mut text, "soft", MARGIN, height - 26, &about);
    text + "</svg>\n"
}

/// A bar: whose it is, how long, and what stands behind it.
struct Row {
    peer: String,
    value: Option<f64>,
    label: String,
}

impl Panel {
    /// The best first; those without a figure last.
    fn rows(&self, figures: &Figures) -> Vec<Row> {
        let peers = figures.peers.iter().filter(|peer| !figures.rounds(self.measure, &peer.name).is_empty());
        let mut rows: Vec<_> = peers
            .map(|peer| {
                let value = figures.median(self.measure, &peer.name, self.of);
                let failure = figures.failure(self.measure, &peer.name).map(|(reason, ..)| reason.to_owned());
                let label = value.map(self.show).or(failure).unwrap_or_else(|| "not seen".to_owned());
                Row { peer: peer.name.clone(), value, label }
            })
            .collect();
        let worst = if self.is_more_better { f64::NEG_INFINITY } else { f64::INFINITY };
        rows.sort_by(|a, b| {
            let (a, b) = (a.value.unwrap_or(worst), b.value.unwrap_or(worst));
            if self.is_more_better { b.total_cmp(&a) } else { a.total_cmp(&b) }
        });
        rows
    }

    fn draw(&self, text: &mut String, rows: &[Row], x: u32, y: u32) {
        put(text, "title", x, y + 14, self.title);
        put(text, "soft", x, y + 33, self.explained);
        let longest = rows.iter().filter_map(|row| row.value).fold(f64::MIN_POSITIVE, f64::max);
        let (start, most) = (x + NAME_WIDTH, PANEL_WIDTH - NAME_WIDTH - VALUE_WIDTH);
        for (at, row) in rows.iter().enumerate() {
            let top = y + PANEL_HEAD - 8 + ROW_HEIGHT * count(at);
            let class = match row.peer.as_str() {
                "roomd" => "own",
                floor if floor.starts_with("floor") => "floor",
                _ => "bar",
            };
            let (weight, baseline) = (if class == "own" { " own" } else { "" }, top + 12);
            put(text, &format!("name{weight}"), start - 10, baseline, title_of(&row.peer));
            let length = row.value.map_or(0.0, |value| (f64::from(most) * value / longest).max(2.0));
            if row.value.is_some() {
                let _ = writeln!(
                    text,
                    "<rect class=\"{class}\" x=\"{start}\" y=\"{top}\" width=\"{length:.1}\" \
                    height=\"{BAR_HEIGHT}\" rx=\"2\"/>"
                );
            }
            let class = if row.value.is_some() { format!("value{weight}") } else { "soft".to_owned() };
            let _ = writeln!(
                text,
                "<text class=\"{class}\" x=\"{:.1}\" y=\"{baseline}\">{}</text>",
                f64::from(start) + length + 7.0,
                escaped(&row.label)
            );
        }
    }
}

fn put(text: &mut String, class: &str, x: u32, y: u32, words: &str) {
    let _ = writeln!(text, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(words));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}
