//! Whatever has no meaning comes back byte for byte, to its sender alone.

use crate::support::{BINARY, Client, FIN, RawClient, TEXT, TestServer, binary, frame, settings};

/// Text that is no message of the protocol, however near it comes.
const ECHOED: &[(&str, &str)] = &[
    ("another type", r#"{"type":"dance","content":"tango"}"#),
    (
        "another type with every known field",
        r#"{"type":"x","content":"c","room":"r","id":"i","sender":"System"}"#,
    ),
    ("a known type in capitals", r#"{"type":"CHAT","content":"x"}"#),
    ("a known type with white space", r#"{"type":" ping"}"#),
    ("an empty type", r#"{"type":""}"#),
    ("a type that is null", r#"{"type":null}"#),
    ("a type that is a number", r#"{"type":5}"#),
    ("a type that is a list", r#"{"type":["chat"],"content":"x"}"#),
    ("a type that is an object", r#"{"type":{"type":"chat"}}"#),
    ("a key in capitals", r#"{"Type":"ping"}"#),
    ("no type", r#"{"content":"x","room":"kitchen"}"#),
    ("an empty object", "{}"),
    ("a type within", r#"{"a":{"type":"ping"}}"#),
    ("the server's welcome", r#"{"type":"welcome","content":"x"}"#),
    ("the server's system", r#"{"type":"system","content":"x","seq":1}"#),
    ("the server's client_count", r#"{"type":"client_count","content":"99"}"#),
    ("the server's error", r#"{"type":"error","code":"bad_message"}"#),
    ("the server's pong", r#"{"type":"pong"}"#),
    ("the server's ack", r#"{"type":"ack","id":"x"}"#),
    ("the server's restarting", r#"{"type":"restarting","retry_ms":1}"#),
    ("a list", r#"["type","ping"]"#),
    ("a list of a message", r#"[{"type":"ping"}]"#),
    ("a string", r#""ping""#),
    ("a number", "42"),
    ("true", "true"),
    ("null", "null"),
    ("nothing", ""),
    ("white space", " \t\r\n "),
    ("words", "hello, world"),
    ("words of other scripts", "Привет, 世界 👋 \u{200d}\u{202e}\u{feff}"),
    ("a NUL", "a\0b"),
    ("control characters", "\u{1}\u{7f}\u{85}\u{2028}"),
    ("an unfinished object", r#"{"type":"chat","content":"x""#),
    ("an unfinished string", r#"{"type":"chat","content":"x"#),
    ("an unfinished key", r#"{"type"#),
    ("something behind the object", r#"{"type":"ping"} and more"#),
    ("two objects", r#"{"type":"ping"}{"type":"ping"}"#),
    ("two objects on two lines", "{\"type\":\"ping\"}\n{\"type\":\"ping\"}"),
    ("a comma too many", r#"{"type":"ping",}"#),
    ("no comma", r#"{"type":"ping" "content":"x"}"#),
    ("single quotes", "{'type':'ping'}"),
    ("a key without quotes", r#"{type:"ping"}"#),
    ("a comment", r#"{"type":"ping"/* really */}"#),
    ("not a number", r#"{"type":"ping","x":NaN}"#),
    ("a leading zero", r#"{"type":"ping","x":01}"#),
    ("a bare plus", r#"{"type":"ping","x":+1}"#),
    ("an unknown escape", r#"{"type":"chat","content":"\x41"}"#),
    ("a short escape", r#"{"type":"chat","content":"\u12"}"#),
    ("a raw line feed in a string", "{\"type\":\"chat\",\"content\":\"a\nb\"}"),
    ("a raw control character in a string", "{\"type\":\"chat\",\"content\":\"\u{1}\"}"),
    ("a byte order mark", "\u{feff}{\"type\":\"ping\"}"),
    ("a non-breaking space before", "\u{a0}{\"type\":\"ping\"}"),
];

#[tokio::test]
async fn text_without_a_meaning_comes_back_byte_for_byte() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    for (situation, text) in ECHOED {
        client.send_text(text).await;
        let echo = client.next_frame().await.unwrap();
        assert_eq!(
            (echo.opcode, String::from_utf8_lossy(&echo.payload)),
            (TEXT, (*text).into()),
            "{situation}"
        );
    }
}

#[tokio::test]
async fn binary_comes_back_as_binary_whatever_it_holds() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    let all: Vec<u8> = (0..=255).collect();
    let rows: [&[u8]; 5] =
        [b"", &all, b"\xFF\xFE not text", br#"{"type":"ping"}"#, br#"{"type":"chat","content":"x"}"#];
    for bytes in rows {
        client.write(&frame(FIN | BINARY, bytes)).await;
        let echo = client.next_frame().await.unwrap();
        assert_eq!((echo.opcode, &*echo.payload), (BINARY, bytes));
    }
}

#[tokio::test]
async fn an_echo_goes_to_its_sender_alone() {
    let server = TestServer::start(settings());
    let mut sender = Client::connect(&server, "sender").await;
    let mut other = Client::connect(&server, "other").await;
    sender.join("kitchen").await;
    other.join("kitchen").await;
    sender.settle().await;
    other.settle().await;
    let text = r#"{"type":"dance","room":"kitchen","content":"tango"}"#;
    for frame in [text.into(), "hello".into(), binary(b"\x01\x02")] {
        sender.send_frame(frame).await;
        sender.next_message("echo").await;
    }
    other.assert_silent().await;
    sender.assert_silent().await;
}

#[tokio::test]
async fn echoes_come_in_the_order_of_their_messages() {
    let server = TestServer::start(settings());
    let mut client = Client::connect_quietly(&server, "aki").await;
    for number in 0..200 {
        let text = format!("number {number}");
        client.send_text(&text).await;
        assert_eq!(client.next_message("echo").await.into_text().unwrap().as_str(), text);
    }
}

#[tokio::test]
async fn an_echo_of_the_greatest_size_comes_back_whole() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    let most = settings().message_bytes;
    for size in [most - 1, most] {
        let text = "z".repeat(size);
        client.send_text(&text).await;
        assert_eq!(client.next_frame().await.unwrap().payload.len(), size);
        client.write(&frame(FIN | BINARY, text.as_bytes())).await;
        assert_eq!(client.next_frame().await.unwrap().payload.len(), size);
    }
}

#[tokio::test]
async fn deep_nesting_is_echoed_and_harms_nobody() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect_quietly(&server, "witness").await;
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    let deep = 20_000;
    let rows = [
        "[".repeat(deep),
        format!("{}{}", "[".repeat(deep), "]".repeat(deep)),
        "{\"type\":".repeat(4_000),
        format!("{}1{}", "{\"a\":".repeat(4_000), "}".repeat(4_000)),
    ];
    for text in rows {
        client.send_text(&text).await;
        assert!(client.next_frame().await.unwrap().payload == text.as_bytes(), "{}…", &text[..20]);
    }
    witness.assert_silent().await;
}
