//! A run: the switchboard, its clients, the network between them, and time, all from one seed.

use crate::{
    chronicle::Chronicle,
    client::{Client, Kind, LASTING, Scene},
    dice::Dice,
    network::{Faults, Link, Shared, Thrown, Wire},
};
use roomd::{
    hub::{Capacities, Counter, Hub, Identity, Now, Promise, Token},
    protocol::frame::CloseCode,
    switchboard::{Query, Ready, RoundLimits, Switchboard},
};
use std::{
    cell::Cell,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
};

const RUN_MS: u64 = 30_000;
/// Longer than anything that is under way.
const CALM_MS: u64 = 12_000;
const TICK_MS: u64 = 100;
/// A busy machine is late by so much.
const TICK_LATE_MS: u64 = 40;
/// What is checked at a tick is late by a tick, and by a step of the simulation.
const SLACK_MS: u64 = TICK_MS + TICK_LATE_MS + STEP_MS;
const STEP_MS: u64 = 20;
/// The protocol's word for "soon" (what is state, or not anybody's message), on a busy machine.
const SOON_MS: u64 = 250 + TICK_LATE_MS + STEP_MS;
const HEARTBEAT_S: u64 = 4;
const GHOST_MS: u64 = HEARTBEAT_S * 1_500;
const WRITE_TIMEOUT_MS: u64 = 3_000;
const WALL_S: u64 = 1_800_000_000;

const KINDS: [(Kind, usize); 10] = [
    (Kind::Witness, 1),
    (Kind::Prompt, 3),
    (Kind::Storm, 1),
    (Kind::Slow, 3),
    (Kind::Stalling, 2),
    (Kind::Silent, 2),
    (Kind::Broken, 3),
    (Kind::Roaming, 3),
    (Kind::Quiet, 1),
    (Kind::Rude, 1),
];

/// In one of so many runs a crowd comes at once: more lines of the server than it writes in one moment.
const CROWD_EVERY: u64 = 20;
const CROWD: usize = 60;

/// Fewer places than clients, fewer rooms than names, logs of some size.
fn capacities(dice: &mut Dice, clients: usize) -> Capacities {
    Capacities {
        clients: clients - 2,
        rooms: 4,
        rooms_per_client: 3,
        log_bytes: dice.pick(&[8_192, 16_384, 65_536]),
        log_messages: dice.pick(&[4, 10, 48, 200]),
        message_bytes: 2_048,
        outbox_messages: 16,
        outbox_bytes: 16_384,
        messages_per_second: 50,
        burst: 100,
        write_timeout_ms: WRITE_TIMEOUT_MS,
        heartbeat_s: HEARTBEAT_S,
    }
}

/// What may differ between runs of one seed without any difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WallClock {
    Steady,
    /// By years and by seconds, forwards and backwards; to times with as many digits, as messages of other
    /// sizes would be cut elsewhere.
    Jumping,
}

/// What became of the connections of a kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) came: u64,
    pub(crate) endings: BTreeMap<u16, u64>,
}

/// A connection as the server has it.
#[derive(Debug)]
struct Held {
    kind: Kind,
    link: Shared,
}

/// A client whose request is under way.
#[derive(Debug)]
struct Handshake {
    due_ms: u64,
    client: usize,
    promise: Promise,
    query: Query,
    link: Shared,
}

pub(crate) struct World {
    now: Rc<Cell<u64>>,
    wall_s: u64,
    wall_clock: WallClock,
    dice: Dice,
    board: Switchboard<Wire>,
    pub(crate) clients: Vec<Client>,
    /// How many had disconnected when each client last connected.
    disconnected: Vec<u64>,
    handshakes: Vec<Handshake>,
    held: Vec<Held>,
    /// Who was ready a while ago: some are gone by now, and others are in their places.
    found: Vec<Ready>,
    pub(crate) chronicle: Chronicle,
    pub(crate) fates: BTreeMap<Kind, Fate>,
    pub(crate) thrown: u64,
    throws: bool,
    tick_due_ms: u64,
    tokens: u64,
    /// How often the number of clients has changed, and when it last did.
    changes: (u64, u64),
    is_calm: bool,
}

impl World {
    /// One whole run, checked from its beginning to its end.
    pub(crate) fn run(seed: u64, wall_clock: WallClock) -> Self {
        let mut world = Self::new(seed, wall_clock);
        while world.now.get() < RUN_MS {
            world.step();
        }
        world.calm_down();
        world.stop();
        world
    }

    fn new(seed: u64, wall_clock: WallClock) -> Self {
        let mut dice = Dice::new(seed);
        let identity = Identity { epoch: "epoch".try_into().unwrap(), seed };
        let crowd = if seed.is_multiple_of(CROWD_EVERY) { CROWD } else { 0 };
        let kinds =
            KINDS.into_iter().chain([(Kind::Prompt, crowd)]).flat_map(|(kind, count)| vec![kind; count]);
        let mut clients: Vec<_> =
            kinds.enumerate().map(|(number, kind)| Client::new(number, kind, dice.another())).collect();
        if crowd > 0 {
            for client in clients.iter_mut().filter(|client| client.kind != Kind::Witness) {
                client.back_at_ms = dice.ms(1, 20);
            }
        }
        let capacities = capacities(&mut dice, clients.len());
        let limits = RoundLimits { clients: dice.pick(&[1, 5, 256]), bytes: dice.pick(&[1, 1_000, 1 << 20]) };
        Self {
            now: Rc::default(),
            wall_s: WALL_S,
            wall_clock,
            board: Switchboard::new(Hub::new(capacities, identity), 8_192).with_round_limits(limits),
            disconnected: vec![0; clients.len()],
            clients,
            handshakes: Vec::new(),
            held: Vec::new(),
            found: Vec::new(),
            chronicle: Chronicle::default(),
            fates: KINDS.iter().map(|(kind, _)| (*kind, Fate::default())).collect(),
            thrown: 0,
            throws: dice.happens(250),
            tick_due_ms: 0,
            tokens: 0,
            changes: (0, 0),
            is_calm: false,
            dice,
        }
    }

    pub(crate) fn counter(&self, counter: Counter) -> u64 {
        self.board.hub().counters().get(counter)
    }

    fn now(&self) -> Now {
        Now { ms: self.now.get(), unix_s: self.wall_s }
    }

    fn step(&mut self) {
        let passed = self.dice.ms(1, STEP_MS);
        self.now.set(self.now.get() + passed);
        self.turn_the_wall_clock();
        if self.found.is_empty() {
            self.found = self.ready();
        }
        self.connect_clients();
        self.act(passed, Client::act);
        if !self.is_calm && self.dice.happens(1) {
            self.cut_the_power();
        }
        for held in &self.held {
            held.link.borrow_mut().deliver();
        }
        if self.throws && self.dice.happens(3) {
            self.throw();
        }
        for _ in 0..self.dice.below(3) {
            self.round();
            self.act(0, |client, scene| {
                if client.kind.reads_at_once() {
                    client.read(scene);
                }
            });
        }
        if self.tick_due_ms <= self.now.get() {
            self.tick_due_ms = self.now.get() + TICK_MS + self.dice.ms(0, TICK_LATE_MS);
            self.board.tick(self.now());
        }
        self.act(passed, Client::read);
        self.bury();
        self.check();
    }

    fn turn_the_wall_clock(&mut self) {
        let jump = self
            .dice
            .happens(5)
            .then(|| self.dice.pick(&[WALL_S / 3 * 2, WALL_S - 1, WALL_S + 3_600, WALL_S * 2]));
        if let Some(wall_s) = jump.filter(|_| self.wall_clock == WallClock::Jumping) {
            self.wall_s = wall_s;
        }
    }

    fn act(&mut self, since_last_ms: u64, mut act: impl FnMut(&mut Client, &mut Scene<'_>)) {
        let (now_ms, wall_s, is_calm) = (self.now.get(), self.wall_s, self.is_calm);
        for client in &mut self.clients {
            let chronicle = &mut self.chronicle;
            act(client, &mut Scene { now_ms, since_last_ms, wall_s, is_calm, chronicle });
        }
    }

    /// All who roam lose their connections at once, and come back at once.
    fn cut_the_power(&mut self) {
        let now = self.now.get();
        for client in self.clients.iter_mut().filter(|client| client.kind == Kind::Roaming) {
            if let Some(link) = client.link.clone() {
                link.borrow_mut().reset();
                client.end(now);
                client.back_at_ms = now;
            }
        }
    }

    // Coming.

    fn connect_clients(&mut self) {
        let now = self.now.get();
        for at in 0..self.clients.len() {
            let waits = self.handshakes.iter().any(|handshake| handshake.client == at);
            let client = &self.clients[at];
            if client.link.is_none() && client.back_at_ms <= now && !waits && !self.is_calm {
                self.ask_to_connect(at);
            }
        }
        for handshake in
            self.handshakes.extract_if(.., |handshake| handshake.due_ms <= now).collect::<Vec<_>>()
        {
            self.connect(handshake);
        }
    }

    fn ask_to_connect(&mut self, at: usize) {
        // So many as are remembered at least, less those whose connections are not known to be gone.
        let gone = self.counter(Counter::Disconnected) - self.disconnected[at];
        let query = self.clients[at].query(gone < self.board.hub().capacities().clients as u64 / 2);
        let query = Query::parse(&query);
        let now = self.now.get();
        let Ok(promise) = self.board.reserve(query.resume) else {
            self.clients[at].end(now);
            return;
        };
        let link = Link::new(self.now.clone(), self.dice.another(), 1 << 20);
        let due_ms = now + if self.clients[at].kind == Kind::Witness { 0 } else { self.dice.ms(0, 40) };
        self.handshakes.push(Handshake { due_ms, client: at, promise, query, link });
    }

    fn connect(&mut self, handshake: Handshake) {
        let Handshake { client: at, promise, query, link, .. } = handshake;
        let client = &mut self.clients[at];
        if self.dice.happens(20) && client.kind != Kind::Witness {
            // It came to nothing.
            self.board.give_back(promise);
            return client.end(self.now.get());
        }
        link.borrow_mut().heard_ms = self.now.get();
        link.borrow_mut().cannot_be_watched = self.dice.happens(3) && client.kind != Kind::Witness;
        client.begin(link.clone());
        let fate = self.fates.get_mut(&client.kind).unwrap();
        fate.came += 1;
        self.held.push(Held { kind: client.kind, link: link.clone() });
        self.disconnected[at] = self.counter(Counter::Disconnected);
        self.tokens += 1;
        let mut token = [0; 16];
        for half in token.chunks_mut(8) {
            half.copy_from_slice(&self.tokens.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        }
        // Full if it was promised a place that its former self has given up meanwhile.
        let _ = self.board.connect(promise, &query, Token::new(token), Wire(link), &mut [], self.now());
    }

    // Serving.

    fn ready(&mut self) -> Vec<Ready> {
        let mut ready: Vec<_> = self.held.iter().filter_map(|held| held.link.borrow().ready()).collect();
        self.dice.shuffle(&mut ready);
        ready
    }

    /// The reactor finds some of those who are ready, in any order, or serves those whom it found a while ago;
    /// and looks again while anyone is due.
    fn round(&mut self) {
        let mut is_more_due = true;
        while is_more_due {
            let is_late = self.dice.happens(60);
            let mut ready = if is_late { std::mem::take(&mut self.found) } else { self.ready() };
            if self.dice.happens(200) && !self.is_calm {
                ready.truncate(self.dice.below(ready.len() + 1));
            }
            is_more_due = self.board.round(&ready, self.now());
        }
        if self.dice.happens(200) {
            assert_eq!(self.board.hub().audit(), Ok(()));
        }
    }

    /// How many were ended because the server failed, and how many for any reason but a lost connection: those
    /// may have been lost for a while, and are found as they are written to.
    fn ended(&self) -> [u64; 2] {
        let all = self.counter(Counter::Disconnected) - self.counter(Counter::Lost);
        [self.counter(Counter::Failed), all]
    }

    /// The server fails while it reads from one client or writes to another.
    fn throw(&mut self) {
        let mut unlucky: Vec<_> = self.held.iter().filter(|held| held.kind != Kind::Witness).collect();
        self.dice.shuffle(&mut unlucky);
        unlucky.truncate(2);
        let ready: Vec<_> = unlucky.iter().filter_map(|held| held.link.borrow().ready()).collect();
        if let Some(held) = unlucky.first() {
            held.link.borrow_mut().throws = true;
        }
        let [failed, ended] = self.ended();
        let now = self.now();
        let served = catch_unwind(AssertUnwindSafe(|| self.board.round(&ready, now)));
        let is_more_due = served.unwrap_or_else(|panic| {
            if !panic.is::<Thrown>() {
                resume_unwind(panic);
            }
            self.thrown += 1;
            self.board.recover(now).expect("the hub is in order after a panic of the network");
            let after = self.ended();
            assert!(after[0] <= failed + 2 && after[1] <= ended + 3, "few are ended by a panic");
            false
        });
        self.held.iter().for_each(|held| held.link.borrow_mut().throws = false);
        if is_more_due {
            self.round();
        }
    }

    // Going.

    /// Takes note of the connections that have ended.
    fn bury(&mut self) {
        let now = self.now.get();
        for held in self.held.extract_if(.., |held| held.link.borrow().ended.is_some()) {
            let link = held.link.borrow();
            let code = link.ended.unwrap();
            *self.fates.get_mut(&held.kind).unwrap().endings.entry(code).or_default() += 1;
            match code {
                4002 => {
                    let since = link.refused_ms.expect("it had refused");
                    assert!(now - since >= WRITE_TIMEOUT_MS, "ended for not reading, too early");
                }
                4003 => assert!(now - link.heard_ms >= GHOST_MS, "ended for silence, too early"),
                1002 | 1007 | 1009 => assert_eq!(held.kind, Kind::Rude, "its bytes were in order"),
                1011 => assert!(self.thrown > 0),
                0 | 1000 | 1005 | 1008 | 1013 | 4001 => {}
                1012 => assert!(self.is_calm),
                other => panic!("close code {other}"),
            }
            let may_end = !held.kind.reads_at_once() || matches!(code, 1011..=1013);
            assert!(may_end, "{:?} ended with {code}", held.kind);
        }
    }

    /// What must hold at any time.
    fn check(&mut self) {
        let (hub, now) = (self.board.hub(), self.now.get());
        for held in &self.held {
            let link = held.link.borrow();
            let silent = now - link.heard_ms;
            assert!(silent <= GHOST_MS + SLACK_MS, "a ghost: {:?}, silent for {silent} ms", held.kind);
            let Some(id) = link.watched_as else { continue };
            assert_eq!(link.is_watched_for_room, hub.is_blocked(id), "only who is blocked is told of room");
            if hub.is_blocked(id) {
                let refused = now - link.refused_ms.expect("it is blocked because it refused");
                let name = hub.name(id);
                assert!(refused <= WRITE_TIMEOUT_MS + SLACK_MS, "{name:?} takes nothing for {refused} ms");
            }
        }
        let changes = self.counter(Counter::Connected) + self.counter(Counter::Disconnected);
        if self.changes.0 != changes {
            self.changes = (changes, now);
        }
        if now > self.changes.1 + SOON_MS {
            for client in self.clients.iter().filter(|client| client.kind.reads_at_once()) {
                let (heard, name) = (client.count_heard, client.number);
                let knows = heard.is_none_or(|count| count == hub.client_count());
                assert!(knows, "c{name} has not heard the count for long: {heard:?}");
            }
        }
        assert!(self.chronicle.chat_lag_ms.values().all(|lag| *lag == 0), "nobody waits for anybody");
        assert!(self.chronicle.line_lag_ms.values().all(|lag| *lag <= SOON_MS), "lines come soon");
    }

    fn steps(&mut self, count: usize) {
        for _ in 0..count {
            self.step();
        }
    }

    // The end.

    /// Nobody does anything any more; whoever is still there takes everything, and must have everything.
    fn calm_down(&mut self) {
        self.is_calm = true;
        for held in &self.held {
            let mut link = held.link.borrow_mut();
            (link.window, link.reset_after_up, link.reset_after_down) = (usize::MAX, None, None);
        }
        let end = self.now.get() + CALM_MS;
        while self.now.get() < end {
            self.step();
        }
        // The last of the faults could be the last of the steps.
        for held in &self.held {
            held.link.borrow_mut().faults = Faults::default();
        }
        self.steps(20);
        assert_eq!(self.board.hub().waiting(), 0, "everything is delivered");
        for client in &self.clients {
            assert!(client.has_all_answers(), "never silence: {client:?}");
            for (room, book) in client.present() {
                let head = self.chronicle.head(&book.epoch);
                assert_eq!(book.last(), Some(head), "c{} has not all of {room:?}", client.number);
            }
        }
        let witness = &self.clients[0];
        let whole: Vec<_> = witness.present().map(|(_, book)| book.epoch.clone()).collect();
        assert_eq!(whole.len(), 1 + LASTING.len(), "the witness stays");
        self.chronicle.check(&whole);
        let settled = [Counter::Delivered, Counter::Missed, Counter::Discarded];
        let settled: u64 = settled.into_iter().map(|counter| self.counter(counter)).sum();
        assert_eq!(self.counter(Counter::Owed), settled, "what was owed is accounted for");
        let received: u64 = self.clients.iter().map(|client| client.sum.delivered).sum();
        assert!(received <= self.counter(Counter::Delivered), "nobody receives what was not delivered");
    }

    /// The server stops in order.
    fn stop(&mut self) {
        self.board.announce_restart(self.now());
        self.steps(20);
        assert_eq!(self.board.hub().waiting(), 0, "all have heard that the server restarts");
        let present: Vec<_> = self.clients.iter().filter(|client| client.link.is_some()).collect();
        let told = |client: &&&Client| !matches!(client.kind, Kind::Quiet | Kind::Rude);
        assert!(present.iter().filter(told).all(|client| client.heard_restarting));
        self.board.end_all(CloseCode::Restart, "The server restarts.", self.now());
        self.steps(20);
        let hub = self.board.hub();
        assert_eq!((hub.client_count(), self.held.len(), self.board.inbound_bytes()), (0, 0, 0));
        assert!(self.clients.iter().all(|client| client.link.is_none()), "all have heard the end");
        assert_eq!(self.counter(Counter::Connected), self.counter(Counter::Disconnected));
        assert_eq!(hub.audit(), Ok(()));
    }
}
