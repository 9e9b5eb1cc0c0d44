//! One client from its upgrade to its end.
//!
//! A session reads, and waits for its own socket when that is blocked; everyone else writes to it
//! past the session. It holds no buffer: reads go through the switchboard's, and only a message that
//! is half received is kept.

use super::{
    door::{Pass, Visitor},
    shared::Shared,
    socket::Socket,
    switchboard::Switchboard,
};
use crate::{
    hub::{ClientId, Ending, Now},
    protocol::{
        Event, Reader,
        frame::{self, CloseCode},
        message::{self, BadMessage, ClientMessage},
    },
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::{
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::net::TcpStream;

/// Reads that one turn may take before others get theirs.
const READS_PER_TURN: usize = 4;

/// Waits for the upgrade, which the HTTP connection completes once its answer is out, and begins
/// the session with whatever had been read behind the request.
pub(super) async fn begin(shared: Arc<Shared>, upgrade: OnUpgrade, visitor: Visitor, pass: Pass) {
    let parts = match upgrade.await {
        Ok(upgraded) => upgraded.downcast::<TokioIo<TcpStream>>().ok(),
        Err(_) => None,
    };
    let Some(parts) = parts else {
        shared.lock().hub.give_back();
        return;
    };
    let stream = parts.io.into_inner();
    let socket = Arc::new(Socket::new(stream, visitor.place.clone()));
    let Some(mut session) = Session::connect(&shared, &socket, &visitor, pass) else {
        let reason = "All places are taken; try again later.";
        socket.dismiss(frame::close_frame(CloseCode::TryAgainLater, reason).to_vec());
        return socket.say_farewell().await;
    };
    session.receive_read_ahead(&parts.read_buf);
    // A task of its own: the memory of this one, which had to hold the visitor, is given back.
    tokio::spawn(async move {
        poll_fn(|context| session.turn(context)).await;
        tracing::debug!(address = %session.pass.address(), "disconnected");
        drop(session);
        tokio::spawn(async move { socket.say_farewell().await });
    });
}

/// A client that is connected, until it is not.
struct Session {
    shared: Arc<Shared>,
    socket: Arc<Socket>,
    id: ClientId,
    reader: Reader,
    /// Its address counts until the session is over.
    pass: Pass,
}

impl Session {
    fn connect(shared: &Arc<Shared>, socket: &Arc<Socket>, visitor: &Visitor, pass: Pass) -> Option<Self> {
        let (now, mut board) = (shared.now(), shared.lock());
        let connected = board.hub.connect(&visitor.hello(), now);
        // Whose place it took must know before the line is opened: it may have been in this very slot.
        board.dismiss_departed();
        let Ok(id) = connected else {
            board.settle(now);
            tracing::debug!(address = %visitor.address, "no place was left when the upgrade was done");
            return None;
        };
        board.open_line(id, socket.clone());
        if let Some(name) = board.hub.name(id) {
            tracing::debug!(address = %visitor.address, name, "connected");
        }
        // Others hear that somebody came before they hear where.
        board.settle(now);
        for room in &visitor.rooms {
            board.hub.join_room(id, room, now);
        }
        if let Some(advice) = visitor.advice {
            board.hub.refuse_query(id, advice, now);
        }
        board.settle(now);
        drop(board);
        shared.arrival.notify_one();
        Some(Self { shared: shared.clone(), socket: socket.clone(), id, reader: Reader::new(), pass })
    }

    /// One turn: writes if the socket was blocked and takes something again, reads what there is,
    /// carries it out, and writes to everyone who is due for it.
    fn turn(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let shared = self.shared.clone();
        let (now, mut board) = (shared.now(), shared.lock());
        board.wake_by(self.id, context.waker());
        self.resume_writing(&mut board, context, now);
        for _ in 0..READS_PER_TURN {
            if self.socket.is_dismissed() {
                return Poll::Ready(());
            }
            ready!(self.read(&mut board, context, now));
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn resume_writing(&self, board: &mut Switchboard, context: &mut Context<'_>, now: Now) {
        while board.hub.is_blocked(self.id) && self.socket.stream.poll_write_ready(context).is_ready() {
            board.hub.unblock(self.id);
            board.settle(now);
        }
    }

    /// Reads once; pending if there is nothing to read.
    fn read(&mut self, board: &mut Switchboard, context: &mut Context<'_>, now: Now) -> Poll<()> {
        let mut buffer = std::mem::take(&mut board.buffer);
        let read = loop {
            match self.socket.stream.poll_read_ready(context) {
                Poll::Pending => break None,
                Poll::Ready(Err(error)) => break Some(Err(error)),
                Poll::Ready(Ok(())) => match self.socket.try_read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    read => break Some(read),
                },
            }
        };
        if let Some(Ok(0) | Err(_)) = read {
            board.hub.end(self.id, Ending::Lost, now);
        }
        if let Some(Ok(taken @ 1..)) = read {
            self.receive(board, &mut buffer[..taken], now);
        }
        board.buffer = buffer;
        board.settle(now);
        if read.is_some() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn receive_read_ahead(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let shared = self.shared.clone();
            let (now, mut board) = (shared.now(), shared.lock());
            self.receive(&mut board, &mut bytes.to_vec(), now);
            board.settle(now);
        }
    }

    /// Carries out what was read.
    fn receive(&mut self, board: &mut Switchboard, mut bytes: &mut [u8], now: Now) {
        let message_bytes_max = self.shared.settings.message_bytes;
        board.hub.heard(self.id, now);
        loop {
            let before = bytes.len();
            let taken = match self.reader.read(bytes, message_bytes_max, &mut board.inbound) {
                Ok((taken, None)) => taken,
                Ok((taken, Some(event))) => {
                    if board.hub.is_crowded(self.id, taken) {
                        // Only a socket that really takes no more loses answers.
                        board.flush(self.id, now);
                    }
                    Self::carry_out(board, self.id, event, now);
                    taken
                }
                Err(violation) => {
                    let ending = Ending::By(violation.close_code(), violation.reason());
                    return board.hub.end(self.id, ending, now);
                }
            };
            if before == 0 {
                return;
            }
            bytes = &mut std::mem::take(&mut bytes)[taken..];
        }
    }

    fn carry_out(board: &mut Switchboard, id: ClientId, event: Event<'_>, now: Now) {
        match event {
            Event::Text(text) => {
                let message = message::parse(text);
                if needs_flush(&message) {
                    board.flush(id, now);
                }
                board.hub.receive(id, text, message, now);
            }
            Event::Binary(payload) => board.hub.receive_binary(id, payload, now),
            Event::Ping(payload) => board.hub.receive_ping(id, payload),
            Event::Pong(_) => {}
            Event::Close { code, .. } => board.hub.end(id, Ending::Said(code), now),
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

/// A session that ends in any other way than by its client's departure has panicked.
impl Drop for Session {
    fn drop(&mut self) {
        let (now, mut board) = (self.shared.now(), self.shared.lock());
        if !self.socket.is_dismissed() {
            board.hub.end(self.id, Ending::By(CloseCode::Internal, "The server failed; try again."), now);
            board.settle(now);
        }
        self.reader.release(&mut board.inbound);
    }
}
