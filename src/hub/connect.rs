//! Coming and going.

use super::{
    ClientId, Departure, Hub, Now,
    allowance::Allowance,
    client::{Client, RoomId},
    counters::Counter,
    hash,
    memberships::Memberships,
    resume::Token,
};
use crate::{
    protocol::{
        chat::WireId,
        encode::{Body, ServerMessage},
        frame::{self, CloseCode},
        message::Replay,
        name::{self, DisplayName},
    },
    table::Full,
};
use std::fmt::{self, Write as _};

/// What a client brings when it connects.
#[derive(Debug, Clone)]
pub struct Hello<'a> {
    /// The name that it would like.
    pub username: &'a str,
    /// Nothing of the lobby, no `welcome` and no `client_count`.
    pub quiet: bool,
    /// The token of a client that it was before.
    pub resume: Option<Token>,
    /// 16 fresh random bytes, by which it may come back.
    pub token: Token,
    /// What of the lobby's past it wants.
    pub replay: Replay<'a>,
}

/// A place for a client whose handshake is under way.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a place that is neither taken nor given back is nobody's for good"]
pub struct Promise {
    /// Whether a place is kept for it; else it is to take that of the client that it was before.
    has_place: bool,
}

/// Why a client goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It said so, with this code or none; it gets the same code back.
    Said(Option<u16>),
    /// Its socket is gone.
    Lost,
    /// The server ends it.
    By(CloseCode, &'static str),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(None) => f.write_str("closed by its client"),
            Self::Said(Some(code)) => write!(f, "closed by its client with {code}"),
            Self::Lost => f.write_str("the connection broke"),
            Self::By(code, reason) => write!(f, "ended with {}: {reason}", code.code()),
        }
    }
}

impl Hub {
    /// Promises a place to a handshake, to be taken by [`Hub::connect`] or given back by
    /// [`Hub::give_back`]. `Full` if there is none, unless the client comes to take the place of
    /// its own half-open connection.
    pub fn reserve(&mut self, resume: Option<Token>) -> Result<Promise, Full> {
        let has_place = self.has_place();
        if !has_place && !self.replaces(resume) {
            self.counters.add(Counter::RefusedFull, 1);
            return Err(Full);
        }
        self.reserved += usize::from(has_place);
        Ok(Promise { has_place })
    }

    /// Gives a promised place back: the handshake came to nothing.
    pub fn give_back(&mut self, Promise { has_place }: Promise) {
        self.reserved -= usize::from(has_place);
    }

    /// Takes a client in, on the place that was promised to it: it is welcomed, then announced. `Full` if
    /// that was to be the place of a client that is gone by now, and there is no other.
    pub fn connect(&mut self, promise: Promise, hello: &Hello<'_>, now: Now) -> Result<ClientId, Full> {
        self.give_back(promise);
        // Before its token is used up: whoever is refused comes back with it.
        if !self.has_place() && !self.replaces(hello.resume) {
            self.counters.add(Counter::RefusedFull, 1);
            return Err(Full);
        }
        let name = self.resume(hello.resume, now).unwrap_or_else(|| name::display_name(hello.username));
        let name = self.free_name(name);
        self.serial += 1;
        let id = self.clients.insert(self.newcomer(name.clone(), hello, now))?;
        self.names.insert(self.hash(&name), id.index());
        self.tokens.insert(hello.token.hash(), id.index());
        self.counters.add(Counter::Connected, 1);
        self.count.changed = true;

        let before = self.room(RoomId::LOBBY).log.next();
        self.publish_line(RoomId::LOBBY, format_args!("{name} connected"), now);
        if !hello.quiet {
            self.welcome(id, now);
            self.room_mut(RoomId::LOBBY).add(id.index());
            self.start_reading(id, 0, RoomId::LOBBY, before, &hello.replay, now);
        }
        self.announce_count(now);
        Ok(id)
    }

    /// Ends a client: it leaves its rooms, then everyone is told; its slot is free at once.
    pub fn end(&mut self, id: ClientId, ending: Ending, now: Now) {
        self.remove(id, ending, true, now);
    }

    /// The token of a client.
    pub fn token(&self, id: ClientId) -> Option<Token> {
        self.clients.get(id).map(|client| client.token)
    }

    fn newcomer(&self, name: DisplayName, hello: &Hello<'_>, now: Now) -> Client {
        Client {
            name,
            serial: self.serial,
            token: hello.token,
            quiet: hello.quiet,
            memberships: Memberships::new(hello.quiet),
            outbox: None,
            reading: 0,
            count_seen: 0,
            is_stalled: false,
            is_tried: false,
            stalled_at_ms: 0,
            missed_untold: 0,
            last_heard_ms: now.ms,
            ping_due_ms: now.ms + self.heartbeat_ms(),
            allowance: Allowance::full(self.capacities.burst, now.ms),
            refusals: Allowance::full(self.capacities.refusals(), now.ms),
        }
    }

    fn welcome(&mut self, id: ClientId, now: Now) {
        let Some(client) = self.clients.get(id) else { return };
        let (name, serial, resume) = (client.name.clone(), client.serial, client.token);
        let process = self.identity.epoch.clone();
        let epoch = self.epoch(RoomId::LOBBY);
        let mut token = heapless::String::<32>::new();
        // A token is 32 digits.
        let _ = write!(token, "{resume}");
        let limits = std::mem::take(&mut self.limits);
        let body = Body::Welcome {
            client_id: WireId::new(&process, serial),
            username: &name,
            epoch: &epoch,
            resume: &token,
            limits: &limits,
            heartbeat_s: self.capacities.heartbeat_s,
        };
        self.answer(id, &ServerMessage::system(format_args!("Welcome, {name}!"), now.unix_s, body));
        self.limits = limits;
    }

    /// The client with this token that is connected.
    fn live(&self, token: Token) -> Option<ClientId> {
        let is_it = |index| self.clients.at(index).is_some_and(|client| client.token == token);
        let index = self.tokens.find(token.hash(), is_it)?;
        self.clients.key_at(index)
    }

    /// Whether there is a place that is promised to nobody.
    fn has_place(&self) -> bool {
        self.clients.len() + self.reserved < self.capacities.clients
    }

    /// Whether a client with this token takes the place of one that is connected.
    fn replaces(&self, token: Option<Token>) -> bool {
        token.is_some_and(|token| self.live(token).is_some())
    }

    /// The name that belongs to a token, whose connection ends if it still stands.
    fn resume(&mut self, token: Option<Token>, now: Now) -> Option<DisplayName> {
        let token = token?;
        let Some(id) = self.live(token) else { return self.departed.take(token, now.ms) };
        let name = self.clients.get(id)?.name.clone();
        let ending = Ending::By(CloseCode::TakenOver, "Another connection has resumed this client.");
        self.remove(id, ending, false, now);
        Some(name)
    }

    /// The name itself if nobody present has it, else with a number behind it.
    fn free_name(&mut self, wanted: DisplayName) -> DisplayName {
        if wanted.is_empty() {
            loop {
                self.user_number += 1;
                let name = name::with_suffix("User", &suffix(format_args!("{}", self.user_number)));
                if !self.is_present(&name) {
                    return name;
                }
            }
        }
        if !self.is_present(&wanted) {
            return wanted;
        }
        let numbered = |number: u64| name::with_suffix(&wanted, &suffix(format_args!("-{number}")));
        let mut namesakes = std::mem::take(&mut self.namesakes);
        let number = namesakes.free_number(self.clients.len(), |number| self.is_present(&numbered(number)));
        self.namesakes = namesakes;
        numbered(number)
    }

    fn is_present(&self, name: &str) -> bool {
        let is_it = |index| self.clients.at(index).is_some_and(|client| client.name == name);
        self.names.find(self.hash(name), is_it).is_some()
    }

    fn remove(&mut self, id: ClientId, ending: Ending, may_come_back: bool, now: Now) {
        if self.clients.get(id).is_none() {
            return;
        }
        let last_words = self.last_words(id, ending);
        let laggard = self.laggard_at_its_end(id, ending, now).map(Box::new);
        let places = self.clients.get(id).map_or(0, |client| client.memberships.places());
        for place in (1..places).chain([0]) {
            self.leave_at_once(id, place, now);
        }
        let seed = self.identity.seed;
        let hash_of = |index| self.clients.at(index).map_or(0, |client| hash(seed, &client.name));
        self.names.remove(id.index(), hash_of);
        let hash_of = |index| self.clients.at(index).map_or(0, |client| client.token.hash());
        self.tokens.remove(id.index(), hash_of);
        self.due.forget(id.index());
        let Some(client) = self.clients.remove(id) else { return };
        if may_come_back {
            self.departed.remember(client.token, client.name.clone(), now.ms);
        }
        self.count_ending(ending);
        self.count.changed = true;
        self.publish_line(RoomId::LOBBY, format_args!("{} disconnected", client.name), now);
        self.departures.push_back(Departure { id, name: client.name, ending, last_words, laggard });
        self.announce_count(now);
    }

    /// What the socket should still be given: never a part of a frame without its rest.
    fn last_words(&mut self, id: ClientId, ending: Ending) -> Vec<u8> {
        let Some(client) = self.clients.get(id).filter(|_| ending != Ending::Lost) else {
            return Vec::new();
        };
        let mut words = Vec::new();
        if let Some((room, seq)) = client.inside() {
            words.extend(self.room(room).log.rest(seq, client.current().offset as usize).concat());
        }
        // A blocked socket has no room for answers; one that said goodbye still reads them. No connection
        // holds more than an outbox, on its way out as before.
        let takes_nothing = self.due.is_blocked(id.index()) && matches!(ending, Ending::By(..));
        if let Some(outbox) = &client.outbox {
            let answers = outbox.slices().concat();
            if takes_nothing || words.len() + answers.len() > self.capacities.outbox_ceiling() {
                words.extend(outbox.rest_of_front());
            } else {
                words.extend(answers);
            }
        }
        match ending {
            Ending::Said(code) => words.extend(frame::close_echo(code)),
            Ending::By(code, reason) => words.extend(frame::close_frame(code, reason)),
            Ending::Lost => {}
        }
        words.shrink_to_fit();
        words
    }

    fn count_ending(&mut self, ending: Ending) {
        let why = match ending {
            Ending::Said(_) | Ending::By(CloseCode::Normal | CloseCode::GoingAway, _) => Counter::Closed,
            Ending::Lost => Counter::Lost,
            Ending::By(CloseCode::Protocol, _) => Counter::ProtocolBroken,
            Ending::By(CloseCode::NotUtf8, _) => Counter::NotUtf8,
            Ending::By(CloseCode::Policy, _) => Counter::AgainstPolicy,
            Ending::By(CloseCode::TooLarge, _) => Counter::TooLarge,
            Ending::By(CloseCode::Internal, _) => Counter::Failed,
            Ending::By(CloseCode::Restart, _) => Counter::Restarted,
            Ending::By(CloseCode::TryAgainLater, _) => Counter::NoResources,
            Ending::By(CloseCode::TakenOver, _) => Counter::TakenOver,
            Ending::By(CloseCode::NotReadable, _) => Counter::NotReadable,
            Ending::By(CloseCode::NoSignOfLife, _) => Counter::NoSignOfLife,
        };
        self.counters.add(Counter::Disconnected, 1);
        self.counters.add(why, 1);
    }
}

fn suffix(number: fmt::Arguments<'_>) -> heapless::String<24> {
    let mut suffix = heapless::String::new();
    // A hyphen and at most 20 digits always fit.
    let _ = suffix.write_fmt(number);
    suffix
}
