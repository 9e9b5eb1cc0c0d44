//! One question at a time, by HTTP/1.0: the answer ends where the connection does, so that there is
//! nothing to take apart.

use super::{failure::Failure, target::Target};
use std::{
    io::{self, Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::Duration,
};

/// A server that is well answers far sooner.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Asks for a path.
pub(super) fn get(target: &Target, path: &str, token: Option<&str>) -> Result<Answer, Failure> {
    let mut stream = connect(target)?;
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n{bearer}\r\n", target.authority());
    let mut bytes = Vec::new();
    let asked = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
        .and_then(|()| stream.write_all(request.as_bytes()))
        .and_then(|()| stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes));
    if let Err(error) = asked {
        return Err(broken(target, &error));
    }
    parse(&bytes).ok_or_else(|| {
        Failure::Unavailable(format!("{target}: what answers there is no roomd; give the --url of a roomd"))
    })
}

/// The first of its addresses on which somebody listens.
fn connect(target: &Target) -> Result<TcpStream, Failure> {
    let unavailable = |error: io::Error| {
        Failure::Unavailable(format!(
            "{target}: {error}; is roomd running there? systemctl status roomd tells; --url asks elsewhere"
        ))
    };
    let mut last = None;
    for address in target.authority().to_socket_addrs().map_err(unavailable)? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(unavailable(last.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())))
}

fn broken(target: &Target, error: &io::Error) -> Failure {
    // A timeout of a socket is one or the other.
    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
        let seconds = PATIENCE.as_secs();
        let what = format!("{target}: it takes connections, but gave no answer for {seconds} s");
        return Failure::Unwell(format!("{what}; see its log, then restart it"));
    }
    Failure::Unavailable(format!("{target}: {error}; see the server's log"))
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let text = str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_status_and_its_body() {
        let answer = parse(b"HTTP/1.0 401 Unauthorized\r\na: b\r\n\r\n{}").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (401, "{}"));
        for bytes in [
            &b""[..],
            b"HTTP/1.1 200 OK\r\n",
            b"SSH-2.0-x\r\n\r\n",
            b"HTTP/1.1 x\r\n\r\n",
            b"HTTP/1.1 200 \xFF\r\n\r\n",
        ] {
            assert!(parse(bytes).is_none(), "{bytes:?}");
        }
    }
}
