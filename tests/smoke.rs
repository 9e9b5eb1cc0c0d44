//! The binary that ships, as a whole: what a board does with it in its first minute.
//!
//! `ROOMD_TEST_BINARY` names another one than that of this build, `ROOMD_TEST_RUNNER` an emulator for it.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::env;

use roomd::config::Settings;
use serde_json::{Value, json};
use support::{Client, Handshake, Ledger, RawClient, TestServer, content_of, seq_of, settings};

fn start(settings: &Settings) -> TestServer {
    let path = env::var("ROOMD_TEST_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_roomd").to_owned());
    TestServer::start_binary(&path, settings)
}

fn chat(content: &str) -> Value {
    json!({"type": "chat", "room": "kitchen", "content": content})
}

#[tokio::test]
async fn the_page_is_served_and_health_is_told() {
    let server = start(&settings());
    for (path, part) in
        [("/", "<title>roomd</title>"), ("/app.js", "import "), ("/healthz", "\"status\":\"ok\"")]
    {
        let request = Handshake::new(&server, "").line(&format!("GET {path} HTTP/1.1"));
        let answer = request.without("Connection").without("Upgrade").send(&server).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.body.contains(part), "{answer:?}");
    }
}

#[tokio::test]
async fn what_one_says_in_a_room_the_others_hear() {
    let server = start(&settings());
    let mut noor = Client::connect(&server, "Noor Ω").await;
    let mut aki = Client::connect(&server, "aki").await;
    noor.join("kitchen").await;
    aki.join("kitchen").await;
    aki.send(json!({"type": "chat", "room": "kitchen", "content": "Grüße 🫖", "id": "7"})).await;
    let ack = aki.next_of_type("ack").await;
    let heard = noor.next_of_type("chat").await;
    assert_eq!((content_of(&heard), &heard["sender"]), ("Grüße 🫖", &json!("aki")));
    assert_eq!((&ack["id"], &ack["seq"]), (&json!("7"), &heard["seq"]));
}

#[tokio::test]
async fn a_stalled_reader_is_told_what_it_missed_and_nobody_else_misses_anything() {
    let small = Settings { log_messages: 64, send_buffer_bytes: 4_096, ..settings() };
    let server = start(&small);
    let query = "quiet=1&username=stalled&room=kitchen";
    let mut stalled = RawClient::upgrade_narrow(&server, query).await;
    let mut book = Ledger::after_joined(&stalled.next_json().await);
    let mut publisher = Client::connect_quietly(&server, "publisher").await;
    let mut head = seq_of(&publisher.join("kitchen").await) + 1;
    let content = "m".repeat(1_000);
    for _ in 0..30 {
        for _ in 0..16 {
            publisher.feed(&chat(&content)).await;
        }
        publisher.flush().await;
        for _ in 0..16 {
            let message = publisher.next_must_be("chat").await;
            assert_eq!(seq_of(&message), head + 1);
            head += 1;
        }
    }
    while book.last() < head {
        book.enter(&stalled.next_json().await);
    }
    assert!(!book.gaps.is_empty() && book.gaps.iter().all(|gap| gap["reason"] == "slow"), "{:?}", book.gaps);
    assert!(book.missed > 300, "far more than the log holds was published: {:?}", book.gaps);
}

#[tokio::test]
async fn a_signal_stops_it_in_order() {
    let mut server = start(&settings());
    let mut client = Client::connect(&server, "noor").await;
    server.begin_stop();
    let restarting = client.next_of_type("restarting").await;
    assert!(restarting["retry_ms"].as_u64().is_some_and(|ms| ms > 0), "{restarting}");
    assert_eq!(client.expect_close().await, 1012);
    let said = server.stopped().await.expect("exit code 0");
    assert!(said.last().unwrap().ends_with("stopped"), "{said:?}");
}
