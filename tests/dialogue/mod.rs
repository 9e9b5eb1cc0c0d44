//! Dialogues of the documents: the notation, and what matches what. `docs/TESTING.md` explains it to
//! those who write documents.

#![allow(clippy::unwrap_used)]

mod player;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::markdown::Block;
pub(crate) use player::play;

/// What stands for any value; within a text, for any piece of it.
const ANYTHING: &str = "…";
/// The key that stands for further fields.
const FURTHER: &str = "*";

/// One line of a dialogue.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// `* KEY = VALUE`: the server runs with this setting.
    Set(String, String),
    /// `* stop`: the server is told to stop.
    Stop,
    /// `+ NAME QUERY`: connects.
    Connect(String, String),
    /// `! NAME STATUS JSON`: was refused instead.
    Refused(String, u16, String),
    /// `> NAME TEXT`: sends.
    Send(String, String),
    /// `< NAME TEXT`: receives.
    Receive(String, String),
    /// `- NAME`: closes.
    Close(String),
    /// `x NAME CODE`: is closed by the server.
    Closed(String, u16),
}

/// Reads a block.
pub(crate) fn parse(block: &Block) -> Vec<Step> {
    let line = |(index, line): (usize, &String)| {
        step(line).unwrap_or_else(|| panic!("line {}: no step of a dialogue: {line}", block.line + index))
    };
    let steps: Vec<_> = block.lines.iter().enumerate().map(line).collect();
    for (index, step) in steps.iter().enumerate() {
        let Step::Refused(name, ..) = step else { continue };
        let is_behind = matches!(&steps[..index], [.., Step::Connect(other, _)] if other == name);
        assert!(is_behind, "line {}: a refusal stands behind its connecting", block.line + index);
    }
    steps
}

fn step(line: &str) -> Option<Step> {
    let (mark, rest) = line.split_once(' ')?;
    let (first, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let (name, text) = (first.to_owned(), text.to_owned());
    Some(match mark {
        "*" if rest == "stop" => Step::Stop,
        "*" => Step::Set(name, text.strip_prefix("= ")?.to_owned()),
        "+" => Step::Connect(name, text),
        "!" => {
            let (status, body) = text.split_once(' ')?;
            Step::Refused(name, status.parse().ok()?, body.to_owned())
        }
        ">" => Step::Send(name, text),
        "<" => Step::Receive(name, text),
        "-" if text.is_empty() => Step::Close(name),
        "x" => Step::Closed(name, text.parse().ok()?),
        _ => return None,
    })
}

/// Values that a dialogue has given names to.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<String, Value>);

impl Names {
    /// Puts the values into the place of their names.
    pub(crate) fn fill_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // Backwards, so that no name is taken for a longer one that begins like it.
        for (name, value) in self.0.iter().rev() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text = text.replace(&format!("${name}"), &value);
        }
        assert!(!text.contains('$'), "a name that nothing was received for: {text}");
        text
    }

    /// Whether `text` is what the document says; values get the names that it gives them.
    pub(crate) fn check(&mut self, text: &str, written: &str) -> Result<(), String> {
        if text == written {
            return Ok(());
        }
        let (Ok(value), Ok(pattern)) = (serde_json::from_str(text), serde_json::from_str(written)) else {
            return Err("not the same text".to_owned());
        };
        self.check_value("", &value, &pattern)
    }

    fn check_value(&mut self, path: &str, value: &Value, pattern: &Value) -> Result<(), String> {
        match (value, pattern) {
            (_, Value::String(text)) if text == ANYTHING => Ok(()),
            (_, Value::String(text)) if text.starts_with('$') => self.check_named(path, value, &text[1..]),
            (Value::String(value), Value::String(text)) if text.contains(ANYTHING) => {
                let (front, back) = text.split_once(ANYTHING).unwrap();
                let fits = value.len() >= front.len() + back.len();
                let fits = fits && value.starts_with(front) && value.ends_with(back);
                if fits { Ok(()) } else { Err(format!("{path}: {value} is not {text}")) }
            }
            (Value::Object(fields), Value::Object(patterns)) => {
                let stranger = fields.keys().find(|key| !patterns.contains_key(*key));
                if let Some(key) = stranger.filter(|_| !patterns.contains_key(FURTHER)) {
                    return Err(format!("{path}/{key} is not in the document"));
                }
                let mut patterns = patterns.iter().filter(|(key, _)| *key != FURTHER);
                patterns.try_for_each(|(key, pattern)| match fields.get(key) {
                    Some(value) => self.check_value(&format!("{path}/{key}"), value, pattern),
                    None => Err(format!("{path}/{key} is missing")),
                })
            }
            (Value::Array(values), Value::Array(patterns)) if values.len() == patterns.len() => {
                let mut pairs = values.iter().zip(patterns);
                pairs.try_for_each(|(value, pattern)| self.check_value(path, value, pattern))
            }
            _ if value == pattern => Ok(()),
            _ => Err(format!("{path}: {value} is not {pattern}")),
        }
    }

    fn check_named(&mut self, path: &str, value: &Value, name: &str) -> Result<(), String> {
        let known = self.0.entry(name.to_owned()).or_insert_with(|| value.clone());
        if known == value { Ok(()) } else { Err(format!("{path}: {value} is not ${name}, {known}")) }
    }
}

#[test]
fn every_kind_of_line_is_read_and_anything_else_is_refused() {
    let read = |line| step(line);
    assert_eq!(read("* rooms = 2"), Some(Step::Set("rooms".into(), "2".into())));
    assert_eq!(read("* stop"), Some(Step::Stop));
    assert_eq!(read("+ a"), Some(Step::Connect("a".into(), String::new())));
    assert_eq!(read("! a 401 {}"), Some(Step::Refused("a".into(), 401, "{}".into())));
    assert_eq!(read("> a b c"), Some(Step::Send("a".into(), "b c".into())));
    assert_eq!(read("< a {} "), Some(Step::Receive("a".into(), "{} ".into())));
    assert_eq!(read("- a"), Some(Step::Close("a".into())));
    assert_eq!(read("x a 4001"), Some(Step::Closed("a".into(), 4001)));
    for line in ["", "a", "? a", "* rooms", "! a", "! a b c", "- a 1000", "x a", "x a b"] {
        assert_eq!(read(line), None, "{line}");
    }
}

#[test]
fn a_pattern_matches_what_it_says_and_nothing_else() {
    let fits = |text: &str, written: &str| Names::default().check(text, written).is_ok();
    assert!(fits("hello", "hello") && !fits("hello", "hello!"));
    assert!(fits(r#"{"a":1,"b":[2]}"#, r#"{"b": [2], "a": 1}"#));
    assert!(fits(r#"{"a":1,"b":2}"#, r#"{"a": "…", "*": "…"}"#));
    assert!(!fits(r#"{"a":1,"b":2}"#, r#"{"a": "…"}"#), "a field that the document does not have");
    assert!(!fits(r#"{"a":1}"#, r#"{"a": 1, "b": "…"}"#), "a field that did not come");
    assert!(!fits(r#"{"a":1}"#, r#"{"a": "1"}"#), "another type");
    assert!(!fits(r#"{"a":[1]}"#, r#"{"a": [1, 1]}"#) && !fits(r#"{"a":[1,2]}"#, r#"{"a": [1]}"#));
    assert!(fits(r#""roomd 0.1""#, r#""roomd …""#) && !fits(r#""roomd""#, r#""roomd …""#));
    assert!(!fits(r#"{"a":1,"b":2}"#, r#"{"a": "$x", "b": "$x"}"#), "a name has one value");
    assert!(fits(r#"{"a":1,"b":1}"#, r#"{"a": "$x", "b": "$x"}"#));
}
