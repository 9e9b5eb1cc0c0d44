//! The line that `systemctl status` shows.

use super::Supervisor;
use crate::hub::{Counter, Hub, Now};
use std::fmt;

/// Least time between two lines, in milliseconds.
const EVERY_MS: u64 = 2_000;

/// Remembers what was told, and when something was last.
#[derive(Debug, Default)]
pub(in crate::server) struct StatusLine {
    told: Option<Figures>,
    last_ms: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Figures {
    clients: usize,
    clients_max: usize,
    rooms: usize,
    dropped: u64,
    slow: usize,
}

impl StatusLine {
    /// Tells how the hub is, if that has changed and the last line is old enough; whether there is
    /// something left to tell later.
    pub(in crate::server) fn refresh(&mut self, hub: &Hub, supervisor: &Supervisor, now: Now) -> bool {
        if !supervisor.is_there() {
            return false;
        }
        let figures = Figures::of(hub);
        if self.told.as_ref() == Some(&figures) {
            return false;
        }
        if self.last_ms.is_some_and(|last| now.ms < last + EVERY_MS) {
            return true;
        }
        let heard = supervisor.try_tell(&format!("STATUS={figures}, {}", supervisor.url));
        if heard {
            (self.told, self.last_ms) = (Some(figures), Some(now.ms));
        }
        !heard
    }
}

impl Figures {
    fn of(hub: &Hub) -> Self {
        let counters = hub.counters();
        Self {
            clients: hub.client_count(),
            clients_max: hub.capacities().clients,
            rooms: hub.room_count(),
            dropped: counters.get(Counter::Missed) + counters.get(Counter::AnswersDropped),
            slow: hub.blocked_count(),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, clients_max, rooms, dropped, slow } = self;
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        let of_rooms = plural(*rooms as u64);
        let of_messages = plural(*dropped);
        write!(f, "{clients} of {clients_max} clients, {rooms} room{of_rooms}, ")?;
        write!(f, "{dropped} message{of_messages} dropped, {slow} slow")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{shared::tests::hub, systemd::notify::tests::Ear};
    use crate::{
        hub::{ClientId, Hello, Token},
        protocol::message::Replay,
    };

    const fn at(ms: u64) -> Now {
        Now { ms, unix_s: 0 }
    }

    fn connect(hub: &mut Hub) -> ClientId {
        let token = Token::new([0; 16]);
        let hello = Hello { username: "aki", quiet: false, resume: None, token, replay: Replay::None };
        let promise = hub.reserve(None).unwrap();
        hub.connect(promise, &hello, at(0)).unwrap()
    }

    #[tokio::test]
    async fn it_is_told_when_it_has_changed_and_not_too_often() {
        let (ear, mut line, mut hub) = (Ear::new(), StatusLine::default(), hub());
        let supervisor = ear.supervisor(None);
        // From then on the runtime knows that there is room.
        supervisor.tell("READY=1").await;
        let mut refresh = |hub: &Hub, ms| line.refresh(hub, &supervisor, at(ms));
        assert!(!refresh(&hub, 0) && !refresh(&hub, 1) && !refresh(&hub, 2 * EVERY_MS));
        connect(&mut hub);
        assert!(!refresh(&hub, 2 * EVERY_MS), "the last line is old enough");
        let id = connect(&mut hub);
        hub.join_room(id, "kitchen", at(0));
        assert!(refresh(&hub, 2 * EVERY_MS + 1) && refresh(&hub, 3 * EVERY_MS - 1));
        assert!(!refresh(&hub, 3 * EVERY_MS));
        let none = "0 messages dropped, 0 slow, http://board.local/";
        assert_eq!(
            ear.heard(),
            [
                "READY=1".to_owned(),
                format!("STATUS=0 of 2 clients, 0 rooms, {none}"),
                format!("STATUS=1 of 2 clients, 0 rooms, {none}"),
                format!("STATUS=2 of 2 clients, 1 room, {none}"),
            ]
        );
    }

    #[tokio::test]
    async fn what_was_not_heard_is_told_again() {
        let (ear, mut line) = (Ear::new(), StatusLine::default());
        let (supervisor, hub) = (ear.supervisor(None), hub());
        supervisor.tell("READY=1").await;
        while supervisor.try_tell("") {}
        let mut refresh = |ms| line.refresh(&hub, &supervisor, at(ms));
        assert!(refresh(0));
        ear.heard();
        supervisor.tell("").await;
        assert!(!refresh(1));
        assert!(ear.heard().last().unwrap().starts_with("STATUS=0 of 2"));
    }

    #[tokio::test]
    async fn with_nobody_to_tell_there_are_no_news() {
        assert!(!StatusLine::default().refresh(&hub(), &Supervisor::default(), at(0)));
    }

    #[test]
    fn dropped_messages_and_slow_clients_are_counted() {
        let figures = Figures { clients: 3, clients_max: 9, rooms: 2, dropped: 1, slow: 1 };
        assert_eq!(figures.to_string(), "3 of 9 clients, 2 rooms, 1 message dropped, 1 slow");
    }
}
