//! Publishers and subscribers: fan-out, slow readers, echo.
//!
//! A run gathers everyone, publishes for a while, and waits for what is on its way. It counts from
//! the message on that says `Go`, which everyone gets after all have shown that they hear: so it
//! needs no answers that only some servers give.

use super::{
    arguments::{Options, Pace},
    clock::Clock,
    crew::{Brought, Crew},
    failure::Failure,
    frames::{OPCODE_BINARY, OPCODE_CLOSE, OPCODE_TEXT},
    ledger::{Balance, Group},
    progress::Progress,
    seating::{Heard, Place, Publisher, Seating},
    stamp::{Marker, Stamp, Template},
    tally::{Ended, Latency, Notice},
};

/// While gathering, whoever has not been heard of is asked again this often.
const SYNC_EVERY_US: u64 = 100_000;
/// A server that brings nothing for so long brings nothing any more.
const PATIENCE_US: u64 = 10_000_000;
/// What an open publisher writes at a time.
const OPEN_BYTES: usize = 16 << 10;

/// A run that goes on.
pub(super) struct Load<'a> {
    options: &'a Options,
    crew: Crew,
    clock: Clock,
    marker: Marker,
    places: Vec<Place>,
    groups: Vec<Group>,
    templates: Vec<Template>,
    publishers: Vec<Publisher>,
    /// Publishers whose group has become free to send more.
    free: Vec<usize>,
    latency: Latency,
    pub(super) counts: Counts,
    ended: Ended,
    failure: Option<Failure>,
}

/// What was counted between `Go` and the last delivery.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) messages: u64,
    pub(super) deliveries: u64,
    pub(super) declared: u64,
    pub(super) balance: Balance,
    pub(super) began_us: u64,
    pub(super) last_us: u64,
    pub(super) ended: usize,
}

impl<'a> Load<'a> {
    pub(super) fn new(
        options: &'a Options,
        crew: Crew,
        clock: Clock,
        marker: Marker,
        seating: Seating,
    ) -> Self {
        let Seating { places, groups, templates, publishers, .. } = seating;
        Self {
            options,
            crew,
            clock,
            marker,
            places,
            groups,
            templates,
            free: (0..publishers.len()).collect(),
            publishers,
            latency: Latency::new(),
            counts: Counts::default(),
            ended: Ended::default(),
            failure: None,
        }
    }

    /// Waits until everyone hears, and says that it counts from now on.
    pub(super) fn gather(&mut self) -> Result<(), Failure> {
        for index in 0..self.places.len() {
            self.receive(index, true);
        }
        if !self.options.dialect.welcome.is_empty() {
            self.say_until_heard(None, Heard::Welcome)?;
        }
        self.say_until_heard(Some(Stamp::Sync), Heard::Sync)?;
        self.say_until_heard(Some(Stamp::Go), Heard::Go)?;
        for index in (0..self.places.len()).filter(|index| self.places[*index].is_slow).collect::<Vec<_>>() {
            self.crew.pause(index);
        }
        Ok(())
    }

    /// A `Sync` may be missed by whoever has just come, a `Go` by none; a welcome comes unasked.
    fn say_until_heard(&mut self, stamp: Option<Stamp>, wanted: Heard) -> Result<(), Failure> {
        let (mut said_us, began_us) = (None, self.clock.now_us());
        let mut ready = Vec::new();
        while let Some(deaf) = self.places.iter().position(|place| place.heard != wanted) {
            let now_us = self.clock.now_us();
            if now_us - began_us > PATIENCE_US {
                let what = format!("client {deaf} hears nothing of its room; is --url that of a roomd?");
                return Err(Failure::Unavailable(what));
            }
            let is_late =
                said_us.is_none_or(|said| stamp == Some(Stamp::Sync) && now_us - said >= SYNC_EVERY_US);
            if let Some(stamp) = stamp.filter(|_| is_late) {
                self.say(stamp);
                said_us = Some(now_us);
            }
            self.turn(SYNC_EVERY_US, &mut ready)?;
        }
        Ok(())
    }

    /// One publisher of each group says it.
    fn say(&mut self, stamp: Stamp) {
        for group in 0..self.groups.len() {
            let Some(publisher) = self.publishers.iter().find(|publisher| publisher.group == group) else {
                continue;
            };
            self.templates[group].write(stamp, self.crew.out(publisher.client));
            self.crew.flush(publisher.client);
        }
    }

    /// Publishes for as long as was asked for, then waits for what is on its way.
    pub(super) fn run(&mut self, progress: &mut Progress) -> Result<(), Failure> {
        self.counts.began_us = self.clock.now_us();
        let end_us = self.counts.began_us + self.options.seconds * 1_000_000;
        let mut ready = Vec::new();
        loop {
            let now_us = self.clock.now_us();
            if now_us >= end_us {
                break;
            }
            let rest_us = self.publish(now_us, end_us).min(end_us - now_us);
            self.turn(rest_us, &mut ready)?;
            progress.show(now_us - self.counts.began_us, self.counts.deliveries);
        }
        if matches!(self.options.pace, Pace::Rate(_)) {
            // What became due while the last turn took its time.
            self.publish(end_us, end_us);
        }
        self.drain(&mut ready)
    }

    fn drain(&mut self, ready: &mut Vec<usize>) -> Result<(), Failure> {
        for index in (0..self.places.len()).filter(|index| self.places[*index].is_slow).collect::<Vec<_>>() {
            self.crew.resume(index);
        }
        let (mut before, mut since_us) = (0, self.clock.now_us());
        while !self.groups.iter().all(Group::is_complete) {
            let (now_us, after) = (self.clock.now_us(), self.counts.deliveries + self.counts.declared);
            if after > before {
                (before, since_us) = (after, now_us);
            } else if now_us - since_us > PATIENCE_US {
                break;
            }
            self.turn(SYNC_EVERY_US, ready)?;
        }
        self.close_books();
        Ok(())
    }

    fn close_books(&mut self) {
        self.counts.messages = self.groups.iter().map(Group::sent).sum();
        self.counts.ended = self.ended.count;
        for balance in self.groups.iter().map(Group::balance) {
            self.counts.balance.undeclared += balance.undeclared;
            self.counts.balance.surplus += balance.surplus;
        }
    }

    /// Sends what is due; how long nothing more will be, in microseconds.
    fn publish(&mut self, now_us: u64, end_us: u64) -> u64 {
        match self.options.pace {
            Pace::Window(window) => {
                while let Some(index) = self.free.pop() {
                    self.fill_window(index, window, now_us);
                }
                u64::MAX
            }
            Pace::Rate(rate) => {
                let next =
                    (0..self.publishers.len()).map(|index| self.keep_rate(index, rate, now_us, end_us));
                next.min().unwrap_or(u64::MAX).saturating_sub(now_us)
            }
            Pace::Open => {
                let writers: Vec<usize> = (0..self.publishers.len()).collect();
                let is_any_open =
                    writers.into_iter().fold(false, |any, index| self.pour(index, now_us) | any);
                if is_any_open { 0 } else { u64::MAX }
            }
        }
    }

    fn fill_window(&mut self, index: usize, window: u64, now_us: u64) {
        let group = self.publishers[index].group;
        let publishers = self.publishers_of(group);
        let room = (window * publishers).saturating_sub(self.groups[group].outstanding());
        self.send(index, room.div_ceil(publishers).min(window), now_us);
        self.crew.flush(self.publishers[index].client);
    }

    fn publishers_of(&self, group: usize) -> u64 {
        let (all, groups) = (self.publishers.len(), self.groups.len());
        (all / groups + usize::from(group < all % groups)) as u64
    }

    /// Sends what is due until now, stamped with when it was; returns when the next is.
    fn keep_rate(&mut self, index: usize, rate: u64, now_us: u64, end_us: u64) -> u64 {
        let (all, began_us) = (self.publishers.len() as u64, self.counts.began_us);
        // They take turns instead of speaking all at once.
        let offset_us = index as u64 * 1_000_000 / rate / all;
        loop {
            let due_us = began_us + offset_us + self.publishers[index].sent * 1_000_000 / rate;
            if due_us > now_us || due_us >= end_us {
                if !self.crew.is_flushed(self.publishers[index].client) {
                    self.crew.flush(self.publishers[index].client);
                }
                return due_us;
            }
            self.send(index, 1, due_us);
        }
    }

    /// Whether its socket takes more.
    fn pour(&mut self, index: usize, now_us: u64) -> bool {
        let Publisher { client, group, .. } = self.publishers[index];
        if self.crew.is_flushed(client) {
            self.send(index, (OPEN_BYTES / self.templates[group].len()).max(1) as u64, now_us);
            self.crew.flush(client);
        }
        self.crew.is_flushed(client)
    }

    /// What is bundled is still to be flushed.
    fn send(&mut self, index: usize, messages: u64, stamp_us: u64) {
        let publisher = &mut self.publishers[index];
        let stamp = Stamp::Sent(u32::try_from(stamp_us).unwrap_or(u32::MAX));
        for _ in 0..messages {
            self.templates[publisher.group].write(stamp, self.crew.out(publisher.client));
            // A client's library writes each message as it is handed over.
            if !self.options.bundle {
                self.crew.flush(publisher.client);
            }
        }
        publisher.sent += messages;
        self.groups[publisher.group].send(messages);
    }

    /// Waits once, and reads and writes what it can.
    fn turn(&mut self, us_max: u64, ready: &mut Vec<usize>) -> Result<(), Failure> {
        self.crew.wait(us_max, ready)?;
        for &index in &*ready {
            if !self.crew.is_flushed(index) {
                self.crew.flush(index);
            }
            self.receive(index, false);
        }
        self.failure.take().map_or(Ok(()), Err)
    }

    fn receive(&mut self, index: usize, is_ahead: bool) {
        let Self { crew, marker, latency, ended, failure, options, .. } = self;
        let place = &mut self.places[index];
        let now_us = self.clock.now_us();
        let (mut delivered, mut missed) = (0, 0);
        let mut message = |message: &[u8]| match marker.find(message) {
            Some(Stamp::Sent(us)) if place.heard == Heard::Go => {
                delivered += 1;
                // Of those that do not read, only what they miss is of interest.
                if !place.is_slow {
                    latency.note(now_us.saturating_sub(u64::from(us)));
                }
            }
            Some(Stamp::Sync) => place.heard = Heard::Sync,
            Some(Stamp::Go) => place.heard = Heard::Go,
            Some(Stamp::Sent(_)) => {}
            None if place.heard == Heard::Nothing && options.dialect.is_welcome(message) => {
                place.heard = Heard::Welcome;
            }
            None => match Notice::of(message) {
                Notice::Gap(messages) if place.heard == Heard::Go => missed += messages,
                Notice::Error(text) => {
                    // The first is the cause of the others.
                    failure.get_or_insert(Failure::Unavailable(text));
                }
                Notice::Gap(_) | Notice::Count(_) | Notice::Other => {}
            },
        };
        let each = |opcode: u8, payload: &[u8]| match opcode {
            OPCODE_TEXT | OPCODE_BINARY => options.dialect.messages(payload).for_each(&mut message),
            OPCODE_CLOSE => ended.note(payload),
            _ => {}
        };
        let brought = if is_ahead {
            crew.read_ahead(index, each);
            Brought::Bytes
        } else {
            crew.read(index, each)
        };
        self.counts.deliveries += delivered;
        self.counts.declared += missed;
        self.advance(index, delivered + missed, now_us);
        if brought == Brought::End {
            self.lose(index);
        }
    }

    fn advance(&mut self, index: usize, messages: u64, now_us: u64) {
        let Place { group, member, is_slow, .. } = self.places[index];
        if messages > 0 {
            if !is_slow {
                self.counts.last_us = now_us;
            }
            if self.groups[group].advance(member, messages) && matches!(self.options.pace, Pace::Window(_)) {
                let groups = self.groups.len();
                self.free.extend((group..self.publishers.len()).step_by(groups));
            }
        }
    }

    /// Only a client that does not read may be given up.
    fn lose(&mut self, index: usize) {
        let place = &mut self.places[index];
        if place.heard == Heard::Ended {
            return;
        }
        place.heard = Heard::Ended;
        self.ended.count += 1;
        self.groups[place.group].lose(place.member);
        self.crew.forget(index);
        if !place.is_slow && self.failure.is_none() {
            self.failure = Some(self.ended.failure());
        }
    }

    pub(super) fn latency(&mut self) -> &mut Latency {
        &mut self.latency
    }
}
