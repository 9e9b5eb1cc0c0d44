//! A planned stop.

use roomd::config::Settings;
use serde_json::json;
use tokio::net::TcpStream;

use crate::support::{
    CLOSE, Client, FIN, RawClient, TEXT, TestServer, assert_fields, content_of, frame, guarded, settings,
};

#[tokio::test]
async fn clients_are_told_when_to_come_back_and_then_closed() {
    let mut server = TestServer::start(settings());
    let mut clients = Vec::new();
    for number in 0..20 {
        clients.push(Client::connect(&server, &format!("client {number}")).await);
    }
    server.begin_stop();
    for client in &mut clients {
        let restarting = client.next_of_type("restarting").await;
        assert_fields(&restarting, &["type", "content", "sender", "timestamp", "retry_ms"]);
        assert!(restarting["retry_ms"].as_u64().is_some_and(|ms| ms > 0), "{restarting}");
        assert!(!content_of(&restarting).is_empty());
        assert_eq!(client.expect_close().await, 1012);
    }
    server.stopped().await.expect("a planned stop is no error");
}

#[tokio::test]
async fn the_times_to_come_back_are_spread() {
    let mut server = TestServer::start(settings());
    let mut clients = Vec::new();
    for number in 0..20 {
        clients.push(Client::connect(&server, &format!("client {number}")).await);
    }
    server.begin_stop();
    let mut times = Vec::new();
    for client in &mut clients {
        times.push(client.next_of_type("restarting").await["retry_ms"].as_u64().unwrap());
    }
    times.sort_unstable();
    times.dedup();
    assert!(times.len() > 1, "all at the same instant: {times:?}");
    drop(clients);
    server.stopped().await.unwrap();
}

#[tokio::test]
async fn a_quiet_client_is_closed_with_the_same_code() {
    let mut server = TestServer::start(settings());
    let mut quiet = Client::connect_quietly(&server, "sensor").await;
    server.begin_stop();
    assert_eq!(quiet.expect_close().await, 1012);
    server.stopped().await.unwrap();
}

#[tokio::test]
async fn what_was_said_before_the_stop_arrives_before_the_close() {
    let mut server = TestServer::start(settings());
    let mut reader = Client::connect(&server, "reader").await;
    let mut talker = Client::connect(&server, "talker").await;
    for number in 0..50 {
        talker.send(json!({"type": "chat", "content": format!("{number}")})).await;
    }
    talker.roundtrip().await;
    server.begin_stop();
    let last = reader.expect("the last message", |m| m["content"] == "49").await;
    assert_eq!(last["sender"], "talker");
    reader.next_of_type("restarting").await;
    assert_eq!(reader.expect_close().await, 1012);
    drop(talker);
    server.stopped().await.unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_answer_the_close_delays_the_stop_no_longer_than_the_grace() {
    let mut server = TestServer::start(Settings { grace_ms: 300, ..settings() });
    let mut rude = RawClient::upgrade(&server, "username=rude").await;
    server.begin_stop();
    assert_eq!(rude.next_with_opcode(CLOSE).await.close_code(), 1012);
    server.stopped().await.unwrap();
    rude.expect_end().await;
}

#[tokio::test]
async fn a_stalled_client_delays_the_stop_no_longer_than_the_grace() {
    let settings = Settings { grace_ms: 300, send_buffer_bytes: 4_096, ..settings() };
    let mut server = TestServer::start(settings);
    let stalled = RawClient::upgrade_narrow(&server, "username=stalled").await;
    let mut talker = Client::connect(&server, "talker").await;
    let content = "x".repeat(8_000);
    for _ in 0..100 {
        talker.send(json!({"type": "chat", "content": content})).await;
        talker.next_of_type("chat").await;
    }
    server.begin_stop();
    assert_eq!(talker.expect_close().await, 1012);
    server.stopped().await.unwrap();
    drop(stalled);
}

#[tokio::test]
async fn while_stopping_nobody_new_comes_in() {
    let server = TestServer::start(settings());
    let address = server.address();
    server.stopped().await.unwrap();
    let connected = guarded("an answer", TcpStream::connect(address)).await;
    assert!(connected.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_server_without_clients_stops_at_once() {
    let server = TestServer::start(Settings { grace_ms: 600_000, ..settings() });
    server.stopped().await.unwrap();
}

#[tokio::test]
async fn connections_that_are_no_websockets_yet_do_not_hold_up_the_stop() {
    let server = TestServer::start(Settings { grace_ms: 300, ..settings() });
    let mut idle = RawClient::connect(&server).await;
    let mut begun = RawClient::connect(&server).await;
    begun.write(b"GET /ws HTTP/1.1\r\nHost:").await;
    server.stopped().await.unwrap();
    idle.expect_end().await;
    begun.expect_end().await;
}

#[tokio::test]
async fn messages_on_their_way_at_the_stop_do_no_harm() {
    let mut server = TestServer::start(settings());
    let mut talker = RawClient::upgrade(&server, "username=talker").await;
    server.begin_stop();
    let chat = json!({"type": "chat", "content": "too late"}).to_string();
    talker.try_write(&frame(FIN | TEXT, chat.as_bytes()).repeat(500)).await;
    assert_eq!(talker.next_with_opcode(CLOSE).await.close_code(), 1012);
    drop(talker);
    server.stopped().await.unwrap();
}
