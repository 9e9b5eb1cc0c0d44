//! A whole connection, from the query of its handshake to its end, whatever its bytes are, wherever they
//! are cut, and however little its client takes.
//!
//! Method: a client made of the input talks to a switchboard on which a witness sits that takes all at
//! once. What must hold:
//!
//! - No panic, and the hub's own audit after each round.
//! - The client hears whole frames, each a text of JSON, an echo, a pong or a close; nothing follows a close.
//! - The witness stays, and hears every message of the lobby and of its room, in order, none twice.
//! - What the witness hears does not depend on how the client's bytes are cut.
//! - When the client is gone, nothing of its half-received messages is held, and its place is free.

use crate::frames::{client_frame, server_frame};
use roomd::{
    hub::{Capacities, ClientId, Hub, Identity, Now, Token},
    switchboard::{Line, Query, Ready, Switchboard},
};
use serde_json::Value;
use std::{cell::RefCell, collections::VecDeque, io, rc::Rc};

/// Who knows it may take the witness's place, and rightly so.
const WITNESS: u8 = 1;
const ROUNDS_MAX: usize = 400;
const INBOUND_BYTES: usize = 4_096;
const NOW: Now = Now { ms: 0, unix_s: 1_000 };

fn capacities() -> Capacities {
    Capacities {
        clients: 3,
        rooms: 2,
        rooms_per_client: 2,
        log_bytes: 8_192,
        log_messages: 8,
        message_bytes: 1_024,
        outbox_messages: 8,
        outbox_bytes: 16_384,
        messages_per_second: 0,
        burst: 0,
        write_timeout_ms: 10_000,
        heartbeat_s: 20,
    }
}

/// `data` is the size of the pieces, how much is taken at once, the form of what follows, the bytes of
/// the query, the query, and what the client sends: as it is, or as frames still to be masked.
pub(crate) fn check(data: &[u8]) {
    let [piece_bytes, takes, form, query_bytes, rest @ ..] = data else { return };
    let (query, sent) = rest.split_at(rest.len().min(usize::from(*query_bytes)));
    let query = String::from_utf8_lossy(query);
    let wire = if form & 1 == 1 { framed(sent) } else { sent.to_vec() };
    let read_ahead = if form & 2 == 2 { wire.len().min(16) } else { 0 };

    let pieces = usize::from(*piece_bytes).max(wire.len() / ROUNDS_MAX).max(1);
    // Who takes little may be ended early, for what it does not take.
    let takes = if *takes == 255 { usize::MAX } else { usize::from(*takes) };
    let cut = converse(&query, &wire, read_ahead, pieces, takes);
    if takes == usize::MAX {
        assert_eq!(cut, converse(&query, &wire, 0, usize::MAX, takes), "however it is cut");
    }
}

/// Every frame of the input is its first byte, the length of its payload, and the payload.
fn framed(mut sent: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    while let [first, len, rest @ ..] = sent {
        let (payload, after) = rest.split_at(rest.len().min(usize::from(*len)));
        wire.extend(client_frame(*first, payload));
        sent = after;
    }
    wire
}

/// What the witness heard, in the lobby and in its room.
fn converse(query: &str, wire: &[u8], read_ahead: usize, pieces: usize, takes: usize) -> [Vec<String>; 2] {
    if Query::parse(query).resume == Some(Token::new([WITNESS; 16])) {
        return Default::default();
    }
    let identity = Identity { epoch: "epoch".try_into().unwrap(), seed: 7 };
    let mut board = Switchboard::new(Hub::new(capacities(), identity), INBOUND_BYTES);
    let mut witness = Peer::sit_down(&mut board, "username=witness&room=r", WITNESS, usize::MAX, &mut []);
    let (first, rest) = wire.split_at(read_ahead);
    let mut client = Peer::sit_down(&mut board, query, 2, takes, &mut first.to_vec());
    for piece in rest.chunks(pieces) {
        client.end.borrow_mut().said.extend(piece);
        // A piece may be more than one read takes.
        while !client.end.borrow().said.is_empty() && !client.end.borrow().is_hung_up {
            client.round(&mut board);
            witness.round(&mut board);
        }
    }
    // What has waited is taken in the end, as far as it is still there.
    client.end.borrow_mut().takes = usize::MAX;
    client.round(&mut board);
    client.listen(true);
    client.end.borrow_mut().is_over = true;
    client.round(&mut board);
    assert!(client.end.borrow().is_hung_up, "its end is noticed");
    assert_eq!(board.inbound_bytes(), 0, "nothing is held for nobody");
    assert_eq!(board.hub().client_count(), 1, "the witness alone is left");
    witness.round(&mut board);
    witness.listen(true);
    assert!(!witness.end.borrow().is_hung_up, "nobody else's bytes end it");
    witness.heard
}

/// Both ends of a line.
#[derive(Debug, Default)]
struct End {
    said: VecDeque<u8>,
    to_hear: Vec<u8>,
    /// Bytes that the next write takes; none is taken while it is 0.
    takes: usize,
    is_watched: bool,
    is_over: bool,
    is_hung_up: bool,
}

#[derive(Debug, Clone, Default)]
struct Cord(Rc<RefCell<End>>);

impl Line for Cord {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut end = self.0.borrow_mut();
        if end.said.is_empty() {
            return if end.is_over { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        io::Read::read(&mut end.said, buffer)
    }

    fn write(&mut self, pieces: [&[u8]; 2]) -> io::Result<usize> {
        let mut end = self.0.borrow_mut();
        let bytes = pieces.concat();
        assert!(!bytes.is_empty(), "what is written is something");
        let taken = bytes.len().min(end.takes);
        end.to_hear.extend(&bytes[..taken]);
        end.takes -= if end.takes == usize::MAX { 0 } else { taken };
        if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    fn watch(&mut self, _: ClientId) -> io::Result<()> {
        Ok(())
    }

    fn watch_room(&mut self, _: ClientId, watch: bool) -> io::Result<()> {
        self.0.borrow_mut().is_watched = watch;
        Ok(())
    }

    fn hang_up(self, last_words: Vec<u8>) {
        let mut end = self.0.borrow_mut();
        end.to_hear.extend(last_words);
        end.is_hung_up = true;
    }
}

struct Peer {
    id: ClientId,
    end: Rc<RefCell<End>>,
    takes: usize,
    is_closed: bool,
    /// Lines of the lobby and the room, and the next seq of each.
    heard: [Vec<String>; 2],
    next: [Option<u64>; 2],
    is_witness: bool,
}

impl Peer {
    fn sit_down(
        board: &mut Switchboard<Cord>,
        query: &str,
        number: u8,
        takes: usize,
        first: &mut [u8],
    ) -> Self {
        let cord = Cord::default();
        cord.0.borrow_mut().takes = takes;
        let (query, token) = (Query::parse(query), Token::new([number; 16]));
        let promise = board.reserve(query.resume).expect("there are places");
        let end = cord.0.clone();
        let id = board.connect(promise, &query, token, cord, first, NOW).expect("a place was promised");
        board.hub().audit().unwrap();
        let is_witness = number == WITNESS;
        Self { id, end, takes, is_closed: false, heard: Default::default(), next: [None; 2], is_witness }
    }

    /// The reactor finds this client ready.
    fn round(&mut self, board: &mut Switchboard<Cord>) {
        let (to_read, to_write) = {
            let mut end = self.end.borrow_mut();
            end.takes = end.takes.max(self.takes);
            (!end.said.is_empty() || end.is_over, end.is_watched)
        };
        // What comes when everyone has had a turn is for the next round.
        let is_more_due = board.round(&[Ready { id: self.id, to_read, to_write }], NOW);
        assert!(!is_more_due || !board.round(&[], NOW), "two are fewer than a round takes");
        board.hub().audit().unwrap();
        self.listen(false);
    }

    /// Reads what came; in the end nothing may be left over, unless it is not closed in order.
    fn listen(&mut self, is_end: bool) {
        let bytes = std::mem::take(&mut self.end.borrow_mut().to_hear);
        let mut rest = &bytes[..];
        while let Some((opcode, payload, after)) = server_frame(rest) {
            rest = after;
            assert!(!self.is_closed, "nothing follows a close frame");
            match opcode {
                1 => {
                    let text = str::from_utf8(payload).expect("text is UTF-8");
                    if self.is_witness {
                        self.note(&serde_json::from_str(text).expect("the witness hears messages alone"));
                    }
                }
                2 | 9 | 10 => assert!(!self.is_witness || opcode == 9),
                8 => self.is_closed = true,
                other => panic!("opcode {other}"),
            }
        }
        assert!(!is_end || rest.is_empty(), "a part of a frame is left");
        self.end.borrow_mut().to_hear.splice(0..0, rest.iter().copied());
    }

    fn note(&mut self, message: &Value) {
        let room = match message["room"].as_str() {
            None => 0,
            Some("r") => 1,
            Some(other) => panic!("the witness is not in {other}"),
        };
        match message["type"].as_str().unwrap() {
            "chat" | "system" => {
                let seq = message["seq"].as_u64().unwrap();
                let next = self.next[room].get_or_insert(seq);
                assert_eq!(*next, seq, "no hole, none twice");
                *next += 1;
                self.heard[room].push(format!("{}: {}", message["sender"], message["content"]));
            }
            "welcome" | "joined" | "client_count" => {}
            other => panic!("the witness hears no {other}"),
        }
    }
}
