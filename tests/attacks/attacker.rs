//! A connection of an attacker: from an address of its own, with as small a conscience as a test needs.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use socket2::{Domain, Socket, Type};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::{
    site::Site,
    support::{Handshake, guarded},
};

/// Where attacks come from; healthy clients come from 127.0.0.1.
pub(crate) const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// An attacker that finds no place tries again, as another one.
const PATIENCE: Duration = Duration::from_millis(500);

/// A connection that reads nothing unless it is told to.
#[derive(Debug)]
pub(crate) struct Attacker {
    stream: TcpStream,
}

impl Attacker {
    /// Connects from an address, with a receive buffer of so many bytes. `None` if the server resets it, or has
    /// no place for it even to wait.
    pub(crate) async fn connect(site: &Site, from: Ipv4Addr, buffer: usize) -> Option<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(buffer).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        let socket = TcpSocket::from_std_stream(socket.into());
        let stream = timeout(PATIENCE, socket.connect(site.server.address())).await.ok()?.ok()?;
        stream.set_nodelay(true).ok()?;
        Some(Self { stream })
    }

    /// Opens a WebSocket; `None` if it is refused, by whatever means.
    pub(crate) async fn upgrade(site: &Site, from: Ipv4Addr, query: &str, buffer: usize) -> Option<Self> {
        let mut attacker = Self::connect(site, from, buffer).await?;
        attacker.try_write(&Handshake::new(&site.server, query).bytes()).await.then_some(())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            let read = guarded("the answer", attacker.stream.read(&mut byte)).await.ok()?;
            (read > 0).then(|| head.push(byte[0]))?;
        }
        head.starts_with(b"HTTP/1.1 101 ").then_some(attacker)
    }

    /// Writes what the kernel takes at once; `false` when the connection has ended.
    pub(crate) fn push(&self, bytes: &[u8]) -> bool {
        match self.stream.try_write(bytes) {
            Ok(_) => true,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }

    /// Writes all of it, however long the server takes; `false` when the connection has ended.
    pub(crate) async fn try_write(&mut self, bytes: &[u8]) -> bool {
        guarded("writing", self.stream.write_all(bytes)).await.is_ok()
    }

    /// Says that nothing more comes, and still takes nothing.
    pub(crate) async fn half_close(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads to the end; all that came.
    pub(crate) async fn read_to_end(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = guarded("the end", self.stream.read_to_end(&mut bytes)).await;
        bytes
    }
}
