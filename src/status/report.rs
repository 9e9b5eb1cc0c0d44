//! The answer for people: one line for each thing, what the server did not tell left out.

use crate::config::plan::human;
use serde_json::Value;
use std::fmt::Write as _;

/// Text of a few short lines.
pub fn report(status: &Value) -> String {
    let look = Look(status);
    let mut text = String::new();
    for (label, line) in [
        ("server", look.server()),
        ("listening", look.listening()),
        ("clients", look.clients()),
        ("rooms", look.rooms()),
        ("memory", look.memory()),
        ("descriptors", look.descriptors()),
        ("messages", look.messages()),
        ("dropped", look.dropped()),
        ("ended", look.ended()),
        ("refused", look.refused()),
        ("sent", look.sent()),
        ("board", look.board()),
        ("load", look.load()),
        ("clock", look.clock()),
    ] {
        if let Some(line) = line {
            let _ = writeln!(text, "{label:<12} {line}");
        }
    }
    text
}

/// Without what could change a terminal: the server may be anybody's.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

struct Look<'a>(&'a Value);

impl Look<'_> {
    fn number(&self, pointer: &str) -> Option<u64> {
        self.0.pointer(pointer)?.as_u64()
    }

    fn counter(&self, name: &str) -> Option<u64> {
        self.number(&format!("/counters/{name}"))
    }

    fn text(&self, pointer: &str) -> Option<String> {
        Some(plain(self.0.pointer(pointer)?.as_str()?))
    }

    fn bytes(&self, pointer: &str) -> Option<String> {
        self.number(pointer).map(human)
    }

    fn server(&self) -> Option<String> {
        let (server, target) = (self.text("/server")?, self.text("/target")?);
        Some(format!("{server} for {target}, up {}", duration(self.number("/uptime_s")?)))
    }

    fn listening(&self) -> Option<String> {
        let all = self.0["listen"].as_array()?.iter();
        Some(all.filter_map(Value::as_str).map(plain).collect::<Vec<_>>().join(", "))
    }

    fn clients(&self) -> Option<String> {
        let (clients, max) = (self.number("/clients")?, self.number("/clients_max")?);
        let (blocked, waiting) = (self.number("/blocked")?, self.number("/waiting")?);
        Some(format!("{clients} of {max}, {blocked} blocked, something waits for {waiting}"))
    }

    fn rooms(&self) -> Option<String> {
        Some(format!("{} of {}", self.number("/rooms")?, self.number("/rooms_max")?))
    }

    fn memory(&self) -> Option<String> {
        let plan = self.bytes("/memory/plan_bytes")?;
        let resident = self.bytes("/memory/rss_bytes").map(|bytes| format!("{bytes} resident, "));
        let share = self.bytes("/memory/pss_bytes").map(|bytes| format!("{bytes} its own share, "));
        let max = self.bytes("/memory/max_bytes").map(|bytes| format!(", memory_max {bytes}"));
        let [resident, share, max] = [resident, share, max].map(Option::unwrap_or_default);
        Some(format!("{resident}{share}{plan} planned at most{max}"))
    }

    fn descriptors(&self) -> Option<String> {
        Some(format!("{} of {}", self.number("/descriptors/open")?, self.number("/descriptors/max")?))
    }

    fn messages(&self) -> Option<String> {
        let [received, published, delivered] =
            ["received", "published", "delivered"].map(|name| self.counter(name));
        Some(format!("{} received, {} published, {} delivered", received?, published?, delivered?))
    }

    fn dropped(&self) -> Option<String> {
        let (messages, answers) = (self.number("/drops/messages")?, self.number("/drops/answers")?);
        Some(format!("{messages} messages, {answers} answers"))
    }

    fn ended(&self) -> Option<String> {
        let [not_readable, no_sign_of_life] =
            ["not_readable", "no_sign_of_life"].map(|name| self.counter(name));
        Some(format!("{} that took nothing, {} without a sign of life", not_readable?, no_sign_of_life?))
    }

    fn refused(&self) -> Option<String> {
        let all = self.0["requests_refused"].as_object()?.iter();
        let some = all.filter_map(|(code, count)| Some((code, count.as_u64().filter(|count| *count > 0)?)));
        let some: Vec<_> = some.map(|(code, count)| format!("{count} {}", plain(code))).collect();
        Some(if some.is_empty() { "none".to_owned() } else { some.join(", ") })
    }

    fn sent(&self) -> Option<String> {
        let [sent, received] =
            ["/counters/bytes_sent", "/counters/bytes_received"].map(|path| self.bytes(path));
        Some(format!("{} in {} writes; {} received", sent?, self.counter("writes")?, received?))
    }

    fn board(&self) -> Option<String> {
        let model = self.text("/board/model").map(|model| format!("{model}, ")).unwrap_or_default();
        let [hostname, machine, kernel] =
            ["/board/hostname", "/board/machine", "/board/kernel"].map(|path| self.text(path));
        let cpus = self.number("/board/cpus").map(|cpus| format!(", {cpus} processors")).unwrap_or_default();
        Some(format!("{} ({model}{}, {}{cpus})", hostname?, machine?, kernel?))
    }

    fn load(&self) -> Option<String> {
        let load: Vec<_> =
            self.0.pointer("/board/load")?.as_array()?.iter().filter_map(Value::as_f64).collect();
        let mut line = load.iter().map(|load| format!("{load:.2}")).collect::<Vec<_>>().join(" ");
        let total = self.bytes("/board/memory_total_bytes")?;
        let _ = match self.bytes("/board/memory_available_bytes") {
            Some(available) => write!(line, ", {available} of {total} available"),
            None => write!(line, ", {total} of memory"),
        };
        if let Some(temperature) = self.0.pointer("/board/temperature_c").and_then(Value::as_f64) {
            let _ = write!(line, ", {temperature:.1} °C");
        }
        let _ = write!(line, ", up {}", duration(self.number("/board/uptime_s")?));
        Some(line)
    }

    /// What the board takes for the time; and whether it has been set since the start.
    fn clock(&self) -> Option<String> {
        let (start, now) = (self.number("/start_unix_s")?, self.number("/now_unix_s")?);
        let passed = now.saturating_sub(self.number("/uptime_s")?);
        let mut line = utc(now);
        // What both round down may differ by one.
        if passed.abs_diff(start) > 2 {
            let _ = write!(line, "; at the start it said {}", utc(start));
        }
        Some(line)
    }
}

/// The two largest units: `3 d 4 h`, `59 s`.
fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// A time as RFC 3339 has it. The day of the month by counting from March on, where leap days come last.
fn utc(unix_s: u64) -> String {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    const DAYS_BEFORE_1970_FROM_MARCH_OF_0: u64 = 719_468;
    let (days, second) = (unix_s / 86_400 + DAYS_BEFORE_1970_FROM_MARCH_OF_0, unix_s % 86_400);
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / (DAYS_OF_400_YEARS - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (year, month, day) =
        (400 * era + year + month / 10, (month + 2) % 12 + 1, day - (153 * month + 2) / 5 + 1);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (unix_s, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_735_689_600, "2025-01-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(unix_s), text, "{unix_s}");
        }
    }

    #[test]
    fn durations_change_their_units_at_their_edges() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min 0 s"),
            (3_599, "59 min 59 s"),
            (3_600, "1 h 0 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d 0 h"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn a_clock_that_was_set_since_the_start_is_seen() {
        let clock = |start: u64, now: u64| {
            Look(&json!({"start_unix_s": start, "now_unix_s": now, "uptime_s": 100})).clock().unwrap()
        };
        for (start, now) in [(1_000, 1_100), (1_000, 1_102), (1_002, 1_100)] {
            assert_eq!(clock(start, now), utc(now));
        }
        assert_eq!(clock(0, 951_782_400), "2000-02-29T00:00:00Z; at the start it said 1970-01-01T00:00:00Z");
        assert!(clock(1_003, 1_100).contains("at the start"));
    }

    #[test]
    fn what_is_not_told_is_left_out_and_nothing_changes_the_terminal() {
        assert_eq!(report(&json!({})), "");
        assert_eq!(report(&json!({"rooms": 1, "rooms_max": "x"})), "");
        assert_eq!(report(&json!({"listen": ["a\u{1b}[2J", 5]})), "listening    a[2J\n");
    }
}
