//! One line that moves while a run goes on; only for people.

use std::io::{self, IsTerminal as _, Write as _};

const EVERY_US: u64 = 500_000;

/// Standard error, if it is a terminal.
#[derive(Debug)]
pub(super) struct Progress {
    is_terminal: bool,
    shown_us: u64,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), shown_us: 0 }
    }

    pub(super) fn show(&mut self, run_us: u64, deliveries: u64) {
        if self.is_terminal && run_us >= self.shown_us + EVERY_US {
            self.shown_us = run_us;
            // Nothing depends on whether it is seen.
            let _ = write!(io::stderr(), "\r{} s, {deliveries} deliveries ", run_us / 1_000_000);
        }
    }
}

/// Leaves the line to what comes next.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown_us > 0 {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
