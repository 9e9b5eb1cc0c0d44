//! `list_rooms`, `list_members` and `ping`.

use serde_json::{Value, json};

use crate::support::{Client, TestServer, assert_fields, settings, sorted};

async fn rooms(client: &mut Client) -> Vec<Value> {
    client.send(json!({"type": "list_rooms"})).await;
    let answer = client.next_of_type("rooms").await;
    assert_fields(&answer, &["type", "content", "sender", "timestamp", "rooms", "room_count"]);
    let mut rooms = answer["rooms"].as_array().unwrap().clone();
    assert_eq!(answer["room_count"], rooms.len());
    for room in &rooms {
        assert_fields(room, &["room", "members", "seq"]);
    }
    rooms.sort_by_key(|room| room["room"].as_str().unwrap().to_owned());
    rooms
}

async fn members(client: &mut Client, room: &str) -> Value {
    client.send(json!({"type": "list_members", "room": room})).await;
    client.next_of_type("members").await
}

#[tokio::test]
async fn the_rooms_are_listed_with_their_members_and_heads() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    let mut bo = Client::connect(&server, "bo").await;
    assert_eq!(rooms(&mut aki).await, [] as [Value; 0], "the lobby is no room of the list");
    aki.join("kitchen").await;
    bo.join("kitchen").await;
    bo.join("cellar").await;
    bo.send(json!({"type": "chat", "content": "x", "room": "cellar"})).await;
    bo.next_of_type("chat").await;
    let expected = [
        json!({"room": "cellar", "members": 1, "seq": 2}),
        json!({"room": "kitchen", "members": 2, "seq": 2}),
    ];
    assert_eq!(rooms(&mut aki).await, expected);
    assert_eq!(rooms(&mut bo).await, expected, "the same for everyone");
}

#[tokio::test]
async fn a_room_that_stands_empty_is_still_listed() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    aki.join("kitchen").await;
    aki.send(json!({"type": "leave_room", "room": "kitchen"})).await;
    aki.next_must_be("left").await;
    let listed = rooms(&mut aki).await;
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["room"], &listed[0]["members"]), (&json!("kitchen"), &json!(0)));
    let members = members(&mut aki, "kitchen").await;
    assert_eq!(members["members"], json!([]));
}

#[tokio::test]
async fn as_many_rooms_as_there_can_be_are_listed() {
    let most = 64;
    let server =
        TestServer::start(roomd::config::Settings { rooms: most, rooms_per_client: 32, ..settings() });
    let mut clients = [Client::connect(&server, "aki").await, Client::connect(&server, "bo").await];
    for number in 0..most {
        let name = format!("{number:02} {}", "long".repeat(11));
        clients[number / 32].join(&name).await;
    }
    assert_eq!(rooms(&mut clients[0]).await.len(), most);
}

#[tokio::test]
async fn members_are_listed_by_name_for_whoever_asks() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    let mut quiet = Client::connect_quietly(&server, "sensor").await;
    let mut stranger = Client::connect(&server, "stranger").await;
    aki.join("kitchen").await;
    quiet.join("kitchen").await;
    for asker in [&mut aki, &mut quiet, &mut stranger] {
        let answer = members(asker, "kitchen").await;
        assert_fields(
            &answer,
            &["type", "content", "sender", "timestamp", "room", "members", "member_count"],
        );
        assert_eq!(answer["room"], "kitchen");
        assert_eq!(sorted(&answer["members"]), ["aki", "sensor"]);
        assert_eq!(answer["member_count"], 2);
    }
    let trimmed = members(&mut aki, "  kitchen ").await;
    assert_eq!(trimmed["room"], "kitchen");
}

#[tokio::test]
async fn the_members_of_the_lobby_are_all_clients() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    let bo = Client::connect(&server, "bo").await;
    let _quiet = Client::connect_quietly(&server, "sensor").await;
    let answer = members(&mut aki, "").await;
    assert_eq!(sorted(&answer["members"]), ["aki", "bo", "sensor"]);
    bo.leave().await;
    aki.expect("the end", |m| m["content"] == "bo disconnected").await;
    let answer = members(&mut aki, "").await;
    assert_eq!(sorted(&answer["members"]), ["aki", "sensor"]);
}

#[tokio::test]
async fn a_room_that_never_was_is_unknown() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    for room in ["nowhere", "kitche", "kitchens", "Kitchen"] {
        aki.send(json!({"type": "list_members", "room": room})).await;
        let error = aki.next_must_be_error("unknown_room").await;
        assert_eq!(error["room"], room);
        aki.join("kitchen").await;
        aki.send(json!({"type": "leave_room", "room": "kitchen"})).await;
        aki.next_must_be("left").await;
    }
    assert_eq!(rooms(&mut aki).await.len(), 1, "asking makes no room");
}

#[tokio::test]
async fn one_ping_gets_one_pong_and_nobody_else_gets_any() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    let mut bo = Client::connect(&server, "bo").await;
    aki.next_must_be_line("", "bo connected").await;
    for _ in 0..3 {
        aki.send(json!({"type": "ping"})).await;
        let pong = aki.next_must_be("pong").await;
        assert_fields(&pong, &["type", "content", "sender", "timestamp"]);
    }
    bo.assert_silent().await;
    aki.assert_silent().await;
}

/// Names of 96 bytes, every second one to be escaped, so that lists are as long as they can be.
fn long_name(number: usize) -> String {
    let filler = if number.is_multiple_of(2) { "e\u{301}".repeat(29) } else { "\"".repeat(29) };
    format!("{number:03}{filler}")
}

#[tokio::test]
async fn a_list_longer_than_an_answer_may_be_is_cut_and_tells_how_long_it_is() {
    let settings = roomd::config::Settings {
        message_bytes: 1_024,
        outbox_bytes: 4_096,
        rooms: 200,
        rooms_per_client: 32,
        ..settings()
    };
    let server = TestServer::start(settings);
    let mut clients = Vec::new();
    for number in 0..100 {
        let mut client = Client::connect_quietly(&server, &long_name(number)).await;
        let joined = client.join("kitchen").await;
        assert_eq!(joined["member_count"], number + 1, "an answer that matters arrives, however long");
        client.join(&long_name(number).chars().take(20).collect::<String>()).await;
        clients.push(client);
    }
    for room in ["kitchen", ""] {
        let answer = members(&mut clients[0], room).await;
        assert_eq!(answer["member_count"], 100, "{answer}");
        let names = sorted(&answer["members"]);
        assert!((1..100).contains(&names.len()), "{} names", names.len());
        assert!(names.iter().all(|name| clients_have(name)), "{names:?}");
    }
    clients[0].send(json!({"type": "list_rooms"})).await;
    let answer = clients[0].next_of_type("rooms").await;
    assert_eq!(answer["room_count"], 101, "{answer}");
    assert!((1..101).contains(&answer["rooms"].as_array().unwrap().len()), "{answer}");
    clients[0].assert_silent().await;
}

fn clients_have(name: &str) -> bool {
    name[..3].parse().is_ok_and(|number| long_name(number) == name)
}
