//! In the steady state nothing is allocated: not for reading a message, not for publishing it, not for
//! handing it to every member, and not for the answers. A binary of its own, because it counts what
//! the whole process allocates.

#![allow(clippy::unwrap_used, reason = "a test")]

use roomd::{
    hub::{Capacities, ClientId, Hello, Hub, Identity, Now, Token},
    protocol::{Event, InboundBudget, Reader, message, message::Replay},
};

const NOW: Now = Now { ms: 0, unix_s: 1_700_000_000 };
const CHAT: &str = r#"{"type":"chat","content":"twenty-one degrees, \"outside\" ☀","id":"7"}"#;
const CHAT_IN_ROOM: &str = r#"{"type":"chat","room":"kitchen","content":"the kettle boils"}"#;

fn hub() -> Hub {
    let capacities = Capacities {
        clients: 8,
        rooms: 2,
        rooms_per_client: 2,
        log_bytes: 8_192,
        log_messages: 16,
        message_bytes: 2_048,
        outbox_messages: 16,
        outbox_bytes: 16_384,
        messages_per_second: 0,
        burst: 0,
        write_timeout_ms: 10_000,
        heartbeat_s: 20,
    };
    Hub::new(capacities, Identity { epoch: "epoch".try_into().unwrap(), seed: 0 })
}

fn connect(hub: &mut Hub, number: u8) -> ClientId {
    let token = Token::new([number; 16]);
    let hello = Hello { username: "aki", quiet: false, resume: None, token, replay: Replay::None };
    let promise = hub.reserve(None).unwrap();
    hub.connect(promise, &hello, NOW).unwrap()
}

/// Hands everything that is due to sockets that take `piece` bytes at a time.
fn drain(hub: &mut Hub, piece: usize) -> usize {
    let mut taken = 0;
    while let Some(id) = hub.next_due() {
        while let Some([head, tail]) = hub.pending(id, NOW) {
            let bytes = (head.len() + tail.len()).min(piece);
            hub.sent(id, bytes, NOW);
            taken += bytes;
        }
    }
    taken
}

fn say(hub: &mut Hub, id: ClientId, text: &str) {
    hub.receive(id, text, &message::parse(text), NOW);
}

#[test]
fn a_message_is_published_and_delivered_without_an_allocation() {
    let mut hub = hub();
    let clients: Vec<ClientId> = (0..8).map(|number| connect(&mut hub, number)).collect();
    for &client in &clients[..4] {
        say(&mut hub, client, r#"{"type":"join_room","room":"kitchen"}"#);
    }
    let mut round = |count: usize| {
        let mut taken = 0;
        for number in 0..count {
            say(&mut hub, clients[number % 4], CHAT_IN_ROOM);
            say(&mut hub, clients[number % 8], CHAT);
            taken += drain(&mut hub, [usize::MAX, 100][number % 2]);
        }
        taken
    };
    round(64);
    let mut taken = 0;
    let counted = allocation_counter::measure(|| taken = round(1_000));
    assert!(taken > 1_000 * 12 * 100, "there was something to deliver: {taken}");
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn answers_but_for_lists_are_given_without_an_allocation_once_an_outbox_was_there() {
    let mut hub = hub();
    let client = connect(&mut hub, 0);
    let mut round = || {
        for text in [r#"{"type":"ping"}"#, "echo", r#"{"type":"chat"}"#] {
            say(&mut hub, client, text);
            assert!(drain(&mut hub, usize::MAX) > 0);
        }
    };
    round();
    let counted = allocation_counter::measure(|| (0..1_000).for_each(|_| round()));
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn a_frame_that_lies_whole_in_the_buffer_is_read_without_an_allocation() {
    let mask = [1, 2, 3, 4];
    let mut frame = vec![0x81, 0x80 | u8::try_from(CHAT.len()).unwrap()];
    frame.extend(mask);
    frame.extend(CHAT.bytes().zip(mask.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
    let (mut reader, mut budget) = (Reader::new(), InboundBudget::new(1_024));
    let mut copy = frame.clone();
    let counted = allocation_counter::measure(|| {
        for _ in 0..1_000 {
            copy.copy_from_slice(&frame);
            let (taken, event) = reader.read(&mut copy, 1_024, &mut budget).unwrap();
            assert!(taken == frame.len() && matches!(event, Some(Event::Text(CHAT))));
        }
    });
    assert_eq!((counted.count_total, budget.used()), (0, 0), "{counted:?}");
}
