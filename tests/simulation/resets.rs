//! One conversation, reset at each of its bytes: whoever comes back with what it knows has everything.

use crate::{
    chronicle::Chronicle,
    client::{Client, Kind, Scene},
    dice::Dice,
    network::{Link, Wire},
};
use roomd::{
    hub::{Capacities, Hub, Identity, Now, Token},
    switchboard::{Query, Switchboard},
};
use std::{cell::Cell, rc::Rc};

/// Where the first connection is reset.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Up(usize),
    Down(usize),
}

struct Stage {
    now: Rc<Cell<u64>>,
    board: Switchboard<Wire>,
    chronicle: Chronicle,
    clients: Vec<Client>,
    tokens: u8,
}

const WITNESS: usize = 0;
const FRIEND: usize = 1;
const SUBJECT: usize = 2;

impl Stage {
    fn new() -> Self {
        let capacities = Capacities {
            clients: 4,
            rooms: 2,
            rooms_per_client: 2,
            log_bytes: 1 << 16,
            log_messages: 200,
            message_bytes: 2_048,
            outbox_messages: 16,
            outbox_bytes: 16_384,
            messages_per_second: 0,
            burst: 0,
            write_timeout_ms: 10_000,
            heartbeat_s: 20,
        };
        let identity = Identity { epoch: "epoch".try_into().unwrap(), seed: 1 };
        let kinds = [Kind::Witness, Kind::Prompt, Kind::Broken];
        let client = |(number, kind)| Client::new(number, kind, Dice::new(number as u64));
        Self {
            now: Rc::default(),
            board: Switchboard::new(Hub::new(capacities, identity), 8_192),
            chronicle: Chronicle::default(),
            clients: kinds.into_iter().enumerate().map(client).collect(),
            tokens: 0,
        }
    }

    fn connect(&mut self, at: usize, cut: Option<Cut>) {
        let query = Query::parse(&self.clients[at].query(true));
        let link = Link::new(self.now.clone(), Dice::new(7), usize::MAX);
        self.clients[at].begin(link.clone());
        {
            let mut link = link.borrow_mut();
            (link.delay_ms, link.faults) = (0, crate::network::Faults::default());
            (link.reset_after_up, link.reset_after_down) = (None, None);
            match cut {
                Some(Cut::Up(bytes)) => link.reset_after_up = Some(bytes),
                Some(Cut::Down(bytes)) => link.reset_after_down = Some(bytes),
                None => {}
            }
        }
        self.tokens += 1;
        let promise = self.board.reserve(query.resume).unwrap();
        let now = Now { ms: self.now.get(), unix_s: 0 };
        let token = Token::new([self.tokens; 16]);
        self.board.connect(promise, &query, token, Wire(link), &mut [], now).unwrap();
    }

    /// Everything that is said is heard.
    fn settle(&mut self) {
        for _ in 0..4 {
            let now = Now { ms: self.now.get(), unix_s: 0 };
            let links: Vec<_> = self.clients.iter().filter_map(|client| client.link.clone()).collect();
            for link in &links {
                link.borrow_mut().deliver();
            }
            let ready: Vec<_> = links.iter().filter_map(|link| link.borrow().ready()).collect();
            assert!(!self.board.round(&ready, now), "they are fewer than a round takes");
            assert_eq!(self.board.hub().audit(), Ok(()));
            for client in &mut self.clients {
                let chronicle = &mut self.chronicle;
                client.read(&mut Scene {
                    now_ms: now.ms,
                    since_last_ms: 0,
                    wall_s: 0,
                    is_calm: false,
                    chronicle,
                });
            }
        }
        self.now.set(self.now.get() + 10);
        self.board.tick(Now { ms: self.now.get(), unix_s: 0 });
    }

    /// Whether the subject had to come back.
    fn come_back(&mut self) -> bool {
        if self.clients[SUBJECT].link.is_some() {
            return false;
        }
        self.clients[FRIEND].chat(2, &mut self.chronicle);
        self.settle();
        self.connect(SUBJECT, None);
        self.settle();
        for room in self.clients[SUBJECT].known_rooms() {
            self.clients[SUBJECT].join_or_leave(&room);
        }
        self.settle();
        true
    }
}

/// Plays the conversation; whether it was cut.
fn play(cut: Cut) -> bool {
    let mut stage = Stage::new();
    for at in [WITNESS, FRIEND] {
        stage.connect(at, None);
        stage.settle();
    }
    stage.clients[FRIEND].join_or_leave("attic");
    stage.settle();
    stage.connect(SUBJECT, Some(cut));
    let mut was_cut = false;
    for step in 0..8 {
        match step {
            0 | 6 => stage.clients[SUBJECT].join_or_leave("attic"),
            3 => stage.clients[SUBJECT].join_or_leave("barn"),
            _ => stage.clients[SUBJECT].chat(1, &mut stage.chronicle),
        }
        stage.clients[FRIEND].chat(1, &mut stage.chronicle);
        stage.settle();
        was_cut |= stage.come_back();
    }
    stage.settle();
    let subject = &stage.clients[SUBJECT];
    assert!(subject.link.is_some() && subject.present().count() >= 1);
    for (room, book) in subject.present() {
        assert_eq!(book.last(), Some(stage.chronicle.head(&book.epoch)), "{cut:?}: not all of {room:?}");
    }
    assert_eq!(subject.sum.gaps, 0, "{cut:?}: all is kept");
    let whole: Vec<_> = stage.clients[WITNESS].present().map(|(_, book)| book.epoch.clone()).collect();
    stage.chronicle.check(&whole);
    was_cut
}

#[test]
fn a_reset_at_any_byte_loses_nothing_for_whoever_comes_back() {
    for way in [Cut::Up, Cut::Down] {
        let mut bytes = 0;
        while play(way(bytes)) {
            bytes += 1;
        }
        assert!(bytes > 300, "the conversation is longer than {bytes} bytes");
    }
}
