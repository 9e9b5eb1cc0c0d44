//! What systemd and roomd give each other to know: sockets that are there before it starts, and how
//! it is. Without systemd all of this is nothing.

mod listeners;
mod notify;
mod status;
mod watchdog;

pub use listeners::{Unusable, listeners};
pub use notify::Supervisor;
pub(super) use {
    status::StatusLine,
    watchdog::{report, stopping},
};
