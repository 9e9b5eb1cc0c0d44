//! What the kernel alone costs: the least program that `roomd bench` can measure.
//!
//! ```sh
//! cargo bench --bench floor -- [--coalesce] [--listen 127.0.0.1:8090]
//! ```
//!
//! It speaks just enough WebSocket: it upgrades whoever asks, and writes every text message that
//! anyone sends to everyone who came with the same query, as bytes prepared once. There are no names,
//! limits, or bounds on memory; a socket that takes no more has its bytes kept. With `--coalesce` all that
//! one read brought goes out in one write for each client, without it each message has a write of its own.
//! A server is as good as it is close to this, and can be better than the second of them.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    env,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use roomd::protocol::{
    Event, InboundBudget, Reader,
    frame::{Opcode, header},
    handshake::accept_key,
};
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
};

/// What the listener is called among the sockets.
const LISTENER: u64 = u64::MAX;
const MESSAGE_BYTES_MAX: usize = 512 << 10;

struct Client {
    stream: TcpStream,
    reader: Reader,
    /// Where it is, once it is upgraded.
    room: Option<usize>,
    /// What its socket did not take, and how much of that it took since.
    owed: Vec<u8>,
    taken: usize,
}

struct Floor {
    epoll: std::os::fd::OwnedFd,
    clients: Vec<Option<Client>>,
    /// By the query that leads into each; whoever is gone stays listed.
    rooms: Vec<(String, Vec<usize>)>,
    coalesces: bool,
    /// Finished frames of one read, and where each ends.
    frames: Vec<u8>,
    ends: Vec<usize>,
    budget: InboundBudget,
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let after = |flag: &str| arguments.iter().skip_while(|argument| *argument != flag).nth(1);
    let address = after("--listen").map_or("127.0.0.1:8090", String::as_str);
    let listener = TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    let mut floor = Floor {
        epoll: epoll::create(CreateFlags::CLOEXEC).unwrap(),
        clients: Vec::new(),
        rooms: Vec::new(),
        coalesces: arguments.iter().any(|argument| argument == "--coalesce"),
        frames: Vec::new(),
        ends: Vec::new(),
        budget: InboundBudget::new(64 << 20),
    };
    floor.serve(&listener);
}

impl Floor {
    fn serve(&mut self, listener: &TcpListener) {
        epoll::add(&self.epoll, listener, EventData::new_u64(LISTENER), EventFlags::IN).unwrap();
        let mut events = Vec::with_capacity(1_024);
        let mut buffer = vec![0; 64 << 10];
        loop {
            events.clear();
            let _ = epoll::wait(&self.epoll, spare_capacity(&mut events), None);
            for event in &events {
                let (data, flags) = (event.data.u64(), event.flags);
                if data == LISTENER {
                    self.accept(listener);
                    continue;
                }
                let index = usize::try_from(data).unwrap();
                if flags.contains(EventFlags::OUT) {
                    self.write(index, 0..0);
                }
                if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                    self.read(index, &mut buffer);
                }
            }
        }
    }

    fn accept(&mut self, listener: &TcpListener) {
        while let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(true).unwrap();
            stream.set_nodelay(true).unwrap();
            let next = EventData::new_u64(self.clients.len() as u64);
            epoll::add(&self.epoll, &stream, next, EventFlags::IN).unwrap();
            let client = Client { stream, reader: Reader::new(), room: None, owed: Vec::new(), taken: 0 };
            self.clients.push(Some(client));
        }
    }

    fn read(&mut self, index: usize, buffer: &mut [u8]) {
        let Some(client) = &mut self.clients[index] else { return };
        match client.stream.read(buffer) {
            Ok(0) => self.clients[index] = None,
            Ok(taken) if client.room.is_some() => self.receive(index, &mut buffer[..taken]),
            Ok(taken) => self.upgrade(index, &String::from_utf8_lossy(&buffer[..taken])),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => self.clients[index] = None,
        }
    }

    fn receive(&mut self, index: usize, mut bytes: &mut [u8]) {
        let Some(client) = &mut self.clients[index] else { return };
        self.frames.clear();
        self.ends.clear();
        loop {
            let before = bytes.len();
            let Ok((taken, event)) = client.reader.read(bytes, MESSAGE_BYTES_MAX, &mut self.budget) else {
                self.clients[index] = None;
                return;
            };
            if let Some(Event::Text(text)) = event {
                self.frames.extend_from_slice(&header(Opcode::Text, text.len()));
                self.frames.extend_from_slice(text.as_bytes());
                self.ends.push(self.frames.len());
            }
            if before == 0 || taken == before {
                break;
            }
            bytes = &mut std::mem::take(&mut bytes)[taken..];
        }
        if let Some(room) = client.room {
            self.broadcast(room);
        }
    }

    fn broadcast(&mut self, room: usize) {
        let members = std::mem::take(&mut self.rooms[room].1);
        if self.coalesces {
            for &member in &members {
                self.write(member, 0..self.frames.len());
            }
        } else {
            let mut start = 0;
            for end in std::mem::take(&mut self.ends) {
                for &member in &members {
                    self.write(member, start..end);
                }
                start = end;
            }
        }
        self.rooms[room].1 = members;
    }

    /// Writes this part of the frames, behind what is owed; without a part, what is owed.
    fn write(&mut self, index: usize, part: std::ops::Range<usize>) {
        let Some(client) = self.clients[index].as_mut() else { return };
        let was_owed = !client.owed.is_empty();
        if was_owed && part.is_empty() {
            client.taken += client.stream.write(&client.owed[client.taken..]).unwrap_or(0);
            if client.taken == client.owed.len() {
                client.owed.clear();
                client.taken = 0;
            }
        } else if was_owed {
            client.owed.extend_from_slice(&self.frames[part]);
        } else if !part.is_empty() {
            let taken = client.stream.write(&self.frames[part.clone()]).unwrap_or(0);
            client.owed.extend_from_slice(&self.frames[part.start + taken..part.end]);
        }
        let owes = !client.owed.is_empty();
        if owes != was_owed {
            let flags = if owes { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            let _ = epoll::modify(&self.epoll, &client.stream, EventData::new_u64(index as u64), flags);
        }
    }

    fn upgrade(&mut self, index: usize, request: &str) {
        let Some(client) = &mut self.clients[index] else { return };
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let accept = accept_key(key.unwrap_or_default());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        let _ = client.stream.write_all(answer.as_bytes());
        let query = request.split([' ', '?']).nth(2).unwrap_or_default();
        let room = self.rooms.iter().position(|(room, _)| room == query).unwrap_or(self.rooms.len());
        if room == self.rooms.len() {
            self.rooms.push((query.to_owned(), Vec::new()));
        }
        client.room = Some(room);
        self.rooms[room].1.push(index);
    }
}
