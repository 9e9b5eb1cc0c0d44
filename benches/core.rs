//! The core under a counter of instructions: what a message costs in roomd's own code.
//!
//! ```sh
//! scripts/count-instructions            # all of it, beside the budget
//! cargo bench --bench core -- deliver-100 1000
//! ```
//!
//! It runs one scenario so many times and prints nothing; without a scenario it lists them. What it costs is
//! counted from outside, and as the difference of two runs, so that the start of the process and of the
//! scenario are not in it. Everything is the same in each run: the hub has no clock and no randomness.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{env, hint::black_box};

use roomd::{
    hub::{Capacities, ClientId, Ending, Hello, Hub, Identity, Now, Token},
    protocol::{
        InboundBudget, Reader,
        message::{self, Replay},
    },
};

/// A message as a device sends it; the content is 128 bytes.
const CHAT: &str = "{\"type\":\"chat\",\"room\":\"\",\"content\":\"\
    21.5 degrees outside, 19.0 inside; the door is shut, the lamp is on, and \
    nobody has come by since half past seven in the morn.\"}";
/// Joins within a millisecond of a storm.
const JOINS_PER_MS: u64 = 20;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let [scenario, times] = &arguments[..] else {
        return print_scenarios();
    };
    let (name, size) = scenario.split_once('-').unwrap_or((scenario, "0"));
    let (size, times) = (size.parse().expect("a size"), times.parse().expect("how many times"));
    match name {
        "parse" => parse(times),
        "read" => read(times),
        "publish" => publish(size, times),
        "deliver" => deliver(size, times),
        "catchup" => catch_up(size, times),
        "rooms" => rooms(size, times),
        "storm" => storm(size, times),
        _ => panic!("there is no {scenario}; see the list that comes without a scenario"),
    }
}

/// Name, how often the script runs it, and what one time is.
fn print_scenarios() {
    println!("parse 1000 a chat message of 128 bytes is parsed");
    println!("read 1000 its masked frame is read out of a buffer");
    println!("publish-1000 200 it is published to a thousand members whose sockets take nothing");
    for members in [10, 100, 1_000, 5_000, 10_000] {
        println!("deliver-{members} 10 it is published to {members} members, each takes it in one write");
    }
    println!("catchup-30 100 thirty messages are published, one member takes them in one write");
    for rooms in [1, 16, 256] {
        println!("rooms-{rooms} 10 it is published in {rooms} rooms of 20 and taken by all");
    }
    for clients in [100, 1_000, 5_000] {
        println!("storm-{clients} 1 {clients} come within {} ms, then go", clients / JOINS_PER_MS);
    }
}

fn parse(times: usize) {
    for _ in 0..times {
        black_box(message::parse(black_box(CHAT))).request.as_ref().unwrap();
    }
}

fn read(times: usize) {
    let mask = [7, 11, 13, 17];
    let len = u8::try_from(CHAT.len()).expect("below 256");
    let mut frame = vec![0x81, 0x80 | 0x7e, 0, len];
    frame.extend(mask);
    frame.extend(CHAT.bytes().zip(mask.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
    let (mut reader, mut budget) = (Reader::new(), InboundBudget::new(1 << 20));
    let mut buffer = frame.clone();
    for _ in 0..times {
        buffer.copy_from_slice(&frame);
        let (taken, event) = reader.read(&mut buffer, 64 << 10, &mut budget).unwrap();
        assert!(taken == frame.len() && event.is_some());
    }
}

fn publish(members: usize, times: usize) {
    let mut desk = Desk::new(members, 0);
    for id in desk.clients.clone() {
        desk.hub.block(id, desk.now);
    }
    for _ in 0..times {
        desk.say(0, CHAT);
    }
}

fn deliver(members: usize, times: usize) {
    let mut desk = Desk::new(members, 0);
    for _ in 0..times {
        desk.say(0, CHAT);
        desk.settle();
    }
}

fn catch_up(messages: usize, times: usize) {
    let mut desk = Desk::new(1, 0);
    for _ in 0..times {
        (0..messages).for_each(|_| desk.say(0, CHAT));
        desk.settle();
    }
}

fn rooms(rooms: usize, times: usize) {
    const MEMBERS: usize = 20;
    let mut desk = Desk::new(rooms * MEMBERS, rooms);
    let said: Vec<String> =
        (0..rooms).map(|room| CHAT.replace("\"room\":\"\"", &format!("\"room\":\"r{room:03}\""))).collect();
    for client in 0..rooms * MEMBERS {
        let join = format!("{{\"type\":\"join_room\",\"room\":\"r{:03}\"}}", client / MEMBERS);
        desk.say(client, &join);
        desk.settle();
    }
    desk.wait();
    for _ in 0..times {
        for (room, said) in said.iter().enumerate() {
            desk.say(room * MEMBERS, said);
        }
        desk.settle();
    }
}

fn storm(clients: usize, times: usize) {
    for _ in 0..times {
        let mut desk = Desk::new(0, 0);
        for number in 0..clients as u64 {
            desk.pass_to(number / JOINS_PER_MS);
            desk.connect();
        }
        desk.wait();
        for (number, id) in (0..).zip(desk.clients.clone()) {
            desk.pass_to(2_000 + number / JOINS_PER_MS);
            desk.hub.end(id, Ending::Lost, desk.now);
            desk.settle();
        }
    }
}

/// A hub, and sockets that take everything.
struct Desk {
    hub: Hub,
    clients: Vec<ClientId>,
    now: Now,
}

impl Desk {
    fn new(clients: usize, rooms: usize) -> Self {
        let capacities = Capacities {
            clients: 10_000,
            rooms: rooms.max(1),
            rooms_per_client: 8,
            log_bytes: 256 << 10,
            log_messages: 1_024,
            message_bytes: 64 << 10,
            outbox_messages: 16,
            outbox_bytes: 64 << 10,
            messages_per_second: 0,
            burst: 0,
            write_timeout_ms: 10_000,
            heartbeat_s: 20,
        };
        let identity = Identity { epoch: "counted".try_into().unwrap(), seed: 1 };
        let now = Now { ms: 0, unix_s: 1_800_000_000 };
        let mut desk = Self { hub: Hub::new(capacities, identity), clients: Vec::new(), now };
        (0..clients).for_each(|_| desk.connect());
        desk.wait();
        desk
    }

    fn connect(&mut self) {
        // Spread as random ones are: the hub finds clients by a part of it.
        let token = (self.clients.len() as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let username = format!("client {}", self.clients.len());
        let hello = Hello {
            username: &username,
            quiet: false,
            resume: None,
            token: Token::new(token.to_be_bytes()),
            replay: Replay::None,
        };
        let promise = self.hub.reserve(None).unwrap();
        self.clients.push(self.hub.connect(promise, &hello, self.now).unwrap());
        self.settle();
    }

    fn say(&mut self, client: usize, text: &str) {
        self.hub.receive(self.clients[client], text, &message::parse(text), self.now);
        if self.hub.is_urgent() {
            self.settle();
        }
    }

    /// Whoever is due takes everything.
    fn settle(&mut self) {
        loop {
            while let Some(gone) = self.hub.next_departure() {
                black_box(gone);
            }
            let Some(id) = self.hub.next_due() else { break };
            while let Some([head, tail]) = self.hub.pending(id, self.now) {
                let taken = black_box(head).len() + black_box(tail).len();
                if !self.hub.sent(id, taken, self.now) {
                    break;
                }
            }
        }
    }

    /// The hub hears of the time ten times a second.
    fn pass_to(&mut self, ms: u64) {
        let is_tick = ms / 100 > self.now.ms / 100;
        self.now.ms = ms;
        if is_tick {
            while self.hub.tick(self.now) {
                self.settle();
            }
            self.settle();
        }
    }

    /// Until nothing waits any more.
    fn wait(&mut self) {
        (0..3).for_each(|_| self.pass_to(self.now.ms + 100));
    }
}
