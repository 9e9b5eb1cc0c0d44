//! What came: latencies of deliveries, and what the server says about itself.

use hdrhistogram::Histogram;
use serde::Deserialize;

use super::failure::Failure;

/// Latencies in microseconds, to three digits.
#[derive(Debug)]
pub(super) struct Latency {
    histogram: Histogram<u64>,
    /// Deliveries of one read often have the same latency: they are noted together.
    us: u64,
    count: u64,
}

impl Latency {
    pub(super) fn new() -> Self {
        let histogram = Histogram::new_with_max(u64::from(u32::MAX), 3);
        Self { histogram: histogram.expect("the bounds are right"), us: 0, count: 0 }
    }

    #[inline]
    pub(super) fn note(&mut self, us: u64) {
        if us != self.us {
            self.settle();
            self.us = us;
        }
        self.count += 1;
    }

    fn settle(&mut self) {
        self.histogram.saturating_record_n(self.us, std::mem::take(&mut self.count));
    }

    /// The latency that this share of the deliveries did not exceed, in milliseconds.
    pub(super) fn quantile_ms(&mut self, quantile: f64) -> f64 {
        self.settle();
        ms(self.histogram.value_at_quantile(quantile))
    }

    pub(super) fn max_ms(&mut self) -> f64 {
        self.settle();
        ms(self.histogram.max())
    }
}

/// Microseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub(super) fn ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}

/// A message of the server that is no delivery.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// So many messages are missing.
    Gap(u64),
    /// How many clients there are.
    Count(u64),
    /// Why the run cannot go on.
    Error(String),
    /// Lines and answers that say nothing about the run.
    Other,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    missed: u64,
    #[serde(default)]
    content: String,
    #[serde(default)]
    code: String,
}

impl Notice {
    #[cold]
    pub(super) fn of(payload: &[u8]) -> Self {
        let kind =
            payload.strip_prefix(b"{\"type\":\"").and_then(|rest| rest.split(|byte| *byte == b'"').next());
        let is_known = matches!(kind, Some(b"gap" | b"client_count" | b"error" | b"restarting"));
        let fields = is_known.then(|| serde_json::from_slice::<Fields>(payload));
        let Some(Ok(fields)) = fields else { return Self::Other };
        match kind {
            Some(b"gap") => Self::Gap(fields.missed),
            Some(b"client_count") => fields.content.parse().map_or(Self::Other, Self::Count),
            Some(b"error") => Self::Error(advice(&fields)),
            _ => Self::Error("restarting: the server is stopping; begin again when it is back".to_owned()),
        }
    }
}

fn advice(fields: &Fields) -> String {
    match fields.code.as_str() {
        "rate_limited" => "rate_limited: the server bounds what a client sends; \
            start it with --messages-per-second 0"
            .to_owned(),
        "too_slow" => "too_slow: the server dropped answers; give a smaller --window".to_owned(),
        "rooms_full" => {
            "rooms_full: the server has no place for the rooms; start the server with more --rooms".to_owned()
        }
        code => format!("{code}: the server says: {}; see its settings", fields.content),
    }
}

/// Why connections have ended, if any did.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) count: usize,
    reason: Option<String>,
}

impl Ended {
    /// Notes the payload of a close frame: two bytes of code, the reason (RFC 6455, section 5.5.1).
    pub(super) fn note(&mut self, payload: &[u8]) {
        let Some((code, reason)) = payload.split_first_chunk() else { return };
        let (code, reason) = (u16::from_be_bytes(*code), String::from_utf8_lossy(reason));
        self.reason.get_or_insert_with(|| format!("{code} {reason}").trim_end().escape_debug().to_string());
    }

    pub(super) fn failure(&self) -> Failure {
        let reason = self.reason.as_deref().unwrap_or("without a word");
        let text = format!("the server ended {} connections ({reason}); see its log", self.count);
        Failure::Unavailable(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_of_one_value_count_as_often_as_they_were_noted() {
        let mut latency = Latency::new();
        (0..99).for_each(|_| latency.note(1_000));
        latency.note(50_000);
        assert!((latency.quantile_ms(0.5) - 1.0).abs() < 0.01);
        assert!((latency.quantile_ms(0.99) - 1.0).abs() < 0.01);
        assert!((latency.max_ms() - 50.0).abs() < 0.1);
        assert_eq!(latency.histogram.len(), 100);
    }

    #[test]
    fn nothing_measured_is_zero() {
        assert!(Latency::new().quantile_ms(0.99).abs() < f64::EPSILON);
    }

    #[test]
    fn what_the_server_says_is_told_apart() {
        let read = |text: &str| Notice::of(text.as_bytes());
        assert_eq!(read(r#"{"type":"gap","content":"","from":3,"to":7,"missed":5}"#), Notice::Gap(5));
        assert_eq!(read(r#"{"type":"client_count","content":"12"}"#), Notice::Count(12));
        assert_eq!(read(r#"{"type":"system","content":"aki connected"}"#), Notice::Other);
        assert_eq!(read(r#"{"type":"gap","missed":"#), Notice::Other);
        assert_eq!(read(""), Notice::Other);
        let Notice::Error(said) = read(r#"{"type":"error","code":"rate_limited","content":"x"}"#) else {
            panic!()
        };
        assert!(said.ends_with("; start it with --messages-per-second 0"), "{said}");
        let Notice::Error(said) = read(r#"{"type":"error","code":"bad_message","content":"y"}"#) else {
            panic!()
        };
        assert_eq!(said, "bad_message: the server says: y; see its settings");
    }
}
