//! `rate_limited`, `too_large`, and where a size ends the connection instead.

use roomd::{config::Settings, limits::REFUSALS_PER_BURST};
use serde_json::{Value, json};

use crate::support::{Client, FIN, PING, PONG, RawClient, TEXT, TestServer, content_of, frame, settings};

fn with_rate(messages_per_second: u32, burst: u32) -> Settings {
    Settings { messages_per_second, burst, ..settings() }
}

/// Sends `count` texts in a single write, so that no time passes between them, and counts what was
/// answered with an echo and with `rate_limited`.
async fn flood(client: &mut RawClient, count: usize) -> (usize, usize) {
    client.write(&frame(FIN | TEXT, b"echo").repeat(count)).await;
    let (mut echoed, mut limited) = (0, 0);
    for _ in 0..count {
        let answer = client.next_with_opcode(TEXT).await;
        if answer.payload == b"echo" {
            assert_eq!(limited, 0, "an echo after a refusal");
            echoed += 1;
        } else {
            assert_eq!(answer.json()["code"], "rate_limited");
            limited += 1;
        }
    }
    (echoed, limited)
}

#[tokio::test]
async fn a_burst_passes_and_what_is_above_it_is_refused() {
    let burst = 5;
    let server = TestServer::start(with_rate(1, burst));
    let burst = burst as usize;
    for (sent, echoed, limited) in [(burst - 1, burst - 1, 0), (burst, burst, 0), (burst + 1, burst, 1)] {
        let mut client = RawClient::upgrade(&server, "quiet=1").await;
        assert_eq!(flood(&mut client, sent).await, (echoed, limited), "{sent} of {burst}");
    }
}

#[tokio::test]
async fn who_goes_on_above_the_rate_is_ended_with_1008() {
    let burst = 2;
    let server = TestServer::start(with_rate(1, burst));
    let mut witness = Client::connect(&server, "witness").await;
    let (burst, bound) = (burst as usize, (burst * REFUSALS_PER_BURST) as usize);
    for refused in [bound - 1, bound, bound + 1] {
        let mut client = RawClient::upgrade(&server, "username=aki").await;
        witness.next_must_be_line("", "aki connected").await;
        client.write(&frame(FIN | TEXT, br#"{"type":"ping"}"#).repeat(burst + refused)).await;
        let mut limited = 0;
        while limited < refused.min(bound) {
            limited += usize::from(client.next_json().await["code"] == "rate_limited");
        }
        if refused > bound {
            assert_eq!(client.expect_close().await, 1008);
        } else {
            client.write(&frame(FIN | PING, b"still there")).await;
            assert_eq!(client.next_with_opcode(PONG).await.payload, b"still there");
        }
        drop(client);
        witness.next_must_be_line("", "aki disconnected").await;
    }
    witness.assert_silent().await;
}

#[tokio::test]
async fn control_frames_take_no_place_of_the_rate() {
    let server = TestServer::start(with_rate(1, 2));
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    let pings = frame(FIN | PING, b"p").repeat(10);
    let texts = frame(FIN | TEXT, b"echo").repeat(2);
    client.write(&[pings, texts].concat()).await;
    for _ in 0..2 {
        assert_eq!(client.next_with_opcode(TEXT).await.payload, b"echo");
    }
}

#[tokio::test]
async fn every_kind_of_message_takes_one_place() {
    let rows: [&[u8]; 5] = [
        br#"{"type":"ping"}"#,
        br#"{"type":"chat","content":"x"}"#,
        br#"{"type":"chat"}"#,
        br#"{"type":"list_rooms"}"#,
        b"no JSON",
    ];
    let server = TestServer::start(with_rate(1, 1));
    for message in rows {
        let mut client = RawClient::upgrade(&server, "quiet=1&username=sender").await;
        let fence = frame(FIN | TEXT, br#"{"type":"chat","content":"x","id":"i","room":"r"}"#);
        client.write(&[frame(FIN | TEXT, message), fence].concat()).await;
        let error = loop {
            let answer = client.next_with_opcode(TEXT).await;
            if answer.payload != b"no JSON" && answer.json()["code"] == "rate_limited" {
                break answer.json();
            }
        };
        assert_eq!(error["type"], "error");
        assert!(!content_of(&error).is_empty());
    }
}

#[tokio::test]
async fn a_message_above_the_rate_reaches_nobody() {
    let server = TestServer::start(with_rate(1, 2));
    let mut witness = Client::connect(&server, "witness").await;
    let mut sender = RawClient::upgrade(&server, "quiet=1&username=sender").await;
    witness.next_must_be_line("", "sender connected").await;
    let chats = (0..3).map(|number| json!({"type": "chat", "content": format!("{number}")}).to_string());
    let stream: Vec<u8> = chats.flat_map(|chat| frame(FIN | TEXT, chat.as_bytes())).collect();
    sender.write(&stream).await;
    assert_eq!(sender.next_json().await["code"], "rate_limited");
    assert_eq!(content_of(&witness.next_must_be("chat").await), "0");
    assert_eq!(content_of(&witness.next_must_be("chat").await), "1");
    // The witness has a rate as well: one round trip only.
    assert_eq!(witness.roundtrip().await, [] as [Value; 0]);
}

#[tokio::test]
async fn who_waits_may_speak_again() {
    let server = TestServer::start(with_rate(200, 1));
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    let attempts = async {
        let (mut echoed, mut limited) = (0, 0);
        while echoed < 3 || limited == 0 {
            client.write(&frame(FIN | TEXT, b"echo").repeat(2)).await;
            for _ in 0..2 {
                match client.next_with_opcode(TEXT).await.payload.as_slice() {
                    b"echo" => echoed += 1,
                    _ => limited += 1,
                }
            }
        }
    };
    crate::support::guarded("a place of the rate", attempts).await;
}

#[tokio::test]
async fn one_clients_rate_is_not_the_others() {
    let server = TestServer::start(with_rate(1, 3));
    let mut flooder = RawClient::upgrade(&server, "quiet=1").await;
    let mut other = RawClient::upgrade(&server, "quiet=1").await;
    assert_eq!(flood(&mut flooder, 10).await, (3, 7));
    assert_eq!(flood(&mut other, 3).await, (3, 0));
}

#[tokio::test]
async fn without_a_rate_nothing_is_refused() {
    let server = TestServer::start(with_rate(0, 0));
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    for _ in 0..50 {
        assert_eq!(flood(&mut client, 10).await, (10, 0));
    }
}

/// A `chat` of exactly `size` bytes.
fn chat_of(size: usize) -> String {
    let shell = json!({"type": "chat", "content": "", "id": "i"}).to_string();
    shell.replace(r#""content":"""#, &format!(r#""content":"{}""#, "c".repeat(size - shell.len())))
}

#[tokio::test]
async fn a_chat_of_the_greatest_size_is_published_whole_or_answered_with_too_large() {
    let server = TestServer::start(settings());
    let most = settings().message_bytes;
    let mut witness = Client::connect(&server, "witness").await;
    for size in [most / 2, most - 1_000, most - 1, most] {
        let mut sender = Client::connect_quietly(&server, "sender").await;
        witness.next_must_be_line("", "sender connected").await;
        let chat = chat_of(size);
        assert_eq!(chat.len(), size);
        sender.send_text(&chat).await;
        let answer = sender.next_event("an answer").await;
        if answer["type"] == "ack" {
            let chat: Value = serde_json::from_str(&chat).unwrap();
            assert!(witness.next_must_be("chat").await["content"] == chat["content"], "{size} bytes");
        } else {
            assert_eq!((&answer["code"], &answer["id"]), (&json!("too_large"), &json!("i")), "{size} bytes");
            assert!(size > most - 1_000, "the server's envelope is not that large");
        }
        sender.assert_silent().await;
        witness.assert_silent().await;
        sender.leave().await;
        witness.next_must_be_line("", "sender disconnected").await;
    }
}

#[tokio::test]
async fn a_chat_one_byte_above_the_greatest_size_ends_the_connection() {
    let server = TestServer::start(Settings { message_bytes: 2_048, ..settings() });
    let mut witness = Client::connect(&server, "witness").await;
    let mut client = RawClient::upgrade(&server, "username=aki").await;
    witness.next_must_be_line("", "aki connected").await;
    client.try_write(&frame(FIN | TEXT, chat_of(2_049).as_bytes())).await;
    assert_eq!(client.expect_close().await, 1009);
    witness.next_must_be_line("", "aki disconnected").await;
    witness.assert_silent().await;
}

#[tokio::test]
async fn content_that_grows_when_it_is_encoded_is_published_whole_or_answered_with_too_large() {
    // One byte of UTF-8 on the way in can be six on the way out, if the server escapes it.
    let settings = Settings { message_bytes: 4_096, log_bytes: 16_384, ..settings() };
    let server = TestServer::start(settings);
    let mut client = Client::connect(&server, "aki").await;
    for filler in ["\u{7f}", "\u{2028}", r"\u0001", r"\n", "/", r"\/", "<"] {
        let content = filler.repeat(4_000 / filler.len());
        client.send_text(&format!(r#"{{"type":"chat","content":"{content}"}}"#)).await;
        let answer = client.next_event("an answer").await;
        assert!(answer["type"] == "chat" || answer["code"] == "too_large", "{filler:?}");
        if answer["type"] == "chat" {
            let meant: String = serde_json::from_str(&format!(r#""{content}""#)).unwrap();
            assert_eq!(content_of(&answer), meant);
        }
        client.assert_silent().await;
    }
}
