use super::*;
use crate::protocol::frame::CloseCode;

/// A writer, and readers whose sockets take nothing from now on.
fn stalled(names: &[&str]) -> (Desk, ClientId, Vec<ClientId>) {
    let mut desk = Desk::new(Capacities { clients: 6, write_timeout_ms: 60_000, ..tiny() });
    let writer = desk.connect("writer");
    let readers: Vec<ClientId> = names.iter().map(|name| desk.connect(name)).collect();
    // The count of clients is told now, and not again.
    desk.pass(1_000);
    for &id in readers.iter().chain([&writer]) {
        desk.read(id);
        desk.take(id, 0);
    }
    (desk, writer, readers)
}

fn named(desk: &mut Desk) -> Vec<(String, u64)> {
    let laggards = desk.hub.take_laggards(desk.now);
    laggards.iter().map(|laggard| (laggard.name.to_string(), laggard.missed)).collect()
}

#[test]
fn a_reader_is_named_with_its_lag_once_it_was_told_of_a_gap() {
    let (mut desk, writer, readers) = stalled(&["reader"]);
    desk.pass(2_000);
    desk.hub.heard(readers[0], desk.now);
    for text in ["1", "2", "3", "4", "5", "6"] {
        desk.chat(writer, "", text);
    }
    assert_eq!(named(&mut desk), [], "what it may still get is not lost");
    desk.pass(3_000);
    // The gap is told, and nothing behind it yet.
    desk.take(readers[0], 1);
    let laggard = desk.hub.take_laggards(desk.now)[0].clone();
    assert_eq!((laggard.id, laggard.missed, laggard.ending), (readers[0], 2, None));
    assert_eq!((laggard.behind_messages, laggard.silent_ms), (4, 3_000));
    let waiting = desk.take(readers[0], usize::MAX).len() as u64;
    assert_eq!(laggard.behind_bytes, waiting, "the rest of the gap, and four messages");
    assert_eq!(named(&mut desk), [], "named once");
}

#[test]
fn three_are_named_at_a_time_the_worst_first_and_each_anew() {
    let (mut desk, writer, readers) = stalled(&["a", "b", "c", "d"]);
    for (number, &reader) in readers.iter().enumerate() {
        for _ in 0..5 {
            desk.chat(writer, "", "x");
        }
        // The later it wakes, the more it has missed.
        desk.take(reader, usize::MAX);
        desk.take(reader, 0);
        assert!(desk.hub.name(reader).is_some(), "{number}");
    }
    let missed = named(&mut desk);
    assert_eq!(missed.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["d", "c", "b"]);
    assert!(missed[0].1 > missed[1].1 && missed[1].1 > missed[2].1, "{missed:?}");
    assert_eq!(named(&mut desk), [], "also the one that was not among them");
}

#[test]
fn who_is_ended_for_slowness_or_goes_with_a_loss_untold_is_named_and_nobody_else() {
    let mut desk = Desk::new(tiny());
    let (silent, deaf) = (desk.connect("silent"), desk.connect("deaf"));
    desk.read(silent);
    desk.take(deaf, 0);
    desk.pass(10_000);
    let departure = desk.hub.next_departure().unwrap();
    let laggard = departure.laggard.unwrap();
    assert!(matches!(laggard.ending, Some(Ending::By(CloseCode::NotReadable, _))));
    assert_eq!((departure.id, laggard.name.as_str(), laggard.silent_ms), (deaf, "deaf", 10_000));
    assert!(laggard.behind_messages > 0 && laggard.behind_bytes > 0, "{laggard:?}");
    desk.pass(20_000);
    let laggard = desk.hub.next_departure().unwrap().laggard.unwrap();
    assert!(matches!(laggard.ending, Some(Ending::By(CloseCode::NoSignOfLife, _))));

    let (mut desk, writer, readers) = stalled(&["reader", "other"]);
    for _ in 0..5 {
        desk.chat(writer, "", "x");
    }
    desk.take(readers[0], 1);
    for &reader in &readers {
        desk.hub.end(reader, Ending::Lost, desk.now);
    }
    let lost = desk.hub.next_departure().unwrap().laggard.unwrap();
    assert!(lost.missed > 0 && lost.ending == Some(Ending::Lost), "{lost:?}");
    assert!(desk.hub.next_departure().unwrap().laggard.is_none(), "it was told of no loss");
}

#[test]
fn whoever_goes_is_counted_once_by_the_reason() {
    let endings = [
        (Ending::Said(Some(1_000)), Counter::Closed),
        (Ending::Lost, Counter::Lost),
        (Ending::By(CloseCode::Protocol, ""), Counter::ProtocolBroken),
        (Ending::By(CloseCode::NotUtf8, ""), Counter::NotUtf8),
        (Ending::By(CloseCode::Policy, ""), Counter::AgainstPolicy),
        (Ending::By(CloseCode::TooLarge, ""), Counter::TooLarge),
        (Ending::By(CloseCode::Internal, ""), Counter::Failed),
        (Ending::By(CloseCode::Restart, ""), Counter::Restarted),
        (Ending::By(CloseCode::TryAgainLater, ""), Counter::NoResources),
        (Ending::By(CloseCode::TakenOver, ""), Counter::TakenOver),
        (Ending::By(CloseCode::NotReadable, ""), Counter::NotReadable),
        (Ending::By(CloseCode::NoSignOfLife, ""), Counter::NoSignOfLife),
    ];
    assert_eq!(endings.map(|row| row.1), Counter::ENDINGS);
    let mut desk = Desk::new(tiny());
    for (ending, counter) in endings {
        let id = desk.connect("aki");
        let before = desk.hub.counters().get(counter);
        desk.hub.end(id, ending, desk.now);
        assert_eq!(desk.hub.counters().get(counter), before + 1, "{ending:?}");
        desk.hub.audit().unwrap();
    }
    assert_eq!(desk.hub.counters().get(Counter::Disconnected), 12);
}
