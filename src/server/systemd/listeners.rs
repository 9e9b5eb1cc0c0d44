//! Listening sockets that systemd opened and hands over (`sd_listen_fds(3)`).

use crate::{config::Settings, server::listen::backlog};
use listenfd::ListenFd;
use socket2::SockRef;
use std::{error::Error, fmt, io, net::TcpListener};

/// What was handed over cannot be used. Shown as one line that says what to change.
#[derive(Debug)]
pub struct Unusable(io::Error);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a socket from systemd: {}; ", self.0)?;
        f.write_str("in roomd.socket, use ListenStream= with a port or an address, and Accept=no")
    }
}

impl Error for Unusable {}

/// The listening sockets that were handed over to this process, ready for an asynchronous runtime;
/// `None` if there are none. To be called once, before there is a second thread: it takes what it
/// finds out of the environment.
///
/// # Errors
/// One of them is not a TCP socket that listens.
pub fn listeners(settings: &Settings) -> Result<Option<Vec<TcpListener>>, Unusable> {
    let mut given = ListenFd::from_env();
    let mut listeners = Vec::with_capacity(given.len());
    for at in 0..given.len() {
        if let Some(listener) = given.take_tcp_listener(at).map_err(Unusable)? {
            prepare(&listener, settings).map_err(Unusable)?;
            listeners.push(listener);
        }
    }
    Ok((!listeners.is_empty()).then_some(listeners))
}

fn prepare(listener: &TcpListener, settings: &Settings) -> io::Result<()> {
    let socket = SockRef::from(listener);
    if !socket.is_listener()? {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it does not listen"));
    }
    socket.set_nonblocking(true)?;
    // Connections inherit them, and the window that is announced follows from the buffer (tcp(7));
    // what cannot be had here is tried again on each connection, and told there.
    let _ = socket.set_recv_buffer_size(settings.receive_buffer_bytes);
    let _ = socket.set_send_buffer_size(settings.send_buffer_bytes);
    // While roomd was away any number could wait; from now on as many as the plan knows.
    socket.listen(backlog(settings))
}
