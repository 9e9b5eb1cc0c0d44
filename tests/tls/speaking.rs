//! Everything that is spoken without TLS is spoken over it, with the same guarantees.

use roomd::config::Settings;
use rustls::version;
use serde_json::{Value, json};

use crate::{
    certificate::Certificate,
    client::{TlsClient, connect, send, shake, upgrade, upgrade_narrow},
    support::{
        FIN, Handshake, Ledger, RawClient, Response, TEXT, TestServer, content_of, frame, seq_of, settings,
    },
};

fn get(server: &TestServer, path: &str) -> Handshake {
    let request = Handshake::new(server, "").line(&format!("GET {path} HTTP/1.1"));
    ["Connection", "Upgrade"].into_iter().fold(request, Handshake::without)
}

/// A log and kernel buffers so small that a stalled reader falls behind at once.
fn small() -> Settings {
    Settings {
        log_bytes: 64 << 10,
        log_messages: 64,
        message_bytes: 16 << 10,
        send_buffer_bytes: 4_096,
        ..settings()
    }
}

/// Reads until a message fits.
async fn until(client: &mut TlsClient, fits: impl Fn(&Value) -> bool) -> Value {
    loop {
        let message = client.next_json().await;
        if fits(&message) {
            return message;
        }
    }
}

/// Joins the kitchen, and opens the book of it.
async fn member(mut client: TlsClient) -> (TlsClient, Ledger) {
    client.send(&json!({"type": "join_room", "room": "kitchen"})).await;
    let joined = until(&mut client, |message| message["type"] == "joined").await;
    let mut ledger = Ledger::after_joined(&joined);
    ledger.enter(&client.next_json().await);
    (client, ledger)
}

/// Says `count` things in the kitchen, each when the one before is back, and returns the head.
async fn publish(publisher: &mut TlsClient, count: usize, bytes: usize) -> u64 {
    let chat = json!({"type": "chat", "room": "kitchen", "content": "m".repeat(bytes)});
    let mut head = 0;
    for _ in 0..count {
        publisher.send(&chat).await;
        head = seq_of(&until(publisher, |message| message["type"] == "chat").await);
    }
    head
}

#[tokio::test]
async fn the_page_is_there_and_may_connect_back() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(settings()));
    let page = send(&get(&server, "/"), &server, &certificate).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("<title>roomd</title>"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("wss://{}", server.host())), "{policy}");
    assert_eq!(send(&get(&server, "/healthz"), &server, &certificate).await.status, 200);
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(settings()));
    for version in [&version::TLS13, &version::TLS12] {
        let stream = RawClient::connect(&server).await.into_stream();
        let mut client = shake(stream, certificate.trusted_over(&[version])).await.unwrap();
        client.shake_hands(&server, "username=aki").await;
        assert_eq!(client.next_json().await["username"], "aki");
        client.send_text("an echo").await;
        let echo = loop {
            let frame = client.next_with_opcode(TEXT).await;
            if frame.payload == b"an echo" {
                break frame;
            }
        };
        assert_eq!(echo.opcode, TEXT);
    }
}

#[tokio::test]
async fn only_the_page_that_came_over_tls_may_connect() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(settings()));
    let from =
        |scheme: &str| Handshake::new(&server, "").with("Origin", &format!("{scheme}://{}", server.host()));
    send(&from("https"), &server, &certificate).await.assert_upgraded();
    send(&from("http"), &server, &certificate).await.assert_refusal(403, "origin_not_allowed");
}

#[tokio::test]
async fn what_comes_right_behind_the_request_is_read() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(settings()));
    let mut client = connect(&server, &certificate).await;
    let mut bytes = Handshake::new(&server, "quiet=1").bytes();
    // More than one record, so that a part is decrypted and waits when the connection is taken over.
    for number in 0..3 {
        let text = format!("{number} {}", "x".repeat(12_000));
        bytes.extend(frame(FIN | TEXT, text.as_bytes()));
    }
    client.write(&bytes).await;
    Response::read(&mut client).await.assert_upgraded();
    for number in 0..3 {
        let echo = client.next_with_opcode(TEXT).await;
        assert_eq!((echo.payload[0], echo.payload.len()), (b'0' + number, 12_002));
    }
}

#[tokio::test]
async fn a_message_of_many_records_comes_whole_in_both_directions() {
    let certificate = Certificate::new();
    let settings =
        Settings { log_bytes: 1 << 20, message_bytes: 128 << 10, outbox_bytes: 256 << 10, ..settings() };
    let server = TestServer::start(certificate.within(settings));
    let mut client = upgrade(&server, &certificate, "quiet=1").await;
    for bytes in [1, 16_383, 16_384, 16_385, 128 << 10] {
        let text = "y".repeat(bytes);
        client.send_text(&text).await;
        assert!(client.next_with_opcode(TEXT).await.payload == text.as_bytes(), "{bytes}");
    }
}

/// The kernel takes far less than is encrypted at once, and nothing follows that would push the rest.
#[tokio::test]
async fn what_is_encrypted_already_comes_without_anything_behind_it() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(small()));
    let (mut reader, mut ledger) =
        member(upgrade_narrow(&server, &certificate, "quiet=1&username=reader").await).await;
    let (mut publisher, _) = member(upgrade(&server, &certificate, "quiet=1").await).await;
    for _ in 0..5 {
        let head = publish(&mut publisher, 1, 15_000).await;
        while ledger.last() < head {
            ledger.enter(&reader.next_json().await);
        }
    }
    assert_eq!(ledger.missed, 0, "{:?}", ledger.gaps);
}

#[tokio::test]
async fn a_stalled_reader_loses_alone_and_knows_exactly_what() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(small()));
    let (mut stalled, mut ledger) =
        member(upgrade_narrow(&server, &certificate, "quiet=1&username=stalled").await).await;
    let (mut witness, mut witnessed) = member(upgrade(&server, &certificate, "quiet=1").await).await;
    let (mut publisher, _) = member(upgrade(&server, &certificate, "quiet=1").await).await;
    let mut known = 0;
    for _ in 0..3 {
        let mut head = 0;
        for _ in 0..40 {
            head = publish(&mut publisher, 8, 1_000).await;
            while witnessed.last() < head {
                witnessed.enter(&witness.next_json().await);
            }
        }
        while ledger.last() < head {
            ledger.enter(&stalled.next_json().await);
        }
        // One record is under way while it stalls; when that is taken, the next begins with a gap.
        assert!(ledger.gaps.len() > known && ledger.gaps.iter().all(|gap| gap["reason"] == "slow"));
        known = ledger.gaps.len();
    }
    assert_eq!(witnessed.missed, 0, "{:?}", witnessed.gaps);
    assert!(ledger.missed > 300, "far more than the log holds was published: {:?}", ledger.gaps);
}

#[tokio::test]
async fn who_takes_nothing_is_ended_with_words_that_can_be_read() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(Settings { write_timeout_ms: 300, ..small() }));
    let (mut stalled, _) = member(upgrade_narrow(&server, &certificate, "quiet=1").await).await;
    let (mut publisher, _) = member(upgrade(&server, &certificate, "username=aki").await).await;
    publish(&mut publisher, 60, 1_000).await;
    until(&mut publisher, |message| content_of(message).ends_with(" disconnected")).await;
    assert_eq!(stalled.expect_close().await, 4002);
}

/// A connection that ends without TLS's own farewell may have been cut by anybody: reading would fail.
#[tokio::test]
async fn a_connection_ends_in_order_from_either_side() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(settings()));
    let mut leaving = upgrade(&server, &certificate, "username=leaving").await;
    let mut wrong = upgrade(&server, &certificate, "username=wrong").await;
    let mut staying = upgrade(&server, &certificate, "username=staying").await;
    leaving.write(&frame(FIN | crate::support::CLOSE, &1000_u16.to_be_bytes())).await;
    assert_eq!(leaving.expect_close().await, 1000);
    wrong.write(&frame(FIN | TEXT, b"\xff")).await;
    assert_eq!(wrong.expect_close().await, 1007);
    let gone = upgrade(&server, &certificate, "username=gone").await;
    drop(gone);
    until(&mut staying, |message| message["content"] == "gone disconnected").await;
    let stopped = server.stopped();
    let (stopped, code) = tokio::join!(stopped, staying.expect_close());
    stopped.unwrap();
    assert_eq!(code, 1012);
}
