//! `chat`: who gets it, what it carries, and that content is never changed.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{Client, TestServer, assert_fields, content_of, room_of, seq_of, settings};

const LOBBY_CHAT: [&str; 6] = ["type", "content", "sender", "timestamp", "seq", "client_id"];

/// The message without `"room": ""`, which means the same as none.
fn without_an_empty_room(mut message: Value) -> Value {
    if message["room"] == "" {
        message.as_object_mut().unwrap().remove("room");
    }
    message
}

#[expect(clippy::disallowed_methods, reason = "the server tells the same clock")]
fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn without_a_room_everyone_gets_it_the_sender_included() {
    let server = TestServer::start(settings());
    let mut sender = Client::connect(&server, "sender").await;
    let mut other = Client::connect(&server, "other").await;
    let mut quiet = Client::connect_quietly(&server, "quiet").await;
    sender.settle().await;
    other.settle().await;
    let before = unix_seconds();
    sender.send(json!({"type": "chat", "content": "hello"})).await;
    let own = without_an_empty_room(sender.next_must_be("chat").await);
    let others = without_an_empty_room(other.next_must_be("chat").await);
    assert_eq!(own, others, "one message, the same for all");
    assert_fields(&own, &LOBBY_CHAT);
    assert_eq!((&own["content"], &own["sender"]), (&json!("hello"), &json!("sender")));
    assert_eq!(own["client_id"], sender.welcome["client_id"]);
    let timestamp = own["timestamp"].as_u64().unwrap();
    assert!((before..=unix_seconds()).contains(&timestamp), "{timestamp} is not now");
    quiet.assert_silent().await;
    sender.assert_silent().await;
    other.assert_silent().await;
}

#[tokio::test]
async fn an_empty_room_is_the_lobby_too() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    client.send(json!({"type": "chat", "content": "hello", "room": ""})).await;
    let chat = client.next_must_be("chat").await;
    assert_eq!((room_of(&chat), content_of(&chat)), ("", "hello"));
}

#[tokio::test]
async fn with_a_room_its_members_get_it_and_nobody_else() {
    let server = TestServer::start(settings());
    let mut sender = Client::connect(&server, "sender").await;
    let mut member = Client::connect(&server, "member").await;
    let mut quiet = Client::connect_quietly(&server, "quiet").await;
    let mut stranger = Client::connect(&server, "stranger").await;
    let mut elsewhere = Client::connect(&server, "elsewhere").await;
    for client in [&mut sender, &mut member, &mut quiet] {
        client.join("kitchen").await;
    }
    elsewhere.join("cellar").await;
    for client in [&mut sender, &mut member, &mut quiet, &mut stranger, &mut elsewhere] {
        client.settle().await;
    }
    sender.send(json!({"type": "chat", "content": "dinner", "room": "kitchen"})).await;
    let own = sender.next_must_be("chat").await;
    assert_fields(&own, &[&LOBBY_CHAT[..], &["room"]].concat());
    assert_eq!((room_of(&own), content_of(&own)), ("kitchen", "dinner"));
    assert_eq!(own["client_id"], sender.welcome["client_id"]);
    assert_eq!(member.next_must_be("chat").await, own);
    assert_eq!(quiet.next_must_be("chat").await, own);
    for client in [&mut sender, &mut member, &mut quiet, &mut stranger, &mut elsewhere] {
        client.assert_silent().await;
    }
}

#[tokio::test]
async fn who_is_not_a_member_may_not_write_into_a_room() {
    let server = TestServer::start(settings());
    let mut member = Client::connect(&server, "member").await;
    member.join("kitchen").await;
    let mut stranger = Client::connect(&server, "stranger").await;
    member.next_must_be_line("", "stranger connected").await;
    for room in ["kitchen", "no such room"] {
        stranger.send(json!({"type": "chat", "content": "let me in", "room": room})).await;
        let error = stranger.next_must_be_error("not_in_room").await;
        assert_eq!(error["room"], room);
    }
    stranger.join("kitchen").await;
    stranger.send(json!({"type": "leave_room", "room": "kitchen"})).await;
    stranger.next_must_be("left").await;
    stranger.send(json!({"type": "chat", "content": "one more thing", "room": "kitchen"})).await;
    stranger.next_must_be_error("not_in_room").await;
    member.next_must_be_line("kitchen", "stranger joined the room").await;
    member.next_must_be_line("kitchen", "stranger left the room").await;
    member.assert_silent().await;
}

#[tokio::test]
async fn fields_that_the_server_sets_cannot_be_forged() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    let forged = json!({
        "type": "chat", "content": "hello", "sender": "System", "timestamp": 1, "seq": 99, "client_id": "other",
        "epoch": "x", "code": "x", "username": "System",
    });
    client.send(forged).await;
    let chat = without_an_empty_room(client.next_must_be("chat").await);
    assert_fields(&chat, &LOBBY_CHAT);
    assert_eq!((&chat["sender"], &chat["seq"]), (&json!("aki"), &json!(2)));
    assert_eq!(chat["client_id"], client.welcome["client_id"]);
    assert!(chat["timestamp"].as_u64().unwrap() > 1);
}

#[tokio::test]
async fn content_arrives_as_it_was_meant_however_it_was_escaped() {
    // The JSON literal that is sent, and the text that it means.
    let rows = [
        (r#""""#, ""),
        (r#"" ""#, " "),
        (r#""plain""#, "plain"),
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""A\u0042\u004A\u004a""#, "ABJJ"),
        (r#""\u0000\u0001\u001f\u007f""#, "\0\u{1}\u{1f}\u{7f}"),
        (r#""\u00e9 \u20AC""#, "é €"),
        (r#""\ud83d\ude00""#, "😀"),
        (r#""\uD83D\uDE00x\ud83D\uDe00""#, "😀x😀"),
        (r#""\udbff\udfff""#, "\u{10FFFF}"),
        (r#""\ud800\udc00""#, "\u{10000}"),
        (r#""\u2028\u2029\ufeff\ufffe\uffff""#, "\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}"),
        (r#""</script><!-- & ' -->""#, "</script><!-- & ' -->"),
        (r#""line one\nline two""#, "line one\nline two"),
        ("\"é€😀 \u{202e}\u{200b}\u{7f}\"", "é€😀 \u{202e}\u{200b}\u{7f}"),
        (r#""{\"type\":\"chat\",\"content\":\"x\"}""#, r#"{"type":"chat","content":"x"}"#),
        (r#""\\u0041 \\ud800""#, r"\u0041 \ud800"),
        (r#""   untrimmed   ""#, "   untrimmed   "),
    ];
    let server = TestServer::start(settings());
    let mut sender = Client::connect(&server, "sender").await;
    let mut other = Client::connect(&server, "other").await;
    sender.next_must_be_line("", "other connected").await;
    for (literal, meaning) in rows {
        sender.send_text(&format!(r#"{{"type":"chat","content":{literal}}}"#)).await;
        assert_eq!(content_of(&other.next_must_be("chat").await), meaning, "{literal}");
        assert_eq!(content_of(&sender.next_must_be("chat").await), meaning, "{literal}");
    }
}

#[tokio::test]
async fn a_message_may_be_written_in_any_way_that_json_allows() {
    let rows = [
        r#"{"type":"chat","content":"x"}"#,
        r#"{"content":"x","type":"chat"}"#,
        " \t\r\n{ \"type\" : \"chat\" ,\n\"content\"\t:\r\"x\" } \n",
        r#"{"\u0074ype":"\u0063hat","\u0063ontent":"\u0078"}"#,
        r#"{"type":"chat","content":"x","unknown":null,"more":[1,2,{"a":"b"}],"type2":"ping"}"#,
        r#"{"type":"chat","content":"x","number":1e999,"another":-0.0e-5,"big":123456789012345678901234567890}"#,
        r#"{"":"","type":"chat","content":"x"}"#,
    ];
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    for text in rows {
        client.send_text(text).await;
        let chat = client.next_event(text).await;
        assert_eq!((&chat["type"], &chat["content"]), (&json!("chat"), &json!("x")), "{text}");
        assert_fields(&without_an_empty_room(chat), &LOBBY_CHAT);
    }
}

#[tokio::test]
async fn an_unknown_field_may_be_nested_deeply() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    for depth in [10, 100, 200, 10_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        client.send_text(&format!(r#"{{"type":"chat","content":"x","extra":{open}{close}}}"#)).await;
        let chat = client.next_event("chat").await;
        assert_eq!((&chat["type"], &chat["content"]), (&json!("chat"), &json!("x")), "depth {depth}");
    }
}

#[tokio::test]
async fn a_field_given_twice_is_never_echoed_and_never_silent() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    client.send_text(r#"{"type":"chat","content":"a","content":"b"}"#).await;
    let answer = client.next_event("an answer").await;
    let published = answer["type"] == "chat" && (answer["content"] == "a" || answer["content"] == "b");
    assert!(published || answer["code"] == "bad_message", "{answer}");
    client.assert_silent().await;
}

#[tokio::test]
async fn an_id_comes_back_in_an_ack_with_the_seq_of_the_message() {
    let server = TestServer::start(settings());
    let mut sender = Client::connect(&server, "sender").await;
    let mut other = Client::connect(&server, "other").await;
    sender.join("kitchen").await;
    other.join("kitchen").await;
    sender.settle().await;
    for (room, id) in [("", "to all"), ("kitchen", "to some")] {
        sender.send(json!({"type": "chat", "content": "x", "room": room, "id": id})).await;
        let events = sender.settle().await;
        let of_type = |kind: &str| events.iter().find(|event| event["type"] == kind).unwrap().clone();
        let (ack, chat) = (of_type("ack"), of_type("chat"));
        assert_eq!(events.len(), 2, "{events:?}");
        let fields = ["type", "content", "sender", "timestamp", "id", "seq"];
        assert_fields(
            &without_an_empty_room(ack.clone()),
            &fields[..].iter().copied().chain((!room.is_empty()).then_some("room")).collect::<Vec<_>>(),
        );
        assert_eq!((&ack["id"], room_of(&ack), &ack["seq"]), (&json!(id), room, &chat["seq"]));
        let received = other.expect("the message", |m| m["type"] == "chat").await;
        assert_eq!(received, chat);
        assert!(received.get("id").is_none(), "an id is between its client and the server: {received}");
    }
    other.assert_silent().await;
}

#[tokio::test]
async fn without_an_id_there_is_no_ack() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    client.send(json!({"type": "chat", "content": "x"})).await;
    client.next_must_be("chat").await;
    client.assert_silent().await;
}

#[tokio::test]
async fn seqs_count_each_room_of_its_own_from_1() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    for room in ["kitchen", "cellar"] {
        assert_eq!(seq_of(&client.join(room).await), 0, "an empty log has its head at 0");
    }
    for turn in 2..=20 {
        for room in ["", "kitchen", "cellar"] {
            client.send(json!({"type": "chat", "content": "x", "room": room})).await;
            let chat = client.next_must_be("chat").await;
            assert_eq!((room_of(&chat), seq_of(&chat)), (room, turn));
        }
    }
}
