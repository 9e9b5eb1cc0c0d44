//! The one place that reads clocks.

use crate::hub::Now;
use rustix::time::{ClockId, clock_gettime};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Tells the time since the server began; order and time-outs never depend on the wall clock, which
/// a board does not have before it has heard of one.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    /// What the wall clock said then.
    start_unix_s: u64,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { start: instant(), start_unix_s: unix_s() }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            ms: u64::try_from(instant().duration_since(self.start).as_millis()).unwrap_or(u64::MAX),
            unix_s: unix_s(),
        }
    }

    /// Unix seconds at the start, as the board knew them then: a clock that was set since was wrong.
    pub(super) const fn start_unix_s(&self) -> u64 {
        self.start_unix_s
    }
}

/// The monotonic clock.
#[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
pub(super) fn instant() -> Instant {
    Instant::now()
}

/// Processor time of this process so far, in milliseconds.
pub(super) fn cpu_ms() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec * 1_000 + time.tv_nsec / 1_000_000).unwrap_or(0)
}

fn unix_s() -> u64 {
    wall().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
fn wall() -> SystemTime {
    SystemTime::now()
}
