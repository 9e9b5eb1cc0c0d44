//! Whatever the text, parsing it does not panic; what is taken for a chat has content that every
//! parser takes for the same text; what is refused is refused with a sentence.

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use roomd::protocol::message::{JsonString, Request, parse};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parsed = parse(text);
    if !matches!(parsed.request, Ok(Request::Other)) {
        serde_json::from_str::<IgnoredAny>(text).expect("what is carried out, or refused, is JSON");
    }
    let (room, id) = (&*parsed.room, parsed.id.as_deref());
    match parsed.request {
        Ok(Request::Chat(content)) => {
            let said = text_of(content);
            // A name or value that is not looked at may have half of a surrogate pair in it.
            if let Ok(value) = serde_json::from_str::<Value>(text) {
                assert_eq!(value["content"].as_str(), Some(&*said));
                assert_eq!(value["id"].as_str(), id);
            }
            let again = json!({"type": "chat", "content": said, "room": room, "id": id}).to_string();
            let parsed = parse(&again);
            let Ok(Request::Chat(content)) = parsed.request else { panic!("{again} became {parsed:?}") };
            assert_eq!(text_of(content), said);
            assert_eq!((&*parsed.room, parsed.id.as_deref()), (room, id));
        }
        Ok(Request::JoinRoom(_) | Request::LeaveRoom) => assert!(!room.is_empty()),
        Ok(Request::Other) => {
            let value = serde_json::from_str::<Value>(text);
            let kind = value.as_ref().ok().and_then(|value| value.get("type")?.as_str());
            assert!(!matches!(
                kind,
                Some("chat" | "join_room" | "leave_room" | "list_rooms" | "list_members" | "ping")
            ));
        }
        Ok(_) => {}
        Err((_, advice)) => assert!(!advice.is_empty()),
    }
}

fn text_of(content: JsonString<'_>) -> String {
    serde_json::from_str(&format!("\"{}\"", content.inside())).expect("content is a whole string")
}
