//! Whatever stands in the file, in the environment and on the command line:
//!
//! - never a panic; what cannot be used is refused in one line;
//! - what is taken is within all ranges and relations, reads back from what is shown of it as the same
//!   settings, and has a plan that adds up;
//! - a secret is shown nowhere.

use roomd::config::{self, Configuration, Kind, Request, Settings, table::TABLE};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
    path::Path,
};

const FILE: &str = "roomd.toml";

/// `data` is the file, then, each behind a NUL, arguments, and variables as `$NAME=VALUE`.
pub(crate) fn check(data: &[u8]) {
    let mut parts = data.split(|byte| *byte == 0);
    // A file that is no UTF-8 is refused when it is read.
    let Ok(text) = str::from_utf8(parts.next().unwrap_or_default()) else { return };
    let (mut arguments, mut variables) = (Vec::new(), Vec::new());
    for part in parts {
        match part.split_first() {
            Some((b'$', variable)) => {
                let at = variable.iter().position(|byte| *byte == b'=').unwrap_or(variable.len());
                let (name, value) = variable.split_at(at);
                variables.push((os(name), os(value.get(1..).unwrap_or_default())));
            }
            _ => arguments.push(os(part)),
        }
    }
    let loaded = match config::request(arguments) {
        Ok(Request::Run(_, flags)) => Configuration::from_text(flags, variables, Path::new(FILE), text),
        Ok(Request::Help | Request::Version) => return,
        Err(invalid) => Err(invalid),
    };
    match loaded {
        Ok(configuration) => check_loaded(&configuration),
        Err(invalid) => assert_line(&invalid.to_string()),
    }
}

fn check_loaded(configuration: &Configuration) {
    let settings = &configuration.settings;
    for row in &TABLE {
        let shown = row.show(settings);
        assert!(!shown.contains(char::is_control), "{}: {shown:?}", row.key);
    }
    assert_eq!(read_back(settings), *settings);
    assert!(settings.log_bytes / 4 >= settings.message_bytes && settings.rooms >= settings.rooms_per_client);
    assert!(settings.capacities().entry_bytes() <= settings.log_bytes / 4);
    match configuration.check_plan() {
        Ok(plan) => {
            assert_eq!(plan.total(), plan.lines.iter().map(|line| line.bytes).sum::<u64>());
            assert!(settings.memory_max.is_none_or(|most| plan.total() <= most));
        }
        Err(invalid) => assert_line(&invalid.to_string()),
    }
    let mut secretive = configuration.clone();
    secretive.settings.token = Some("hush-hush-hush".to_owned());
    secretive.settings.status_token = Some("hush-hush-hush".to_owned());
    let outputs = format!("{secretive:?}{}", config::report(&secretive));
    assert!(!outputs.contains("hush-hush-hush"), "{outputs}");
}

/// What is shown of the settings, given as flags.
fn read_back(settings: &Settings) -> Settings {
    let mut arguments = Vec::new();
    for row in &TABLE {
        let shown = match row.key {
            "token" => settings.token.clone(),
            "status_token" => settings.status_token.clone(),
            _ => {
                assert_ne!(row.kind, Kind::Secret, "{} cannot be read back from what is shown", row.key);
                let shown = row.show(settings);
                (shown != "(none)").then(|| shown.trim_end_matches(" (off)").to_owned())
            }
        };
        arguments.extend(shown.map(|shown| OsString::from(format!("{}={shown}", row.flag()))));
    }
    match config::request(arguments) {
        Ok(Request::Run(_, flags)) => {
            Configuration::from_text(flags, [], Path::new(FILE), "")
                .expect("what is shown can be set")
                .settings
        }
        other => panic!("{other:?}"),
    }
}

fn assert_line(text: &str) {
    assert!(text.contains(": ") && text.contains("; "), "{text:?} says where, what, and what to change");
    assert!(!text.contains(char::is_control), "{text:?} is one line");
}

fn os(bytes: &[u8]) -> OsString {
    OsStr::from_bytes(bytes).to_owned()
}
