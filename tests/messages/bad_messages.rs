//! A known type with a missing or bad field gets an `error`: never an echo, never silence.

use serde_json::{Value, json};

use crate::support::{Client, TestServer, content_of, settings};

/// Text, error code, and the `id` that the error gives back.
type Row = (&'static str, &'static str, Option<&'static str>);

async fn check(rows: &[Row]) {
    let server = TestServer::start(settings());
    let mut witness = Client::connect(&server, "witness").await;
    let mut client = Client::connect(&server, "aki").await;
    witness.next_must_be_line("", "aki connected").await;
    for (text, code, id) in rows {
        client.send_text(text).await;
        let error = client.next_event(text).await;
        assert_eq!(error["type"], "error", "{text}: {error}");
        assert_eq!(error["code"], *code, "{text}: {error}");
        assert_eq!(error["id"].as_str(), *id, "{text}: {error}");
        assert!(content_of(&error).len() > 10, "a sentence that says what to do: {error}");
        assert!(error.get("seq").is_none(), "an error is no part of a log: {error}");
    }
    client.assert_silent().await;
    witness.assert_silent().await;
}

#[tokio::test]
async fn a_chat_with_a_bad_field_is_a_bad_message() {
    check(&[
        (r#"{"type":"chat"}"#, "bad_message", None),
        (r#"{"type":"chat","id":"i1"}"#, "bad_message", Some("i1")),
        (r#"{"type":"chat","content":null}"#, "bad_message", None),
        (r#"{"type":"chat","content":5,"id":"i2"}"#, "bad_message", Some("i2")),
        (r#"{"type":"chat","content":true}"#, "bad_message", None),
        (r#"{"type":"chat","content":["x"]}"#, "bad_message", None),
        (r#"{"type":"chat","content":{"text":"x"}}"#, "bad_message", None),
        (r#"{"type":"chat","content":"x","room":5}"#, "bad_message", None),
        (r#"{"type":"chat","content":"x","room":["kitchen"]}"#, "bad_message", None),
        (r#"{"type":"chat","content":"x","room":false,"id":"i3"}"#, "bad_message", Some("i3")),
        (r#"{"type":"chat","content":"x","id":5}"#, "bad_message", None),
        (r#"{"type":"chat","content":"x","id":["a"]}"#, "bad_message", None),
        (r#"{"type":"chat","Content":"x"}"#, "bad_message", None),
        (r#"{"content":5,"type":"chat"}"#, "bad_message", None),
        (r#"{"\u0074ype":"\u0063hat"}"#, "bad_message", None),
    ])
    .await;
}

#[tokio::test]
async fn a_lone_surrogate_is_a_bad_message_and_never_passed_on() {
    check(&[
        (r#"{"type":"chat","content":"\ud800"}"#, "bad_message", None),
        (r#"{"type":"chat","content":"\udc00"}"#, "bad_message", None),
        (r#"{"type":"chat","content":"a\ud83d"}"#, "bad_message", None),
        (r#"{"type":"chat","content":"\ud83dx"}"#, "bad_message", None),
        (r#"{"type":"chat","content":"\ud83d\ud83d"}"#, "bad_message", None),
        (r#"{"type":"chat","content":"\ude00\ud83d"}"#, "bad_message", None),
        (r#"{"type":"chat","content":"\ud83d\n"}"#, "bad_message", None),
        (r#"{"type":"chat","content":"\ud83d\u0041"}"#, "bad_message", None),
        (r#"{"type":"chat","content":"x","room":"\ud800"}"#, "bad_message", None),
        (r#"{"type":"chat","content":"x","id":"\ud800"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"\ud800"}"#, "bad_message", None),
    ])
    .await;
}

#[tokio::test]
async fn a_join_with_a_bad_field_is_a_bad_message() {
    check(&[
        (r#"{"type":"join_room"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":null}"#, "bad_message", None),
        (r#"{"type":"join_room","room":5}"#, "bad_message", None),
        (r#"{"type":"join_room","room":["kitchen"]}"#, "bad_message", None),
        (r#"{"type":"join_room","content":"kitchen"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","history":-1}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","history":1.5}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","history":"5"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","history":true}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","history":[5]}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":5}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":["a:5"]}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":""}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":"5"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":"epoch"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":"epoch:"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":":5"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":":"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":"epoch:-1"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":"epoch:+1"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":"epoch:1.0"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":"epoch: 1"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":"epoch:one"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":"a:b:1"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":"ep och:1"}"#, "bad_message", None),
        (r#"{"type":"join_room","room":"kitchen","since":"époque:1"}"#, "bad_message", None),
        (
            r#"{"type":"join_room","room":"kitchen","since":"123456789012345678901234567890123:1"}"#,
            "bad_message",
            None,
        ),
        (
            r#"{"type":"join_room","room":"kitchen","since":"epoch:99999999999999999999"}"#,
            "bad_message",
            None,
        ),
    ])
    .await;
}

#[tokio::test]
async fn leaving_and_listing_with_a_bad_field_is_a_bad_message() {
    check(&[
        (r#"{"type":"leave_room"}"#, "bad_message", None),
        (r#"{"type":"leave_room","room":null}"#, "bad_message", None),
        (r#"{"type":"leave_room","room":5}"#, "bad_message", None),
        (r#"{"type":"leave_room","room":{}}"#, "bad_message", None),
        (r#"{"type":"list_members"}"#, "bad_message", None),
        (r#"{"type":"list_members","room":null}"#, "bad_message", None),
        (r#"{"type":"list_members","room":5}"#, "bad_message", None),
    ])
    .await;
}

#[tokio::test]
async fn the_lobby_cannot_be_joined_or_left() {
    check(&[
        (r#"{"type":"join_room","room":""}"#, "bad_room_name", None),
        (r#"{"type":"join_room","room":"   "}"#, "bad_room_name", None),
        (r#"{"type":"leave_room","room":""}"#, "bad_room_name", None),
        (r#"{"type":"leave_room","room":" \u3000 "}"#, "bad_room_name", None),
    ])
    .await;
}

#[tokio::test]
async fn a_character_that_names_may_not_have_makes_a_bad_room_name_everywhere() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    let controls = (0..0x20).chain(0x7F..=0x9F);
    let bidi = [0x061C, 0x200E, 0x200F].into_iter().chain(0x202A..=0x202E).chain(0x2066..=0x2069);
    for code in controls.chain(bidi).chain([0x200B, 0x2060, 0xFEFF]) {
        let room = format!("a{}b", char::from_u32(code).unwrap());
        for message in [
            json!({"type": "join_room", "room": room}),
            json!({"type": "leave_room", "room": room}),
            json!({"type": "list_members", "room": room}),
            json!({"type": "chat", "content": "x", "room": room}),
        ] {
            client.send(message.clone()).await;
            let error = client.next_must_be("error").await;
            assert_eq!(error["code"], "bad_room_name", "U+{code:04X} in {message}: {error}");
        }
    }
}

#[tokio::test]
async fn an_id_of_32_bytes_fits_and_33_do_not() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    for id in ["x".repeat(31), "x".repeat(32), "é".repeat(16), "😀".repeat(8), "a\"b\\c\n".to_owned()] {
        client.send(json!({"type": "chat", "content": "x", "id": id})).await;
        let ack = client.next_of_type("ack").await;
        assert_eq!(ack["id"], id);
        client.settle().await;
    }
    for id in ["x".repeat(33), format!("{}x", "é".repeat(16)), "😀".repeat(9), "x".repeat(5_000)] {
        client.send(json!({"type": "chat", "content": "x", "id": id})).await;
        let error = client.next_must_be_error("bad_message").await;
        assert_eq!(error.get("id"), None, "an id that is too long is not given back: {error}");
    }
    client.assert_silent().await;
}

#[tokio::test]
async fn an_error_tells_to_which_message_and_room_it_belongs() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    client.send(json!({"type": "chat", "content": "x", "room": "kitchen", "id": "i1"})).await;
    let error = client.next_must_be_error("not_in_room").await;
    assert_eq!((&error["room"], &error["id"]), (&json!("kitchen"), &json!("i1")));
    client.send(json!({"type": "leave_room", "room": "kitchen"})).await;
    let error = client.next_must_be_error("not_in_room").await;
    assert_eq!((&error["room"], error.get("id")), (&json!("kitchen"), None));
    client.send(json!({"type": "list_members", "room": "kitchen"})).await;
    assert_eq!(client.next_must_be_error("unknown_room").await["room"], "kitchen");
}

#[tokio::test]
async fn null_counts_as_absent_where_a_field_may_be_absent() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    client.send(json!({"type": "chat", "content": "x", "room": null, "id": null})).await;
    assert_eq!(client.next_must_be("chat").await["content"], "x");
    client.send(json!({"type": "join_room", "room": "kitchen", "history": null, "since": null})).await;
    client.next_must_be("joined").await;
    client.next_must_be_line("kitchen", "aki joined the room").await;
    client.assert_silent().await;
}

#[tokio::test]
async fn after_an_error_the_connection_goes_on() {
    let server = TestServer::start(settings());
    let mut client = Client::connect(&server, "aki").await;
    for _ in 0..100 {
        client.send_text(r#"{"type":"chat"}"#).await;
        client.next_must_be_error("bad_message").await;
    }
    client.send(json!({"type": "chat", "content": "still here"})).await;
    assert_eq!(client.next_must_be("chat").await["content"], Value::from("still here"));
}
