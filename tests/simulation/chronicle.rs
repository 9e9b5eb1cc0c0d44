//! What the whole world knows: which message stands where, who said what, and who heard it when.

use crate::message::Message;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
struct Entry {
    room: String,
    /// Type, sender, content.
    said: (String, String, String),
    first_heard_ms: Option<u64>,
}

/// All lives of all logs, by epoch and seq.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    entries: BTreeMap<(String, u64), Entry>,
    /// What was said: room, sender, content.
    said: BTreeSet<(String, String, String)>,
    acks: BTreeMap<(String, u64), String>,
    /// Who left (if it knows its name) where, and the last that it had or was told missing.
    left: Vec<(String, u64, Option<String>)>,
    /// By room: the longest that a message took from the first of those who read at once to the last.
    pub(crate) chat_lag_ms: BTreeMap<String, u64>,
    pub(crate) line_lag_ms: BTreeMap<String, u64>,
}

impl Chronicle {
    /// Somebody is about to say something that nobody said before.
    pub(crate) fn say(&mut self, room: &str, sender: &str, content: &str) {
        self.said.insert((room.to_owned(), sender.to_owned(), content.to_owned()));
    }

    /// Somebody hears a message. All hear the same at one place, and what a client is said to have said
    /// it has said. `live_ms` is the time if it is heard by one who reads at once, as it comes.
    pub(crate) fn hear(&mut self, epoch: &str, message: &Message<'_>, live_ms: Option<u64>) {
        let seq = message.seq.expect("a message of a log has a seq");
        let said = (message.kind.to_owned(), message.sender.to_string(), message.content.to_string());
        if said.0 == "chat" {
            let known = self.said.contains(&(message.room.to_string(), said.1.clone(), said.2.clone()));
            assert!(known, "nobody said {message:?}");
        } else {
            assert_eq!(said.1, "System");
        }
        let entry = self.entries.entry((epoch.to_owned(), seq)).or_insert_with(|| Entry {
            room: message.room.to_string(),
            said: said.clone(),
            first_heard_ms: None,
        });
        assert_eq!(entry.said, said, "two clients hear different messages at {epoch}:{seq}");
        let Some(now) = live_ms else { return };
        let lag = now - *entry.first_heard_ms.get_or_insert(now);
        let lags = if said.0 == "chat" { &mut self.chat_lag_ms } else { &mut self.line_lag_ms };
        let most = lags.entry(entry.room.clone()).or_default();
        *most = lag.max(*most);
    }

    /// Somebody is told that what it said stands there.
    pub(crate) fn acknowledge(&mut self, epoch: &str, seq: u64, content: &str) {
        let before = self.acks.insert((epoch.to_owned(), seq), content.to_owned());
        assert_eq!(before, None, "a place is acknowledged once");
    }

    /// Somebody is told that it has left a room of whose log it knows everything up to `last`.
    pub(crate) fn leave(&mut self, epoch: &str, last: u64, name: Option<&str>) {
        self.left.push((epoch.to_owned(), last, name.map(str::to_owned)));
    }

    /// The last message of a log.
    pub(crate) fn head(&self, epoch: &str) -> u64 {
        let all = (epoch.to_owned(), 0)..=(epoch.to_owned(), u64::MAX);
        self.entries.range(all).next_back().map_or(0, |((_, seq), _)| *seq)
    }

    /// Messages by room.
    pub(crate) fn published(&self) -> BTreeMap<&str, u64> {
        let mut rooms = BTreeMap::new();
        for entry in self.entries.values() {
            *rooms.entry(entry.room.as_str()).or_default() += 1;
        }
        rooms
    }

    /// In the end: every log that somebody heard all of is whole; what was acknowledged stands where it
    /// was said to stand; who left knew of everything before the line that told the others; and what one
    /// client says in one room stands in the order in which it said it.
    pub(crate) fn check(&self, whole: &[String]) {
        for epoch in whole {
            let all = self.entries.range((epoch.clone(), 0)..=(epoch.clone(), u64::MAX));
            for (((_, seq), _), expected) in all.zip(1..) {
                assert_eq!(*seq, expected, "a hole in {epoch}");
            }
        }
        for (place, content) in &self.acks {
            let entry = self.entries.get(place);
            let stands = entry.is_none_or(|entry| entry.said.2 == *content);
            assert!(stands, "{content:?} was acknowledged at {place:?}, where {entry:?} stands");
            assert!(entry.is_some() || !whole.contains(&place.0), "what is acknowledged is there");
        }
        for (epoch, last, name) in &self.left {
            let entry = self.entries.get(&(epoch.clone(), last + 1));
            let line = format!("{} left the room", name.as_deref().unwrap_or_default());
            let stands = entry.is_none_or(|entry| entry.said.0 == "system" && entry.said.2.ends_with(&line));
            assert!(stands, "{name:?} left {epoch} knowing of {last} messages, where {entry:?} comes next");
            assert!(entry.is_some() || !whole.contains(epoch), "others are told who left");
        }
        let mut last: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for ((epoch, _), entry) in self.entries.iter().filter(|(_, entry)| entry.said.0 == "chat") {
            let (author, number) = numbers_of(&entry.said.2);
            let before = last.insert((epoch, author), number);
            assert!(before.is_none_or(|before| before < number), "{:?} is out of order", entry.said);
        }
    }
}

/// Contents are `AUTHOR.NUMBER`, and something behind a space.
fn numbers_of(content: &str) -> (&str, u64) {
    let name = content.split(' ').next().unwrap();
    let (author, number) = name.split_once('.').expect("contents have numbers");
    (author, number.parse().expect("contents have numbers"))
}
