//! The defects of the hub that roomd replaces, as its first test cases.

#![allow(clippy::unwrap_used)]

mod support;

use roomd::config::Settings;
use serde_json::{Value, json};
use support::{Client, Handshake, Ledger, RawClient, TEXT, TestServer, content_of, seq_of, settings, sorted};

/// Its run loop sent into the unbuffered channel that it alone read.
#[tokio::test]
async fn defect_1_the_first_connection_does_not_hang_the_hub() {
    let server = TestServer::start(settings());
    let mut first = Client::connect(&server, "first").await;
    first.count_becomes(1).await;
    let mut others = Vec::new();
    for number in 2..=50 {
        let mut next = Client::connect(&server, &format!("client {number}")).await;
        next.count_becomes(number).await;
        first.next_must_be_line("", &format!("client {number} connected")).await;
        others.push(next);
    }
}

/// It took its locks in both orders, and changed the member map while ranging over it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defect_2_joining_leaving_and_broadcasting_at_once_neither_locks_up_nor_corrupts() {
    let server = TestServer::start_with_workers(settings(), 2);
    let mut watcher = Client::connect_quietly(&server, "watcher").await;
    watcher.join("kitchen").await;
    let mut churners = Vec::new();
    for number in 0..20 {
        let mut client = Client::connect_quietly(&server, &format!("churner {number}")).await;
        churners.push(tokio::spawn(async move {
            for _ in 0..25 {
                for room in ["kitchen", "cellar"] {
                    client.send(json!({"type": "join_room", "room": room})).await;
                    client.send(json!({"type": "chat", "content": "to some", "room": room})).await;
                }
                client.send(json!({"type": "chat", "content": "to all"})).await;
                client.send(json!({"type": "list_members", "room": "kitchen"})).await;
                for room in ["cellar", "kitchen"] {
                    client.send(json!({"type": "leave_room", "room": room})).await;
                    client.next_of_type("left").await;
                }
            }
            client.leave().await;
        }));
    }
    let churning = async {
        for churner in churners {
            churner.await.unwrap();
        }
        let mut last = Client::connect_quietly(&server, "last").await;
        last.join("kitchen").await;
        last.send(json!({"type": "list_members", "room": "kitchen"})).await;
        let members = last.next_of_type("members").await;
        assert_eq!(sorted(&members["members"]), ["last", "watcher"]);
        last
    };
    let watching = async {
        let mut ledger = Ledger::starting_at("kitchen", 2);
        loop {
            let message = watcher.next("a message of the room").await;
            ledger.enter(&message);
            if message["content"] == "last joined the room" {
                return ledger;
            }
        }
    };
    let (_last, ledger) = tokio::join!(churning, watching);
    assert_eq!(ledger.received + ledger.missed, 20 * 25 * 3 + 1);
}

/// It closed the channel of a slow client twice and panicked.
#[tokio::test]
async fn defect_3_a_slow_client_that_goes_while_it_is_being_ended_takes_nobody_with_it() {
    let settings =
        Settings { write_timeout_ms: 100, send_buffer_bytes: 4_096, log_messages: 64, ..settings() };
    let server = TestServer::start(settings);
    let mut talker = Client::connect(&server, "talker").await;
    let content = "x".repeat(2_000);
    for number in 0..20 {
        let query = format!("username=slow-{number}");
        let slow = RawClient::upgrade_narrow(&server, &query).await;
        for _ in 0..20 {
            talker.send(json!({"type": "chat", "content": content})).await;
        }
        if number % 2 == 0 {
            // It goes in the same moment; else the server ends it.
            slow.reset();
            talker.expect("its end", |m| m["content"] == format!("slow-{number} disconnected")).await;
        } else {
            talker.expect("its end", |m| m["content"] == format!("slow-{number} disconnected")).await;
            drop(slow);
        }
        talker.settle().await;
    }
    talker.count_becomes(1).await;
    talker.assert_silent().await;
}

/// It joined several messages by a newline in one frame, and `JSON.parse` failed under load.
#[tokio::test]
async fn defect_4_under_load_each_frame_holds_exactly_one_message() {
    let server = TestServer::start(settings());
    let mut reader = RawClient::upgrade(&server, "username=reader").await;
    assert_eq!(reader.next_json().await["type"], "welcome");
    let mut talker = Client::connect_quietly(&server, "talker").await;
    let messages = 800;
    for number in 0..messages {
        talker.feed(&json!({"type": "chat", "content": format!("line {number}\nand another")})).await;
    }
    talker.flush().await;
    let mut next = 0;
    while next < messages {
        let frame = reader.next_with_opcode(TEXT).await;
        assert!(!frame.payload.contains(&b'\n'), "a line feed outside a string, or unescaped: {frame:?}");
        let message = frame.json();
        if message["type"] == "chat" {
            assert_eq!(content_of(&message), format!("line {next}\nand another"));
            next += 1;
        }
    }
}

/// It never freed a room, and declared a message list that it never filled.
#[tokio::test]
async fn defect_5_rooms_make_way_for_others_and_remember_what_was_said() {
    let server = TestServer::start(Settings { rooms: 4, rooms_per_client: 4, ..settings() });
    let mut client = Client::connect(&server, "aki").await;
    for number in 0..100 {
        let room = format!("room {number}");
        client.join(&room).await;
        client.send(json!({"type": "chat", "content": room, "room": room})).await;
        client.next_of_type("chat").await;
        client.send(json!({"type": "leave_room", "room": room})).await;
        client.next_of_type("left").await;
    }
    client.send(json!({"type": "list_rooms"})).await;
    let rooms = client.next_of_type("rooms").await;
    assert!(rooms["rooms"].as_array().unwrap().len() <= 4, "{rooms}");
    client.send(json!({"type": "join_room", "room": "room 99", "history": 2})).await;
    client.next_must_be("joined").await;
    assert_eq!(content_of(&client.next_must_be("chat").await), "room 99");
}

/// It cut a slow client off without a word, and a full queue blocked its reader at the echo.
#[tokio::test]
async fn defect_6_a_slow_client_is_told_what_it_missed_and_is_still_heard() {
    let settings = Settings { log_messages: 32, send_buffer_bytes: 4_096, ..settings() };
    let server = TestServer::start(settings);
    let mut slow = RawClient::upgrade_narrow(&server, "username=slow").await;
    let own = loop {
        let message = slow.next_json().await;
        if message["type"] == "system" {
            break message;
        }
    };
    let mut ledger = Ledger::starting_at("", seq_of(&own) + 1);
    let mut talker = Client::connect(&server, "talker").await;
    let content = "x".repeat(1_000);
    for _ in 0..200 {
        talker.send(json!({"type": "chat", "content": content})).await;
        talker.next_of_type("chat").await;
    }
    // Its own words come through while nothing goes out to it.
    for number in 0..100 {
        slow.send_text(&format!("echo {number} {}", "e".repeat(1_000))).await;
    }
    slow.send(&json!({"type": "chat", "content": "I am slow, not gone"})).await;
    let head = seq_of(&talker.expect("its words", |m| m["content"] == "I am slow, not gone").await);
    while ledger.last() < head {
        let frame = slow.next_with_opcode(TEXT).await;
        if let Ok(message) = serde_json::from_slice::<Value>(&frame.payload) {
            ledger.enter(&message);
        }
    }
    assert_eq!(ledger.gaps.len(), 1, "{:?}", ledger.gaps);
    assert_eq!(ledger.gaps[0]["reason"], "slow");
    assert_eq!(ledger.received + ledger.missed, head - seq_of(&own), "every message is accounted for");
}

/// Names collided, every Origin was let in, and anyone could write into any room.
#[tokio::test]
async fn defect_7_names_origins_and_rooms_are_guarded() {
    let server = TestServer::start(settings());
    let mut names = Vec::new();
    let mut clients = Vec::new();
    for number in 0..60 {
        let query = if number % 2 == 0 { "" } else { "username=same" };
        let mut client = Client::open(&server, query).await;
        names.push(client.next_of_type("welcome").await["username"].as_str().unwrap().to_owned());
        clients.push(client);
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), clients.len(), "each name once: {names:?}");

    let from_elsewhere = Handshake::new(&server, "").with("Origin", "http://elsewhere.example");
    from_elsewhere.send(&server).await.assert_refusal(403, "origin_not_allowed");

    let mut member = Client::connect_quietly(&server, "member").await;
    member.join("kitchen").await;
    let mut stranger = Client::connect_quietly(&server, "stranger").await;
    stranger.send(json!({"type": "chat", "content": "hi", "room": "kitchen"})).await;
    stranger.next_must_be_error("not_in_room").await;
    member.assert_silent().await;
}

/// It dropped text that is no JSON, although an echo server was asked for.
#[tokio::test]
async fn defect_8_text_that_is_no_json_is_echoed() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    for text in ["hello", "", "{", "{\"type\":\"chat\"", "42", "Grüße 👋"] {
        client.send_text(text).await;
        let echo = loop {
            let message = client.next_message("echo").await.into_text().unwrap();
            if !message.contains("client_count") {
                break message;
            }
        };
        assert_eq!(echo.as_str(), text);
    }
}
