//! The server that is measured, and the way in (RFC 6455, section 4.1).

use std::{
    fmt,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use super::{dialect::Dialect, failure::Failure};
use crate::protocol::{
    handshake::{VERSION, accept_key},
    url::{authority, wants_tls},
};

pub(super) const DEFAULT_URL: &str = "http://127.0.0.1:8080";
/// A server that takes longer for one handshake is not there.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that are being made at a time: servers bound them, roomd by default to 64.
pub(super) const HANDSHAKES: usize = 48;
/// Longest answer to a request that is read.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// The key of RFC 6455's own example; it is no secret.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Where the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// `HOST:PORT`, as the header `Host` has it.
    authority: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, Failure> {
        let Some(authority) = authority(url) else {
            let (fault, change) = if wants_tls(url) {
                ("needs TLS, which this command does not speak", "measure a server without TLS")
            } else {
                ("is not the address of a server", "write it like http://192.168.1.20:8080")
            };
            return Err(Failure::invalid(&format!("flag --url: `{}` {fault}", url.escape_debug()), change));
        };
        Ok(Self { authority })
    }

    /// The first of its addresses on which somebody listens.
    pub(super) fn resolve(&self) -> Result<SocketAddr, Failure> {
        let unavailable = |error: &dyn fmt::Display| {
            Failure::Unavailable(format!("{self}: {error}; is the server running, and --url right?"))
        };
        let mut last = None;
        for address in self.authority.to_socket_addrs().map_err(|error| unavailable(&error))? {
            match TcpStream::connect_timeout(&address, HANDSHAKE_TIMEOUT) {
                Ok(_) => return Ok(address),
                Err(error) => last = Some(error),
            }
        }
        Err(unavailable(&last.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())))
    }

    /// The request of a client with this query, which needs no escaping.
    pub(super) fn request(&self, dialect: &Dialect, query: &str, token: Option<&str>) -> String {
        let Dialect { path, headers, .. } = dialect;
        let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        format!(
            "GET {path}{query} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: {VERSION}\r\nSec-WebSocket-Key: {KEY}\r\n{headers}{bearer}\r\n",
            self.authority
        )
    }
}

/// Asks for a connection; the answer comes later.
pub(super) fn ask(address: SocketAddr, request: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&address, HANDSHAKE_TIMEOUT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(HANDSHAKE_TIMEOUT))?;
    stream.write_all(request.as_bytes())?;
    Ok(stream)
}

/// Waits for the answer. What came behind it are frames.
pub(super) fn answer(stream: &mut TcpStream) -> Result<Vec<u8>, Failure> {
    let unavailable = |error: io::Error| {
        // A read that takes too long is one of these.
        let is_late = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        let what = if is_late { "the server did not answer in time".to_owned() } else { error.to_string() };
        Failure::Unavailable(format!("handshake: {what}; see the log of the server"))
    };
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            return if is_upgraded(&head) {
                Ok(bytes.split_off(end + 4))
            } else {
                Err(refused(stream, &head, &bytes[end + 4..]))
            };
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err(unavailable(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) if bytes.len() > HEAD_BYTES_MAX => {
                return Err(unavailable(io::ErrorKind::InvalidData.into()));
            }
            Ok(taken) => bytes.extend_from_slice(&buffer[..taken]),
            Err(error) => return Err(unavailable(error)),
        }
    }
}

fn is_upgraded(head: &str) -> bool {
    let accept = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-accept").then(|| value.trim() == accept_key(KEY))
    };
    head.starts_with("HTTP/1.1 101") && head.lines().find_map(accept) == Some(true)
}

/// The refusal in one line, with the setting that is in the way.
fn refused(stream: &mut TcpStream, head: &str, body: &[u8]) -> Failure {
    let mut body = body.to_vec();
    // The reason is worth waiting for, but what there is will do.
    if serde_json::from_slice::<serde_json::Value>(&body).is_err() {
        let mut more = [0; 4_096];
        let taken = stream.read(&mut more).unwrap_or(0);
        body.extend_from_slice(&more[..taken]);
    }
    let status = head.split_whitespace().nth(1).unwrap_or("?");
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let advice = match (status, body["error"].as_str()) {
        ("429", _) => "start the server with --connections-per-address 0",
        ("503", Some("clients_full")) => "start the server with more --clients",
        ("503", _) => "wait until the server takes clients again",
        ("401", _) => "give its --token",
        ("403", _) => "give --url as the server is called, or start it with --allowed-hosts",
        _ => "give --url of a roomd",
    };
    let reason = body["content"].as_str().map(|content| format!(" ({content})")).unwrap_or_default();
    Failure::Unavailable(format!("refused with {status}{reason}; {advice}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_and_without_a_port() {
        for (url, shown) in [
            ("http://board.local:8080", "http://board.local:8080"),
            ("http://board/", "http://board:80"),
            ("http://[::1]:9", "http://[::1]:9"),
            ("http://[::1]", "http://[::1]:80"),
        ] {
            assert_eq!(Target::parse(url).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_told() {
        for url in
            ["", "board", "ftp://board", "http://", "http://a/ws", "http://a b", "http://u@a", "http://a?b"]
        {
            let said = Target::parse(url).unwrap_err().to_string();
            assert!(
                said.ends_with("is not the address of a server; write it like http://192.168.1.20:8080"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_server_with_tls_is_named_as_what_cannot_be_measured() {
        let said = Target::parse("https://board:8443").unwrap_err().to_string();
        let told = "flag --url: `https://board:8443` needs TLS, which this command does not speak; \
                    measure a server without TLS";
        assert_eq!(said, told);
    }

    #[test]
    fn a_server_that_does_not_answer_in_time_is_told_as_that() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = ask(listener.local_addr().unwrap(), "GET / HTTP/1.1\r\n\r\n").unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let said = answer(&mut stream).unwrap_err().to_string();
        assert_eq!(said, "handshake: the server did not answer in time; see the log of the server");
    }

    #[test]
    fn only_the_right_answer_opens_a_websocket() {
        let accept = accept_key(KEY);
        assert!(is_upgraded(&format!("HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {accept}")));
        assert!(!is_upgraded("HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: x"));
        assert!(!is_upgraded(&format!("HTTP/1.1 200 OK\r\nsec-websocket-accept: {accept}")));
    }
}
