//! Whatever the text, parsing it does not panic; what is taken for a chat has content that every
//! parser takes for the same text; what is refused is refused with a sentence.

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use roomd::protocol::message::{ClientMessage, parse};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parsed = parse(text);
    if !matches!(parsed, Ok(ClientMessage::Other)) {
        serde_json::from_str::<IgnoredAny>(text).expect("what is carried out, or refused, is JSON");
    }
    match parsed {
        Ok(ClientMessage::Chat { content, room, id }) => {
            // A name or value that is not looked at may have half of a surrogate pair in it.
            if let Ok(value) = serde_json::from_str::<Value>(text) {
                assert_eq!(value["content"], content.get().parse::<Value>().unwrap());
                assert_eq!(value["id"].as_str(), id.as_deref());
            }
            let said: String = serde_json::from_str(content.get()).expect("content is a whole string");
            let (same_room, same_id) = (room.as_str(), id.as_deref());
            let again =
                json!({"type": "chat", "content": said, "room": same_room, "id": same_id}).to_string();
            match parse(&again) {
                Ok(ClientMessage::Chat { content, room: same_room, id: same_id }) => {
                    assert_eq!(serde_json::from_str::<String>(content.get()).unwrap(), said);
                    assert_eq!((same_room, same_id), (room, id));
                }
                other => panic!("{again} became {other:?}"),
            }
        }
        Ok(ClientMessage::JoinRoom { room, .. } | ClientMessage::LeaveRoom { room, .. }) => {
            assert!(!room.is_empty());
        }
        Ok(ClientMessage::Other) => {
            let value = serde_json::from_str::<Value>(text);
            let kind = value.as_ref().ok().and_then(|value| value.get("type")?.as_str());
            assert!(!matches!(
                kind,
                Some("chat" | "join_room" | "leave_room" | "list_rooms" | "list_members" | "ping")
            ));
        }
        Ok(_) => {}
        Err(bad) => assert!(!bad.advice.is_empty()),
    }
}
