//! `roomd status`: asks a running server how it is, and prints that for people.

mod arguments;
mod failure;
mod help;
mod http;
mod report;
mod target;

use crate::config::{Configuration, DEFAULT_PATH, version};
use arguments::{Options, Request};
use http::Answer;
use serde_json::Value;
use std::{ffi::OsString, path::Path};
use target::Target;

pub use failure::Failure;
pub use report::report;

/// Carries out `roomd status` with the arguments behind that word and the variables of the environment;
/// what is to be printed is handed to `print`.
///
/// # Errors
/// Arguments or settings that are wrong, no server or one that refuses, and one that is not well. Each
/// is one line.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    mut print: impl FnMut(&str),
) -> Result<(), Failure> {
    let options = match arguments::request(arguments)? {
        Request::Help => {
            print(help::HELP);
            return Ok(());
        }
        Request::Version => {
            print(version());
            return Ok(());
        }
        Request::Ask(options) => options,
    };
    let Options { url, is_json, flags } = options;
    // Whoever names the server needs no file, which may not be for everyone to read.
    let default_path = if url.is_some() { "" } else { DEFAULT_PATH };
    let settings = Configuration::load(flags, variables, Path::new(default_path))?.settings;
    let target = url.map_or_else(|| Target::of(&settings.listen), |url| Target::parse(&url))?;

    let health = http::get(&target, "/healthz", None)?;
    let status = parse(&target, &health)?;
    if status.get("error").is_some() {
        return Err(refused(&target, health.status, &status));
    }
    if health.status != 200 {
        let word = report::plain(status["status"].as_str().unwrap_or("no reason given"));
        return Err(Failure::Unwell(format!(
            "{target}: it is not well ({word}); see its log, then restart it"
        )));
    }
    let answer = http::get(&target, "/api/status", settings.status_token.as_deref())?;
    let status = parse(&target, &answer)?;
    if answer.status != 200 {
        return Err(refused(&target, answer.status, &status));
    }
    print(&if is_json { format!("{}\n", answer.body.trim_end()) } else { report(&status) });
    Ok(())
}

fn parse(target: &Target, answer: &Answer) -> Result<Value, Failure> {
    let value: Option<Value> = serde_json::from_str(&answer.body).ok();
    value.filter(Value::is_object).ok_or_else(|| {
        let status = answer.status;
        Failure::Unavailable(format!(
            "{target}: answers {status}, but is no roomd; give the --url of a roomd"
        ))
    })
}

fn refused(target: &Target, status: u16, body: &Value) -> Failure {
    let reason = report::plain(body["content"].as_str().unwrap_or("no reason given"));
    let advice = match status {
        401 => "give it with --status-token, or as a user that may read the server's settings",
        403 => "or give --url as the server is called",
        _ => "try again",
    };
    Failure::Unavailable(format!("{target}: refused with {status} ({reason}); {advice}"))
}
