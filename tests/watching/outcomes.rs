//! Every end of a connection has a counter that moves.

use roomd::config::Settings;
use serde_json::json;

use super::{becomes, number, settings, small, support::*};

#[tokio::test]
async fn a_connection_that_says_nothing_or_no_http_is_counted() {
    let server = TestServer::start(Settings { handshake_timeout_ms: 3_000, ..settings() });
    let mut silent = RawClient::connect(&server).await;
    silent.expect_end().await;
    becomes(&server, "/counters/http_timed_out", 1).await;
    let server = TestServer::start(settings());
    let mut stranger = RawClient::connect(&server).await;
    stranger.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    stranger.expect_end().await;
    let status = becomes(&server, "/counters/http_failed", 1).await;
    assert!(number(&status, "/counters/connections_accepted") >= 2, "{status}");
}

#[tokio::test]
async fn each_end_of_a_client_is_counted_by_its_reason() {
    let server = TestServer::start(small());
    let rows: [(&str, Vec<u8>); 4] = [
        ("closed", frame(FIN | CLOSE, &1_000_u16.to_be_bytes())),
        ("protocol_broken", vec![0xFF, 0xFF]),
        ("not_utf8", frame(FIN | TEXT, b"\xFF")),
        ("too_large", frame(FIN | TEXT, &[b'x'; 9 << 10])),
    ];
    for (number, (counter, bytes)) in (1..).zip(rows) {
        let mut client = RawClient::upgrade(&server, "quiet=1").await;
        client.write(&bytes).await;
        client.expect_close().await;
        drop(client);
        becomes(&server, &format!("/counters/{counter}"), 1).await;
        becomes(&server, "/counters/disconnected", number).await;
    }
    RawClient::upgrade(&server, "quiet=1").await.reset();
    becomes(&server, "/counters/lost", 1).await;
    let status = becomes(&server, "/counters/disconnected", 5).await;
    assert_eq!(number(&status, "/counters/connected"), 5);
}

#[tokio::test]
async fn last_words_that_are_taken_are_told_apart_from_those_that_are_not() {
    let server = TestServer::start(settings());
    let mut polite = RawClient::upgrade(&server, "quiet=1").await;
    polite.write(&frame(FIN | CLOSE, b"")).await;
    polite.expect_close().await;
    polite.shutdown_if_open().await;
    becomes(&server, "/counters/farewells", 1).await;
    // It is told, and never closes its side.
    let mut rude = RawClient::upgrade(&server, "quiet=1").await;
    rude.write(&[0xFF, 0xFF]).await;
    rude.expect_close().await;
    let status = becomes(&server, "/counters/farewells_lost", 1).await;
    assert_eq!(number(&status, "/counters/farewells"), 1);
}

#[tokio::test]
async fn what_comes_and_goes_is_counted_in_bytes_and_writes() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    let echo = json!({"type": "anything", "content": "x".repeat(100)}).to_string();
    client.send_text(&echo).await;
    let back = client.next_frame().await.unwrap();
    assert_eq!(back.payload, echo.as_bytes());
    let status = becomes(&server, "/counters/writes", 1).await;
    // A masked frame with a length of 16 bits; the answer has no mask.
    assert_eq!(number(&status, "/counters/bytes_received"), echo.len() as u64 + 8);
    assert_eq!(number(&status, "/counters/bytes_sent"), echo.len() as u64 + 4);
}
