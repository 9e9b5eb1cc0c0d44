//! Method: a table of texts and what they are, then properties against `serde_json`'s own values.

use super::*;
use proptest::prelude::*;

fn kind(text: &str) -> &'static str {
    match parse(text).request {
        Ok(Request::Chat(_)) => "chat",
        Ok(Request::JoinRoom(_)) => "join",
        Ok(Request::LeaveRoom) => "leave",
        Ok(Request::ListRooms) => "rooms",
        Ok(Request::ListMembers) => "members",
        Ok(Request::Ping) => "ping",
        Ok(Request::Other) => "other",
        Err((ErrorCode::BadMessage, _)) => "bad_message",
        Err((ErrorCode::BadRoomName, _)) => "bad_room_name",
        Err(bad) => panic!("{bad:?}"),
    }
}

#[test]
fn each_text_is_what_the_table_says() {
    let rows = [
        (r#"{"type":"chat","content":"hi"}"#, "chat"),
        (r#"{"type":"chat","content":""}"#, "chat"),
        (r#" { "content" : "hi" , "type" : "chat" } "#, "chat"),
        (r#"{"\u0074ype":"ch\u0061t","content":"hi"}"#, "chat"),
        (r#"{"type":"chat","content":"a","content":"b","sender":"System","timestamp":{}}"#, "chat"),
        (r#"{"type":"chat","content":"hi","room":null,"id":null}"#, "chat"),
        (r#"{"type":"chat","content":"hi","room":""}"#, "chat"),
        (r#"{"type":"chat"}"#, "bad_message"),
        (r#"{"type":"chat","content":null}"#, "bad_message"),
        (r#"{"type":"chat","content":5}"#, "bad_message"),
        (r#"{"type":"chat","content":["hi"]}"#, "bad_message"),
        (r#"{"type":"chat","content":"hi","room":7}"#, "bad_message"),
        (r#"{"type":"chat","content":"hi","room":"a\u0007"}"#, "bad_room_name"),
        (r#"{"type":"chat","content":"hi","id":7}"#, "bad_message"),
        (r#"{"type":"join_room","room":"k"}"#, "join"),
        (r#"{"type":"join_room","room":"k","history":0}"#, "join"),
        (r#"{"type":"join_room","room":"k","history":null,"since":null}"#, "join"),
        (r#"{"type":"join_room","room":"k","since":"e-1:0","history":5}"#, "join"),
        (r#"{"type":"join_room"}"#, "bad_message"),
        (r#"{"type":"join_room","room":null}"#, "bad_message"),
        (r#"{"type":"join_room","room":" "}"#, "bad_room_name"),
        (r#"{"type":"join_room","room":"k","history":-1}"#, "bad_message"),
        (r#"{"type":"join_room","room":"k","history":1.5}"#, "bad_message"),
        (r#"{"type":"join_room","room":"k","history":"5"}"#, "bad_message"),
        (r#"{"type":"join_room","room":"k","since":5}"#, "bad_message"),
        (r#"{"type":"join_room","room":"k","since":"e"}"#, "bad_message"),
        (r#"{"type":"join_room","room":"k","since":"e:"}"#, "bad_message"),
        (r#"{"type":"join_room","room":"k","since":":1"}"#, "bad_message"),
        (r#"{"type":"join_room","room":"k","since":"e:+1"}"#, "bad_message"),
        (r#"{"type":"join_room","room":"k","since":"e!:1"}"#, "bad_message"),
        (r#"{"type":"leave_room","room":"k"}"#, "leave"),
        (r#"{"type":"leave_room"}"#, "bad_message"),
        (r#"{"type":"leave_room","room":""}"#, "bad_room_name"),
        (r#"{"type":"list_rooms","room":9}"#, "rooms"),
        (r#"{"type":"list_members","room":""}"#, "members"),
        (r#"{"type":"list_members"}"#, "bad_message"),
        (r#"{"type":"ping"}"#, "ping"),
        (r#"{"type":"Chat","content":"hi"}"#, "other"),
        (r#"{"type":"echo","content":"hi"}"#, "other"),
        (r#"{"type":5,"content":"hi"}"#, "other"),
        (r#"{"type":"cha\ud800t"}"#, "other"),
        (r#"{"content":"hi"}"#, "other"),
        (r"{}", "other"),
        ("[1]", "other"),
        ("\"chat\"", "other"),
        ("", "other"),
        ("hello", "other"),
        (r#"{"type":"chat","content":"hi"} x"#, "other"),
        (r#"{"type":"chat","content":"hi""#, "other"),
        (r#"{"type":"chat","content":"a	b"}"#, "other"),
    ];
    for (text, expected) in rows {
        assert_eq!(kind(text), expected, "{text}");
    }
}

#[test]
fn half_a_surrogate_pair_is_bad_and_a_whole_one_is_good() {
    let rows = [
        (r"\ud83d\ude00", "chat"),
        (r"\u0000\n\\ud800", "chat"),
        (r"\\\\", "chat"),
        (r"\ud800", "bad_message"),
        (r"\ude00", "bad_message"),
        (r"\ud83dx", "bad_message"),
        (r"\ud83d\n", "bad_message"),
        (r"\ud83d\ud83d\ude00", "bad_message"),
        (r"\uD83D\uDE00\uDE00", "bad_message"),
    ];
    for (content, expected) in rows {
        assert_eq!(kind(&format!(r#"{{"type":"chat","content":"{content}"}}"#)), expected, "{content}");
    }
}

#[test]
fn deep_nesting_in_an_unknown_field_is_ignored() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(kind(&format!(r#"{{"type":"chat","x":{deep},"content":"hi"}}"#)), "chat");
}

#[test]
fn an_id_has_at_most_32_bytes() {
    for (length, expected) in [(0, "chat"), (31, "chat"), (32, "chat"), (33, "bad_message")] {
        let text = format!(r#"{{"type":"chat","content":"","id":"{}"}}"#, "i".repeat(length));
        assert_eq!(kind(&text), expected, "{length}");
    }
}

#[test]
fn an_epoch_has_1_to_32_characters() {
    for (length, good) in [(0, false), (1, true), (31, true), (32, true), (33, false)] {
        let text = format!("{}:7", "e".repeat(length));
        assert_eq!(position(text.as_str().into()).is_some(), good, "{length}");
    }
    let greatest = format!("e:{}", u64::MAX);
    assert_eq!(position(greatest.as_str().into()).unwrap().seq, u64::MAX);
    assert_eq!(position("e:18446744073709551616".into()), None);
}

#[test]
fn an_error_names_the_room_and_the_id_that_are_good() {
    let rows = [
        (r#"{"type":"chat","room":" k ","id":"7"}"#, "k", Some("7")),
        (r#"{"type":"chat","room":"\u006b ","id":"\u0037"}"#, "k", Some("7")),
        (r#"{"type":"chat","content":"","room":"k","id":7}"#, "k", None),
        (r#"{"type":"join_room","room":"","id":[]}"#, "", None),
        (r#"{"type":"leave_room","room":"a\u0007","id":"7"}"#, "", Some("7")),
    ];
    for (text, room, id) in rows {
        let message = parse(text);
        assert!(message.request.is_err(), "{text}");
        assert_eq!((&*message.room, message.id.as_deref()), (room, id), "{text}");
    }
}

#[test]
fn what_is_about_no_room_names_none_and_what_is_of_no_known_type_has_no_id() {
    for (kind, id) in [("ping", Some("7")), ("list_rooms", Some("7")), ("echo", None)] {
        let text = format!(r#"{{"type":"{kind}","room":"k","id":"7"}}"#);
        let message = parse(&text);
        assert_eq!((&*message.room, message.id.as_deref()), ("", id), "{kind}");
    }
}

#[test]
fn a_position_wins_over_a_count() {
    let text = r#"{"type":"join_room","room":"k","since":"\u0065-1:4","history":5}"#;
    let Ok(Request::JoinRoom(replay)) = parse(text).request else { panic!() };
    assert_eq!(replay, Replay::Since(Position { epoch: "e-1".into(), seq: 4 }));
}

proptest! {
    #[test]
    fn any_text_is_parsed_without_a_panic(
        text in r#"(\{"type":"(chat|join_room)",?)?[ -~é"\\u{d}80:,\[\]{}]{0,60}"#,
    ) {
        let _ = parse(&text);
    }

    #[test]
    fn content_is_passed_on_as_the_very_text(content in any::<String>()) {
        let text = serde_json::json!({"type": "chat", "content": content}).to_string();
        let Ok(Request::Chat(raw)) = parse(&text).request else { panic!() };
        let json = format!("\"{}\"", raw.inside());
        prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), content);
    }
}
