//! `systemd/roomd.toml`, the sample configuration, is made from the table of settings.
//!
//! `UPDATE_SAMPLE=1 cargo test --test cli sample` writes it anew.

use std::{env, fs};

use roomd::config::{
    Kind, Settings,
    table::{Row, TABLE},
};

use super::run::roomd;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/systemd/roomd.toml");

const HEAD: &str = "\
# Settings of roomd; install as /etc/roomd/roomd.toml.
#
# Each line shows a default: take the # away and change the value. A flag or an
# environment variable of the same name wins over this file. `roomd check-config`
# tells what is in force, `roomd plan` how much memory that can need.
";

fn sample() -> String {
    let defaults = Settings::default();
    let mut text = HEAD.to_owned();
    let mut group = "";
    for row in &TABLE {
        if row.group != group {
            group = row.group;
            text.extend(["\n## ", group, "\n"]);
        }
        let off = if row.zero_is_off { "; 0 = off" } else { "" };
        text.extend(["\n# ", row.help, "\n# Takes ", &row.range(), off, ".\n"]);
        text.extend(["#", row.key, " = ", &literal(row, &defaults), "\n"]);
    }
    text
}

/// The default as TOML; for a secret, which has none, an example; for a path the empty one, which is none.
fn literal(row: &Row, defaults: &Settings) -> String {
    let shown = row.show(defaults);
    if row.kind == Kind::Secret {
        "\"change-me\"".to_owned()
    } else if row.kind == Kind::Path {
        "\"\"".to_owned()
    } else if row.kind.is_list() {
        let items = shown.split(", ").filter(|item| *item != "(none)").map(|item| format!("\"{item}\""));
        format!("[{}]", items.collect::<Vec<_>>().join(", "))
    } else if shown == "0 (off)" {
        "0".to_owned()
    } else if shown.bytes().all(|byte| byte.is_ascii_digit()) {
        shown
    } else {
        format!("\"{shown}\"")
    }
}

fn stored() -> String {
    fs::read_to_string(PATH).unwrap()
}

#[test]
fn the_sample_is_what_the_table_says() {
    if env::var_os("UPDATE_SAMPLE").is_some() {
        fs::write(PATH, sample()).unwrap();
    }
    assert!(stored() == sample(), "run UPDATE_SAMPLE=1 cargo test --test cli sample");
}

#[test]
fn the_sample_as_it_is_sets_nothing() {
    let report = roomd(&["check-config"]).file(&stored()).run().printed();
    assert!(report.lines().all(|line| line.ends_with(" default")), "{report}");
}

#[test]
fn the_sample_with_every_line_taken_in_has_the_defaults() {
    let setting = |line: &str| {
        Some(line.strip_prefix('#')?.to_owned())
            .filter(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase()))
    };
    let all: Vec<String> = stored().lines().filter_map(setting).collect();
    assert_eq!(all.len(), TABLE.len());
    let report = roomd(&["check-config"]).file(&all.join("\n")).run().printed();
    let defaults = Settings::default();
    for (row, line) in TABLE.iter().zip(report.lines()) {
        let value = if row.kind == Kind::Secret { "(set)".to_owned() } else { row.show(&defaults) };
        assert!(line.contains(&format!(" {value} ")) && line.contains(" file "), "{line}");
    }
}
