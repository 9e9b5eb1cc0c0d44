//! Tells the chapters as they go, past the test harness, which would keep them for itself.

use std::{
    io::{self, Write as _},
    time::Instant,
};

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct Story {
    chapters: usize,
}

impl Story {
    /// Lives through one chapter: a future does nothing before it is awaited here.
    pub(crate) async fn chapter(&mut self, title: &str, events: impl Future<Output = ()>) {
        #[expect(clippy::disallowed_methods, reason = "how long it took is told and decides nothing")]
        let now = Instant::now;
        self.chapters += 1;
        tell(&format!("{:2}. {title}", self.chapters));
        let begin = now();
        events.await;
        tell(&format!("    {} s", (now() - begin).as_secs()));
    }
}

/// Tells a figure, or another line of a chapter.
pub(crate) fn tell(line: &str) {
    // Whoever does not listen misses nothing that counts.
    let _ = writeln!(io::stderr(), "{line}");
}
