//! The one place that reads clocks.

use crate::hub::Now;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Tells the time since the server began; order and time-outs never depend on the wall clock, which
/// a board does not have before it has heard of one.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { start: instant() }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            ms: u64::try_from(instant().duration_since(self.start).as_millis()).unwrap_or(u64::MAX),
            unix_s: wall().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        }
    }
}

/// The monotonic clock.
#[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
pub(super) fn instant() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
fn wall() -> SystemTime {
    SystemTime::now()
}
