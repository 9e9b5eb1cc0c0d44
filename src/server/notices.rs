//! What an operator should hear of, as a sum every so often: a flood of refusals or drops is a line
//! in the log, not a flood of lines.

use super::{
    refusal,
    tally::{Outcome, Tally},
};
use crate::hub::{Counter, Counters, Now};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

/// Least time between two lines, in milliseconds.
const EVERY_MS: u64 = 10_000;

/// The counters that are worth a line when they move, and in what words.
const WATCHED: [(Counter, &str); 7] = [
    (Counter::Missed, "messages dropped for slow readers"),
    (Counter::AnswersDropped, "answers dropped for slow readers"),
    (Counter::NotReadable, "clients ended that took nothing for the write timeout"),
    (Counter::NoSignOfLife, "clients ended that gave no sign of life"),
    (Counter::NoResources, "clients ended for want of inbound_bytes or another resource"),
    (Counter::RateLimited, "messages above the rate refused"),
    (Counter::TakenOver, "half-open connections replaced by a resume"),
];

/// A listener that cannot accept is worth one too.
const NOT_ACCEPTED: &str = "connections not accepted for want of descriptors or memory \
    (raise LimitNOFILE or lower `clients`)";

/// How many requests were refused, by the code that they got.
#[derive(Debug)]
pub(super) struct Refusals(Mutex<BTreeMap<&'static str, u64>>);

/// Every code is there from the start, at zero.
impl Default for Refusals {
    fn default() -> Self {
        Self(Mutex::new(refusal::CODES.map(|code| (code, 0)).into()))
    }
}

impl Refusals {
    /// Counts one more. Codes are a closed set, so the map does not grow.
    pub(super) fn count(&self, code: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    /// The counts so far.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether there is something to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Nothing,
    /// There is, but not yet.
    Later,
    Line(String),
}

/// Remembers what was said already.
#[derive(Debug, Default)]
pub(super) struct Notices {
    last_ms: Option<u64>,
    counters: Counters,
    refusals: BTreeMap<&'static str, u64>,
    not_accepted: u64,
}

impl Notices {
    /// What has happened since the last line, if that is long enough ago.
    pub(super) fn notice(
        &mut self,
        counters: &Counters,
        refusals: &Refusals,
        tally: &Tally,
        now: Now,
    ) -> Notice {
        let mut line = String::new();
        for (counter, words) in WATCHED {
            add(&mut line, counters.get(counter) - self.counters.get(counter), words);
        }
        let refusals = refusals.counts();
        for (code, count) in &refusals {
            let words = format_args!("requests refused ({code})").to_string();
            add(&mut line, count - self.refusals.get(code).copied().unwrap_or_default(), &words);
        }
        let not_accepted = tally.get(Outcome::AcceptFailed);
        add(&mut line, not_accepted - self.not_accepted, NOT_ACCEPTED);
        if line.is_empty() {
            return Notice::Nothing;
        }
        if self.last_ms.is_some_and(|last| now.ms < last + EVERY_MS) {
            return Notice::Later;
        }
        *self = Self { last_ms: Some(now.ms), counters: counters.clone(), refusals, not_accepted };
        Notice::Line(line)
    }
}

fn add(line: &mut String, count: u64, words: &str) {
    if count > 0 {
        let comma = if line.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(line, "{comma}{words}: {count}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Now {
        Now { ms, unix_s: 0 }
    }

    #[test]
    fn the_first_is_told_at_once_and_the_next_ones_together_ten_seconds_later() {
        let (mut notices, refusals, tally) = (Notices::default(), Refusals::default(), Tally::default());
        let mut notice = |ms| notices.notice(&Counters::default(), &refusals, &tally, at(ms));
        assert_eq!(notice(0), Notice::Nothing);
        refusals.count("unauthorized");
        let line = |text: &str| Notice::Line(text.to_owned());
        assert_eq!(notice(5), line("requests refused (unauthorized): 1"));
        refusals.count("unauthorized");
        refusals.count("clients_full");
        tally.count(Outcome::AcceptFailed);
        assert_eq!(notice(5 + EVERY_MS - 1), Notice::Later);
        assert_eq!(
            notice(5 + EVERY_MS),
            line(&format!(
                "requests refused (clients_full): 1, requests refused (unauthorized): 1, {NOT_ACCEPTED}: 1"
            ))
        );
        assert_eq!(notice(5 + 3 * EVERY_MS), Notice::Nothing);
    }
}
