//! The connections of a run: one thread, one buffer to read into, no waiting for any single one.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::fd::OwnedFd,
};

use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime},
};

use super::{
    failure::Failure,
    frames::{Frames, OPCODE_PING, pong},
    target::{HANDSHAKES, answer, ask},
};
use crate::limits::MESSAGE_BYTES_MAX;

/// Takes the largest frame, behind a part of which it was kept.
const BUFFER_BYTES: usize = 2 * MESSAGE_BYTES_MAX;
/// Sockets that one wait tells of.
const EVENTS_MAX: usize = 1_024;
/// What the kernel keeps for a client that does not read, and for one that does again.
const PAUSED_RECEIVE_BYTES: usize = 4 << 10;
const RESUMED_RECEIVE_BYTES: usize = 1 << 20;
/// Descriptors that are not connections.
const OTHER_DESCRIPTORS: u64 = 16;
/// What the timer is called among the sockets.
const TIMER: u64 = u64::MAX;

/// What one read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brought {
    Bytes,
    Nothing,
    End,
}

/// All connections, each called by its index.
pub(super) struct Crew {
    clients: Vec<Client>,
    epoll: OwnedFd,
    timer: OwnedFd,
    events: Vec<epoll::Event>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Client {
    stream: TcpStream,
    /// The beginning of a frame of which the rest has not come.
    kept: Vec<u8>,
    out: Vec<u8>,
    /// How much of `out` is on its way.
    written: usize,
    /// Whether it is told when its socket takes more.
    waits: bool,
    reads: bool,
}

impl Crew {
    /// Connects one client for each request, some at a time.
    pub(super) fn connect(address: SocketAddr, requests: &[String]) -> Result<Self, Failure> {
        ensure_descriptors(requests.len())?;
        let mut clients = Vec::with_capacity(requests.len());
        for requests in requests.chunks(HANDSHAKES) {
            let asked: io::Result<Vec<_>> = requests.iter().map(|request| ask(address, request)).collect();
            for mut stream in asked.map_err(|error| connecting(&error))? {
                let kept = answer(&mut stream)?;
                stream.set_nonblocking(true).map_err(|error| system("sockets", &error))?;
                clients.push(Client { stream, kept, out: Vec::new(), written: 0, waits: false, reads: true });
            }
        }
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|error| system("epoll", &error))?;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, flags).map_err(|error| system("timer", &error))?;
        let mut crew = Self {
            clients,
            epoll,
            timer,
            events: Vec::with_capacity(EVENTS_MAX),
            buffer: vec![0; BUFFER_BYTES],
        };
        crew.register().map_err(|error| system("epoll", &error))?;
        Ok(crew)
    }

    fn register(&mut self) -> io::Result<()> {
        let (data, flags) = (epoll::EventData::new_u64(TIMER), epoll::EventFlags::IN);
        epoll::add(&self.epoll, &self.timer, data, flags)?;
        for (index, client) in self.clients.iter().enumerate() {
            let data = epoll::EventData::new_u64(index as u64);
            epoll::add(&self.epoll, &client.stream, data, interest(client))?;
        }
        Ok(())
    }

    /// Waits until something can be read or written, at most so long, and lists who it is.
    pub(super) fn wait(&mut self, us_max: u64, ready: &mut Vec<usize>) -> Result<(), Failure> {
        ready.clear();
        self.events.clear();
        if us_max > 0 {
            self.arm(us_max).map_err(|error| system("timer", &error))?;
        }
        let timeout = (us_max == 0).then_some(Timespec { tv_sec: 0, tv_nsec: 0 });
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(system("epoll", &error)),
        }
        let indices = self.events.iter().map(|event| event.data.u64()).filter(|data| *data != TIMER);
        ready.extend(indices.filter_map(|data| usize::try_from(data).ok()));
        Ok(())
    }

    /// The time-out of `epoll_wait` has milliseconds, which is coarse for what is to be measured.
    fn arm(&self, us: u64) -> io::Result<()> {
        let it_value = Timespec {
            tv_sec: i64::try_from(us / 1_000_000).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(us % 1_000_000 * 1_000).unwrap_or(0),
        };
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Itimerspec { it_interval, it_value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &value)?;
        Ok(())
    }

    /// Reads once, and hands on each whole frame: opcode and payload. Pings are answered here.
    pub(super) fn read(&mut self, index: usize, each: impl FnMut(u8, &[u8])) -> Brought {
        let client = &mut self.clients[index];
        if !client.reads {
            return Brought::Nothing;
        }
        let kept = client.kept.len();
        self.buffer[..kept].copy_from_slice(&client.kept);
        match client.stream.read(&mut self.buffer[kept..]) {
            Ok(0) => Brought::End,
            Ok(taken) => {
                self.walk(index, kept + taken, each);
                Brought::Bytes
            }
            Err(error) if is_harmless(&error) => Brought::Nothing,
            Err(_) => Brought::End,
        }
    }

    /// Hands on what came together with the answer to the handshake.
    pub(super) fn read_ahead(&mut self, index: usize, each: impl FnMut(u8, &[u8])) {
        let kept = self.clients[index].kept.len();
        self.buffer[..kept].copy_from_slice(&self.clients[index].kept);
        self.walk(index, kept, each);
    }

    #[inline]
    fn walk(&mut self, index: usize, filled: usize, mut each: impl FnMut(u8, &[u8])) {
        let client = &mut self.clients[index];
        let mut frames = Frames::new(&self.buffer[..filled]);
        let before = client.out.len();
        for (opcode, payload) in &mut frames {
            if opcode == OPCODE_PING {
                client.out.extend_from_slice(&pong(payload));
            }
            each(opcode, payload);
        }
        client.kept.clear();
        client.kept.extend_from_slice(frames.rest());
        if client.out.len() > before {
            self.flush(index);
        }
    }

    /// Sends this to one of them, as soon as its socket takes it.
    pub(super) fn send(&mut self, index: usize, frame: &[u8]) {
        self.out(index).extend_from_slice(frame);
        self.flush(index);
    }

    /// What is to be sent next goes in here; [`Self::flush`] sends it.
    pub(super) fn out(&mut self, index: usize) -> &mut Vec<u8> {
        &mut self.clients[index].out
    }

    pub(super) fn is_flushed(&self, index: usize) -> bool {
        self.clients[index].out.is_empty()
    }

    /// Writes what the socket takes; the rest is written when it takes more.
    pub(super) fn flush(&mut self, index: usize) {
        let client = &mut self.clients[index];
        while client.written < client.out.len() {
            match client.stream.write(&client.out[client.written..]) {
                Ok(taken) => client.written += taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Reading tells that it has ended, and why.
                Err(_) => client.written = client.out.len(),
            }
        }
        if client.written == client.out.len() {
            client.out.clear();
            client.written = 0;
        }
        let waits = !client.out.is_empty();
        if std::mem::replace(&mut client.waits, waits) != waits {
            self.mind(index);
        }
    }

    /// Reads no more from a client until [`Self::resume`]. It is not waited for at all: an end that
    /// is not read would wake the run again and again.
    pub(super) fn pause(&mut self, index: usize) {
        self.resize_receive_buffer(index, PAUSED_RECEIVE_BYTES);
        self.forget(index);
    }

    /// Reads from a client again.
    pub(super) fn resume(&mut self, index: usize) {
        self.resize_receive_buffer(index, RESUMED_RECEIVE_BYTES);
        self.clients[index].reads = true;
        let client = &self.clients[index];
        let data = epoll::EventData::new_u64(index as u64);
        // It was registered before, so there is a place for it.
        let _ = epoll::add(&self.epoll, &client.stream, data, interest(client));
    }

    fn resize_receive_buffer(&self, index: usize, bytes: usize) {
        // Where it is refused, it only takes longer until the client is slow, or no longer slow.
        let _ = socket2::SockRef::from(&self.clients[index].stream).set_recv_buffer_size(bytes);
    }

    /// Lets go of a connection that has ended.
    pub(super) fn forget(&mut self, index: usize) {
        self.clients[index].reads = false;
        // It may have been let go already.
        let _ = epoll::delete(&self.epoll, &self.clients[index].stream);
    }

    fn mind(&self, index: usize) {
        let client = &self.clients[index];
        let data = epoll::EventData::new_u64(index as u64);
        // One that was let go of is not minded any more.
        let _ = epoll::modify(&self.epoll, &client.stream, data, interest(client));
    }
}

fn interest(client: &Client) -> epoll::EventFlags {
    let when = |is: bool, flag| if is { flag } else { epoll::EventFlags::empty() };
    when(client.reads, epoll::EventFlags::IN) | when(!client.out.is_empty(), epoll::EventFlags::OUT)
}

fn is_harmless(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn connecting(error: &io::Error) -> Failure {
    Failure::Unavailable(format!("connecting: {error}; does the server take so many --clients?"))
}

fn system(what: &str, error: &impl std::fmt::Display) -> Failure {
    Failure::System(format!("{what}: {error}; see the limits of this session"))
}

/// Raises the soft limit as far as this user may.
pub(super) fn ensure_descriptors(clients: usize) -> Result<(), Failure> {
    let needed = clients as u64 + OTHER_DESCRIPTORS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let current = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = current >= needed
        && setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum: limit.maximum }).is_ok();
    if raised {
        return Ok(());
    }
    let granted = limit.maximum.unwrap_or(0);
    Err(Failure::System(format!(
        "descriptors: {granted} are granted, {needed} are needed; raise `ulimit -n`, or give fewer --clients"
    )))
}
