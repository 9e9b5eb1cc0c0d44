//! Requests as text, for the refusals and the handshakes that no library would send.

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{RawClient, TestServer};

/// The key of the example in RFC 6455, section 1.3, and the answer that it demands.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A request for an upgrade, right until a test changes it.
#[derive(Debug, Clone)]
pub(crate) struct Handshake {
    line: String,
    headers: Vec<(String, String)>,
}

impl Handshake {
    pub(crate) fn new(server: &TestServer, query: &str) -> Self {
        let headers = [
            ("Host", &*server.host()),
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", KEY),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { line: format!("GET /ws?{query} HTTP/1.1"), headers }
    }

    /// With another request line.
    pub(crate) fn line(mut self, line: &str) -> Self {
        line.clone_into(&mut self.line);
        self
    }

    /// Without this header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|header| header.0 != name);
        self
    }

    /// With this header in the place of those of its name.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// With this header besides those of its name.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}"));
        let lines: Vec<_> = std::iter::once(self.line.clone()).chain(headers).collect();
        format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
    }

    /// Sends it on a connection of its own and reads the answer.
    pub(crate) async fn send(&self, server: &TestServer) -> Response {
        self.send_and_keep(server).await.0
    }

    /// Sends it on a connection of its own, reads the answer, and gives both.
    pub(crate) async fn send_and_keep(&self, server: &TestServer) -> (Response, RawClient) {
        let mut client = RawClient::connect(server).await;
        client.write(&self.bytes()).await;
        (Response::read(&mut client).await, client)
    }
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) async fn read<S: AsyncRead + AsyncWrite + Unpin>(client: &mut RawClient<S>) -> Self {
        let head = client.read_head().await;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut response = Self { status: status.expect("a status"), head, body: String::new() };
        let length = response.header("content-length").map_or(0, |length| length.parse().unwrap());
        response.body = String::from_utf8(client.read_exactly(length).await).unwrap();
        response
    }

    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers.find(|header| header.0.eq_ignore_ascii_case(name)).map(|header| header.1.trim())
    }

    /// Checks that this is a refusal as the protocol describes them, and returns its sentence.
    pub(crate) fn assert_refusal(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let media = self.header("content-type").unwrap_or_default();
        assert!(media.starts_with("application/json"), "{self:?}");
        let body: Value =
            serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        super::assert_fields(&body, &["error", "content"]);
        assert_eq!(body["error"], code, "{self:?}");
        super::content_of(&body).to_owned()
    }

    /// Checks that the connection is a WebSocket now.
    pub(crate) fn assert_upgraded(&self) {
        assert_eq!(self.status, 101, "{self:?}");
        assert_eq!(self.header("sec-websocket-accept"), Some(ACCEPT), "{self:?}");
        assert!(self.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket")));
        assert!(self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("upgrade")));
    }
}
