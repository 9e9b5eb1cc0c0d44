//! Stalled readers whose connection the server ends: what they find when they wake.
//!
//! Whatever was half on the wire is completed, so that each frame is whole, and the close frame
//! tells why. The client made of bytes fails at the first frame that is not well formed.

use roomd::config::Settings;
use serde_json::{Value, json};

use crate::support::{
    CLOSE, Client, Handshake, Ledger, RawClient, TestServer, content_of, guarded, seq_of, settings,
};

fn small() -> Settings {
    Settings {
        log_bytes: 64 << 10,
        log_messages: 64,
        message_bytes: 8 << 10,
        send_buffer_bytes: 4_096,
        ..settings()
    }
}

/// A stalled reader with the name "stalled", and its welcome. Its socket is full and its place in
/// the lobby's log is lost.
async fn stalled(server: &TestServer, talker: &mut Client) -> (RawClient, Value) {
    let mut stalled = RawClient::upgrade_narrow(server, "username=stalled").await;
    let welcome = stalled.next_json().await;
    talker.next_must_be_line("", "stalled connected").await;
    let content = "x".repeat(3_000);
    for _ in 0..100 {
        talker.send(json!({"type": "chat", "content": content})).await;
        talker.next_must_be("chat").await;
    }
    (stalled, welcome)
}

/// Reads to the close frame, checks that the lobby has no silent hole up to there, and returns the
/// types of what was read, and the code.
async fn wake(mut stalled: RawClient) -> (Vec<String>, u16) {
    let mut ledger: Option<Ledger> = None;
    let mut kinds = Vec::new();
    loop {
        let frame = stalled.next_frame().await.expect("a close frame before the end");
        if frame.opcode == CLOSE {
            stalled.expect_end().await;
            return (kinds, frame.close_code());
        }
        let message = frame.json();
        if message.get("seq").is_some() || message["type"] == "gap" {
            ledger.get_or_insert_with(|| Ledger::starting_at("", seq_of(&message))).enter(&message);
        }
        kinds.push(message["type"].as_str().unwrap().to_owned());
    }
}

#[tokio::test]
async fn who_takes_nothing_for_the_write_timeout_is_ended_with_4002_and_announced() {
    let server = TestServer::start(Settings { write_timeout_ms: 300, ..small() });
    let mut talker = Client::connect(&server, "talker").await;
    let stalled = RawClient::upgrade_narrow(&server, "username=stalled").await;
    talker.next_must_be_line("", "stalled connected").await;
    let talking = async {
        loop {
            talker.send(json!({"type": "chat", "content": "x".repeat(3_000)})).await;
            let event = talker.next_event("chat").await;
            if event["type"] != "chat" {
                break event;
            }
        }
    };
    let line = guarded("the end of the stalled", talking).await;
    assert_eq!((&line["type"], content_of(&line)), (&json!("system"), "stalled disconnected"));
    talker.count_becomes(1).await;
    assert_eq!(wake(stalled).await.1, 4002);
}

#[tokio::test]
async fn who_is_taken_over_while_it_is_stalled_finds_4001() {
    let server = TestServer::start(small());
    let mut talker = Client::connect(&server, "talker").await;
    let (stalled, welcome) = stalled(&server, &mut talker).await;
    let token = welcome["resume"].as_str().unwrap();
    let mut back = Client::open(&server, &format!("resume={token}")).await;
    assert_eq!(back.next_must_be("welcome").await["username"], "stalled");
    assert_eq!(wake(stalled).await.1, 4001);
    back.count_becomes(2).await;
}

#[tokio::test]
async fn who_is_stalled_at_a_stop_finds_the_announcement_and_1012() {
    let mut server = TestServer::start(Settings { grace_ms: 10_000, ..small() });
    let mut talker = Client::connect(&server, "talker").await;
    let (stalled, _) = stalled(&server, &mut talker).await;
    server.begin_stop();
    talker.next_of_type("restarting").await;
    // It is still waited for, and nobody new comes in meanwhile.
    if tokio::net::TcpStream::connect(server.address()).await.is_ok() {
        let refusal = Handshake::new(&server, "").send(&server).await;
        refusal.assert_refusal(503, "stopping");
        assert!(refusal.header("retry-after").is_some(), "{refusal:?}");
    }
    let (kinds, code) = wake(stalled).await;
    assert_eq!(code, 1012);
    assert!(kinds.iter().any(|kind| kind == "restarting"), "{kinds:?}");
    assert_eq!(talker.expect_close().await, 1012);
    drop(talker);
    server.stopped().await.unwrap();
}

#[tokio::test]
async fn who_is_stalled_beyond_the_grace_of_a_stop_still_finds_1012() {
    let mut server = TestServer::start(Settings { grace_ms: 100, ..small() });
    let mut talker = Client::connect(&server, "talker").await;
    let (stalled, _) = stalled(&server, &mut talker).await;
    server.begin_stop();
    assert_eq!(talker.expect_close().await, 1012);
    // The others are closed when the grace is over: now it wakes.
    assert_eq!(wake(stalled).await.1, 1012);
    drop(talker);
    server.stopped().await.unwrap();
}

#[tokio::test]
async fn a_stalled_reader_that_breaks_the_rules_finds_1002() {
    let server = TestServer::start(small());
    let mut talker = Client::connect(&server, "talker").await;
    let (mut stalled, _) = stalled(&server, &mut talker).await;
    stalled.write(b"\xFF\x80\0\0\0\0").await;
    talker.next_must_be_line("", "stalled disconnected").await;
    assert_eq!(wake(stalled).await.1, 1002);
}

#[tokio::test]
async fn a_stalled_reader_that_closes_gets_its_close_back() {
    let server = TestServer::start(small());
    let mut talker = Client::connect(&server, "talker").await;
    let (mut stalled, _) = stalled(&server, &mut talker).await;
    stalled.write(&crate::support::frame(0x80 | CLOSE, &4_444_u16.to_be_bytes())).await;
    talker.next_must_be_line("", "stalled disconnected").await;
    assert_eq!(wake(stalled).await.1, 4_444);
}
