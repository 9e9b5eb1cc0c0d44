//! How often something may happen: so many times a second, and more at once after a pause.

/// A token bucket, in thousandths of a token.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    thousandths: u32,
    filled_ms: u64,
}

impl Allowance {
    /// A bucket that holds the most it can: `burst`.
    pub const fn full(burst: u32, now_ms: u64) -> Self {
        Self { thousandths: burst.saturating_mul(1_000), filled_ms: now_ms }
    }

    /// Takes one token, if there is one. `per_second` tokens per second are thousandths per millisecond.
    pub fn take(&mut self, per_second: u32, burst: u32, now_ms: u64) -> bool {
        self.thousandths = self.at(per_second, burst, now_ms);
        self.filled_ms = now_ms;
        let allowed = self.thousandths >= 1_000;
        if allowed {
            self.thousandths -= 1_000;
        }
        allowed
    }

    /// Thousandths of a token that there are now.
    pub fn at(&self, per_second: u32, burst: u32, now_ms: u64) -> u32 {
        let elapsed = u32::try_from(now_ms.saturating_sub(self.filled_ms)).unwrap_or(u32::MAX);
        let filled = self.thousandths.saturating_add(elapsed.saturating_mul(per_second));
        filled.min(burst.saturating_mul(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_one_message_more_is_not() {
        let mut allowance = Allowance::full(3, 0);
        assert!((0..3).all(|_| allowance.take(2, 3, 0)));
        assert!(!allowance.take(2, 3, 0));
        assert!(!allowance.take(2, 3, 499));
        assert!(allowance.take(2, 3, 500));
        assert!(!allowance.take(2, 3, 500));
    }

    #[test]
    fn no_pause_saves_up_more_than_a_burst() {
        let mut allowance = Allowance::full(2, 0);
        assert!((0..2).all(|_| allowance.take(u32::MAX, 2, u64::MAX)));
        assert!(!allowance.take(u32::MAX, 2, u64::MAX));
    }

    #[test]
    fn a_clock_that_stands_or_steps_back_gives_nothing() {
        let mut allowance = Allowance::full(1, 1_000);
        assert!(allowance.take(1, 1, 1_000));
        assert!(!allowance.take(1, 1, 0));
    }
}
