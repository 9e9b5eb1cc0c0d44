//! What the kernel is told about each connection.

use crate::config::Settings;
use socket2::SockRef;
use std::time::Duration;
use tokio::net::TcpStream;

/// Data that the peer's kernel has not acknowledged for so long means that the peer is gone.
const USER_TIMEOUT: Duration = Duration::from_secs(20);
/// A peer that is there and does not read is ended by the hub, which tells it so; the kernel, which
/// counts a closed window as silence, must not come first.
const USER_TIMEOUT_BEYOND_WRITE: Duration = Duration::from_secs(5);

/// Bounds the kernel's memory for a connection, lets small messages leave at once (without Nagle's
/// wait for an acknowledgement), and lets it notice a peer that is dead or takes nothing. Each is best
/// effort: emulators and old kernels know less than they should, and the server works without.
pub(super) fn tune(stream: &TcpStream, settings: &Settings) {
    let socket = SockRef::from(stream);
    let write_timeout = Duration::from_millis(settings.write_timeout_ms);
    let user_timeout = USER_TIMEOUT.max(write_timeout + USER_TIMEOUT_BEYOND_WRITE);
    let results = [
        socket.set_tcp_nodelay(true),
        socket.set_send_buffer_size(settings.send_buffer_bytes),
        socket.set_recv_buffer_size(settings.receive_buffer_bytes),
        socket.set_tcp_user_timeout(Some(user_timeout)),
    ];
    if let Some(error) = results.into_iter().find_map(Result::err) {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| tracing::warn!("a socket option is not to be had here, going on without: {error}"));
    }
}
