//! Method: situations on a hub of three clients and two rooms, where every limit is one step away.
//! Sequences of any kind are the model's business (`tests/hub_model.rs`).

mod coming_and_going;
mod gaps;
mod laggards;
mod rooms;
mod time;

use super::*;
use crate::protocol::message::{self, Replay};
use serde_json::Value;

/// Three clients, two rooms of which a client may be in one, logs of four messages.
pub(crate) fn tiny() -> Capacities {
    Capacities {
        clients: 3,
        rooms: 2,
        rooms_per_client: 1,
        log_bytes: 8_192,
        log_messages: 4,
        message_bytes: 1_024,
        outbox_messages: 4,
        outbox_bytes: 16_384,
        messages_per_second: 0,
        burst: 0,
        write_timeout_ms: 10_000,
        heartbeat_s: 20,
    }
}

/// A hub whose clients' sockets take what they are told to.
struct Desk {
    hub: Hub,
    now: Now,
    tokens: u8,
}

impl Desk {
    fn new(capacities: Capacities) -> Self {
        let identity = Identity { epoch: "epoch".try_into().unwrap(), seed: 1 };
        Self { hub: Hub::new(capacities, identity), now: Now { ms: 0, unix_s: 1_000 }, tokens: 0 }
    }

    fn connect(&mut self, username: &str) -> ClientId {
        self.connect_as(username, None).unwrap()
    }

    fn connect_as(&mut self, username: &str, resume: Option<Token>) -> Result<ClientId, crate::table::Full> {
        let promise = self.hub.reserve(resume)?;
        self.tokens += 1;
        let token = Token::new([self.tokens; 16]);
        let hello = Hello { username, quiet: false, resume, token, replay: Replay::None };
        self.hub.connect(promise, &hello, self.now)
    }

    fn say(&mut self, id: ClientId, text: &str) {
        self.hub.receive(id, text, &message::parse(text), self.now);
    }

    fn chat(&mut self, id: ClientId, room: &str, content: &str) {
        self.say(id, &serde_json::json!({"type": "chat", "room": room, "content": content}).to_string());
    }

    fn join(&mut self, id: ClientId, room: &str) {
        self.say(id, &serde_json::json!({"type": "join_room", "room": room}).to_string());
    }

    /// Time passes, of which the hub is told ten times a second.
    fn pass(&mut self, ms: u64) {
        let then = self.now.ms + ms;
        while self.now.ms < then {
            self.now.ms = then.min(self.now.ms + 100);
            while self.hub.tick(self.now) {}
        }
    }

    /// Time passes in which the process does not run.
    fn sleep(&mut self, ms: u64) {
        self.now.ms += ms;
        while self.hub.tick(self.now) {}
    }

    /// Lets a socket take everything; what came, as messages.
    fn read(&mut self, id: ClientId) -> Vec<Value> {
        let bytes = self.take(id, usize::MAX);
        messages(&bytes)
    }

    /// Lets a socket take so many bytes, after which it is blocked if there are more.
    fn take(&mut self, id: ClientId, mut room: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        if self.hub.is_blocked(id) {
            self.hub.unblock(id);
        }
        while let Some(bytes) = self.hub.pending(id, self.now) {
            let bytes = bytes.concat();
            let some = bytes.len().min(room);
            if some == 0 {
                self.hub.block(id, self.now);
                break;
            }
            room -= some;
            taken.extend(&bytes[..some]);
            self.hub.sent(id, some, self.now);
        }
        self.hub.audit().unwrap();
        taken
    }

    fn departure(&mut self) -> (ClientId, Vec<u8>) {
        let departure = self.hub.next_departure().expect("somebody is gone");
        (departure.id, departure.last_words)
    }
}

/// The messages of text frames, all whole; a control frame becomes its opcode.
fn messages(mut bytes: &[u8]) -> Vec<Value> {
    let mut found = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        let (len, rest) = match second {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            len => (usize::from(*len), rest),
        };
        let (payload, after) = rest.split_at(len);
        found.push(match first & 0xF {
            1 => serde_json::from_slice(payload).unwrap(),
            opcode => opcode.into(),
        });
        bytes = after;
    }
    found
}

/// Type and content of each message, as a table that can be read.
fn lines(messages: &[Value]) -> Vec<String> {
    let line = |message: &Value| format!("{} {}", text(message, "type"), text(message, "content"));
    messages.iter().map(line).collect()
}

fn text<'a>(message: &'a Value, field: &str) -> &'a str {
    message[field].as_str().unwrap_or("")
}
