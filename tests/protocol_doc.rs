//! Holds `docs/PROTOCOL.md` against the server: every dialogue is played, every table has what the
//! code has, and every type of the tables occurs in a dialogue.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod dialogue;
mod markdown;
mod support;

use std::collections::BTreeSet;

use dialogue::Step;
use markdown::{Document, code_words};
use roomd::{
    limits,
    protocol::{
        chat::{ChatMessage, Envelope, WireId},
        encode::{AnnouncedLimits, Body, GapReason, RoomLine, ServerMessage},
        frame::CloseCode,
        message::{ErrorCode, Request, parse},
    },
};
use serde_json::Value;

/// The variants of an enum; a new one that is not listed does not compile.
macro_rules! every {
    ($kind:ident: $($variant:ident),+) => {{
        fn is_listed(value: $kind) -> bool {
            match value {
                $($kind::$variant)|+ => true,
            }
        }
        let all = [$($kind::$variant),+];
        assert!(all.into_iter().all(is_listed));
        all
    }};
}

fn protocol() -> Document {
    markdown::read("docs/PROTOCOL.md")
}

/// The dialogues of all documents, each with the place where it begins.
fn dialogues() -> Vec<(String, Vec<Step>)> {
    let mut all = Vec::new();
    for document in markdown::all() {
        let blocks = document.blocks().into_iter().filter(|block| block.language == "dialogue");
        all.extend(
            blocks.map(|block| (format!("{}:{}", document.name, block.line), dialogue::parse(&block))),
        );
    }
    all
}

/// The types in JSON objects that the dialogues send or receive.
fn types_in_dialogues(pick: impl Fn(&Step) -> Option<&String>) -> BTreeSet<String> {
    let dialogues = dialogues();
    let texts = dialogues.iter().flat_map(|(_, steps)| steps).filter_map(pick);
    let types = texts
        .filter_map(|text| serde_json::from_str::<Value>(text).ok()?["type"].as_str().map(str::to_owned));
    types.collect()
}

/// The words in backticks in the first cells of a table.
fn first_cells(heading: &str) -> BTreeSet<String> {
    let rows = protocol().table(heading);
    rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect()
}

fn set<T: ToString>(items: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

#[tokio::test]
async fn every_dialogue_goes_as_it_is_written() {
    let dialogues = dialogues();
    assert!(dialogues.len() >= 12, "the dialogues are found");
    for (place, steps) in &dialogues {
        println!("{place}");
        dialogue::play(steps).await;
    }
}

#[test]
fn every_type_of_a_client_has_a_row_and_a_dialogue() {
    let documented = first_cells("## Client to server");
    let mut known = BTreeSet::new();
    for kind in &documented {
        let text = format!(r#"{{"type": "{kind}", "content": "", "room": "k"}}"#);
        known.insert(match parse(&text).request.unwrap() {
            Request::Chat(_) => "chat",
            Request::JoinRoom(_) => "join_room",
            Request::LeaveRoom => "leave_room",
            Request::ListRooms => "list_rooms",
            Request::ListMembers => "list_members",
            Request::Ping => "ping",
            Request::Other => panic!("the server knows no type {kind}"),
        });
    }
    assert_eq!(set(known), documented);
    assert_eq!(documented.len(), 6, "a type of the code has no row");
    let sent = types_in_dialogues(|step| if let Step::Send(_, text) = step { Some(text) } else { None });
    assert_eq!(documented.difference(&sent).collect::<Vec<_>>(), [""; 0], "types without a dialogue");
}

/// Where a type stands among [`server_messages`]; a new one that has no place does not compile.
const fn place_of(body: &Body<'_>) -> usize {
    match body {
        Body::Welcome { .. } => 0,
        Body::System { .. } => 1,
        Body::ClientCount => 2,
        Body::Joined { .. } => 3,
        Body::Left => 4,
        Body::Gap { .. } => 5,
        Body::Rooms { .. } => 6,
        Body::Members { .. } => 7,
        Body::Ack { .. } => 8,
        Body::Pong => 9,
        Body::Error { .. } => 10,
        Body::Restarting { .. } => 11,
    }
}

/// One message of each type.
fn server_messages() -> Vec<Value> {
    let limits = AnnouncedLimits::default();
    let rooms = [RoomLine { room: "k", members: 1, seq: 1 }];
    let bodies = [
        Body::Welcome {
            client_id: WireId::new("", 1),
            username: "",
            epoch: "",
            resume: "",
            limits: &limits,
            heartbeat_s: 1,
        },
        Body::System { seq: 1 },
        Body::ClientCount,
        Body::Joined { epoch: "", seq: 1, members: &[], member_count: 0 },
        Body::Left,
        Body::Gap { from: 1, to: 1, reason: GapReason::Slow },
        Body::Rooms { rooms: &rooms, room_count: 1 },
        Body::Members { members: &[], member_count: 0 },
        Body::Ack { id: "", seq: 1 },
        Body::Pong,
        Body::Error { code: ErrorCode::BadMessage, id: Some("") },
        Body::Restarting { retry_ms: 1 },
    ];
    for (place, body) in bodies.iter().enumerate() {
        assert_eq!(place_of(body), place, "every type stands here once");
    }
    let message = |body| ServerMessage::system(format_args!(""), 1, body);
    let messages = bodies.into_iter().map(|body| serde_json::to_value(message(body)).unwrap());
    messages.chain([chat_message()]).collect()
}

fn chat_message() -> Value {
    let Ok(Request::Chat(content)) = parse(r#"{"type":"chat","content":""}"#).request else { panic!() };
    let client_id = WireId::new("", 1);
    let chat = ChatMessage { content, sender: "", room: "", timestamp: 1, seq: 1, client_id };
    let mut frame = Vec::new();
    chat.write_frame(&mut Envelope::default(), &mut frame);
    serde_json::from_slice(&frame[limits::FRAME_HEADER_BYTES_MAX..]).unwrap()
}

#[test]
fn every_type_of_the_server_has_a_row_with_its_fields_and_a_dialogue() {
    const ENVELOPE: [&str; 4] = ["type", "content", "sender", "timestamp"];
    let messages = server_messages();
    let rows = protocol().table("## Server to client");
    let types = set(messages.iter().map(|message| message["type"].as_str().unwrap()));
    assert_eq!(first_cells("## Server to client"), types);
    for message in &messages {
        let row = rows.iter().find(|row| row[0].trim_matches('`') == message["type"]).unwrap();
        let told = code_words(&row[2]);
        let limits = message["limits"].as_object().into_iter().flat_map(|limits| limits.keys());
        let lines = message["rooms"][0].as_object().into_iter().flat_map(|line| line.keys());
        for field in message.as_object().unwrap().keys().chain(limits).chain(lines) {
            let is_told = ENVELOPE.contains(&field.as_str()) || told.contains(&field.as_str());
            assert!(is_told, "the row of {} does not have `{field}`", row[0]);
        }
    }
    let received =
        types_in_dialogues(|step| if let Step::Receive(_, text) = step { Some(text) } else { None });
    assert_eq!(types.difference(&received).collect::<Vec<_>>(), [""; 0], "types without a dialogue");
}

#[test]
fn every_error_code_and_reason_of_a_gap_is_told() {
    let codes = every!(ErrorCode: BadMessage, BadRoomName, NotInRoom, RoomsFull, TooManyRooms, RateLimited,
        TooLarge, TooSlow, UnknownRoom);
    let name = |code| serde_json::to_value(code).unwrap().as_str().unwrap().to_owned();
    assert_eq!(first_cells("### Error codes"), set(codes.map(name)));

    let name = |reason| serde_json::to_value(reason).unwrap().as_str().unwrap().to_owned();
    let reasons = every!(GapReason: Slow, Expired, Restart).map(name);
    let rows = protocol().table("## Server to client");
    let row = rows.iter().find(|row| row[0] == "`gap`").unwrap();
    for reason in &reasons {
        assert!(code_words(&row[2]).contains(&reason.as_str()), "{reason}");
    }
}

#[test]
fn every_close_code_is_told_with_whether_to_come_back() {
    let codes = every!(CloseCode: Normal, GoingAway, Protocol, NotUtf8, Policy, TooLarge, Internal, Restart,
        TryAgainLater, TakenOver, NotReadable, NoSignOfLife);
    assert_eq!(first_cells("### Close codes"), set(codes.map(CloseCode::code)));
    for row in protocol().table("### Close codes") {
        assert!(["yes", "no"].contains(&row[2].as_str()), "{row:?}");
    }
}

#[test]
fn the_sizes_of_names_are_those_of_the_code() {
    let text = protocol().text;
    for told in [
        format!(
            "at most {}\ngrapheme clusters and {} bytes",
            limits::NAME_GRAPHEMES_MAX,
            limits::NAME_BYTES_MAX
        ),
        format!("1 to {} bytes", limits::ROOM_NAME_BYTES_MAX),
        format!("at most {} bytes", limits::MESSAGE_ID_BYTES_MAX),
        format!("1 to {} of `A-Za-z0-9_-`", limits::EPOCH_BYTES_MAX),
        format!("(names, at most {})", limits::JOINED_MEMBERS_MAX),
    ] {
        assert!(text.contains(&told), "{told}");
    }
    assert_eq!(limits::RESUME_MS, 5 * 60 * 1_000, "five minutes, says the document");
}

#[test]
fn every_piece_of_json_in_the_documents_is_json() {
    let mut read = 0;
    for document in markdown::all() {
        for block in document.blocks().into_iter().filter(|block| block.language != "dialogue") {
            let lines = block.lines.iter().map(|line| line.trim_start_matches(['<', '>', ' ']));
            for line in lines.filter(|line| line.starts_with('{') && !line.contains('…')) {
                let json = serde_json::from_str::<Value>(line);
                assert!(json.is_ok(), "{} line {}: {line}", document.name, block.line);
                read += 1;
            }
        }
    }
    assert!(read > 5, "the README shows some");
}
