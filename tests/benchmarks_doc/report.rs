//! From noted runs to figures, tables and the picture.

use std::{fs, path::Path};

use crate::{
    figures::{Figures, Run},
    plot, tables,
};

const CONDITIONS: &str = concat!(
    r#"{"date":"2026-01-02","kernel":"Linux 6","cpu":"A <fast> & \"small\" one","#,
    r#""cores":2,"memory_kib":1048576,"seconds":1}"#
);
const PLACE: &str = "# Title\n\nProse.\n\n<!-- figures: written by scripts/bench-peers --report -->\nold\n\
    <!-- end of figures -->\n\nMore.\n";

fn committed(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

fn run(peer: &str, measure: &str, round: u64, per_s: f64, lost: u64) -> String {
    let result = serde_json::json!({
        "deliveries": 900, "deliveries_per_s": per_s, "latency_ms": { "p99": 1.5 },
        "lost": { "declared": 0, "undeclared": lost, "surplus": 0 },
        "server": { "cpu_us_per_delivery": 0.25, "bytes_each": 7 }, "bench_cpu_percent": 50,
    });
    format!(r#"{{"peer":"{peer}","measure":"{measure}","round":{round},"result":{result}}}"#)
}

fn figures(lines: &[String]) -> Figures {
    let peers =
        [r#"{"peer":"roomd","about":"roomd 1"}"#, r#"{"peer":"ws","about":"ws 8"}"#].map(str::to_owned);
    Figures::of_lines(&[&peers[..], &[CONDITIONS.to_owned()], lines].concat().join("\n")).unwrap()
}

/// The row of a server in the table of this title.
fn row(figures: &Figures, title: &str, server: &str) -> String {
    let text = tables::written_into(PLACE, figures).unwrap();
    let table = text.split(&format!("### {title}\n")).nth(1).unwrap();
    table.lines().find(|line| line.starts_with(&format!("| {server} |"))).unwrap().to_owned()
}

#[test]
fn the_document_and_its_picture_are_those_of_the_figures_beside_it() {
    let text = committed("benchmarks.json");
    let figures: Figures = serde_json::from_str(&text).unwrap();
    let advice = "was changed by hand; run scripts/bench-peers --report";
    assert!(figures.json() == text, "docs/benchmarks.json {advice}");
    assert!(plot::svg(&figures) == committed("benchmarks.svg"), "docs/benchmarks.svg {advice}");
    let document = committed("BENCHMARKS.md");
    assert!(tables::written_into(&document, &figures).unwrap() == document, "docs/BENCHMARKS.md {advice}");
    assert!(figures.rounds_max() >= 5, "five rounds at least");
}

#[test]
fn what_is_read_in_the_figures_has_none_of_its_own_which_the_next_runs_would_make_untrue() {
    let document = committed("BENCHMARKS.md");
    let (_, reading) = document.split_once("## Reading them").unwrap();
    let figures = reading.replace("99 %", "").matches(|c: char| c.is_ascii_digit()).count();
    assert_eq!(figures, 0, "{reading}");
}

#[test]
fn the_median_stands_beside_the_median_of_the_ratios_of_each_round() {
    let rounds = [(1, 1e6, 4e6), (2, 2e6, 4e6), (3, 9e6, 10e6)];
    let lines: Vec<_> = rounds
        .iter()
        .flat_map(|(round, ws, roomd)| {
            [run("ws", "closed-1000", *round, *ws, 0), run("roomd", "closed-1000", *round, *roomd, 0)]
        })
        .collect();
    let figures = figures(&lines);
    assert_eq!(row(&figures, "Throughput", "ws"), "| ws | 2.00, 0.50 x | n/a | n/a | n/a | n/a |");
    assert_eq!(row(&figures, "Throughput", "roomd"), "| roomd | 4.00 | n/a | n/a | n/a | n/a |");
}

#[test]
fn a_run_that_is_repeated_counts_as_it_came_last() {
    let figures = figures(&[run("ws", "open-100", 1, 1e6, 0), run("ws", "open-100", 1, 3e6, 0)]);
    assert_eq!(figures.rounds("open-100", "ws").len(), 1);
    assert_eq!(figures.median("open-100", "ws", |run| run.per_s), Some(3e6));
}

#[test]
fn a_ratio_is_one_of_the_same_round_though_another_is_missing() {
    let lines = [
        run("roomd", "closed-100", 1, 1e6, 0),
        run("roomd", "closed-100", 2, 2e6, 0),
        run("ws", "closed-100", 2, 1e6, 0),
    ];
    assert_eq!(figures(&lines).ratio("closed-100", "ws", |run| run.per_s), Some(0.5));
}

#[test]
fn of_two_at_once_the_processor_time_alone_is_compared() {
    let at_once = |round: u64, per_delivery: f64| {
        let line = run("ws", "rooms-50-at-once", round, 1e6, 0);
        let server = serde_json::json!({ "cpu_us_per_delivery": per_delivery });
        format!(r#"{},"roomd":{{"server":{server}}}}}"#, line.strip_suffix('}').unwrap())
    };
    let figures = figures(&[at_once(1, 0.5), at_once(2, 0.125), at_once(3, 0.2), at_once(4, 0.0)]);
    assert_eq!(
        row(&figures, "Processor time, at once", "ws"),
        "| ws | n/a | n/a | 1.25 x | n/a |",
        "0.5, 2 and 1.25 times; the step of a clock has no ratio"
    );
    assert!(figures.runs["rooms-50-at-once"]["ws"].iter().all(|run| run.per_s.is_none()));
}

#[test]
fn a_table_has_those_who_were_measured_so_and_without_any_there_is_none() {
    let figures = figures(&[run("roomd", "closed-1000", 1, 1e6, 0), run("ws", "closed-1000", 1, 1e6, 0)]);
    let text = tables::written_into(PLACE, &figures).unwrap();
    assert_eq!(text.matches("### ").collect::<Vec<_>>().len(), 3, "{text}");
    assert!(!text.contains("at once") && !text.contains("### Memory"), "{text}");
}

#[test]
fn what_was_lost_and_what_failed_is_told_and_never_a_number() {
    let failed = |peer: &str, round: u64| {
        format!(r#"{{"peer":"{peer}","measure":"open-100","round":{round},"failed":"died"}}"#)
    };
    let lines = [run("roomd", "open-100", 1, 1e6, 100), failed("ws", 1)];
    assert_eq!(
        row(&figures(&lines), "Throughput", "roomd"),
        "| roomd | n/a | n/a | n/a | n/a | 1.00, 10.0 % lost in silence |"
    );
    assert_eq!(row(&figures(&lines), "Throughput", "ws"), "| ws | n/a | n/a | n/a | n/a | died |");
    let lines = [run("ws", "open-100", 1, 1e6, 0), failed("ws", 2)];
    assert_eq!(
        row(&figures(&lines), "Throughput", "ws"),
        "| ws | n/a | n/a | n/a | n/a | 1.00, died 1 times of 2 |"
    );
}

#[test]
fn who_delivers_too_much_has_no_rooms() {
    let line = run("ws", "rooms-50", 1, 1e6, 0).replace("\"surplus\":0", "\"surplus\":5");
    let failed = Some("has no rooms".to_owned());
    assert_eq!(figures(&[line]).rounds("rooms-50", "ws"), [Run { round: 1, failed, ..Run::default() }]);
}

#[test]
fn a_server_that_cannot_be_installed_is_named_with_the_reason() {
    let absent = r#"{"peer":"ws","absent":"no npm | here"}"#.to_owned();
    let figures = figures(&[absent, run("roomd", "closed-1000", 1, 1e6, 0)]);
    let text = tables::written_into(PLACE, &figures).unwrap();
    assert!(text.contains("| ws | could not be installed: no npm \\| here |\n"), "{text}");
    assert_eq!(text.matches("| ws |").count(), 1);
}

#[test]
fn figures_are_the_same_again_when_they_are_read_back() {
    let figures =
        figures(&[run("roomd", "closed-1000", 1, 1_234_567.891, 3), run("ws", "idle-5000", 1, 2e6, 0)]);
    let again: Figures = serde_json::from_str(&figures.json()).unwrap();
    assert_eq!(again.json(), figures.json());
    assert_eq!(plot::svg(&again), plot::svg(&figures));
    assert_eq!(tables::written_into(PLACE, &again), tables::written_into(PLACE, &figures));
    assert!(figures.json().contains("\"per_s\":1235000.0"), "{}", figures.json());
}

#[test]
fn prose_around_the_figures_stays_and_without_their_place_nothing_is_written() {
    let figures = figures(&[]);
    let text = tables::written_into(PLACE, &figures).unwrap();
    assert!(
        text.starts_with("# Title\n\nProse.\n") && text.ends_with("\n\nMore.\n") && !text.contains("old")
    );
    assert_eq!(tables::written_into(&text, &figures).unwrap(), text);
    assert!(tables::written_into("# Title\n", &figures).unwrap_err().ends_with("; put them back"));
}

#[test]
fn words_of_the_machine_are_no_markup_of_the_picture() {
    let svg = plot::svg(&figures(&[run("roomd", "closed-1000", 1, 1e6, 0)]));
    assert!(svg.contains("A &lt;fast&gt; &amp; \"small\" one"), "{svg}");
    assert!(svg.contains("prefers-color-scheme: dark") && svg.ends_with("</svg>\n"));
}

#[test]
fn a_line_that_is_none_is_told_with_its_number() {
    for (text, said) in [
        ("", "there are no conditions: nothing was measured"),
        ("{}", "line 1: missing field"),
        ("x", "line 1: expected value"),
        (r#"{"peer":"a","measure":"b"}"#, "line 1: no run, peer or conditions"),
    ] {
        let error = Figures::of_lines(text).unwrap_err();
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn figures_have_three_digits() {
    let pairs = [
        (0.0, "0"),
        (0.012_34, "0.012"),
        (0.1, "0.10"),
        (9.994, "9.99"),
        (9.996, "10.0"),
        (99.96, "100"),
        (999.6, "1,000"),
        (1_234_567.0, "1,234,567"),
    ];
    for (value, text) in pairs {
        assert_eq!(tables::significant(value), text);
    }
    assert_eq!(tables::thousands(999.0), "999");
}
