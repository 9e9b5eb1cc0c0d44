//! What an operator should hear of, as a sum every so often: a flood of refusals or drops is a line
//! in the log, not a flood of lines.

use super::{
    logging, refusal,
    tally::{Outcome, Tally},
};
use crate::hub::{Counter, Counters, Now};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
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

/// What becomes of connections that is worth one too.
const WATCHED_OUTCOMES: [(Outcome, &str); 2] = [
    (
        Outcome::AcceptFailed,
        "connections not accepted for want of descriptors or memory (raise LimitNOFILE or lower `clients`)",
    ),
    (
        Outcome::WatchFailed,
        "clients ended since their sockets cannot be watched (raise fs.epoll.max_user_watches)",
    ),
];

/// And so is a log that nobody takes.
const LINES_LOST: &str = "lines of this log lost, since whoever takes it was slow";

/// How many requests were refused, by the code that they got, and where the last of each came from.
#[derive(Debug)]
pub(super) struct Refusals(Mutex<BTreeMap<&'static str, Refused>>);

/// Requests that got one code.
#[derive(Debug, Clone, Copy, Default)]
struct Refused {
    count: u64,
    last_from: Option<IpAddr>,
}

/// Every code is there from the start, at zero.
impl Default for Refusals {
    fn default() -> Self {
        Self(Mutex::new(refusal::CODES.map(|code| (code, Refused::default())).into()))
    }
}

impl Refusals {
    /// Counts one more. Codes are a closed set, so the map does not grow.
    pub(super) fn count(&self, code: &'static str, address: IpAddr) {
        let mut all = self.all();
        let refused = all.entry(code).or_default();
        *refused = Refused { count: refused.count + 1, last_from: Some(address) };
    }

    /// The counts so far.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.all().iter().map(|(code, refused)| (*code, refused.count)).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<&'static str, Refused>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

impl Notice {
    pub(super) fn log(&self) {
        if let Self::Line(line) = self {
            tracing::warn!("{line}");
        }
    }
}

/// What is watched, counted from the start.
#[derive(Debug, Default)]
pub(super) struct Figures {
    counters: Counters,
    refusals: BTreeMap<&'static str, Refused>,
    outcomes: [u64; WATCHED_OUTCOMES.len()],
    lines_lost: u64,
}

impl Figures {
    pub(super) fn of(counters: &Counters, refusals: &Refusals, tally: &Tally) -> Self {
        Self {
            counters: counters.clone(),
            refusals: refusals.all().clone(),
            outcomes: WATCHED_OUTCOMES.map(|(outcome, _)| tally.get(outcome)),
            lines_lost: logging::lines_lost(),
        }
    }

    /// What has happened since, in words; empty if nothing has.
    fn since(&self, before: &Self) -> String {
        let mut line = String::new();
        for (counter, words) in WATCHED {
            add(&mut line, self.counters.get(counter) - before.counters.get(counter), words);
        }
        for (code, Refused { count, last_from }) in &self.refusals {
            let more = count - before.refusals.get(code).map_or(0, |refused| refused.count);
            if let (1.., Some(address)) = (more, last_from) {
                add(&mut line, more, &format!("requests refused ({code}, the last from {address})"));
            }
        }
        for (index, (_, words)) in WATCHED_OUTCOMES.into_iter().enumerate() {
            add(&mut line, self.outcomes[index] - before.outcomes[index], words);
        }
        add(&mut line, self.lines_lost - before.lines_lost, LINES_LOST);
        line
    }
}

/// Remembers what was said already.
#[derive(Debug, Default)]
pub(super) struct Notices {
    last_ms: Option<u64>,
    told: Figures,
}

impl Notices {
    /// What has happened since the last line, if that is long enough ago.
    pub(super) fn notice(&mut self, figures: Figures, now: Now) -> Notice {
        let line = figures.since(&self.told);
        if line.is_empty() {
            return Notice::Nothing;
        }
        if self.last_ms.is_some_and(|last| now.ms < last + EVERY_MS) {
            return Notice::Later;
        }
        *self = Self { last_ms: Some(now.ms), told: figures };
        Notice::Line(line)
    }

    /// The same for the last time: whatever has not been told.
    pub(super) fn last(&mut self, figures: Figures, now: Now) -> Notice {
        self.last_ms = None;
        self.notice(figures, now)
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

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn line(text: &str) -> Notice {
        Notice::Line(text.to_owned())
    }

    #[test]
    fn the_first_is_told_at_once_and_the_next_ones_together_ten_seconds_later() {
        let (mut notices, refusals, tally) = (Notices::default(), Refusals::default(), Tally::default());
        let figures = || Figures::of(&Counters::default(), &refusals, &tally);
        let mut notice = |ms| notices.notice(figures(), at(ms));
        assert_eq!(notice(0), Notice::Nothing);
        refusals.count("unauthorized", ADDRESS);
        assert_eq!(notice(5), line("requests refused (unauthorized, the last from 192.0.2.1): 1"));
        refusals.count("unauthorized", ADDRESS);
        refusals.count("unauthorized", OTHER);
        refusals.count("clients_full", ADDRESS);
        tally.count(Outcome::AcceptFailed);
        tally.count(Outcome::WatchFailed);
        assert_eq!(notice(5 + EVERY_MS - 1), Notice::Later);
        let [(_, not_accepted), (_, not_watched)] = WATCHED_OUTCOMES;
        let refused = "requests refused (clients_full, the last from 192.0.2.1): 1, \
            requests refused (unauthorized, the last from 192.0.2.2): 2";
        assert_eq!(notice(5 + EVERY_MS), line(&format!("{refused}, {not_accepted}: 1, {not_watched}: 1")));
        assert_eq!(notice(5 + 3 * EVERY_MS), Notice::Nothing);
    }

    #[test]
    fn at_the_end_everything_is_told_that_was_not() {
        let (mut notices, refusals, tally) = (Notices::default(), Refusals::default(), Tally::default());
        let figures = || Figures::of(&Counters::default(), &refusals, &tally);
        refusals.count("unauthorized", ADDRESS);
        notices.notice(figures(), at(0));
        refusals.count("stopping", ADDRESS);
        assert_eq!(notices.notice(figures(), at(2)), Notice::Later);
        assert_eq!(
            notices.last(figures(), at(2)),
            line("requests refused (stopping, the last from 192.0.2.1): 1")
        );
        assert_eq!(notices.last(figures(), at(2)), Notice::Nothing);
    }
}
