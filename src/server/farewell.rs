//! The end of a connection: the last words, and an end that the peer can read.

use super::{door::Place, tally::Outcome};
use socket2::SockRef;
use std::{io, net, net::Shutdown, time::Duration};
use tokio::{io::Interest, net::TcpStream, time::timeout};

/// How long a peer gets to take the last words and to close its side.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// Says the last words and closes in order, so that the peer can read them: a socket that is closed
/// with unread bytes in it is reset, and what is under way to the peer is lost. The connection counts
/// until its socket is closed.
pub(super) async fn say(stream: net::TcpStream, words: Vec<u8>, place: Place) {
    let said = timeout(LINGER, async {
        let stream = TcpStream::from_std(stream)?;
        write_all(&stream, &words).await?;
        SockRef::from(&stream).shutdown(Shutdown::Write)?;
        read_to_end(&stream).await
    })
    .await;
    let is_said = matches!(said, Ok(Ok::<(), io::Error>(())));
    place.tally.count(if is_said { Outcome::Farewell } else { Outcome::FarewellLost });
}

/// A peer that has not read for long has a full buffer on this side. The last words get room of
/// their own, so that the peer finds them when it wakes, without anyone waiting for it.
async fn write_all(stream: &TcpStream, mut words: &[u8]) -> io::Result<()> {
    let socket = SockRef::from(stream);
    if let Ok(bytes) = socket.send_buffer_size() {
        // Asking for `n` gives 2n, of which the present size is half.
        let _ = socket.set_send_buffer_size(bytes / 2 + 2 * words.len() + 4_096);
    }
    while !words.is_empty() {
        match socket.send(words) {
            Ok(taken) => words = &words[taken..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // The readiness that is known may be older than this refusal.
                let _ = stream.try_io(Interest::WRITABLE, || Err::<(), _>(error));
                stream.writable().await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn read_to_end(stream: &TcpStream) -> io::Result<()> {
    let mut dropped = [0; 1_024];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut dropped) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
