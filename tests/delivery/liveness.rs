//! No ghosts: who gives no sign of life is ended, who gives any is not.

use std::time::Duration;

use roomd::config::Settings;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use crate::support::{
    CLOSE, Client, FIN, PING, PONG, RawClient, TEXT, TestServer, binary, content_of, frame, settings,
};

fn with_heartbeat_of_a_second() -> Settings {
    Settings { heartbeat_s: 1, ..settings() }
}

/// Well beyond the end of a client without a sign of life.
const SEVERAL_HEARTBEATS: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_client_without_a_sign_of_life_is_ended_and_announced() {
    let server = TestServer::start(with_heartbeat_of_a_second());
    let mut witness = Client::connect(&server, "witness").await;
    witness.join("kitchen").await;
    // It reads, but answers no ping.
    let mut ghost = RawClient::upgrade(&server, "username=ghost&room=kitchen").await;
    let haunting = tokio::spawn(async move {
        let mut pings = 0;
        loop {
            let frame = ghost.next_frame().await.expect("a close frame before the end");
            match frame.opcode {
                PING => pings += 1,
                CLOSE => return (pings, frame.close_code()),
                _ => {}
            }
        }
    });
    witness.expect("its leaving", |m| m["content"] == "ghost left the room" && m["room"] == "kitchen").await;
    witness.next_must_be_line("", "ghost disconnected").await;
    let (pings, code) = haunting.await.unwrap();
    assert_eq!(code, 4003);
    assert!(pings >= 1, "it was asked first");
    witness.count_becomes(1).await;
}

#[tokio::test]
async fn what_the_server_sends_keeps_no_dead_client_alive() {
    let server = TestServer::start(with_heartbeat_of_a_second());
    let mut talker = Client::connect(&server, "talker").await;
    let mut ghost = RawClient::upgrade(&server, "username=ghost").await;
    talker.next_must_be_line("", "ghost connected").await;
    let reading = tokio::spawn(async move { ghost.expect_close().await });
    let talking = async {
        loop {
            talker.send(json!({"type": "chat", "content": "are you there"})).await;
            let message = talker.next_event("chat").await;
            if message["content"] == "ghost disconnected" {
                return;
            }
        }
    };
    crate::support::guarded("the end of the ghost", talking).await;
    assert_eq!(reading.await.unwrap(), 4003);
}

#[tokio::test]
async fn a_client_that_answers_pings_stays_however_silent_it_is() {
    let server = TestServer::start(with_heartbeat_of_a_second());
    let mut client = Client::open(&server, "username=aki").await;
    let mut pings = 0;
    // The library answers each ping while it reads.
    while pings < 4 {
        if client.next_frame("ping").await.is_ping() {
            pings += 1;
        }
    }
    client.roundtrip().await;
}

#[tokio::test]
async fn any_inbound_frame_is_a_sign_of_life() {
    let server = TestServer::start(with_heartbeat_of_a_second());
    let mut witness = Client::connect(&server, "witness").await;
    let signs = [
        ("text", frame(FIN | TEXT, b"hello")),
        ("ping", frame(FIN | PING, b"")),
        ("unasked pong", frame(FIN | PONG, b"whatever")),
        ("a piece of a message", frame(TEXT, b"")),
    ];
    let mut clients = Vec::new();
    for (situation, sign) in signs {
        let client = RawClient::upgrade(&server, "quiet=1&username=sensor").await;
        clients.push((situation, client, sign, false));
    }
    #[expect(clippy::disallowed_methods, reason = "time is the situation here")]
    let now = Instant::now;
    // Signs come at half the heartbeat, for several heartbeats.
    let end = now() + SEVERAL_HEARTBEATS;
    while now() < end {
        for (situation, client, sign, begun) in &mut clients {
            let piece_of_the_same = *situation == "a piece of a message" && std::mem::replace(begun, true);
            client.write(if piece_of_the_same { b"\0\x80\0\0\0\0" } else { &sign[..] }).await;
        }
        sleep_until(now() + Duration::from_millis(500)).await;
        let events = witness.roundtrip().await;
        let gone: Vec<_> =
            events.iter().map(content_of).filter(|line| line.contains("disconnected")).collect();
        assert!(gone.is_empty(), "{gone:?}");
    }
}

#[tokio::test]
async fn pings_come_at_the_heartbeat_and_pongs_carry_their_payload() {
    let server = TestServer::start(with_heartbeat_of_a_second());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    for _ in 0..3 {
        let ping = client.next_with_opcode(PING).await;
        assert!(ping.payload.len() <= 125);
        client.write(&frame(FIN | PONG, &ping.payload)).await;
    }
    client.write(&frame(FIN | PING, b"and you")).await;
    assert_eq!(client.next_with_opcode(PONG).await.payload, b"and you");
}

#[tokio::test]
async fn a_client_that_dies_while_its_socket_is_full_is_no_ghost_either() {
    let settings = Settings { send_buffer_bytes: 4_096, ..with_heartbeat_of_a_second() };
    let server = TestServer::start(settings);
    let mut talker = Client::connect(&server, "talker").await;
    let _ghost = RawClient::upgrade_narrow(&server, "username=ghost").await;
    talker.next_must_be_line("", "ghost connected").await;
    let content = "x".repeat(4_000);
    for _ in 0..50 {
        talker.send(json!({"type": "chat", "content": content})).await;
    }
    talker.expect("the end of the ghost", |m| m["content"] == "ghost disconnected").await;
}

#[tokio::test]
async fn a_name_is_free_when_its_ghost_has_gone() {
    let server = TestServer::start(with_heartbeat_of_a_second());
    let mut witness = Client::connect(&server, "witness").await;
    let _ghost = RawClient::upgrade(&server, "username=aki").await;
    witness.expect("the end of the ghost", |m| m["content"] == "aki disconnected").await;
    let aki = Client::connect(&server, "aki").await;
    assert_eq!(aki.name(), "aki");
}

#[tokio::test]
async fn a_welcome_tells_the_heartbeat_that_is_kept() {
    let server = TestServer::start(with_heartbeat_of_a_second());
    let mut client = Client::connect(&server, "aki").await;
    assert_eq!(client.welcome["heartbeat_s"], 1);
    client.send_frame(binary(b"")).await;
    client.next_message("echo").await;
}

/// It is always behind, so its socket is blocked whenever somebody looks; it still answers each ping.
#[tokio::test]
async fn a_slow_reader_that_answers_its_pings_is_no_ghost() {
    let settings = Settings { send_buffer_bytes: 4_096, log_messages: 64, ..with_heartbeat_of_a_second() };
    let server = TestServer::start(settings);
    let mut talker = Client::connect(&server, "talker").await;
    let mut slow = RawClient::upgrade_with_receive_buffer(&server, "username=slow", 8 << 10).await;
    talker.next_must_be_line("", "slow connected").await;
    let talking = tokio::spawn(async move {
        let content = "x".repeat(1_000);
        loop {
            for _ in 0..8 {
                talker.feed(&json!({"type": "chat", "content": content})).await;
            }
            talker.flush().await;
            for event in talker.roundtrip().await {
                assert_ne!(content_of(&event), "slow disconnected");
            }
        }
    });
    // Its pace is the situation: some 200 messages a second, far less than are sent.
    #[expect(clippy::disallowed_methods, reason = "time is the situation here")]
    let now = Instant::now;
    let (mut pings, end) = (0, now() + SEVERAL_HEARTBEATS);
    while now() < end {
        let frame = slow.next_frame().await.expect("the connection stands");
        match frame.opcode {
            PING => {
                slow.write(&frame_of_pong(&frame.payload)).await;
                pings += 1;
            }
            CLOSE => panic!("ended with {}", frame.close_code()),
            _ => sleep_until(now() + Duration::from_millis(5)).await,
        }
    }
    assert!(pings >= 2, "{pings} pings");
    assert!(!talking.is_finished(), "{:?}", talking.await);
    talking.abort();
}

fn frame_of_pong(payload: &[u8]) -> Vec<u8> {
    frame(FIN | PONG, payload)
}
