//! `welcome`, `system`, `client_count`, and the order in which they come.

use serde_json::{Value, json};

use crate::support::{Client, TestServer, assert_fields, content_of, room_of, seq_of, settings};

#[tokio::test]
async fn the_welcome_says_all_that_a_client_must_know() {
    let settings = roomd::config::Settings {
        message_bytes: 3_000,
        rooms_per_client: 7,
        messages_per_second: 11,
        burst: 13,
        write_timeout_ms: 17_000,
        heartbeat_s: 19,
        ..settings()
    };
    let server = TestServer::start(settings);
    let mut client = Client::open(&server, "username=aki").await;
    let welcome = client.next("welcome").await;
    assert_fields(
        &welcome,
        &[
            "type",
            "content",
            "sender",
            "timestamp",
            "client_id",
            "username",
            "epoch",
            "resume",
            "limits",
            "heartbeat_s",
            "server",
        ],
    );
    assert_eq!((&welcome["type"], &welcome["content"]), (&json!("welcome"), &json!("Welcome, aki!")));
    assert_eq!(welcome["username"], "aki");
    let limits = json!({
        "message_bytes": 3_000, "rooms_per_client": 7, "name_graphemes": 32, "messages_per_second": 11, "burst": 13,
        "write_timeout_ms": 17_000,
    });
    assert_eq!(welcome["limits"], limits);
    assert_eq!(welcome["heartbeat_s"], 19);
    for field in ["client_id", "epoch", "resume"] {
        assert!(welcome[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {welcome}");
    }
    let server = welcome["server"].to_string();
    assert!(server.contains("roomd") && server.contains(env!("CARGO_PKG_VERSION")), "{server}");
}

#[tokio::test]
async fn every_client_has_an_id_of_its_own_and_the_epoch_of_all() {
    let server = TestServer::start(settings());
    let mut clients = Vec::new();
    for number in 0..10 {
        clients.push(Client::connect(&server, &format!("client {number}")).await);
    }
    let distinct = |field: &str| {
        let mut values: Vec<_> = clients.iter().map(|client| client.welcome[field].to_string()).collect();
        values.sort();
        values.dedup();
        values.len()
    };
    assert_eq!((distinct("client_id"), distinct("resume"), distinct("epoch")), (10, 10, 1));
}

#[tokio::test]
async fn another_life_of_the_server_has_another_epoch() {
    let mut epochs = Vec::new();
    for _ in 0..2 {
        let server = TestServer::start(settings());
        epochs.push(Client::connect(&server, "aki").await.welcome["epoch"].clone());
    }
    assert_ne!(epochs[0], epochs[1]);
}

#[tokio::test]
async fn everyone_is_told_who_connects_and_who_disconnects() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    let mut cy = Client::connect(&server, "cy").await;
    aki.next_must_be_line("", "cy connected").await;
    let bo = Client::connect(&server, "bo").await;
    for witness in [&mut aki, &mut cy] {
        let mut line = witness.next_must_be_line("", "bo connected").await;
        assert_eq!(seq_of(&line), 3);
        line.as_object_mut().unwrap().remove("room");
        assert_fields(&line, &["type", "content", "sender", "timestamp", "seq"]);
    }
    bo.leave().await;
    for witness in [&mut aki, &mut cy] {
        assert_eq!(seq_of(&witness.next_must_be_line("", "bo disconnected").await), 4);
        witness.assert_silent().await;
    }
}

#[tokio::test]
async fn who_disconnects_leaves_its_rooms_first_each_announced() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect(&server, "witness").await;
    let mut member_of_one = Client::connect(&server, "member").await;
    for room in ["a", "b", "c"] {
        witness.join(room).await;
    }
    member_of_one.join("b").await;
    for polite in [true, false] {
        let mut leaver = Client::connect(&server, "leaver").await;
        for room in ["c", "a", "b"] {
            leaver.join(room).await;
        }
        witness.expect("the joining", |m| m["content"] == "leaver joined the room" && m["room"] == "b").await;
        member_of_one.expect("the joining", |m| m["content"] == "leaver joined the room").await;
        if polite {
            leaver.leave().await;
        } else {
            leaver.vanish();
        }
        let mut rooms = Vec::new();
        for _ in 0..3 {
            let line = witness.next_must_be("system").await;
            assert_eq!(content_of(&line), "leaver left the room", "polite: {polite}");
            rooms.push(room_of(&line).to_owned());
        }
        rooms.sort();
        assert_eq!(rooms, ["a", "b", "c"]);
        witness.next_must_be_line("", "leaver disconnected").await;
        member_of_one.next_must_be_line("b", "leaver left the room").await;
        member_of_one.next_must_be_line("", "leaver disconnected").await;
    }
    witness.assert_silent().await;
}

#[tokio::test]
async fn each_client_sees_the_newest_count() {
    let server = TestServer::start(settings());
    let mut clients = Vec::new();
    for number in 1..=10 {
        clients.push(Client::connect(&server, &format!("client {number}")).await);
        for client in &mut clients {
            let mut count = client.count_becomes(number).await;
            count.as_object_mut().unwrap().remove("room");
            assert_fields(&count, &["type", "content", "sender", "timestamp"]);
        }
    }
    while let Some(client) = clients.pop() {
        if clients.len() % 2 == 0 {
            client.leave().await;
        } else {
            client.vanish();
        }
        let count = clients.len();
        for client in &mut clients {
            client.count_becomes(count).await;
        }
    }
}

#[tokio::test]
async fn a_client_alone_is_told_that_it_is_one() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    client.count_becomes(1).await;
}

#[tokio::test]
async fn names_in_lines_are_the_names_that_were_given() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect(&server, "aki").await;
    let mut second = Client::open(&server, "username=aki&room=kitchen").await;
    assert_eq!(second.next_must_be("welcome").await["username"], "aki-2");
    witness.next_must_be_line("", "aki-2 connected").await;
    second.expect("its joining", |m| m["content"] == "aki-2 joined the room").await;
    second.send(json!({"type": "chat", "content": "which one am I"})).await;
    assert_eq!(witness.next_must_be("chat").await["sender"], Value::from("aki-2"));
}
