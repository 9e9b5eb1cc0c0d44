//! Method: two or three clients whose lines give and take what the test says. Whole runs over a network
//! that loses, delays and breaks are `tests/simulation/`.

use super::*;
use crate::hub::{Capacities, Identity, tests::tiny};
use std::{
    cell::RefCell,
    collections::VecDeque,
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

const NOW: Now = Now { ms: 0, unix_s: 1_000 };

/// The far end of a line.
#[derive(Debug, Default)]
struct Peer {
    said: VecDeque<u8>,
    heard: Vec<u8>,
    is_hung_up: bool,
    /// The next write, or else the next read, panics.
    fails_to_take: bool,
    fails_to_give: bool,
}

#[derive(Debug, Clone, Default)]
struct Cord(Rc<RefCell<Peer>>);

impl Line for Cord {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut peer = self.0.borrow_mut();
        assert!(!mem::take(&mut peer.fails_to_give), "a read fails");
        if peer.said.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        io::Read::read(&mut peer.said, buffer)
    }

    fn write(&mut self, pieces: [&[u8]; 2]) -> io::Result<usize> {
        let mut peer = self.0.borrow_mut();
        assert!(!mem::take(&mut peer.fails_to_take), "a write fails");
        peer.heard.extend(pieces.concat());
        Ok(pieces.concat().len())
    }

    fn watch(&mut self, _: ClientId) -> io::Result<()> {
        Ok(())
    }

    fn watch_room(&mut self, _: ClientId, _: bool) -> io::Result<()> {
        Ok(())
    }

    fn hang_up(self, last_words: Vec<u8>) {
        let mut peer = self.0.borrow_mut();
        peer.heard.extend(last_words);
        peer.is_hung_up = true;
    }
}

struct Desk {
    board: Switchboard<Cord>,
    tokens: u8,
}

impl Desk {
    fn new() -> Self {
        // One message is a quarter of the log, so everyone is written to after each.
        let capacities = Capacities { log_messages: 4, ..tiny() };
        let identity = Identity { epoch: "epoch".try_into().unwrap(), seed: 1 };
        Self { board: Switchboard::new(Hub::new(capacities, identity), 1 << 16), tokens: 0 }
    }

    fn connect(&mut self, query: &str, read_ahead: &[u8]) -> (Option<ClientId>, Cord) {
        let cord = Cord::default();
        self.board.reserve(None).unwrap();
        self.tokens += 1;
        let token = Token::new([self.tokens; 16]);
        let line = cord.clone();
        let connected = catch_unwind(AssertUnwindSafe(|| {
            self.board.connect(&Query::parse(query), token, line, &mut read_ahead.to_vec(), NOW)
        }));
        (connected.ok().map(Result::unwrap), cord)
    }

    /// One round in which these have something to read; whether it panicked.
    fn round(&mut self, ids: &[ClientId]) -> bool {
        let ready: Vec<_> = ids.iter().map(|&id| Ready { id, to_read: true, to_write: false }).collect();
        catch_unwind(AssertUnwindSafe(|| self.board.round(&ready, NOW))).is_err()
    }
}

fn said(cord: &Cord, text: &str) {
    cord.0.borrow_mut().said.extend(masked(text));
}

fn masked(text: &str) -> Vec<u8> {
    let len = u8::try_from(text.len()).unwrap();
    assert!(len < 126);
    [&[0x81, 0x80 | len, 0, 0, 0, 0], text.as_bytes()].concat()
}

fn heard(cord: &Cord) -> String {
    String::from_utf8_lossy(&cord.0.borrow().heard).into_owned()
}

#[test]
fn a_panic_while_reading_ends_that_client_alone_and_makes_the_buffer_anew() {
    let mut desk = Desk::new();
    let (aki, akis) = desk.connect("username=aki", b"");
    let (noor, noors) = desk.connect("username=noor", b"");
    let ids = [aki.unwrap(), noor.unwrap()];
    akis.0.borrow_mut().fails_to_give = true;
    said(&noors, "still here");
    assert!(desk.round(&ids));
    assert!(desk.board.buffer.is_empty(), "the panic carried it off");
    desk.board.recover(NOW).unwrap();
    assert!(akis.0.borrow().is_hung_up && heard(&akis).contains("The server failed"));
    assert!(!desk.round(&ids), "the others go on");
    assert!(!noors.0.borrow().is_hung_up && heard(&noors).contains("still here"));
}

#[test]
fn a_panic_while_writing_ends_whoever_was_written_to_and_whose_bytes_were_being_carried_out() {
    let mut desk = Desk::new();
    let (aki, akis) = desk.connect("username=aki", b"");
    let (_, noors) = desk.connect("username=noor", b"");
    let (_, kims) = desk.connect("username=kim", b"");
    noors.0.borrow_mut().fails_to_take = true;
    said(&akis, r#"{"type":"chat","content":"one"}"#);
    said(&akis, "two, which the panic carries off");
    assert!(desk.round(&[aki.unwrap()]));
    desk.board.recover(NOW).unwrap();
    // Whoever said something that was lost must not go on as if it had been heard.
    assert!(akis.0.borrow().is_hung_up && noors.0.borrow().is_hung_up);
    assert!(!kims.0.borrow().is_hung_up && heard(&kims).contains("one"));
}

#[test]
fn a_panic_at_the_first_bytes_ends_the_newcomer() {
    let mut desk = Desk::new();
    let (_, akis) = desk.connect("username=aki", b"");
    akis.0.borrow_mut().fails_to_take = true;
    let (noor, noors) = desk.connect("username=noor", &masked("lost"));
    assert_eq!(noor, None);
    desk.board.recover(NOW).unwrap();
    assert!(akis.0.borrow().is_hung_up && noors.0.borrow().is_hung_up);
}
