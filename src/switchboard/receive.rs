//! What a client's bytes bring about.

use super::{Line, Switchboard};
use crate::{
    hub::{ClientId, Ending, Now},
    protocol::{
        Event,
        message::{self, Refusal, Request},
    },
};
use std::{io, mem};

impl<L: Line> Switchboard<L> {
    /// Reads once from a client's line, and carries out what came.
    pub(super) fn read(&mut self, id: ClientId, now: Now) {
        let mut buffer = mem::take(&mut self.buffer);
        let read = self.port(id).map(|port| port.line.read(&mut buffer));
        match read {
            Some(Ok(taken @ 1..)) => self.receive(id, &mut buffer[..taken], now),
            Some(Err(error)) if is_harmless(&error) => {}
            Some(Ok(0) | Err(_)) => self.hub.end(id, Ending::Lost, now),
            None => {}
        }
        self.buffer = buffer;
    }

    /// Carries out what a client sent.
    pub(super) fn receive(&mut self, id: ClientId, mut bytes: &mut [u8], now: Now) {
        let message_bytes_max = self.hub.capacities().message_bytes;
        self.hub.heard(id, now);
        self.hub.count_received(bytes.len());
        // Taken out, because what it hands over is carried out while it holds that.
        if self.port(id).is_none() {
            return;
        }
        let mut reader = mem::take(&mut self.readers[id.index()]);
        loop {
            let before = bytes.len();
            let taken = match reader.read(bytes, message_bytes_max, &mut self.inbound) {
                Ok((taken, None)) => taken,
                Ok((taken, Some(event))) => {
                    self.make_room(id, event.payload_len(), now);
                    self.carry_out(id, event, now);
                    self.settle_if_urgent(now);
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
        if self.port(id).is_some() {
            self.readers[id.index()] = reader;
        } else {
            reader.release(&mut self.inbound);
        }
    }

    fn carry_out(&mut self, id: ClientId, event: Event<'_>, now: Now) {
        match event {
            Event::Text(text) => {
                let message = message::parse(text);
                if needs_flush(&message.request) {
                    self.flush(id, now);
                }
                self.hub.receive(id, text, &message, now);
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
fn needs_flush(request: &Result<Request<'_>, Refusal>) -> bool {
    matches!(
        request,
        Ok(Request::LeaveRoom | Request::JoinRoom(_) | Request::ListRooms | Request::ListMembers)
    )
}

fn is_harmless(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
