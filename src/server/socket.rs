//! A client's TCP connection after the upgrade: raw, non-blocking, shared by whoever writes to it.

use socket2::SockRef;
use std::{
    io,
    io::{IoSlice, Read as _},
    net::Shutdown,
    sync::OnceLock,
    time::Duration,
};
use tokio::{io::Interest, net::TcpStream, sync::OwnedSemaphorePermit};

use crate::config::Settings;

/// Data that the peer's kernel has not acknowledged for so long means that the peer is gone.
const USER_TIMEOUT: Duration = Duration::from_secs(20);
/// A peer that is there and does not read is ended by the hub, which tells it so; the kernel, which
/// counts a closed window as silence, must not come first.
const USER_TIMEOUT_BEYOND_WRITE: Duration = Duration::from_secs(5);
/// How long a peer gets to take the last words and to close its side.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// A connection. Everyone writes with [`Socket::try_write`]; only its session reads.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) stream: TcpStream,
    /// Set once, when the hub has let go of the client.
    last_words: OnceLock<Vec<u8>>,
    /// The connection counts until its socket is closed.
    _place: std::sync::Arc<OwnedSemaphorePermit>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, place: std::sync::Arc<OwnedSemaphorePermit>) -> Self {
        Self { stream, last_words: OnceLock::new(), _place: place }
    }

    /// Writes what the kernel takes at once.
    pub(super) fn try_write(&self, [head, tail]: [&[u8]; 2]) -> io::Result<usize> {
        if tail.is_empty() {
            return self.stream.try_write(head);
        }
        self.stream.try_write_vectored(&[IoSlice::new(head), IoSlice::new(tail)])
    }

    /// Reads what there is. A read that does not fill the buffer has emptied the socket: saying so at
    /// once saves the read that would only find that out.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut last = None;
        let read = self.stream.try_io(Interest::READABLE, || {
            let taken = (&*SockRef::from(&self.stream)).read(buffer)?;
            if (1..buffer.len()).contains(&taken) {
                last = Some(taken);
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(taken)
        });
        last.map_or(read, Ok)
    }

    /// Leaves the last words for the session to say.
    pub(super) fn dismiss(&self, last_words: Vec<u8>) {
        // A client departs once.
        let _ = self.last_words.set(last_words);
    }

    pub(super) fn is_dismissed(&self) -> bool {
        self.last_words.get().is_some()
    }

    /// Says the last words and closes in order, so that the peer can read them: a socket that is
    /// closed with unread bytes in it is reset, and what is under way to the peer is lost.
    pub(super) async fn say_farewell(&self) {
        let Some(words) = self.last_words.get().filter(|words| !words.is_empty()) else { return };
        let _ = tokio::time::timeout(LINGER, async {
            self.write_all(words).await?;
            SockRef::from(&self.stream).shutdown(Shutdown::Write)?;
            self.read_to_end().await
        })
        .await;
    }

    /// A peer that has not read for long has a full buffer on this side. The last words get room of
    /// their own, so that the peer finds them when it wakes, without anyone waiting for it.
    async fn write_all(&self, mut words: &[u8]) -> io::Result<()> {
        let socket = SockRef::from(&self.stream);
        if let Ok(bytes) = socket.send_buffer_size() {
            // Asking for `n` gives 2n, of which the present size is half.
            let _ = socket.set_send_buffer_size(bytes / 2 + 2 * words.len() + 4_096);
        }
        while !words.is_empty() {
            match socket.send(words) {
                Ok(taken) => words = &words[taken..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // The readiness that is known may be older than this refusal.
                    let _ = self.stream.try_io(Interest::WRITABLE, || Err::<(), _>(error));
                    self.stream.writable().await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn read_to_end(&self) -> io::Result<()> {
        let mut dropped = [0; 1_024];
        loop {
            self.stream.readable().await?;
            match self.stream.try_read(&mut dropped) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

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
