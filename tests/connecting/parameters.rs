//! `room`, `since`, `history` and `quiet` in the query.

use roomd::config::Settings;
use serde_json::{Value, json};

use crate::support::{
    Client, Ledger, TestServer, assert_fields, content_of, encode, room_of, seq_of, settings,
};

async fn names_in(client: &mut Client, room: &str) -> Value {
    client.send(json!({"type": "list_members", "room": room})).await;
    client.next_of_type("members").await["members"].take()
}

#[tokio::test]
async fn the_welcome_is_the_first_of_all_frames() {
    let server = TestServer::start(settings());
    let mut talker = Client::connect(&server, "talker").await;
    talker.send(json!({"type": "chat", "content": "before"})).await;
    for query in ["", "history=10", "room=kitchen", "room=a&room=b&history=5", "since=nonsense", "room="] {
        let mut client = Client::open(&server, query).await;
        assert_eq!(client.next("welcome").await["type"], "welcome", "{query:?}");
    }
}

#[tokio::test]
async fn rooms_in_the_query_are_joined_in_their_order() {
    let server = TestServer::start(settings());
    let mut client =
        Client::open(&server, "username=aki&room=kitchen&room=%20cellar%20&room=k%C3%BCche").await;
    client.next_must_be("welcome").await;
    let events = client.settle().await;
    let joined: Vec<_> = events.iter().filter(|event| event["type"] == "joined").map(room_of).collect();
    assert_eq!(joined, ["kitchen", "cellar", "küche"]);
    for room in joined {
        let of_room: Vec<_> = events.iter().filter(|event| room_of(event) == room).collect();
        assert_eq!(of_room[0]["type"], "joined", "{events:?}");
        assert_eq!(content_of(of_room[1]), "aki joined the room");
        assert_eq!(of_room.len(), 2, "{events:?}");
    }
}

#[tokio::test]
async fn a_bad_room_in_the_query_gets_an_error_and_the_others_are_joined() {
    let server = TestServer::start(Settings { rooms_per_client: 2, ..settings() });
    let long = "x".repeat(49);
    let query = format!("username=aki&room=kitchen&room={long}&room=a%00b&room=cellar&room=one-too-many");
    let mut client = Client::open(&server, &query).await;
    client.next_must_be("welcome").await;
    let events = client.settle().await;
    let answers: Vec<_> =
        events.iter().filter(|event| event["type"] == "joined" || event["type"] == "error").collect();
    let told: Vec<_> =
        answers.iter().map(|answer| answer["code"].as_str().unwrap_or_else(|| room_of(answer))).collect();
    assert_eq!(told, ["kitchen", "bad_room_name", "bad_room_name", "cellar", "too_many_rooms"], "{events:?}");
    assert_eq!(names_in(&mut client, "cellar").await, json!(["aki"]));
}

#[tokio::test]
async fn a_room_named_twice_is_joined_once() {
    let server = TestServer::start(settings());
    let mut client = Client::open(&server, "username=aki&room=kitchen&room=kitchen").await;
    client.next_must_be("welcome").await;
    let events = client.settle().await;
    let lines =
        events.iter().filter(|event| event["type"] == "system" && room_of(event) == "kitchen").count();
    assert_eq!(lines, 1, "{events:?}");
    assert_eq!(names_in(&mut client, "kitchen").await, json!(["aki"]));
}

/// A server whose lobby holds "talker connected" and five messages, seqs 1 to 6.
async fn with_a_lobby_of_six() -> (TestServer, Client) {
    let server = TestServer::start(settings());
    let mut talker = Client::connect(&server, "talker").await;
    for number in 2..=6 {
        talker.send(json!({"type": "chat", "content": format!("message {number}")})).await;
        assert_eq!(seq_of(&talker.next_must_be("chat").await), number);
    }
    (server, talker)
}

/// Connects with a query and returns what the lobby said first, the welcome left out.
async fn first_of_the_lobby(server: &TestServer, query: &str) -> Vec<Value> {
    let mut client = Client::open(server, query).await;
    client.next_must_be("welcome").await;
    client.settle().await
}

#[tokio::test]
async fn without_since_and_history_the_own_line_comes_first() {
    let (server, _talker) = with_a_lobby_of_six().await;
    let events = first_of_the_lobby(&server, "username=aki").await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!((content_of(&events[0]), seq_of(&events[0])), ("aki connected", 7));
}

#[tokio::test]
async fn history_gives_the_last_messages_of_the_lobby() {
    let (server, mut talker) = with_a_lobby_of_six().await;
    // Each connecting and leaving adds two lines to the lobby.
    let mut head = 6;
    for (history, replayed) in [(0, 0), (1, 1), (3, 3), (1_000_000, u64::MAX)] {
        let mut client = Client::open(&server, &format!("username=aki&history={history}")).await;
        client.next_must_be("welcome").await;
        let events = client.settle().await;
        let seqs: Vec<_> = events.iter().map(seq_of).collect();
        let first = head - replayed.min(head) + 1;
        assert_eq!(seqs, (first..=head + 1).collect::<Vec<_>>(), "history={history}");
        assert_eq!(content_of(events.last().unwrap()), "aki connected");
        client.leave().await;
        talker.expect("the end", |m| m["content"] == "aki disconnected").await;
        head += 2;
    }
}

#[tokio::test]
async fn since_gives_exactly_what_came_after_it() {
    let (server, talker) = with_a_lobby_of_six().await;
    let epoch = talker.welcome["epoch"].as_str().unwrap();
    let events = first_of_the_lobby(&server, &format!("username=aki&since={epoch}:4")).await;
    assert_eq!(events.iter().map(seq_of).collect::<Vec<_>>(), [5, 6, 7]);
    assert_eq!(content_of(&events[0]), "message 5");
    assert_eq!(content_of(&events[2]), "aki connected");
}

#[tokio::test]
async fn since_wins_over_history() {
    let (server, talker) = with_a_lobby_of_six().await;
    let epoch = talker.welcome["epoch"].as_str().unwrap();
    let events = first_of_the_lobby(&server, &format!("username=aki&history=5&since={epoch}:6")).await;
    assert_eq!(events.iter().map(seq_of).collect::<Vec<_>>(), [7]);
}

#[tokio::test]
async fn since_of_another_life_of_the_lobby_gives_a_gap_and_all_that_is_kept() {
    let (server, mut talker) = with_a_lobby_of_six().await;
    let epoch = talker.welcome["epoch"].as_str().unwrap().to_owned();
    let mut seq_of_own_line = 7;
    for since in ["another-life:3".to_owned(), format!("{epoch}:999")] {
        let mut client = Client::open(&server, &format!("username=aki&since={}", encode(&since))).await;
        client.next_must_be("welcome").await;
        let gap = client.next_must_be("gap").await;
        assert_eq!(gap["reason"], "restart", "{since}");
        assert_eq!((&gap["from"], &gap["to"], &gap["missed"]), (&json!(1), &json!(0), &json!(0)), "{since}");
        let mut ledger = Ledger::starting_at("", 1);
        client.settle().await.iter().for_each(|event| ledger.enter(event));
        assert_eq!((ledger.last(), ledger.missed), (seq_of_own_line, 0), "{since}");
        client.leave().await;
        talker.expect("the end", |m| m["content"] == "aki disconnected").await;
        seq_of_own_line += 2;
    }
}

#[tokio::test]
async fn a_position_that_cannot_be_read_leaves_the_connection_standing() {
    let (server, _talker) = with_a_lobby_of_six().await;
    for query in
        ["since=", "since=x", "since=:5", "since=a:", "since=a:-1", "history=", "history=many", "history=-1"]
    {
        let mut client = Client::open(&server, query).await;
        client.next_must_be("welcome").await;
        client.settle().await;
    }
}

#[tokio::test]
async fn a_quiet_client_gets_nothing_that_it_has_not_asked_for() {
    let server = TestServer::start(settings());
    let mut loud = Client::connect(&server, "loud").await;
    let mut quiet = Client::open(&server, "quiet=1&username=sensor").await;
    loud.next_must_be_line("", "sensor connected").await;
    loud.send(json!({"type": "chat", "content": "hello, everyone"})).await;
    loud.next_must_be("chat").await;
    loud.count_becomes(2).await;
    quiet.send(json!({"type": "ping"})).await;
    let pong = quiet.next("pong").await;
    assert_eq!(pong["type"], "pong", "the first frame of all is what it asked for");
    quiet.assert_silent().await;
}

#[tokio::test]
async fn a_quiet_client_gets_its_echoes_answers_and_all_of_its_rooms() {
    let server = TestServer::start(settings());
    let mut quiet = Client::open(&server, "quiet=1&username=sensor&room=kitchen").await;
    let joined = quiet.next("joined").await;
    assert_fields(
        &joined,
        &["type", "content", "sender", "timestamp", "room", "epoch", "seq", "members", "member_count"],
    );
    let mut ledger = Ledger::after_joined(&joined);
    let mut loud = Client::connect(&server, "loud").await;
    loud.join("kitchen").await;
    loud.send(json!({"type": "chat", "content": "dinner", "room": "kitchen"})).await;
    loud.next_must_be("chat").await;
    loud.leave().await;
    let mut contents = Vec::new();
    while contents.len() < 4 {
        let message = quiet.next("a line of the room").await;
        assert_eq!(room_of(&message), "kitchen", "{message}");
        ledger.enter(&message);
        contents.push(content_of(&message).to_owned());
    }
    assert_eq!(contents, ["sensor joined the room", "loud joined the room", "dinner", "loud left the room"]);
    quiet.send_text("echo").await;
    assert_eq!(quiet.next_message("echo").await.into_text().unwrap().as_str(), "echo");
    quiet.assert_silent().await;
}

#[tokio::test]
async fn a_quiet_client_is_counted_and_announced_and_may_speak_to_everyone() {
    let server = TestServer::start(settings());
    let mut loud = Client::connect(&server, "loud").await;
    let mut quiet = Client::open(&server, "quiet=1&username=sensor").await;
    loud.next_must_be_line("", "sensor connected").await;
    quiet.send(json!({"type": "chat", "content": "21.5 degrees", "id": "reading"})).await;
    let ack = quiet.next("ack").await;
    assert_eq!((&ack["type"], &ack["id"]), (&json!("ack"), &json!("reading")));
    let chat = loud.next_must_be("chat").await;
    assert_eq!((content_of(&chat), &chat["sender"]), ("21.5 degrees", &json!("sensor")));
    assert_eq!(ack["seq"], chat["seq"]);
    quiet.assert_silent().await;
    quiet.leave().await;
    loud.next_must_be_line("", "sensor disconnected").await;
    loud.count_becomes(1).await;
}

#[tokio::test]
async fn only_the_1_makes_a_client_quiet() {
    let server = TestServer::start(settings());
    for query in ["quiet=0", "quiet=", "quiet"] {
        let mut client = Client::open(&server, query).await;
        client.next_must_be("welcome").await;
    }
}
