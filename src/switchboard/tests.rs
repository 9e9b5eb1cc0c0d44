//! Method: two or three clients whose lines give and take what the test says. Whole runs over a network
//! that loses, delays and breaks are `tests/simulation/`.

use super::*;
use crate::hub::{Capacities, Identity, tests::tiny};
use std::{
    cell::RefCell,
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

const NOW: Now = Now { ms: 0, unix_s: 1_000 };
/// Who was not heard since [`NOW`] is gone.
const LATER: Now = Now { ms: 30_000, unix_s: 1_030 };

/// The far end of a line.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
struct Peer {
    said: VecDeque<u8>,
    heard: Vec<u8>,
    writes: usize,
    is_hung_up: bool,
    is_over: bool,
    /// The next write, or else the next read, panics.
    fails_to_take: bool,
    fails_to_give: bool,
    /// Writing tells that the line has broken.
    is_broken: bool,
}

#[derive(Debug, Clone, Default)]
struct Cord(Rc<RefCell<Peer>>);

impl Line for Cord {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut peer = self.0.borrow_mut();
        assert!(!mem::take(&mut peer.fails_to_give), "a read fails");
        if peer.said.is_empty() && !peer.is_over {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        io::Read::read(&mut peer.said, buffer)
    }

    fn write(&mut self, pieces: [&[u8]; 2]) -> io::Result<usize> {
        let mut peer = self.0.borrow_mut();
        assert!(!mem::take(&mut peer.fails_to_take), "a write fails");
        if peer.is_broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        peer.heard.extend(pieces.concat());
        peer.writes += 1;
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
        Self::with_log(4, RoundLimits::default())
    }

    fn with_log(log_messages: usize, limits: RoundLimits) -> Self {
        Self::of(Capacities { clients: 12, log_messages, ..tiny() }, limits)
    }

    fn of(capacities: Capacities, limits: RoundLimits) -> Self {
        let identity = Identity { epoch: "epoch".try_into().unwrap(), seed: 1 };
        let board = Switchboard::new(Hub::new(capacities, identity), 1 << 16);
        Self { board: board.with_round_limits(limits), tokens: 0 }
    }

    fn connect(&mut self, query: &str, read_ahead: &[u8]) -> (Option<ClientId>, Cord) {
        let cord = Cord::default();
        let promise = self.board.reserve(None).unwrap();
        self.tokens += 1;
        let token = Token::new([self.tokens; 16]);
        let line = cord.clone();
        let connected = catch_unwind(AssertUnwindSafe(|| {
            self.board.connect(promise, &Query::parse(query), token, line, &mut read_ahead.to_vec(), NOW)
        }));
        (connected.ok().map(Result::unwrap), cord)
    }

    /// One round in which these have something to read: whether more is due, if it did not panic.
    fn round(&mut self, ids: &[ClientId]) -> Option<bool> {
        let ready: Vec<_> = ids.iter().map(|&id| Ready { id, to_read: true, to_write: false }).collect();
        catch_unwind(AssertUnwindSafe(|| self.board.round(&ready, NOW))).ok()
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
    assert_eq!(desk.round(&ids), None);
    assert!(desk.board.buffer.is_empty(), "the panic carried it off");
    desk.board.recover(NOW).unwrap();
    assert!(akis.0.borrow().is_hung_up && heard(&akis).contains("The server failed"));
    assert_eq!(desk.round(&ids), Some(false), "the others go on");
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
    assert_eq!(desk.round(&[aki.unwrap()]), None);
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

/// Three clients, who have not been written to since they came.
struct Three {
    desk: Desk,
    ids: [ClientId; 3],
    cords: [Cord; 3],
}

impl Three {
    fn new(log_messages: usize, limits: RoundLimits) -> Self {
        let mut desk = Desk::with_log(log_messages, limits);
        let [(aki, akis), (noor, noors), (kim, kims)] =
            ["username=aki", "username=noor", "username=kim"].map(|query| desk.connect(query, b""));
        let cords = [akis, noors, kims];
        for cord in &cords {
            cord.0.borrow_mut().writes = 0;
        }
        Self { desk, ids: [aki, noor, kim].map(Option::unwrap), cords }
    }

    fn says(&self, client: usize) {
        said(&self.cords[client], r#"{"type":"chat","content":"hi"}"#);
    }

    /// One round: whether more was due, and how often each has been written to by then.
    fn round(&mut self, ready: &[ClientId]) -> (Option<bool>, [usize; 3]) {
        let is_more_due = self.desk.round(ready);
        (is_more_due, [0, 1, 2].map(|client: usize| self.cords[client].0.borrow().writes))
    }
}

/// The first speaks, then the second, each in a round of its own.
fn two_rounds(log_messages: usize, limits: RoundLimits) -> [(Option<bool>, [usize; 3]); 2] {
    let mut three = Three::new(log_messages, limits);
    [0, 1].map(|client| {
        three.says(client);
        three.round(&[three.ids[client]])
    })
}

#[test]
fn a_round_writes_to_so_many_clients_and_the_next_one_goes_on_with_the_others() {
    let of = |clients| two_rounds(100, RoundLimits { clients, bytes: usize::MAX });
    assert_eq!(of(4), [(Some(false), [1, 1, 1]), (Some(false), [2, 2, 2])]);
    assert_eq!(of(3), [(Some(true), [1, 1, 1]), (Some(true), [2, 2, 2])], "that no more is due is seen next");
    assert_eq!(of(2), [(Some(true), [1, 1, 0]), (Some(true), [2, 1, 1])], "kim gets both in one write");
    assert_eq!(of(1), [(Some(true), [1, 0, 0]), (Some(true), [1, 1, 0])]);
}

#[test]
fn a_round_writes_so_many_bytes_and_the_next_one_goes_on_with_the_others() {
    let mut desk = Desk::with_log(100, RoundLimits::default());
    let (aki, akis) = desk.connect("username=aki", b"");
    let before = akis.0.borrow().heard.len();
    said(&akis, r#"{"type":"chat","content":"hi"}"#);
    desk.round(&[aki.unwrap()]);
    let message = akis.0.borrow().heard.len() - before;

    let of = |bytes| two_rounds(100, RoundLimits { clients: 9, bytes })[0];
    assert_eq!(of(message - 1), (Some(true), [1, 0, 0]));
    assert_eq!(of(message), (Some(true), [1, 0, 0]));
    assert_eq!(of(message + 1), (Some(true), [1, 1, 0]));
    assert_eq!(of(3 * message + 1), (Some(false), [1, 1, 1]));
}

#[test]
fn everyone_is_served_before_a_log_runs_over_however_little_a_round_may_write() {
    let rounds = two_rounds(4, RoundLimits { clients: 1, bytes: 1 });
    assert_eq!(rounds, [(Some(false), [1, 1, 1]), (Some(false), [2, 2, 2])]);
}

/// The first says so many things that come in one read, each an eighth of a log; in the second round nothing
/// comes.
fn said_at_once(messages: usize) -> [(Option<bool>, [usize; 3]); 2] {
    let mut three = Three::new(8, RoundLimits::default());
    (0..messages).for_each(|_| three.says(0));
    let aki = three.ids[0];
    [three.round(&[aki]), three.round(&[])]
}

#[test]
fn what_comes_after_everyone_has_had_a_turn_waits_for_one_look_who_has_more_to_say() {
    assert_eq!(said_at_once(2), [(Some(false), [1, 1, 1]), (Some(false), [1, 1, 1])]);
    assert_eq!(said_at_once(3), [(Some(false), [1, 1, 1]), (Some(false), [1, 1, 1])], "three eighths");
    assert_eq!(said_at_once(4), [(Some(true), [1, 1, 1]), (Some(false), [2, 2, 2])]);
    assert_eq!(said_at_once(6), [(Some(false), [2, 2, 2]), (Some(false), [2, 2, 2])], "three and three");
}

/// A dozen are here; whoever stays of them hears that the others went, and misses nothing.
fn the_others_go(go: impl FnOnce(&mut Desk, &[(Option<ClientId>, Cord)])) {
    let mut desk = Desk::new();
    let (aki, akis) = desk.connect("username=aki", b"");
    let others: Vec<_> = (1..12).map(|n| desk.connect(&format!("username=noor{n}"), b"")).collect();
    desk.board.hub.heard(aki.unwrap(), LATER);
    go(&mut desk, &others);
    let heard = heard(&akis);
    for n in 1..12 {
        assert!(heard.contains(&format!("noor{n} disconnected")), "{heard}");
    }
    assert!(!heard.contains("missing"), "{heard}");
}

#[test]
fn when_many_are_found_gone_in_one_round_the_log_is_read_in_time() {
    the_others_go(|desk, others| {
        for (_, cord) in others {
            cord.0.borrow_mut().is_over = true;
        }
        desk.round(&others.iter().filter_map(|(id, _)| *id).collect::<Vec<_>>());
    });
}

#[test]
fn when_many_are_found_gone_in_one_tick_the_log_is_read_in_time() {
    the_others_go(|desk, _| {
        for ms in (NOW.ms..=LATER.ms).step_by(100) {
            desk.board.tick(Now { ms, ..LATER });
        }
    });
}

#[test]
fn when_many_are_found_gone_by_writing_the_log_is_read_in_time() {
    the_others_go(|desk, others| {
        for (_, cord) in others {
            cord.0.borrow_mut().is_broken = true;
        }
        let (first, cord) = &others[0];
        said(cord, r#"{"type":"chat","content":"news"}"#);
        assert_eq!(desk.round(&[first.unwrap()]), Some(false));
    });
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap();
    let short = u8::try_from(len).ok().filter(|&len| len < 126);
    let len = short.map_or_else(|| [&[0xFE][..], &len.to_be_bytes()].concat(), |len| vec![0x80 | len]);
    [&[first], &len[..], &[0; 4], payload].concat()
}

/// A message in two fragments of which the second comes behind a ping, where an outbox is as large as a
/// message: whether the client has its echo.
fn is_echoed_in_whole(first: usize) -> bool {
    let capacities = Capacities { message_bytes: 4_096, outbox_bytes: 4_096, ..tiny() };
    let mut desk = Desk::of(capacities, RoundLimits::default());
    let (aki, akis) = desk.connect("username=aki", b"");
    akis.0.borrow_mut().said.extend(frame(0x02, &vec![b'a'; first]));
    desk.round(&[aki.unwrap()]);
    akis.0.borrow_mut().said.extend([frame(0x89, b"there?"), frame(0x80, b"!")].concat());
    desk.round(&[aki.unwrap()]);
    let heard = heard(&akis);
    assert!(heard.contains("there?"));
    heard.ends_with("aa!") && !heard.contains("too_slow")
}

#[test]
fn a_message_in_parts_comes_back_in_whole_to_whoever_reads() {
    // Pong and echo fill the outbox up to one byte, fill it, and are one byte too many; a message is full.
    for first in [4_082, 4_083, 4_084, 4_095] {
        assert!(is_echoed_in_whole(first), "{first}");
    }
}

#[test]
fn whoever_asks_for_many_rooms_while_it_connects_is_told_of_each() {
    // An outbox holds four messages.
    for rooms in [3, 4, 5, 40] {
        let capacities = Capacities { rooms, rooms_per_client: rooms, ..tiny() };
        let mut desk = Desk::of(capacities, RoundLimits::default());
        let query: Vec<_> = (0..rooms).map(|room| format!("room=room{room}")).collect();
        let (_, akis) = desk.connect(&format!("username=aki&{}", query.join("&")), b"");
        let heard = heard(&akis);
        assert_eq!(heard.matches("You joined room").count(), rooms, "{heard}");
        assert!(!heard.contains("too_slow"), "{heard}");
    }
}

#[test]
fn whoever_asks_for_rooms_that_it_cannot_have_causes_no_write_for_each() {
    let mut desk = Desk::of(Capacities { outbox_messages: 16, ..tiny() }, RoundLimits::default());
    let (_, akis) = desk.connect(&format!("username=aki{}", "&room=%20".repeat(900)), b"");
    let heard = heard(&akis);
    assert_eq!(heard.matches("bad_room_name").count(), 900);
    assert!(!heard.contains("too_slow"));
    assert!(akis.0.borrow().writes < 100, "{}", akis.0.borrow().writes);
}

#[test]
fn what_could_not_be_read_in_a_query_is_told_behind_however_many_rooms() {
    let mut desk = Desk::new();
    let (_, akis) = desk.connect("username=aki&room=%20&room=%20&room=%20&room=%20&since=7", b"");
    let heard = heard(&akis);
    assert_eq!(heard.matches("bad_room_name").count(), 4, "{heard}");
    assert!(heard.contains("Give `since` as EPOCH:SEQ") && !heard.contains("too_slow"), "{heard}");
}

#[test]
fn what_is_told_late_of_who_was_there_before_takes_nothing_from_who_is_there_now() {
    let mut desk = Desk::new();
    let (aki, akis) = desk.connect("username=aki", b"");
    akis.0.borrow_mut().is_over = true;
    desk.round(&[aki.unwrap()]);
    let (noor, noors) = desk.connect("username=noor", b"");
    assert_eq!(noor.unwrap().index(), aki.unwrap().index(), "she has his place");
    said(&noors, r#"{"type":"chat","content":"heard"}"#);
    desk.round(&[aki.unwrap()]);
    assert!(!noors.0.borrow().is_hung_up && !heard(&noors).contains("heard"));
    desk.round(&[noor.unwrap()]);
    assert!(heard(&noors).contains("heard"));
}
