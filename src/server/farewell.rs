//! The end of a connection: the last words, and an end that the peer can read.

use socket2::SockRef;
use std::{io, net, net::Shutdown, time::Duration};
use tokio::{
    io::Interest,
    net::TcpStream,
    task::coop::consume_budget,
    time::{sleep, timeout},
};

/// How long a peer gets to take its last words and what was sent before, and to close its side.
const LINGER: Duration = Duration::from_secs(5);
/// As [`LINGER`], for one to which nothing is left to be said: its place is worth more to others.
const LINGER_WORDLESS: Duration = Duration::from_secs(2);
/// How often the kernel is asked whether the peer has taken everything: at first, and in the end.
const ASK_FIRST: Duration = Duration::from_millis(1);
const ASK_EVERY: Duration = Duration::from_millis(64);

/// Says the last words and closes in order, so that the peer can read them: a socket that is closed
/// with unread bytes in it is reset, and what is under way to the peer is lost. Completes when the kernel
/// holds nothing of the connection any more: what counts it must be kept until then. One whose peer does
/// not take what is left is reset, lest the kernel keep that for it, uncounted, when its place is
/// another's. Whether it ended in order.
pub(super) async fn say(stream: net::TcpStream, words: Vec<u8>) -> bool {
    let Ok(stream) = TcpStream::from_std(stream) else { return false };
    let linger = if words.is_empty() { LINGER_WORDLESS } else { LINGER };
    let ended = timeout(linger, end(&stream, &words)).await;
    // Of one that has ended in order nothing is left to be reset.
    reset(stream);
    matches!(ended, Ok(Ok(())))
}

/// Closes a connection such that the kernel keeps nothing of it.
pub(super) fn reset(stream: TcpStream) {
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop(stream);
}

async fn end(stream: &TcpStream, words: &[u8]) -> io::Result<()> {
    write_all(stream, words).await?;
    SockRef::from(stream).shutdown(Shutdown::Write)?;
    read_to_end(stream).await?;
    // After both ends a socket has no peer as soon as that has acknowledged everything.
    let mut pause = ASK_FIRST;
    while stream.peer_addr().is_ok() {
        sleep(pause).await;
        pause = ASK_EVERY.min(pause * 2);
    }
    Ok(())
}

async fn write_all(stream: &TcpStream, mut words: &[u8]) -> io::Result<()> {
    let socket = SockRef::from(stream);
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

/// A peer that sends without pause is read from in turn with all others.
async fn read_to_end(stream: &TcpStream) -> io::Result<()> {
    loop {
        consume_budget().await;
        stream.readable().await?;
        match stream.try_read(&mut [0; 4_096]) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::ioctl_fionread;
    use std::{collections::BTreeSet, io::Write as _};
    use tokio::task::yield_now;

    #[tokio::test]
    async fn whoever_has_sent_much_after_its_end_leaves_the_others_their_turns() {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        peer.set_nonblocking(true).unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut sent = 0;
        while let Ok(taken) = peer.write(&[0; 16_384]) {
            sent += taken;
        }
        assert!(sent > 1 << 20, "{sent} bytes are read in one turn");
        let unread = stream.try_clone().unwrap();
        tokio::spawn(say(stream, Vec::new()));
        let mut seen = BTreeSet::new();
        while !seen.contains(&0) {
            yield_now().await;
            seen.insert(ioctl_fionread(&unread).unwrap());
        }
        assert!(seen.len() > 2, "everything was read in one turn: {seen:?}");
    }
}
