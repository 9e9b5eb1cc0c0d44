//! What a client's connection is made of: TCP, or TLS on it in a build that has it.

use super::{
    accept::Handshake,
    door::{Pass, Place},
    http_stream::HttpStream,
    line::TcpLine,
    poller::Poller,
};
use crate::{
    hub::{ClientId, Departure},
    switchboard::Line,
};
use hyper::upgrade::{Parts, Upgraded};
use hyper_util::rt::TokioIo;
use std::{io, net::IpAddr};
#[cfg(feature = "tls")]
use {super::tls::TlsLine, std::io::Read as _, tokio_rustls::server::TlsStream};

/// A client's line, whatever it is made of.
#[derive(Debug)]
pub(super) enum ClientLine {
    Plain(TcpLine),
    #[cfg(feature = "tls")]
    Tls(Box<TlsLine>),
}

/// Takes a connection out of HTTP; with what had been read behind the request.
pub(super) fn line_of(
    upgraded: Upgraded,
    poller: Poller,
    pass: Pass,
    place: Place,
) -> Option<(ClientLine, Vec<u8>)> {
    #[cfg(feature = "tls")]
    let upgraded = match upgraded.downcast::<TokioIo<TlsStream<HttpStream<Handshake>>>>() {
        Ok(Parts { io, read_buf, .. }) => {
            let (stream, mut tls) = io.into_inner().into_inner();
            let mut read_ahead = read_buf.to_vec();
            // Ends with `WouldBlock`, or with an end that the line will find again.
            let _ = tls.reader().read_to_end(&mut read_ahead);
            let tcp = TcpLine::new(stream.into_std().ok()?, poller, pass, place);
            return Some((ClientLine::Tls(Box::new(TlsLine::new(tls, tcp))), read_ahead));
        }
        Err(upgraded) => upgraded,
    };
    let Parts { io, read_buf, .. } = upgraded.downcast::<TokioIo<HttpStream<Handshake>>>().ok()?;
    let line = TcpLine::new(io.into_inner().into_std().ok()?, poller, pass, place);
    Some((ClientLine::Plain(line), read_buf.to_vec()))
}

/// Calls the same on whichever line it is.
macro_rules! each {
    ($self:expr, $line:ident => $call:expr) => {
        match $self {
            ClientLine::Plain($line) => $call,
            #[cfg(feature = "tls")]
            ClientLine::Tls($line) => $call,
        }
    };
}

impl ClientLine {
    /// The address that it counts for.
    pub(super) fn address(&self) -> IpAddr {
        each!(self, line => line.address())
    }
}

impl Line for ClientLine {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        each!(self, line => line.read(buffer))
    }

    fn write(&mut self, pieces: [&[u8]; 2]) -> io::Result<usize> {
        each!(self, line => line.write(pieces))
    }

    fn watch(&mut self, id: ClientId) -> io::Result<()> {
        each!(self, line => line.watch(id))
    }

    fn watch_room(&mut self, id: ClientId, watch: bool) -> io::Result<()> {
        each!(self, line => line.watch_room(id, watch))
    }

    fn push(&mut self) -> io::Result<()> {
        each!(self, line => line.push())
    }

    fn arrived(&self, name: &str) {
        each!(self, line => line.arrived(name));
    }

    fn departed(&self, departure: &Departure) {
        each!(self, line => line.departed(departure));
    }

    fn hang_up(self, last_words: Vec<u8>) {
        each!(self, line => line.hang_up(last_words));
    }
}
