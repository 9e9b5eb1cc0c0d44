//! Who receives what, and who publishes.

use super::{
    arguments::{Mode, Options},
    frames,
    ledger::Group,
    stamp::{Marker, Template},
};

/// What a client has heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Nothing,
    /// That the server knows it, in a dialect that has an answer for this.
    Welcome,
    Sync,
    Go,
    Ended,
}

#[derive(Debug)]
pub(super) struct Place {
    pub(super) group: usize,
    pub(super) member: usize,
    pub(super) heard: Heard,
    pub(super) is_slow: bool,
}

#[derive(Debug)]
pub(super) struct Publisher {
    pub(super) client: usize,
    pub(super) group: usize,
    pub(super) sent: u64,
}

/// Who sits where: the queries of all clients, what each sends first, and their groups.
#[derive(Debug)]
pub(super) struct Seating {
    pub(super) queries: Vec<String>,
    pub(super) greetings: Vec<Vec<u8>>,
    pub(super) places: Vec<Place>,
    pub(super) groups: Vec<Group>,
    pub(super) templates: Vec<Template>,
    pub(super) publishers: Vec<Publisher>,
}

impl Seating {
    pub(super) fn of(options: &Options, marker: &Marker) -> Self {
        let groups = if options.mode == Mode::Echo { options.clients } else { options.rooms.max(1) };
        let publishers = if options.mode == Mode::Echo { 0 } else { options.publishers.max(groups) };
        let slow = if options.mode == Mode::Slow { options.slow } else { 0 };
        let mut seating = Self {
            queries: Vec::new(),
            greetings: Vec::new(),
            places: Vec::new(),
            groups: Vec::new(),
            templates: Vec::new(),
            publishers: Vec::new(),
        };
        let mut sizes = vec![0; groups];
        let mut slow_in = vec![0; groups];
        // Publishers first and the slow last, as their groups want it.
        let all = publishers + options.clients;
        for index in 0..all {
            let (group, is_slow) = (index % groups, index >= all - slow);
            if index < publishers.max(if options.mode == Mode::Echo { all } else { 0 }) {
                seating.publishers.push(Publisher { client: index, group, sent: 0 });
            }
            seating.places.push(Place { group, member: sizes[group], heard: Heard::Nothing, is_slow });
            sizes[group] += 1;
            slow_in[group] += usize::from(is_slow);
            seating.queries.push(query(options, marker, group));
            seating.greetings.push(greeting(options, &room(options, marker, group)));
        }
        let kind = if options.mode == Mode::Echo { "echo" } else { "chat" };
        for group in 0..groups {
            let room = room(options, marker, group);
            seating.groups.push(Group::new(sizes[group], slow_in[group]));
            seating.templates.push(Template::new(
                &options.dialect,
                kind,
                &room,
                marker,
                options.content_bytes,
            ));
        }
        seating
    }
}

fn room(options: &Options, marker: &Marker, group: usize) -> String {
    let has_room = options.rooms > 0 && options.mode != Mode::Echo;
    if has_room { marker.room(group) } else { String::new() }
}

/// The first frame of a client of this room, empty if there is none.
pub(super) fn greeting(options: &Options, room: &str) -> Vec<u8> {
    match (options.dialect.greeting)(room) {
        nothing if nothing.is_empty() => nothing,
        payload => frames::message(options.dialect.is_binary, &payload).0,
    }
}

fn query(options: &Options, marker: &Marker, group: usize) -> String {
    match room(options, marker, group) {
        room if !room.is_empty() => format!("quiet=1&room={room}"),
        _ if options.mode == Mode::Echo => "quiet=1".to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bench::arguments;

    fn seating(arguments: &str) -> Seating {
        let words = arguments.split(' ').map(Into::into);
        Seating::of(&arguments::options(words).unwrap().unwrap(), &Marker::new(7))
    }

    #[test]
    fn publishers_come_beside_the_clients_and_each_room_has_one() {
        let seating = seating("fan-out --clients 5 --rooms 3 --publishers 1");
        assert_eq!((seating.places.len(), seating.publishers.len()), (8, 3));
        let groups: Vec<_> = seating.publishers.iter().map(|publisher| publisher.group).collect();
        assert_eq!(groups, [0, 1, 2]);
        assert_eq!(seating.queries[4], format!("quiet=1&room={}", Marker::new(7).room(1)));
    }

    #[test]
    fn the_slow_are_the_last_of_their_rooms() {
        let seating = seating("slow --clients 9 --rooms 2 --slow 3");
        for (group, slow) in [(0, 2), (1, 1)] {
            let members: Vec<_> = seating.places.iter().filter(|place| place.group == group).collect();
            let count = members.iter().filter(|place| place.is_slow).count();
            assert_eq!(count, slow);
            assert!(members[members.len() - count..].iter().all(|place| place.is_slow));
        }
    }

    #[test]
    fn whoever_echoes_is_alone_and_the_lobby_has_no_room() {
        let echo = seating("echo --clients 4");
        assert_eq!((echo.groups.len(), echo.publishers.len(), echo.places.len()), (4, 4, 4));
        assert_eq!(echo.queries[0], "quiet=1");
        assert_eq!(seating("fan-out --rooms 0").queries[0], "");
    }
}
