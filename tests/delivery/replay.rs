//! `since`: a client that comes back gets exactly what it missed, or is told what is gone.

use roomd::config::Settings;
use serde_json::{Value, json};

use crate::support::{Client, Ledger, TestServer, content_of, seq_of, settings};

/// A room with a publisher in it, whose log keeps at most `kept` messages.
struct Room {
    // Dropped first, so that the server has nobody to wait for.
    publisher: Client,
    server: TestServer,
    epoch: String,
}

impl Room {
    async fn keeping(kept: usize) -> Self {
        let server = TestServer::start(Settings { log_messages: kept, ..settings() });
        let mut publisher = Client::connect_quietly(&server, "publisher").await;
        let joined = publisher.join("kitchen").await;
        let epoch = joined["epoch"].as_str().unwrap().to_owned();
        Self { publisher, server, epoch }
    }

    /// Publishes `count` messages and returns the head.
    async fn publish(&mut self, count: usize) -> u64 {
        let mut head = 0;
        for _ in 0..count {
            self.publisher.send(json!({"type": "chat", "content": "x", "room": "kitchen"})).await;
            head = seq_of(&self.publisher.next_of_type("chat").await);
        }
        head
    }

    /// Joins as a newcomer with this position; returns `joined` and what followed it.
    async fn join_since(&mut self, since: &str) -> (Value, Vec<Value>) {
        let mut client = Client::connect_quietly(&self.server, "returner").await;
        client.send(json!({"type": "join_room", "room": "kitchen", "since": since, "history": 3})).await;
        let mut events = client.settle().await;
        let joined = events.remove(0);
        assert_eq!((&joined["type"], &joined["epoch"]), (&json!("joined"), &json!(self.epoch)));
        let own = events.last().unwrap();
        assert_eq!((seq_of(own), content_of(own)), (seq_of(&joined) + 1, "returner joined the room"));
        client.leave().await;
        self.publisher.expect("the leaving", |m| m["content"] == "returner left the room").await;
        (joined, events)
    }

    fn position(&self, seq: u64) -> String {
        format!("{}:{seq}", self.epoch)
    }
}

#[tokio::test]
async fn a_client_that_comes_back_gets_exactly_what_it_missed() {
    let mut room = Room::keeping(1_024).await;
    let mut client = Client::connect_quietly(&room.server, "returner").await;
    let joined = client.join("kitchen").await;
    let mut ledger = Ledger::after_joined(&joined);
    ledger.enter(&json!({"type": "system", "room": "kitchen", "seq": seq_of(&joined) + 1}));
    for _ in 0..5 {
        let head = room.publish(3).await;
        while ledger.last() < head {
            ledger.enter(&client.next("a message of the room").await);
        }
        client.vanish();
        room.publisher.expect("the leaving", |m| m["content"] == "returner left the room").await;
        room.publish(7).await;
        client = Client::connect_quietly(&room.server, "returner").await;
        let since = room.position(ledger.last());
        client.send(json!({"type": "join_room", "room": "kitchen", "since": since})).await;
        let joined = client.next_must_be("joined").await;
        while ledger.last() <= seq_of(&joined) {
            ledger.enter(&client.next("a message of the room").await);
        }
    }
    assert_eq!(ledger.missed, 0, "{:?}", ledger.gaps);
}

#[tokio::test]
async fn a_client_that_had_received_no_message_yet_comes_back_with_the_position_of_joined() {
    let mut room = Room::keeping(1_024).await;
    let mut client = Client::connect_quietly(&room.server, "returner").await;
    client.send(json!({"type": "join_room", "room": "kitchen"})).await;
    let position = seq_of(&client.next_must_be("joined").await);
    client.vanish();
    room.publisher.expect("the leaving", |m| m["content"] == "returner left the room").await;
    room.publish(4).await;
    let (joined, events) = room.join_since(&room.position(position)).await;
    let seqs: Vec<_> = events.iter().map(seq_of).collect();
    assert_eq!(seqs, (position + 1..=seq_of(&joined) + 1).collect::<Vec<_>>());
    assert_eq!(content_of(&events[0]), "returner joined the room", "its own line, which it never saw");
}

#[tokio::test]
async fn at_each_position_still_kept_the_replay_is_exact() {
    let mut room = Room::keeping(1_024).await;
    room.publish(9).await;
    for seq in 0..=10 {
        let (joined, events) = room.join_since(&room.position(seq)).await;
        let seqs: Vec<_> = events.iter().map(seq_of).collect();
        assert_eq!(seqs, (seq + 1..=seq_of(&joined) + 1).collect::<Vec<_>>(), "since {seq}");
        assert!(events.iter().all(|event| event["type"] != "gap"), "since {seq}");
    }
}

#[tokio::test]
async fn what_is_no_longer_kept_is_told_as_expired_and_the_rest_comes() {
    let kept = 8;
    let mut room = Room::keeping(kept).await;
    let mut head = room.publish(30).await;
    for seq in [0, 1, 10, head - kept as u64 - 1] {
        let (joined, events) = room.join_since(&room.position(seq)).await;
        assert_eq!(seq_of(&joined), head);
        let gap = &events[0];
        assert_eq!(
            (&gap["type"], &gap["reason"]),
            (&json!("gap"), &json!("expired")),
            "since {seq}: {events:?}"
        );
        let mut ledger = Ledger::starting_at("kitchen", seq + 1);
        for event in &events {
            ledger.enter(event);
        }
        assert_eq!((ledger.last(), ledger.gaps.len()), (head + 1, 1), "since {seq}");
        assert!((kept as u64 - 1..=kept as u64 + 1).contains(&ledger.received), "{events:?}");
        // The returner joined and left.
        head += 2;
    }
}

#[tokio::test]
async fn a_position_at_the_head_misses_nothing() {
    let mut room = Room::keeping(8).await;
    let head = room.publish(30).await;
    let (_, events) = room.join_since(&room.position(head)).await;
    assert_eq!(events.len(), 1, "only its own line: {events:?}");
}

#[tokio::test]
async fn a_position_of_another_life_gives_one_restart_gap_and_all_that_is_kept() {
    let kept = 8;
    let mut room = Room::keeping(kept).await;
    let mut head = room.publish(3).await;
    for published in [0, 30] {
        if published > 0 {
            head = room.publish(published).await;
        }
        let foreign =
            ["other:1", "other:0", "-:5", "_:18446744073709551615"].map(|since| Some(since.to_owned()));
        for since in foreign.into_iter().chain([None]) {
            let since = since.unwrap_or_else(|| room.position(head + 1));
            let (joined, events) = room.join_since(&since).await;
            assert_eq!(seq_of(&joined), head);
            let gap = &events[0];
            assert_eq!(
                (&gap["type"], &gap["reason"]),
                (&json!("gap"), &json!("restart")),
                "{since}: {events:?}"
            );
            let last_gone = gap["to"].as_u64().unwrap();
            assert_eq!((&gap["from"], &gap["missed"]), (&json!(1), &json!(last_gone)), "{since}");
            let seqs: Vec<_> = events[1..].iter().map(seq_of).collect();
            assert_eq!(seqs, (last_gone + 1..=head + 1).collect::<Vec<_>>(), "{since}");
            if head < kept as u64 {
                assert_eq!(last_gone, 0, "all is kept");
            } else if head > 2 * kept as u64 {
                assert!(seqs.len() >= kept - 1 && last_gone > 0, "all that is kept: {events:?}");
            }
            head += 2;
        }
    }
}

#[tokio::test]
async fn a_room_made_again_is_another_life() {
    let server = TestServer::start(Settings { rooms: 1, rooms_per_client: 1, ..settings() });
    let mut client = Client::connect_quietly(&server, "aki").await;
    let first = client.join("kitchen").await;
    let position = format!("{}:1", first["epoch"].as_str().unwrap());
    client.send(json!({"type": "leave_room", "room": "kitchen"})).await;
    client.next_must_be("left").await;
    client.join("cellar").await;
    client.send(json!({"type": "leave_room", "room": "cellar"})).await;
    client.next_must_be("left").await;
    client.send(json!({"type": "join_room", "room": "kitchen", "since": position})).await;
    let joined = client.next_must_be("joined").await;
    assert_ne!(joined["epoch"], first["epoch"]);
    let gap = client.next_must_be("gap").await;
    assert_eq!(
        (&gap["reason"], &gap["from"], &gap["to"], &gap["missed"]),
        (&json!("restart"), &json!(1), &json!(0), &json!(0))
    );
    assert_eq!(seq_of(&client.next_must_be_line("kitchen", "aki joined the room").await), 1);
}

#[tokio::test]
async fn history_of_more_than_is_kept_gives_what_is_kept_and_no_gap() {
    let kept = 8;
    let mut room = Room::keeping(kept).await;
    let head = room.publish(30).await;
    let mut client = Client::connect_quietly(&room.server, "newcomer").await;
    client.send(json!({"type": "join_room", "room": "kitchen", "history": 1_000})).await;
    let events = client.settle().await;
    assert_eq!(events[0]["type"], "joined");
    let seqs: Vec<_> = events[1..].iter().map(seq_of).collect();
    assert_eq!(*seqs.last().unwrap(), head + 1);
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");
    assert!((kept - 1..=kept + 1).contains(&seqs.len()), "{seqs:?}");
}
