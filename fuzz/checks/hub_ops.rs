//! The hub against a naive model, for any sequence of operations.
//!
//! Method: bytes become operations on a hub with three clients and two rooms. The model keeps every
//! log whole and knows who is where. Each client's bytes are read from the hub in pieces of any size,
//! as a slow socket would take them, and put together to frames. What must hold:
//!
//! - No silent hole: what a client receives of a room, and the gaps it is told, are all messages from
//!   its joining on, in order, none twice; and they begin where it asked.
//! - One order: message `n` of a life of a log is the same for everyone, and is what the model has.
//! - A client that reads at once is told of no gap but those of its own asking.
//! - Whoever leaves has everything, or a gap for it, before `left`.
//! - The bytes are whole frames, up to and with the close frame.
//! - What was owed was delivered, declared missing, discarded, or waits (the hub's own audit).

use crate::frames::server_frame;
use roomd::{
    hub::{Capacities, ClientId, Counter, Ending, Hello, Hub, Identity, Now, Token},
    protocol::{
        frame::CloseCode,
        message::{self, Position, Replay},
    },
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const CLIENTS: usize = 3;
const ROOMS: [&str; 4] = ["", "a", "b", "c"];
const KEPT: u64 = 4;
const OPERATIONS_MAX: usize = 300;

/// Roomy enough that no answer is ever dropped: the model could not follow a client that was not told
/// what it joined. Dropping has tests of its own.
fn capacities() -> Capacities {
    Capacities {
        clients: CLIENTS,
        rooms: 2,
        rooms_per_client: 2,
        log_bytes: 8_192,
        log_messages: usize::try_from(KEPT).unwrap(),
        message_bytes: 1_024,
        outbox_messages: 64,
        outbox_bytes: 1 << 20,
        messages_per_second: 0,
        burst: 0,
        write_timeout_ms: 10_000,
        heartbeat_s: 20,
    }
}

pub(crate) fn check(data: &[u8]) {
    let mut world = World::new();
    for bytes in data.chunks_exact(4).take(OPERATIONS_MAX) {
        world.step([bytes[0], bytes[1], bytes[2], bytes[3]]);
        world.hub.audit().unwrap();
    }
    world.finish();
}

struct World {
    hub: Hub,
    now: Now,
    tokens: u8,
    /// The lives of the logs, by epoch: each message's kind and text.
    logs: BTreeMap<String, Vec<(String, String)>>,
    /// The epoch of each room that the model thinks exists, and its members by number of peer.
    rooms: BTreeMap<&'static str, ModelRoom>,
    emptied: u64,
    lives: u64,
    peers: Vec<Peer>,
}

#[derive(Default)]
struct ModelRoom {
    epoch: String,
    members: BTreeSet<usize>,
    emptied: u64,
}

/// A client's end of the line.
struct Peer {
    id: Option<ClientId>,
    name: String,
    token: Token,
    quiet: bool,
    /// Takes everything at once.
    prompt: bool,
    inbox: Vec<u8>,
    closed: bool,
    /// Things said since it last took everything.
    unanswered: u8,
    /// Its rooms; it leaves them in this order when it goes.
    places: [Option<&'static str>; 2],
    /// What it expects of each room that it was told it is in.
    reading: BTreeMap<&'static str, Reading>,
    /// What it was promised, in order, for each room: where its next life there begins, and ends.
    promises: BTreeMap<&'static str, VecDeque<Promise>>,
}

struct Promise {
    epoch: String,
    joined_seq: u64,
    /// A gap of its own asking, and the first message after it.
    gap: Option<(u64, u64, &'static str)>,
    start: u64,
    /// The last message before it left; `None` while it is there.
    end: Option<u64>,
}

struct Reading {
    epoch: String,
    next: u64,
    gap: Option<(u64, u64, &'static str)>,
}

impl World {
    fn new() -> Self {
        let identity = Identity { epoch: "epoch".try_into().unwrap(), seed: 7 };
        let mut world = Self {
            hub: Hub::new(capacities(), identity),
            now: Now { ms: 0, unix_s: 0 },
            tokens: 0,
            logs: BTreeMap::new(),
            rooms: BTreeMap::new(),
            emptied: 0,
            lives: 0,
            peers: Vec::new(),
        };
        world.begin_room("");
        world
    }

    fn step(&mut self, [what, who, a, b]: [u8; 4]) {
        let present: Vec<usize> =
            (0..self.peers.len()).filter(|&peer| self.peers[peer].id.is_some()).collect();
        let peer = present.get(usize::from(who) % CLIENTS).copied();
        match (what % 10, peer) {
            (0, _) | (_, None) => self.connect(a, b),
            (1, Some(peer)) if a % 4 == 0 => self.disconnect(peer, b),
            (1..=3, Some(peer)) => self.chat(peer, a, b),
            (4, Some(peer)) => self.join(peer, ROOMS[1 + usize::from(a % 3)], b),
            (5, Some(peer)) => self.leave(peer, ROOMS[1 + usize::from(a % 3)]),
            (6, Some(peer)) => self.ask(peer, a, b),
            (7, _) => self.pass(u64::from(a) * 8),
            (_, Some(peer)) => self.drain(peer, usize::from(a) * usize::from(b % 8)),
        }
        self.settle();
    }

    /// In the end everyone takes everything, and must have everything.
    fn finish(&mut self) {
        for peer in 0..self.peers.len() {
            self.drain(peer, usize::MAX);
        }
        self.settle();
        for peer in 0..self.peers.len() {
            self.drain(peer, usize::MAX);
        }
        for peer in self.peers.iter().filter(|peer| peer.id.is_some()) {
            assert!(peer.inbox.is_empty(), "{} has a part of a frame", peer.name);
            for (room, reading) in &peer.reading {
                let head = self.logs[&reading.epoch].len() as u64;
                assert_eq!(reading.next, head + 1, "{} has not all of {room:?}", peer.name);
            }
        }
        assert_eq!(self.hub.waiting(), 0);
        self.hub.audit().unwrap();
        let counters = self.hub.counters();
        assert_eq!(counters.get(Counter::AnswersDropped), 0, "the model could not have followed");
    }

    // What clients do.

    fn connect(&mut self, a: u8, b: u8) {
        let known: Vec<Token> = self.peers.iter().map(|peer| peer.token).collect();
        let resume = (a & 1 == 1).then(|| known.get(usize::from(b) % (known.len() + 1)).copied()).flatten();
        self.tokens = self.tokens.wrapping_add(1);
        let mut random = [self.tokens; 16];
        random[0] = u8::try_from(self.peers.len() / 256).unwrap_or(0);
        let token = Token::new(random);
        if known.contains(&token) {
            return;
        }
        let Ok(promise) = self.hub.reserve(resume) else { return };
        let ghost = self.peers.iter().position(|peer| peer.id.is_some() && resume == Some(peer.token));
        if let Some(ghost) = ghost {
            self.model_gone(ghost);
        }
        let quiet = a & 2 == 2;
        let username = ["aki", "aki", "", "System", "b\u{202E}ob"][usize::from(b) % 5];
        let before = self.head("");
        let replay = self.replay("", a >> 3, b);
        let hello = Hello { username, quiet, resume, token, replay: replay.clone() };
        let id = self.hub.connect(promise, &hello, self.now).expect("a place was reserved");
        let name = self.hub.name(id).unwrap().to_owned();
        assert!(!name.is_empty() && !name.eq_ignore_ascii_case("system"));
        assert!(
            self.peers
                .iter()
                .all(|peer| peer.id.is_none() || peer.name != name || resume == Some(peer.token))
        );
        self.append("", "system", format!("{name} connected"));
        self.peers.push(Peer {
            id: Some(id),
            name,
            token,
            quiet,
            prompt: a & 4 == 4,
            inbox: Vec::new(),
            closed: false,
            unanswered: 0,
            places: [None; 2],
            reading: BTreeMap::new(),
            promises: BTreeMap::new(),
        });
        if !quiet {
            self.promise(self.peers.len() - 1, "", before, &replay);
        }
    }

    fn disconnect(&mut self, peer: usize, how: u8) {
        let ending = match how % 3 {
            0 => Ending::Lost,
            1 => Ending::Said(Some(1000)),
            _ => Ending::By(CloseCode::NotReadable, "test"),
        };
        let id = self.peers[peer].id.unwrap();
        self.model_gone(peer);
        self.hub.end(id, ending, self.now);
    }

    fn chat(&mut self, peer: usize, a: u8, b: u8) {
        let room = ROOMS[usize::from(a % 4)];
        let content =
            format!("{}{}", "x".repeat(usize::from(b)), self.logs.values().map(Vec::len).sum::<usize>());
        self.say(peer, &json!({"type": "chat", "room": room, "content": content, "id": "i"}));
        let is_member =
            self.rooms.get(room).is_some_and(|found| room.is_empty() || found.members.contains(&peer));
        if is_member {
            self.append(room, "chat", content);
        }
    }

    fn join(&mut self, peer: usize, room: &'static str, b: u8) {
        let replay = self.replay(room, b % 4, b / 4);
        let mut message = json!({"type": "join_room", "room": room});
        match &replay {
            Replay::None => {}
            Replay::Last(count) => message["history"] = (*count).into(),
            Replay::Since(position) => {
                message["since"] = format!("{}:{}", position.epoch, position.seq).into();
            }
        }
        self.say(peer, &message);

        let is_member = self.rooms.get(room).is_some_and(|room| room.members.contains(&peer));
        let joined =
            self.rooms.iter().filter(|(name, room)| !name.is_empty() && room.members.contains(&peer)).count();
        if is_member || joined == capacities().rooms_per_client || !self.make_room(room) {
            return;
        }
        let vacant = self.peers[peer].places.iter_mut().find(|place| place.is_none());
        *vacant.expect("it is in fewer rooms than it may be") = Some(room);
        let (before, name) = (self.head(room), self.peers[peer].name.clone());
        self.append(room, "system", format!("{name} joined the room"));
        self.promise(peer, room, before, &replay);
    }

    fn leave(&mut self, peer: usize, room: &'static str) {
        self.say(peer, &json!({"type": "leave_room", "room": room}));
        let is_member = self.rooms.get(room).is_some_and(|room| room.members.contains(&peer));
        if is_member {
            let head = self.head(room);
            let promises = self.peers[peer].promises.entry(room).or_default();
            promises.back_mut().expect("it joined").end = Some(head);
            self.model_leave(peer, room);
        }
    }

    fn ask(&mut self, peer: usize, a: u8, b: u8) {
        let message = match a % 5 {
            0 => json!({"type": "list_rooms"}),
            1 => json!({"type": "list_members", "room": ROOMS[usize::from(b % 4)]}),
            2 => json!({"type": "ping"}),
            3 => json!({"type": "chat", "content": b}),
            _ => json!({"type": "something else", "content": "y".repeat(usize::from(b))}),
        };
        self.say(peer, &message);
    }

    fn pass(&mut self, ms: u64) {
        self.now.ms += ms;
        for peer in self.peers.iter().filter_map(|peer| peer.id) {
            self.hub.heard(peer, self.now);
        }
        // Whoever does not take a byte for the write timeout is ended; the model must know first.
        for peer in 0..self.peers.len() {
            self.drain(peer, 1);
        }
        while self.hub.tick(self.now) {
            self.settle();
        }
    }

    fn say(&mut self, peer: usize, message: &Value) {
        self.peers[peer].unanswered += 1;
        if self.peers[peer].unanswered > 25 {
            self.drain(peer, usize::MAX);
            self.peers[peer].unanswered = 0;
        }
        let (text, id) = (message.to_string(), self.peers[peer].id.unwrap());
        self.hub.receive(id, &text, &message::parse(&text), self.now);
    }

    // The sockets.

    /// Prompt clients take everything as soon as it is due; the others only what `drain` lets them.
    fn settle(&mut self) {
        self.say_goodbye();
        while let Some(id) = self.hub.next_due() {
            let peer = self
                .peers
                .iter()
                .position(|peer| peer.id == Some(id))
                .expect("a client that is due is there");
            if self.peers[peer].prompt {
                self.drain(peer, usize::MAX);
            } else {
                self.hub.block(id, self.now);
            }
        }
    }

    fn drain(&mut self, peer: usize, mut bytes: usize) {
        let Some(id) = self.peers[peer].id else { return };
        if self.hub.is_blocked(id) {
            self.hub.unblock(id);
        }
        while let Some(pieces) = self.hub.pending(id, self.now) {
            let pieces = pieces.concat();
            assert!(!pieces.is_empty(), "what is pending is something");
            let taken = pieces.len().min(bytes);
            bytes -= taken;
            if taken == 0 {
                self.hub.block(id, self.now);
                break;
            }
            self.peers[peer].inbox.extend_from_slice(&pieces[..taken]);
            if !self.hub.sent(id, taken, self.now) {
                assert_eq!(self.hub.pending(id, self.now), None, "that was all");
            }
        }
        self.read_inbox(peer);
    }

    fn say_goodbye(&mut self) {
        while let Some(departure) = self.hub.next_departure() {
            let peer = self
                .peers
                .iter()
                .position(|peer| peer.id == Some(departure.id))
                .expect("whoever goes was there");
            if !departure.last_words.is_empty() {
                self.peers[peer].inbox.extend_from_slice(&departure.last_words);
                self.read_inbox(peer);
                assert!(
                    self.peers[peer].closed && self.peers[peer].inbox.is_empty(),
                    "it ends with a close frame"
                );
            }
            self.peers[peer].id = None;
        }
    }

    fn read_inbox(&mut self, peer: usize) {
        let inbox = std::mem::take(&mut self.peers[peer].inbox);
        let mut rest = &inbox[..];
        while let Some((opcode, payload, after)) = server_frame(rest) {
            rest = after;
            assert!(!self.peers[peer].closed, "nothing follows a close frame");
            match opcode {
                1 => self.hear(peer, &serde_json::from_slice(payload).expect("text is JSON")),
                8 => self.peers[peer].closed = true,
                9 => {}
                other => panic!("opcode {other}"),
            }
        }
        self.peers[peer].inbox = rest.to_vec();
    }

    // What clients hear, against the model.

    fn hear(&mut self, peer: usize, message: &Value) {
        let room = ROOMS
            .into_iter()
            .find(|room| *room == message["room"].as_str().unwrap_or(""))
            .expect("a known room");
        match message["type"].as_str().unwrap() {
            "welcome" => self.start(peer, "", message),
            "joined" if !self.peers[peer].reading.contains_key(room) => self.start(peer, room, message),
            "left" => {
                let promise = self.peers[peer].promises.get_mut(room).unwrap().pop_front().unwrap();
                let reading = self.peers[peer].reading.remove(room).expect("it was there");
                assert_eq!(Some(reading.next - 1), promise.end, "everything or a gap before `left`");
            }
            "chat" | "system" => self.check_message(peer, room, message),
            "gap" => self.check_gap(peer, room, message),
            "client_count" => assert!(!self.peers[peer].quiet),
            _ => {}
        }
    }

    fn start(&mut self, peer: usize, room: &'static str, message: &Value) {
        let peer = &mut self.peers[peer];
        let promise = peer.promises.get(room).and_then(VecDeque::front).expect("it was let in");
        assert_eq!(message["epoch"], promise.epoch.as_str());
        if !room.is_empty() {
            assert_eq!(message["seq"], promise.joined_seq);
        }
        let reading = Reading { epoch: promise.epoch.clone(), next: promise.start, gap: promise.gap };
        assert!(peer.reading.insert(room, reading).is_none());
    }

    fn check_message(&mut self, peer: usize, room: &'static str, message: &Value) {
        let peer = &mut self.peers[peer];
        let reading = peer.reading.get_mut(room).expect("only of rooms that it is in");
        assert!(reading.gap.is_none(), "{}: the gap comes before what is left", peer.name);
        let seq = message["seq"].as_u64().unwrap();
        assert_eq!(seq, reading.next, "{} in {room:?}: no hole, none twice", peer.name);
        reading.next += 1;
        let (kind, content) = &self.logs[&reading.epoch][usize::try_from(seq - 1).unwrap()];
        assert_eq!(
            (message["type"].as_str().unwrap(), message["content"].as_str().unwrap()),
            (kind.as_str(), content.as_str())
        );
    }

    fn check_gap(&mut self, peer: usize, room: &'static str, message: &Value) {
        let peer = &mut self.peers[peer];
        let reading = peer.reading.get_mut(room).expect("only of rooms that it is in");
        let (from, to) = (message["from"].as_u64().unwrap(), message["to"].as_u64().unwrap());
        assert_eq!(message["missed"].as_u64().unwrap(), to + 1 - from);
        let reason = message["reason"].as_str().unwrap();
        if let Some(asked) = reading.gap.take() {
            assert_eq!((from, to, reason), asked);
            return;
        }
        assert!(!peer.prompt, "{} reads at once", peer.name);
        assert_eq!((from, reason), (reading.next, "slow"));
        assert!(from <= to && to <= self.logs[&reading.epoch].len() as u64);
        reading.next = to + 1;
    }

    // The model.

    fn begin_room(&mut self, room: &'static str) {
        let epoch = format!("epoch-{}", self.lives);
        self.lives += 1;
        self.logs.insert(epoch.clone(), Vec::new());
        self.rooms.insert(room, ModelRoom { epoch, ..ModelRoom::default() });
    }

    /// Two rooms and the lobby; the one that is empty for longest gives way.
    fn make_room(&mut self, room: &'static str) -> bool {
        if self.rooms.contains_key(room) {
            return true;
        }
        if self.rooms.len() == 3 {
            let empty = self.rooms.iter().filter(|(name, room)| !name.is_empty() && room.members.is_empty());
            let Some(oldest) = empty.min_by_key(|(_, room)| room.emptied).map(|(name, _)| *name) else {
                return false;
            };
            self.rooms.remove(oldest);
        }
        self.begin_room(room);
        true
    }

    fn head(&self, room: &str) -> u64 {
        self.rooms.get(room).map_or(0, |room| self.logs[&room.epoch].len() as u64)
    }

    fn append(&mut self, room: &str, kind: &str, content: String) {
        let log = self.logs.get_mut(&self.rooms[room].epoch).unwrap();
        log.push((kind.to_owned(), content));
    }

    /// Something of the past to ask for: nothing, some, from a position, or from one that never was.
    fn replay(&self, room: &str, kind: u8, b: u8) -> Replay<'static> {
        let epoch = self.rooms.get(room).map_or_else(|| "epoch-99".to_owned(), |room| room.epoch.clone());
        let seq = u64::from(b) % (self.head(room) + 2);
        match kind % 4 {
            0 => Replay::None,
            1 => Replay::Last(u64::from(b % 8)),
            2 => Replay::Since(Position { epoch: epoch.into(), seq }),
            _ => Replay::Since(Position { epoch: "other".into(), seq }),
        }
    }

    /// What a client is owed that comes into a room now. `before` is the head without its own line.
    fn promise(&mut self, peer: usize, room: &'static str, before: u64, replay: &Replay<'_>) {
        let tail = (before + 1).saturating_sub(KEPT - 1).max(1);
        let model = self.rooms.get_mut(room).unwrap();
        model.members.insert(peer);
        let (start, gap) = match replay {
            Replay::None => (before + 1, None),
            Replay::Last(count) => ((before + 1).saturating_sub(*count).max(tail), None),
            Replay::Since(since) if since.epoch == model.epoch.as_str() && since.seq <= before => {
                let wanted = since.seq + 1;
                (wanted.max(tail), (wanted < tail).then_some((wanted, tail - 1, "expired")))
            }
            Replay::Since(_) => (tail, Some((1, tail - 1, "restart"))),
        };
        let promise = Promise { epoch: model.epoch.clone(), joined_seq: before, gap, start, end: None };
        self.peers[peer].promises.entry(room).or_default().push_back(promise);
    }

    fn model_leave(&mut self, peer: usize, room: &'static str) {
        for place in self.peers[peer].places.iter_mut().filter(|place| **place == Some(room)) {
            *place = None;
        }
        let model = self.rooms.get_mut(room).unwrap();
        model.members.remove(&peer);
        if model.members.is_empty() {
            self.emptied += 1;
            model.emptied = self.emptied;
        }
        let name = self.peers[peer].name.clone();
        self.append(room, "system", format!("{name} left the room"));
    }

    /// It leaves its rooms, in the order in which it has them, then everyone is told.
    fn model_gone(&mut self, peer: usize) {
        for room in self.peers[peer].places.into_iter().flatten() {
            self.model_leave(peer, room);
        }
        self.rooms.get_mut("").unwrap().members.remove(&peer);
        let name = self.peers[peer].name.clone();
        self.append("", "system", format!("{name} disconnected"));
    }
}
