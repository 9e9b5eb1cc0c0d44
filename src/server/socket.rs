//! What the kernel is told about each connection.

use crate::config::Settings;
use socket2::SockRef;
use std::{net, time::Duration};
use tokio::net::TcpStream;

/// An answer of which the peer's kernel has acknowledged nothing for so long is for nobody.
const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// Bounds the kernel's memory for a connection, lets small messages leave at once (without Nagle's
/// wait for an acknowledgement), and lets it notice a peer that is dead or takes no answer. Each is best
/// effort: emulators and old kernels know less than they should, and the server works without.
pub(super) fn tune(stream: &TcpStream, settings: &Settings) {
    let socket = SockRef::from(stream);
    let results = [
        socket.set_tcp_nodelay(true),
        socket.set_send_buffer_size(settings.send_buffer_bytes),
        socket.set_recv_buffer_size(settings.receive_buffer_bytes),
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT)),
    ];
    if let Some(error) = results.into_iter().find_map(Result::err) {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| tracing::warn!("a socket option is not to be had here, going on without: {error}"));
    }
}

/// A client is ended by the hub alone, which asks it for signs of life, and tells it why. The kernel would
/// also cut off one that reads slowly all the time: a window that opens by less than what is to be sent next
/// is to it the same as one that stays closed.
pub(super) fn be_patient(stream: &net::TcpStream) {
    // Best effort as well.
    let _ = SockRef::from(stream).set_tcp_user_timeout(None);
}
