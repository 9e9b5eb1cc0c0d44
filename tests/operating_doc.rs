//! Holds `docs/OPERATING.md` against the code: settings, counters, fields, exit codes.

#![allow(clippy::unwrap_used)]

mod markdown;
mod support;

use std::{collections::BTreeSet, path::Path};

use markdown::{Document, code_words};
use roomd::{
    config::{self, Configuration, LogLevel, Plan, RELATIONS, Request, Settings, table::TABLE},
    hub::Counter,
};
use serde_json::Value;
use support::{Handshake, TestServer, settings};

fn operating() -> Document {
    markdown::read("docs/OPERATING.md")
}

/// The words in backticks of the first cells of a table.
fn first_cells(heading: &str) -> BTreeSet<String> {
    let rows = operating().table(heading);
    rows.iter().flat_map(|row| code_words(&row[0])).map(str::to_owned).collect()
}

fn set<'a>(items: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    items.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_setting_stands_with_its_default_and_range() {
    let defaults = Settings::default();
    let wanted: Vec<Vec<String>> = TABLE
        .iter()
        .map(|row| {
            let off = if row.zero_is_off { "; 0 = off" } else { "" };
            vec![
                format!("`{}`", row.key),
                row.show(&defaults),
                format!("{}{off}", row.range()),
                row.help.to_owned(),
            ]
        })
        .collect();
    let lines = wanted.iter().map(|cells| format!("| {} |", cells.join(" | ")));
    let table = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(operating().table("### All settings"), wanted, "the table should be:\n{table}");
}

#[test]
fn every_relation_between_settings_is_told() {
    let section = operating().section("### How they must fit together").join("\n");
    for relation in &RELATIONS {
        let line = section.lines().find(|line| {
            let words = code_words(line);
            words.first() == Some(&relation.larger) && words.contains(&relation.smaller)
        });
        let line = line.unwrap_or_else(|| panic!("{relation:?}"));
        assert!(relation.times == 1 || line.contains(&relation.times.to_string()), "{line}");
    }
    assert!(section.contains("`burst`"), "a rate without a burst is refused");
}

#[test]
fn every_counter_is_told() {
    assert_eq!(first_cells("### Counters"), set(Counter::ALL.map(Counter::name)));
}

#[test]
fn every_line_of_the_plan_is_told() {
    let plan = Plan::of(&Settings::default());
    assert_eq!(first_cells("## Memory"), set(plan.lines.iter().map(|line| line.name)));
}

/// The last line of what a command of `roomd` prints, or its error.
fn last_line(command: &str) -> String {
    let arguments = command.split('|').next().unwrap().split_whitespace().map(Into::into);
    let printed = match config::request(arguments) {
        Err(invalid) => format!("roomd: {invalid}"),
        Ok(Request::Run(config::Command::Plan, flags)) => {
            let configuration = Configuration::load(flags, [], Path::new("/nonexistent")).unwrap();
            configuration.check_plan().unwrap().to_string()
        }
        Ok(other) => panic!("{other:?}"),
    };
    printed.lines().last().unwrap().to_owned()
}

#[test]
fn what_commands_are_said_to_print_is_what_they_print() {
    let mut tried = 0;
    for block in operating().blocks() {
        for lines in block.lines.windows(2) {
            let command = lines[0].strip_prefix("$ roomd ");
            if let Some(command) = command.filter(|command| !command.contains(".toml")) {
                assert_eq!(last_line(command), lines[1], "{command}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 3, "an error and two plans are shown");
}

#[test]
fn every_log_level_is_told() {
    assert_eq!(first_cells("## The log"), set(LogLevel::ALL.map(LogLevel::name)));
}

#[test]
fn every_exit_code_of_the_help_is_told() {
    let help = config::help();
    let (_, foot) = help.split_once("Exit code: ").unwrap();
    let codes: Vec<_> = foot.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty()).collect();
    assert!(codes.len() >= 3, "{foot}");
    let told = first_cells("## Exit codes");
    for code in codes {
        assert!(told.contains(code), "{code}");
    }
}

#[tokio::test]
async fn every_field_of_the_endpoints_is_told() {
    let server = TestServer::start(settings());
    for (path, heading) in [("/api/status", "### /api/status"), ("/healthz", "### /healthz")] {
        let request = Handshake::new(&server, "").line(&format!("GET {path} HTTP/1.1"));
        let answer = request.without("Upgrade").without("Connection").send(&server).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        let fields = body.as_object().unwrap().keys().map(String::as_str);
        assert_eq!(first_cells(heading), set(fields), "{path}");
    }
}
