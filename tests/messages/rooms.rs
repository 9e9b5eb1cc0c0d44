//! `join_room` and `leave_room`.

use serde_json::{Value, json};

use crate::support::{Client, TestServer, assert_fields, content_of, room_of, seq_of, settings, sorted};

const JOINED: [&str; 9] =
    ["type", "content", "sender", "timestamp", "room", "epoch", "seq", "members", "member_count"];

async fn say(client: &mut Client, room: &str, content: &str) -> u64 {
    client.send(json!({"type": "chat", "content": content, "room": room})).await;
    let chat = client.expect(content, |m| m["type"] == "chat" && m["content"] == content).await;
    seq_of(&chat)
}

/// Leaves and comes to rest.
async fn leave(client: &mut Client, room: &str) {
    client.send(json!({"type": "leave_room", "room": room})).await;
    client.next_of_type("left").await;
}

/// Sends a `join_room` with further fields, and returns all that came for it.
async fn join_with(client: &mut Client, message: Value) -> Vec<Value> {
    client.send(message).await;
    client.settle().await
}

fn seqs(events: &[Value]) -> Vec<u64> {
    events.iter().map(seq_of).collect()
}

#[tokio::test]
async fn the_joiner_gets_joined_and_then_the_line_of_its_own_joining() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    aki.send(json!({"type": "join_room", "room": "kitchen"})).await;
    let joined = aki.next_must_be("joined").await;
    assert_fields(&joined, &JOINED);
    assert_eq!((room_of(&joined), seq_of(&joined)), ("kitchen", 0));
    assert_eq!((&joined["members"], &joined["member_count"]), (&json!(["aki"]), &json!(1)));
    let epoch = joined["epoch"].as_str().unwrap();
    assert!((1..=32).contains(&epoch.len()), "{epoch}");
    assert!(epoch.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)), "{epoch}");
    let line = aki.next_must_be_line("kitchen", "aki joined the room").await;
    assert_fields(&line, &["type", "content", "sender", "timestamp", "room", "seq"]);
    assert_eq!(seq_of(&line), 1);
    aki.assert_silent().await;
}

#[tokio::test]
async fn members_are_told_who_joins_and_who_leaves_and_strangers_are_not() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    let mut bo = Client::connect(&server, "bo").await;
    let mut stranger = Client::connect(&server, "stranger").await;
    aki.join("kitchen").await;
    aki.settle().await;
    bo.settle().await;
    let joined = bo.join("kitchen").await;
    assert_eq!((sorted(&joined["members"]), &joined["member_count"]), (vec!["aki", "bo"], &json!(2)));
    let line = aki.next_must_be_line("kitchen", "bo joined the room").await;
    assert_eq!(seq_of(&line), seq_of(&joined) + 1);
    bo.send(json!({"type": "leave_room", "room": "kitchen"})).await;
    let left = bo.next_must_be("left").await;
    assert_fields(&left, &["type", "content", "sender", "timestamp", "room"]);
    assert_eq!(left["room"], "kitchen");
    aki.next_must_be_line("kitchen", "bo left the room").await;
    for client in [&mut aki, &mut bo, &mut stranger] {
        client.assert_silent().await;
    }
}

#[tokio::test]
async fn who_has_left_gets_nothing_more_of_the_room() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    let mut bo = Client::connect(&server, "bo").await;
    aki.join("kitchen").await;
    bo.join("kitchen").await;
    leave(&mut bo, "kitchen").await;
    aki.settle().await;
    say(&mut aki, "kitchen", "are they gone").await;
    bo.assert_silent().await;
}

#[tokio::test]
async fn leaving_a_room_that_one_is_not_in_is_an_error() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    let mut bo = Client::connect(&server, "bo").await;
    aki.next_must_be_line("", "bo connected").await;
    bo.join("cellar").await;
    aki.join("kitchen").await;
    leave(&mut aki, "kitchen").await;
    for room in ["kitchen", "cellar", "nowhere"] {
        aki.send(json!({"type": "leave_room", "room": room})).await;
        assert_eq!(aki.next_must_be_error("not_in_room").await["room"], room);
    }
    bo.assert_silent().await;
}

#[tokio::test]
async fn joining_again_tells_the_present_head_and_nothing_else_happens() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    let mut bo = Client::connect(&server, "bo").await;
    aki.settle().await;
    let first = aki.join("kitchen").await;
    bo.join("kitchen").await;
    let head = say(&mut bo, "kitchen", "hello").await;
    aki.expect("hello", |m| m["content"] == "hello").await;
    let epoch = first["epoch"].as_str().unwrap();
    for message in [
        json!({"type": "join_room", "room": "kitchen"}),
        json!({"type": "join_room", "room": " kitchen ", "history": 10}),
        json!({"type": "join_room", "room": "kitchen", "since": format!("{epoch}:0")}),
        json!({"type": "join_room", "room": "kitchen", "since": "other:5"}),
    ] {
        let events = join_with(&mut aki, message).await;
        assert_eq!(events.len(), 1, "{events:?}");
        assert_fields(&events[0], &JOINED);
        assert_eq!((&events[0]["seq"], &events[0]["epoch"]), (&json!(head), &first["epoch"]));
        assert_eq!(events[0]["member_count"], 2);
    }
    bo.assert_silent().await;
    say(&mut bo, "kitchen", "still once").await;
    assert_eq!(content_of(&aki.next_must_be("chat").await), "still once");
    aki.assert_silent().await;
}

#[tokio::test]
async fn history_comes_after_joined_and_before_what_is_live() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    aki.join("kitchen").await;
    for number in 2..=10 {
        assert_eq!(say(&mut aki, "kitchen", &format!("message {number}")).await, number);
    }
    // History asked for, and the first seq that comes; joining and leaving add two lines each time.
    let mut head = 10;
    for (history, replayed) in [(0, 0), (1, 1), (4, 4), (10_000, u64::MAX)] {
        let mut bo = Client::connect(&server, "bo").await;
        let events =
            join_with(&mut bo, json!({"type": "join_room", "room": "kitchen", "history": history})).await;
        assert_eq!((&events[0]["type"], seq_of(&events[0])), (&json!("joined"), head));
        let first = head + 1 - replayed.min(head);
        assert_eq!(seqs(&events[1..]), (first..=head + 1).collect::<Vec<_>>(), "history {history}");
        assert_eq!(content_of(events.last().unwrap()), "bo joined the room");
        bo.leave().await;
        aki.expect("the end", |m| m["content"] == "bo disconnected").await;
        head += 2;
    }
}

#[tokio::test]
async fn what_is_replayed_is_what_was_said() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    aki.join("kitchen").await;
    aki.send(json!({"type": "chat", "content": "first \u{1F600} \"words\"", "room": "kitchen"})).await;
    let live = aki.next_must_be("chat").await;
    let mut bo = Client::connect(&server, "bo").await;
    let events = join_with(&mut bo, json!({"type": "join_room", "room": "kitchen", "history": 1})).await;
    assert_eq!(events[1], live, "the same message, seq and timestamp and all");
}

#[tokio::test]
async fn an_empty_room_keeps_its_history_until_its_place_is_needed() {
    let server = TestServer::start(roomd::config::Settings { rooms: 2, rooms_per_client: 2, ..settings() });
    let mut aki = Client::connect(&server, "aki").await;
    let mut epochs = Vec::new();
    for room in ["oldest", "newest"] {
        epochs.push(aki.join(room).await["epoch"].clone());
        say(&mut aki, room, "remember me").await;
        leave(&mut aki, room).await;
    }
    // Each kept room is still there with its lines: joined, said, left.
    for (room, epoch) in ["oldest", "newest"].iter().zip(&epochs) {
        let events = join_with(&mut aki, json!({"type": "join_room", "room": room, "history": 10})).await;
        assert_eq!((&events[0]["epoch"], seq_of(&events[0])), (epoch, 3));
        assert_eq!(content_of(&events[2]), "remember me");
        leave(&mut aki, room).await;
    }
    // A third room takes the place of the one that has been empty for longest.
    aki.join("third").await;
    let again = join_with(&mut aki, json!({"type": "join_room", "room": "newest", "history": 10})).await;
    assert_eq!(again[0]["epoch"], epochs[1], "the younger one was kept");
    leave(&mut aki, "newest").await;
    leave(&mut aki, "third").await;
    let again = join_with(&mut aki, json!({"type": "join_room", "room": "oldest", "history": 10})).await;
    assert_ne!(again[0]["epoch"], epochs[0], "a room that is made again has a new epoch");
    assert_eq!((seq_of(&again[0]), again.len()), (0, 2), "and begins at 1: {again:?}");
}

#[tokio::test]
async fn when_all_rooms_are_peopled_there_is_no_further_one() {
    let server = TestServer::start(roomd::config::Settings { rooms: 2, rooms_per_client: 2, ..settings() });
    let mut aki = Client::connect(&server, "aki").await;
    let mut bo = Client::connect(&server, "bo").await;
    aki.settle().await;
    aki.join("one").await;
    bo.join("two").await;
    bo.send(json!({"type": "join_room", "room": "three"})).await;
    assert_eq!(bo.next_must_be_error("rooms_full").await["room"], "three");
    bo.join("one").await;
    leave(&mut bo, "two").await;
    bo.join("three").await;
    bo.send(json!({"type": "list_members", "room": "two"})).await;
    bo.next_must_be_error("unknown_room").await;
}

#[tokio::test]
async fn a_client_is_in_only_so_many_rooms() {
    let server = TestServer::start(roomd::config::Settings { rooms_per_client: 2, ..settings() });
    let mut aki = Client::connect(&server, "aki").await;
    aki.join("one").await;
    aki.join("two").await;
    aki.send(json!({"type": "join_room", "room": "three"})).await;
    assert_eq!(aki.next_must_be_error("too_many_rooms").await["room"], "three");
    aki.send(json!({"type": "join_room", "room": "two"})).await;
    aki.next_must_be("joined").await;
    leave(&mut aki, "one").await;
    aki.join("three").await;
    aki.send(json!({"type": "list_rooms"})).await;
    let rooms = aki.next_must_be("rooms").await;
    assert_eq!(rooms["rooms"].as_array().unwrap().len(), 3, "a room refused was not made: {rooms}");
}

#[tokio::test]
async fn a_room_name_has_1_to_48_bytes() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    let fits = [
        "a".to_owned(),
        "x".repeat(47),
        "x".repeat(48),
        "é".repeat(24),
        "€".repeat(16),
        "😀".repeat(12),
        "👨\u{200d}👩\u{200d}👧".to_owned(),
        "System".to_owned(),
        r#"with "quotes" \ and / slashes"#.to_owned(),
    ];
    for room in fits {
        aki.join(&room).await;
        let line = say(&mut aki, &room, "x").await;
        assert_eq!(line, 2, "{room}");
        leave(&mut aki, &room).await;
    }
    let too_long =
        ["x".repeat(49), format!("{}x", "é".repeat(24)), "€".repeat(17), "😀".repeat(13), "x".repeat(9_999)];
    for room in too_long {
        for kind in ["join_room", "leave_room", "list_members"] {
            aki.send(json!({"type": kind, "room": room})).await;
            aki.next_must_be_error("bad_room_name").await;
        }
        aki.send(json!({"type": "chat", "content": "x", "room": room})).await;
        aki.next_must_be_error("bad_room_name").await;
    }
}

#[tokio::test]
async fn a_room_name_is_trimmed_and_else_never_changed() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    aki.join("my kitchen").await;
    let padded = ["  my kitchen", "my kitchen  ", "\u{3000}my kitchen\u{a0}"];
    for room in padded {
        assert!(say(&mut aki, room, "x").await > 1, "{room:?}");
        aki.send(json!({"type": "leave_room", "room": room})).await;
        assert_eq!(aki.next_must_be("left").await["room"], "my kitchen");
        aki.send(json!({"type": "join_room", "room": room})).await;
        assert_eq!(aki.next_must_be("joined").await["room"], "my kitchen");
        aki.next_must_be_line("my kitchen", "aki joined the room").await;
    }
    aki.send(json!({"type": "join_room", "room": format!("  {}  ", "x".repeat(48))})).await;
    assert_eq!(aki.next_must_be("joined").await["room"], "x".repeat(48));
    aki.next_must_be("system").await;
    for other in ["My kitchen", "my  kitchen", "mykitchen", "cafe\u{301}", "caf\u{e9}"] {
        assert_eq!(aki.join(other).await["member_count"], 1, "{other:?} is a room of its own");
        leave(&mut aki, other).await;
    }
}

#[tokio::test]
async fn joined_lists_64_names_and_counts_them_all() {
    let server = TestServer::start(settings());
    let mut clients = Vec::new();
    for number in 1..=66 {
        let mut client = Client::connect_quietly(&server, &format!("client {number}")).await;
        let joined = client.join("kitchen").await;
        let names = joined["members"].as_array().unwrap();
        assert_eq!(joined["member_count"], number);
        assert_eq!(names.len(), number.min(64), "with {number} members");
        clients.push(client);
    }
}
