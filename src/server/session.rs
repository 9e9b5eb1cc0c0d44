//! A client's side of the conversation: how it comes in, and what its bytes bring about.

use super::{
    accept::Handshake,
    door::{Pass, Visitor},
    farewell,
    http_stream::HttpStream,
    line::Line,
    shared::Shared,
    switchboard::Switchboard,
};
use crate::{
    hub::{ClientId, Ending, Now},
    protocol::{
        Event,
        frame::{self, CloseCode},
        message::{self, BadMessage, ClientMessage},
    },
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::{io, mem, net, sync::Arc};

/// Waits for the upgrade, which the HTTP connection completes once its answer is out, and connects the
/// client; whatever had been read behind the request is its first bytes.
pub(super) async fn begin(shared: Arc<Shared>, upgrade: OnUpgrade, visitor: Visitor, pass: Pass) {
    let upgraded =
        upgrade.await.ok().and_then(|upgraded| upgraded.downcast::<TokioIo<HttpStream<Handshake>>>().ok());
    let parts = upgraded.and_then(|parts| Some((parts.io.into_inner().into_std().ok()?, parts.read_buf)));
    let Some((stream, read_ahead)) = parts else {
        shared.lock().hub.give_back();
        return;
    };
    if let Err((stream, pass)) = connect(&shared, stream, &visitor, pass, &read_ahead) {
        tracing::debug!(address = %visitor.address, "no place was left when the upgrade was done");
        let reason = "All places are taken; try again later.";
        let words = frame::close_frame(CloseCode::TryAgainLater, reason).to_vec();
        farewell::say(stream, words, (pass, visitor.place)).await;
    }
}

/// Gives stream and pass back if there is no place for it.
fn connect(
    shared: &Shared,
    stream: net::TcpStream,
    visitor: &Visitor,
    pass: Pass,
    read_ahead: &[u8],
) -> Result<(), (net::TcpStream, Pass)> {
    let (now, mut board) = (shared.now(), shared.lock());
    let connected = board.hub.connect(&visitor.hello(), now);
    // Whose place it took must know before the line is opened: it may have been in this very slot.
    board.dismiss_departed();
    let Ok(id) = connected else {
        board.settle(now);
        return Err((stream, pass));
    };
    board.open_line(Line::new(id, stream, pass, visitor.place.clone()), now);
    if let Some(name) = board.hub.name(id) {
        tracing::debug!(address = %visitor.address, name, "connected");
    }
    // Others hear that somebody came before they hear where.
    board.settle(now);
    for room in visitor.rooms() {
        board.hub.join_room(id, &room, now);
    }
    if let Some(advice) = visitor.advice {
        board.hub.refuse_query(id, advice, now);
    }
    if !read_ahead.is_empty() {
        board.receive(id, &mut read_ahead.to_vec(), now);
    }
    board.settle(now);
    drop(board);
    shared.arrival.notify_one();
    Ok(())
}

impl Switchboard {
    /// Reads once from a client's socket, and carries out what came.
    pub(super) fn read(&mut self, id: ClientId, now: Now) {
        let mut buffer = mem::take(&mut self.buffer);
        let read = self.line(id).map(|line| line.read(&mut buffer));
        match read {
            Some(Ok(taken @ 1..)) => self.receive(id, &mut buffer[..taken], now),
            Some(Err(error)) if is_harmless(&error) => {}
            Some(Ok(0) | Err(_)) => self.hub.end(id, Ending::Lost, now),
            None => {}
        }
        self.buffer = buffer;
    }

    /// Carries out what a client sent.
    fn receive(&mut self, id: ClientId, mut bytes: &mut [u8], now: Now) {
        let message_bytes_max = self.hub.capacities().message_bytes;
        self.hub.heard(id, now);
        // Taken out, because what it hands over is carried out while it holds that.
        let Some(mut reader) = self.line(id).map(|line| mem::take(&mut line.reader)) else { return };
        loop {
            let before = bytes.len();
            let taken = match reader.read(bytes, message_bytes_max, &mut self.inbound) {
                Ok((taken, None)) => taken,
                Ok((taken, Some(event))) => {
                    if self.hub.is_crowded(id, taken) {
                        // Only a socket that really takes no more loses answers.
                        self.flush(id, now);
                    }
                    self.carry_out(id, event, now);
                    if self.hub.is_urgent() {
                        self.settle(now);
                    }
                    taken
                }
                Err(violation) => {
                    let ending = Ending::By(violation.close_code(), violation.reason());
                    self.hub.end(id, ending, now);
                    break;
                }
            };
            if before == 0 {
                break;
            }
            bytes = &mut mem::take(&mut bytes)[taken..];
        }
        match self.line(id) {
            Some(line) => line.reader = reader,
            None => reader.release(&mut self.inbound),
        }
    }

    fn carry_out(&mut self, id: ClientId, event: Event<'_>, now: Now) {
        match event {
            Event::Text(text) => {
                let message = message::parse(text);
                if needs_flush(&message) {
                    self.flush(id, now);
                }
                self.hub.receive(id, text, message, now);
            }
            Event::Binary(payload) => self.hub.receive_binary(id, payload, now),
            Event::Ping(payload) => self.hub.receive_ping(id, payload),
            Event::Pong(_) => {}
            Event::Close { code, .. } => self.hub.end(id, Ending::Said(code), now),
        }
    }
}

/// What was said in a room before still reaches whoever leaves it, if its socket takes it (the hub
/// declares the rest missing); and a list is as long as an empty outbox takes.
fn needs_flush(message: &Result<ClientMessage<'_>, BadMessage>) -> bool {
    matches!(
        message,
        Ok(ClientMessage::LeaveRoom { .. }
            | ClientMessage::JoinRoom { .. }
            | ClientMessage::ListRooms
            | ClientMessage::ListMembers { .. })
    )
}

fn is_harmless(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
