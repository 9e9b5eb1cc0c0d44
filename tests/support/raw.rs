//! A client made of bytes: it can be as wrong, as slow and as silent as a test needs it.

use std::io::{self, ErrorKind};

use serde_json::Value;
use socket2::{Domain, Socket, Type};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::{Handshake, TestServer, Transcript, guarded};

pub(crate) const FIN: u8 = 0x80;
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// How the length of a frame is written (RFC 6455, section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LengthForm {
    Seven,
    Sixteen,
    SixtyFour,
}

/// A masked frame of a client; `first` is the byte with FIN, RSV and opcode.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let form = match payload.len() {
        0..=125 => LengthForm::Seven,
        126..=0xFFFF => LengthForm::Sixteen,
        _ => LengthForm::SixtyFour,
    };
    frame_as(form, first, payload.len() as u64, payload)
}

/// A masked frame whose length is written in a form and with a value that need not be right.
pub(crate) fn frame_as(form: LengthForm, first: u8, length: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let length = length.to_be_bytes();
    match form {
        LengthForm::Seven => bytes.push(0x80 | length[7]),
        LengthForm::Sixteen => {
            bytes.push(0x80 | 0x7E);
            bytes.extend(&length[6..]);
        }
        LengthForm::SixtyFour => {
            bytes.push(0x80 | 0x7F);
            bytes.extend(length);
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A frame of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The message in it.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.opcode, TEXT, "{self:?}");
        serde_json::from_slice(&self.payload).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a close frame, 1005 for none.
    pub(crate) fn close_code(&self) -> u16 {
        assert_eq!(self.opcode, CLOSE, "{self:?}");
        match self.payload[..] {
            [] => 1005,
            [high, low, ..] => u16::from_be_bytes([high, low]),
            [_] => panic!("a close frame with half a code"),
        }
    }
}

/// A connection, and what was read of it but not yet taken.
#[derive(Debug)]
pub(crate) struct RawClient<S = TcpStream> {
    stream: S,
    unread: Vec<u8>,
    transcript: Transcript,
}

impl RawClient {
    /// Connects and sends nothing.
    pub(crate) async fn connect(server: &TestServer) -> Self {
        let stream = guarded("connecting", TcpStream::connect(server.address())).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }

    /// Connects so that the server's writes soon have to wait, and for as long as nothing is read: with the
    /// least receive buffer that Linux gives, and segments so short that what the kernel's probes of a closed
    /// window send, after a fifth of a second, makes no room that is worth a write.
    pub(crate) async fn connect_narrow(server: &TestServer) -> Self {
        let set = |socket: &Socket| socket.set_recv_buffer_size(2_304).and_then(|()| socket.set_tcp_mss(536));
        Self::connect_with(server, set).await
    }

    /// Connects by a socket on which something is set before the handshake: only so a buffer bounds the window
    /// that is offered.
    async fn connect_with(server: &TestServer, set: impl FnOnce(&Socket) -> io::Result<()>) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        set(&socket).unwrap();
        socket.set_nonblocking(true).unwrap();
        let socket = TcpSocket::from_std_stream(socket.into());
        let stream = guarded("connecting", socket.connect(server.address())).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }

    /// Connects and upgrades.
    pub(crate) async fn upgrade(server: &TestServer, query: &str) -> Self {
        let mut client = Self::connect(server).await;
        client.shake_hands(server, query).await;
        client
    }

    /// Upgrades a connection that stands already.
    pub(crate) async fn upgrade_over(stream: TcpStream, server: &TestServer, query: &str) -> Self {
        stream.set_nodelay(true).unwrap();
        let mut client = Self::over(stream);
        client.shake_hands(server, query).await;
        client
    }

    /// Connects with a small receive buffer and short segments, and upgrades.
    pub(crate) async fn upgrade_over_small_segments(
        server: &TestServer,
        query: &str,
        bytes: usize,
        segment: u32,
    ) -> Self {
        let set =
            |socket: &Socket| socket.set_recv_buffer_size(bytes).and_then(|()| socket.set_tcp_mss(segment));
        let mut client = Self::connect_with(server, set).await;
        client.shake_hands(server, query).await;
        client
    }

    /// Connects with a small receive buffer and upgrades.
    pub(crate) async fn upgrade_with_receive_buffer(server: &TestServer, query: &str, bytes: usize) -> Self {
        let mut client = Self::connect_with(server, |socket| socket.set_recv_buffer_size(bytes)).await;
        client.shake_hands(server, query).await;
        client
    }

    /// Upgrades over a [narrow](Self::connect_narrow) connection.
    pub(crate) async fn upgrade_narrow(server: &TestServer, query: &str) -> Self {
        let mut client = Self::connect_narrow(server).await;
        client.shake_hands(server, query).await;
        client
    }

    /// Ends the connection with a reset instead of a farewell.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawClient<S> {
    /// Goes on with a stream that is connected.
    pub(crate) fn over(stream: S) -> Self {
        Self { stream, unread: Vec::new(), transcript: Transcript::default() }
    }

    /// The stream, for whatever else is to be done with it.
    pub(crate) fn into_stream(self) -> S {
        self.stream
    }

    /// Upgrades.
    pub(crate) async fn shake_hands(&mut self, server: &TestServer, query: &str) {
        self.write(&Handshake::new(server, query).bytes()).await;
        let head = self.read_head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    }

    /// Writes bytes as they are.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        guarded("writing", self.stream.write_all(bytes)).await.unwrap();
        guarded("writing", self.stream.flush()).await.unwrap();
    }

    /// Writes bytes to a server that may have hung up already.
    pub(crate) async fn try_write(&mut self, bytes: &[u8]) {
        let _ = guarded("writing", self.stream.write_all(bytes)).await;
        let _ = guarded("writing", self.stream.flush()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.write(&frame(FIN | TEXT, text.as_bytes())).await;
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string()).await;
    }

    /// Says that nothing more will be written, and goes on reading.
    pub(crate) async fn shutdown(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// As [`Self::shutdown`], to a server that may have hung up already.
    pub(crate) async fn shutdown_if_open(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads up to `bytes` more bytes and keeps them, `false` at the end of the connection.
    pub(crate) async fn read_some(&mut self, bytes: usize) -> bool {
        let mut buffer = vec![0; bytes];
        match guarded("reading", self.stream.read(&mut buffer)).await {
            Ok(0) => false,
            Ok(read) => {
                self.unread.extend(&buffer[..read]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}; {}", self.transcript),
        }
    }

    /// Reads an HTTP head to its empty line; what follows stays unread.
    pub(crate) async fn read_head(&mut self) -> String {
        loop {
            if let Some(end) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = self.unread.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            let more = self.read_some(4_096).await;
            assert!(more, "the connection ended in the head: {:?}", String::from_utf8_lossy(&self.unread));
        }
    }

    /// Reads exactly `length` bytes.
    pub(crate) async fn read_exactly(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            assert!(self.read_some(4_096).await, "the connection ended: {:?}", self.unread);
        }
        self.unread.drain(..length).collect()
    }

    /// The next frame, `None` at the end of the connection.
    pub(crate) async fn next_frame(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.take_frame() {
                let text = String::from_utf8_lossy(&frame.payload);
                self.transcript.note(&format!("opcode {:x}: {text}", frame.opcode));
                return Some(frame);
            }
            if !self.read_some(64 << 10).await {
                return None;
            }
        }
    }

    /// The next frame with this opcode; those before it are passed over.
    pub(crate) async fn next_with_opcode(&mut self, opcode: u8) -> Frame {
        loop {
            match self.next_frame().await {
                Some(frame) if frame.opcode == opcode => return frame,
                Some(_) => {}
                None => panic!("the end instead of opcode {opcode:x}; {}", self.transcript),
            }
        }
    }

    /// The next text frame.
    pub(crate) async fn next_json(&mut self) -> Value {
        self.next_with_opcode(TEXT).await.json()
    }

    /// Reads to the close frame, then to the end of the connection, and returns the code.
    pub(crate) async fn expect_close(&mut self) -> u16 {
        let close = self.next_with_opcode(CLOSE).await;
        self.expect_end().await;
        close.close_code()
    }

    /// Reads to the end of the connection.
    pub(crate) async fn expect_end(&mut self) {
        while self.read_some(64 << 10).await {}
    }

    /// Takes a whole frame from what was read; also checks what RFC 6455 asks of a server's frames.
    fn take_frame(&mut self) -> Option<Frame> {
        let [first, second, rest @ ..] = &self.unread[..] else { return None };
        assert_eq!(first & 0x70, 0, "a reserved bit without an extension");
        assert_eq!(first & FIN, FIN, "the server sends whole messages");
        assert_eq!(second & 0x80, 0, "a server masks nothing (section 5.1)");
        let (header, length) = match (second & 0x7F, rest) {
            (126, [a, b, ..]) => (4, u64::from(u16::from_be_bytes([*a, *b]))),
            (127, long) if long.len() >= 8 => (10, u64::from_be_bytes(long[..8].try_into().unwrap())),
            (126 | 127, _) => return None,
            (length, _) => (2, u64::from(length)),
        };
        let minimal = match header {
            4 => length > 125,
            10 => length > 0xFFFF,
            _ => true,
        };
        assert!(minimal, "the length {length} has a shorter form (section 5.2)");
        let end = header + usize::try_from(length).unwrap();
        if self.unread.len() < end {
            return None;
        }
        let opcode = first & 0x0F;
        let payload = self.unread.drain(..end).skip(header).collect();
        Some(Frame { opcode, payload })
    }
}
