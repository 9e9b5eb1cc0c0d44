//! What the tests over real sockets share: a server of their own, a client made of a well-known
//! library, a client made of bytes, and the book-keeping that finds holes.
//!
//! Nothing here sleeps to let something happen: every wait is for a frame, and ends with what was
//! received instead when [`GUARD`] is over.

// Each test binary compiles all of it and uses its own part.
#![allow(dead_code, unused_imports, clippy::unwrap_used)]

mod client;
mod http;
mod ledger;
mod process;
mod promtool;
mod raw;
mod server;

use std::{collections::VecDeque, time::Duration};

pub(crate) use client::{Client, binary};
pub(crate) use http::{ACCEPT, Handshake, KEY, Response};
pub(crate) use ledger::Ledger;
pub(crate) use promtool::promtool;
pub(crate) use raw::{
    BINARY, CLOSE, CONTINUATION, FIN, Frame, LengthForm, PING, PONG, RawClient, TEXT, frame, frame_as,
};
use serde_json::Value;
pub(crate) use server::{TestServer, settings};

/// A guard against hanging, not a measure: nothing under test takes this long on a busy board.
pub(crate) const GUARD: Duration = Duration::from_mins(1);

/// Waits for `future`, but not for ever.
pub(crate) async fn guarded<T>(awaited: &str, future: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(GUARD, future).await;
    result.unwrap_or_else(|_| panic!("{awaited}: not within {GUARD:?}"))
}

/// `text` as a value in a query.
pub(crate) fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The room of a message, `""` for the lobby.
pub(crate) fn room_of(message: &Value) -> &str {
    message["room"].as_str().unwrap_or("")
}

/// The `seq` of a message that must have one.
pub(crate) fn seq_of(message: &Value) -> u64 {
    message["seq"].as_u64().unwrap_or_else(|| panic!("no seq in {message}"))
}

/// The `content` of a message.
pub(crate) fn content_of(message: &Value) -> &str {
    message["content"].as_str().unwrap_or_else(|| panic!("no content in {message}"))
}

/// A list of names, in the order of the alphabet: the protocol promises none.
pub(crate) fn sorted(names: &Value) -> Vec<&str> {
    let names = names.as_array().unwrap_or_else(|| panic!("no list: {names}"));
    let mut names: Vec<_> = names.iter().map(|name| name.as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

/// Checks that a message has exactly these fields.
pub(crate) fn assert_fields(message: &Value, fields: &[&str]) {
    let object = message.as_object().unwrap_or_else(|| panic!("no object: {message}"));
    let mut present: Vec<_> = object.keys().map(String::as_str).collect();
    let mut wanted = fields.to_vec();
    present.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(present, wanted, "the fields of {message}");
}

/// The last frames of a connection, for the message of a test that fails.
#[derive(Debug, Default)]
struct Transcript {
    lines: VecDeque<String>,
    forgotten: usize,
}

impl Transcript {
    const LINES_MAX: usize = 40;

    fn note(&mut self, line: &str) {
        if self.lines.len() == Self::LINES_MAX {
            self.lines.pop_front();
            self.forgotten += 1;
        }
        self.lines.push_back(line.chars().take(400).collect());
    }
}

impl std::fmt::Display for Transcript {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "received so far ({} earlier frames left out):", self.forgotten)?;
        self.lines.iter().try_for_each(|line| write!(formatter, "\n  {line}"))
    }
}
