//! Clients of all kinds, which check what they are promised as they go.

use crate::{
    book::{Asked, Book, Sum},
    chronicle::Chronicle,
    dice::Dice,
    frames::{client_frame, server_frame},
    message::Message,
    network::{Faults, Shared},
};
use serde_json::json;
use std::collections::BTreeMap;

/// Rooms that the witness never leaves, and some that come and go.
pub(crate) const LASTING: [&str; 2] = ["attic", "barn"];
const ROOMS: [&str; 5] = ["attic", "barn", "cellar", "den", "eaves"];

/// How a client behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Comes first, is where it can hear everything, and stays.
    Witness,
    /// Reads at once, comes and goes between rooms.
    Prompt,
    /// Says hundreds of things in one breath.
    Storm,
    /// Reads a little at a time.
    Slow,
    /// Does not read at all for seconds.
    Stalling,
    /// Its network goes dark without a word.
    Silent,
    /// Its connections are reset at some byte.
    Broken,
    /// Goes in order or not, and comes back.
    Roaming,
    /// A device: rooms alone.
    Quiet,
    /// Sends what is not allowed.
    Rude,
}

impl Kind {
    pub(crate) const fn reads_at_once(self) -> bool {
        matches!(self, Self::Witness | Self::Prompt)
    }

    /// Those to whom hardly anything else is answered: no answer of theirs is ever dropped.
    const fn wants_acks(self) -> bool {
        matches!(self, Self::Prompt | Self::Roaming | Self::Broken)
    }

    const fn chats_in_a_thousand(self) -> usize {
        match self {
            Self::Witness | Self::Rude | Self::Quiet => 0,
            Self::Prompt | Self::Roaming => 8,
            Self::Storm | Self::Slow | Self::Stalling | Self::Silent | Self::Broken => 3,
        }
    }

    const fn comes_back(self) -> bool {
        matches!(self, Self::Slow | Self::Stalling | Self::Silent | Self::Broken | Self::Roaming)
    }
}

#[derive(Debug)]
enum Request {
    Join(Asked),
    Leave,
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) number: usize,
    pub(crate) kind: Kind,
    pub(crate) dice: Dice,
    pub(crate) link: Option<Shared>,
    /// When it connects, if it is not connected.
    pub(crate) back_at_ms: u64,
    stalls_until_ms: u64,
    inbox: Vec<u8>,
    is_closed: bool,
    connections: u64,
    chats: u64,
    name: Option<String>,
    token: Option<String>,
    /// The name that must be given back to it.
    promised: Option<String>,
    lobby: Asked,
    books: BTreeMap<String, Book>,
    requests: BTreeMap<String, Request>,
    /// Contents by room and id.
    unacknowledged: BTreeMap<String, String>,
    pub(crate) sum: Sum,
    pub(crate) count_heard: Option<usize>,
    pub(crate) heard_restarting: bool,
}

/// What a client sees of the world as it acts.
pub(crate) struct Scene<'a> {
    pub(crate) now_ms: u64,
    pub(crate) since_last_ms: u64,
    pub(crate) wall_s: u64,
    pub(crate) is_calm: bool,
    pub(crate) chronicle: &'a mut Chronicle,
}

impl Client {
    pub(crate) fn new(number: usize, kind: Kind, mut dice: Dice) -> Self {
        Self {
            number,
            kind,
            back_at_ms: if kind == Kind::Witness { 0 } else { dice.ms(1, 1_500) },
            dice,
            link: None,
            stalls_until_ms: 0,
            inbox: Vec::new(),
            is_closed: false,
            connections: 0,
            chats: 0,
            name: None,
            token: None,
            promised: None,
            lobby: Asked::Nothing,
            books: BTreeMap::new(),
            requests: BTreeMap::new(),
            unacknowledged: BTreeMap::new(),
            sum: Sum::default(),
            count_heard: None,
            heard_restarting: false,
        }
    }

    /// The query with which it connects. `may_be_promised` is whether its name is remembered for sure.
    pub(crate) fn query(&mut self, may_be_promised: bool) -> String {
        self.connections += 1;
        // Whoever comes back asks for another name, so that it can only have the old one by its token.
        let wanted = if self.token.is_some() { "again" } else { "c" };
        let mut query = format!("username={wanted}{}", self.number);
        self.lobby = Asked::Nothing;
        self.promised = None;
        if let Some(token) = self.token.take() {
            query.extend(["&resume=", &token]);
            self.promised = self.name.clone().filter(|_| may_be_promised);
            if let Some((epoch, last)) = self.position("") {
                query.extend(["&since=", &epoch, ":", &last.to_string()]);
                self.lobby = Asked::Since { epoch, seq: last };
            }
        } else if self.kind == Kind::Slow && self.dice.happens(500) {
            query += "&history=9";
            self.lobby = Asked::Last(9);
        }
        if self.kind == Kind::Quiet {
            query += "&quiet=1";
        }
        if matches!(self.kind, Kind::Witness | Kind::Quiet) {
            for room in LASTING {
                query.extend(["&room=", room]);
                self.requests.insert(room.to_owned(), Request::Join(Asked::Nothing));
            }
        }
        query
    }

    /// It is connected over this link.
    pub(crate) fn begin(&mut self, link: Shared) {
        {
            let mut link = link.borrow_mut();
            link.delay_ms = self.dice.ms(0, 30);
            link.faults = Faults { partial: 300, interrupted: 20, blocked: 20 };
            match self.kind {
                Kind::Witness | Kind::Prompt | Kind::Storm => link.faults.blocked = 0,
                Kind::Broken if self.dice.happens(500) => {
                    link.reset_after_up = Some(self.dice.between(1, 900));
                }
                Kind::Broken => link.reset_after_down = Some(self.dice.between(1, 9_000)),
                Kind::Slow | Kind::Stalling | Kind::Silent => link.window = self.dice.between(300, 6_000),
                Kind::Roaming | Kind::Quiet | Kind::Rude => {}
            }
        }
        self.link = Some(link);
    }

    /// It has no connection any more, as far as it knows.
    pub(crate) fn end(&mut self, now_ms: u64) {
        self.link = None;
        self.inbox.clear();
        self.is_closed = false;
        self.requests.clear();
        self.unacknowledged.clear();
        self.count_heard = None;
        self.books.values_mut().for_each(|book| book.is_member = false);
        if !self.kind.comes_back() {
            self.books.clear();
            self.token = None;
        }
        self.back_at_ms = now_ms + self.dice.ms(0, 4_000);
    }

    /// What it has of a room, if it can ask for the rest.
    fn position(&self, room: &str) -> Option<(String, u64)> {
        let book = self.books.get(room)?;
        Some((book.epoch.clone(), book.last()?))
    }

    /// Rooms that it knows, the lobby not among them.
    pub(crate) fn known_rooms(&self) -> Vec<String> {
        self.books.keys().filter(|room| !room.is_empty()).cloned().collect()
    }

    /// Whether everything that it asked for on this connection was answered.
    pub(crate) fn has_all_answers(&self) -> bool {
        self.link.is_none() || (self.requests.is_empty() && self.unacknowledged.is_empty())
    }

    /// Books of the rooms that it is in.
    pub(crate) fn present(&self) -> impl Iterator<Item = (&str, &Book)> {
        self.books.iter().filter(|(_, book)| book.is_member).map(|(room, book)| (room.as_str(), book))
    }

    fn send(&self, message: &serde_json::Value) {
        self.send_bytes(client_frame(0x81, message.to_string().as_bytes()));
    }

    fn send_bytes(&self, bytes: Vec<u8>) {
        if let Some(link) = &self.link {
            link.borrow_mut().send(bytes);
        }
    }

    /// Does one of the things that its kind does.
    pub(crate) fn act(&mut self, scene: &mut Scene<'_>) {
        if scene.is_calm || self.link.is_none() {
            return;
        }
        if self.dice.happens(self.kind.chats_in_a_thousand()) {
            self.chat(1, scene.chronicle);
        }
        if self.kind != Kind::Witness && self.kind != Kind::Rude && self.dice.happens(6) {
            let room = self.dice.pick(&ROOMS);
            self.join_or_leave(room);
        }
        let link = self.link.clone().unwrap();
        match self.kind {
            Kind::Storm if self.dice.happens(3) => {
                let count = self.dice.between(20, 150);
                self.chat(count, scene.chronicle);
            }
            Kind::Stalling if self.dice.happens(2) => {
                self.stalls_until_ms = scene.now_ms + self.dice.ms(500, 12_000);
            }
            Kind::Silent if self.dice.happens(1) => {
                link.borrow_mut().is_dark = true;
                // It notices, or is noticed first.
                self.end(scene.now_ms);
                self.back_at_ms += self.dice.ms(0, 8_000);
            }
            Kind::Roaming if self.dice.happens(2) => match self.dice.below(3) {
                0 => self.send_bytes(client_frame(0x88, &1000_u16.to_be_bytes())),
                1 => link.borrow_mut().close(),
                _ => link.borrow_mut().reset(),
            },
            Kind::Rude if self.dice.happens(8) => self.be_rude(),
            _ => {}
        }
    }

    /// Says so many things in one piece.
    pub(crate) fn chat(&mut self, count: usize, chronicle: &mut Chronicle) {
        let rooms: Vec<_> = self.present().map(|(room, _)| room.to_owned()).collect();
        let rooms: Vec<_> = rooms.into_iter().filter(|room| !self.requests.contains_key(room)).collect();
        if rooms.is_empty() {
            return;
        }
        let mut bytes = Vec::new();
        for _ in 0..count {
            self.chats += 1;
            let room = &rooms[self.dice.below(rooms.len())];
            let padding = "x".repeat(self.dice.pick(&[0, 3, 90, 130, 600]));
            let content = format!("c{}-{}.{} {padding}", self.number, self.connections, self.chats);
            let mut message = json!({"type": "chat", "room": room, "content": content});
            if let Some(name) = &self.name {
                chronicle.say(room, name, &content);
            }
            if count == 1 && self.kind.wants_acks() {
                message["id"] = self.chats.to_string().into();
                self.unacknowledged.insert(self.chats.to_string(), content);
            }
            if self.name.is_some() {
                bytes.extend(client_frame(0x81, message.to_string().as_bytes()));
            }
        }
        self.send_bytes(bytes);
    }

    /// Joins a room, or leaves it; of each room one request at a time.
    pub(crate) fn join_or_leave(&mut self, room: &str) {
        if self.requests.contains_key(room) || (self.name.is_none() && self.kind != Kind::Quiet) {
            return;
        }
        if self.books.get(room).is_some_and(|book| book.is_member) {
            self.requests.insert(room.to_owned(), Request::Leave);
            return self.send(&json!({"type": "leave_room", "room": room, "id": "request"}));
        }
        let mut message = json!({"type": "join_room", "room": room, "id": "request"});
        let asked = match self.position(room) {
            _ if self.kind.reads_at_once() => Asked::Nothing,
            Some((epoch, seq)) if self.kind == Kind::Broken || self.dice.happens(800) => {
                message["since"] = format!("{epoch}:{seq}").into();
                Asked::Since { epoch, seq }
            }
            _ if self.dice.happens(500) => {
                message["history"] = 5.into();
                Asked::Last(5)
            }
            _ => Asked::Nothing,
        };
        self.requests.insert(room.to_owned(), Request::Join(asked));
        self.send(&message);
    }

    fn be_rude(&mut self) {
        let bytes = match self.dice.below(8) {
            0 => vec![0x81, 0x02, b'h', b'i'],
            1 => vec![0xF1, 0x80, 0, 0, 0, 0],
            2 => client_frame(0x81, b"\xFF\xFE"),
            3 => vec![0x82, 0xFF, 0, 0, 0, 0, 0x7F, 0, 0, 0, 1, 2, 3, 4],
            4 => client_frame(0x01, b"begun and never ended"),
            5 => (0..self.dice.between(1, 99)).map(|_| u8::try_from(self.dice.below(256)).unwrap()).collect(),
            6 => client_frame(0x81, br#"{"type":"chat","room":"attic","content":"not a member"}"#),
            _ => client_frame(0x81, br#"{"type":"join_room","room":"\u0000"}"#).repeat(30),
        };
        self.send_bytes(bytes);
    }

    /// Reads what has come, as much as its kind reads.
    pub(crate) fn read(&mut self, scene: &mut Scene<'_>) {
        let Some(link) = self.link.clone() else { return };
        let stalls = scene.now_ms < self.stalls_until_ms;
        let most = match self.kind {
            _ if scene.is_calm => usize::MAX,
            Kind::Slow => usize::try_from(scene.since_last_ms).unwrap() * self.dice.below(3),
            Kind::Stalling if stalls => 0,
            _ => usize::MAX,
        };
        let bytes = link.borrow_mut().receive(most);
        self.inbox.extend(bytes);
        let inbox = std::mem::take(&mut self.inbox);
        let mut rest = &inbox[..];
        while let Some((opcode, payload, after)) = server_frame(rest) {
            rest = after;
            assert!(!self.is_closed, "nothing follows a close frame");
            match opcode {
                1 if self.kind == Kind::Rude => {
                    str::from_utf8(payload).expect("text is UTF-8");
                }
                1 => {
                    let text = str::from_utf8(payload).expect("text is UTF-8");
                    self.hear(&serde_json::from_str(text).expect("text is a message"), scene);
                }
                2 | 10 => assert_eq!(self.kind, Kind::Rude, "nobody else asked for it"),
                8 => self.is_closed = true,
                9 => self.send_bytes(client_frame(0x8A, payload)),
                other => panic!("opcode {other}"),
            }
        }
        self.inbox = rest.to_vec();
        if self.is_closed {
            link.borrow_mut().close();
        }
        if link.borrow().is_over() {
            self.end(scene.now_ms);
        }
    }

    fn hear(&mut self, message: &Message<'_>, scene: &mut Scene<'_>) {
        match message.kind {
            "welcome" => self.be_welcomed(message),
            "joined" => self.enter(message),
            "left" => {
                assert!(matches!(self.requests.remove(&*message.room), Some(Request::Leave)));
                let book = self.books.get_mut(&*message.room).expect("it was in the room");
                book.is_member = false;
                let last = book.last().expect("it knows of its own coming at least");
                scene.chronicle.leave(&book.epoch, last, self.name.as_deref());
            }
            "chat" | "system" => {
                let book = self.books.get_mut(&*message.room).filter(|book| book.is_member);
                let book = book.expect("only of rooms that it is in");
                book.message(message, &mut self.sum);
                let live = self.kind.reads_at_once().then_some(scene.now_ms);
                scene.chronicle.hear(&book.epoch, message, live);
                let said_now =
                    live.is_none() || message.kind == "system" || message.timestamp == scene.wall_s;
                assert!(said_now, "its time is the wall clock's");
            }
            "gap" => {
                assert!(!self.kind.reads_at_once(), "who reads at once misses nothing: {message:?}");
                let book = self.books.get_mut(&*message.room).filter(|book| book.is_member);
                let book = book.expect("only of rooms that it is in");
                book.gap(message, &mut self.sum);
            }
            "ack" => {
                let content = self.unacknowledged.remove(message.id.unwrap()).expect("it asked for it");
                let epoch = &self.books[&*message.room].epoch;
                scene.chronicle.acknowledge(epoch, message.seq.unwrap(), &content);
            }
            "error" => {
                let code = message.code.unwrap();
                assert!(["rate_limited", "rooms_full", "too_many_rooms"].contains(&code), "{message:?}");
                match message.id {
                    Some("request") => {
                        self.requests.remove(&*message.room).expect("it asked for it");
                    }
                    Some(id) => {
                        self.unacknowledged.remove(id).expect("it asked for it");
                    }
                    None => {}
                }
            }
            "client_count" => self.count_heard = Some(message.content.parse().unwrap()),
            "restarting" => self.heard_restarting = true,
            other => panic!("nobody asked for {other}"),
        }
    }

    fn be_welcomed(&mut self, welcome: &Message<'_>) {
        let name = welcome.username.unwrap();
        if let Some(promised) = self.promised.take() {
            assert_eq!(name, promised, "it gets its name back");
        }
        self.name = Some(name.to_owned());
        self.token = Some(welcome.resume.unwrap().to_owned());
        let own_line = Some(format!("{name} connected"));
        let book = Book::open(&self.lobby, welcome.epoch.unwrap(), None, own_line);
        self.books.insert(String::new(), book);
    }

    fn enter(&mut self, joined: &Message<'_>) {
        let Some(Request::Join(asked)) = self.requests.remove(&*joined.room) else {
            panic!("it did not ask to join: {joined:?}");
        };
        let own_line = self.name.as_ref().map(|name| format!("{name} joined the room"));
        let book = Book::open(&asked, joined.epoch.unwrap(), joined.seq, own_line);
        self.books.insert(joined.room.to_string(), book);
    }
}
