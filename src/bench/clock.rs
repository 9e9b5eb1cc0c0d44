//! The clock of a run.

use std::time::Instant;

/// Microseconds since the run began, as they stand in each message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Instant);

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the bench measures time; nothing else of it reads a clock"
    )]
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// 64 bits of microseconds are half a million years.
    pub(super) fn now_us(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
