//! What the kernel tells, asked for at most once a second: whoever wants it in a loop must not keep the
//! one thread busy with reading files.

use crate::hub::Now;
use std::sync::{Mutex, PoisonError};

/// How old an answer may be, in milliseconds.
const FRESH_MS: u64 = 1_000;

/// The last answer, and when it was given.
#[derive(Debug)]
pub(super) struct Measured<T>(Mutex<Option<(u64, T)>>);

impl<T> Default for Measured<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Measured<T> {
    /// The last answer, if it is fresh, else one that is measured now.
    pub(super) fn get(&self, now: Now, measure: impl FnOnce() -> T) -> T {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((ms, answer)) if now.ms < ms + FRESH_MS => answer.clone(),
            _ => last.insert((now.ms, measure())).1.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_measured_once_a_second() {
        let measured = Measured::default();
        let answers = [(5, 1), (6, 2), (1_004, 3), (1_005, 4), (1_006, 5)]
            .map(|(ms, answer)| measured.get(Now { ms, unix_s: 0 }, || answer));
        assert_eq!(answers, [1, 1, 1, 4, 4]);
    }
}
