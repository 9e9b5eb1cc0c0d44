//! The ways a connection ends.

use serde_json::json;

use crate::support::{CLOSE, Client, FIN, Handshake, RawClient, TEXT, TestServer, frame, settings};

fn close(code: u16, reason: &str) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

#[tokio::test]
async fn every_code_that_may_be_sent_is_echoed_and_the_connection_ends() {
    let server = TestServer::start(settings());
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999] {
        for reason in ["", "so long", "à bientôt"] {
            let mut client = RawClient::upgrade(&server, "quiet=1").await;
            client.write(&close(code, reason)).await;
            assert_eq!(client.expect_close().await, code, "with the reason {reason:?}");
        }
    }
}

#[tokio::test]
async fn a_close_without_a_code_is_answered() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    client.write(&frame(FIN | CLOSE, b"")).await;
    let code = client.expect_close().await;
    assert!([1000, 1005].contains(&code), "{code}");
}

#[tokio::test]
async fn a_reason_of_the_greatest_length_is_taken() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    client.write(&close(1000, &"x".repeat(123))).await;
    assert_eq!(client.expect_close().await, 1000);
}

#[tokio::test]
async fn what_follows_a_close_is_ignored() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect(&server, "witness").await;
    let mut client = RawClient::upgrade(&server, "username=leaver").await;
    let late = json!({"type": "chat", "content": "too late"}).to_string();
    client.write(&[close(1000, ""), frame(FIN | TEXT, late.as_bytes())].concat()).await;
    assert_eq!(client.expect_close().await, 1000);
    witness.next_must_be_line("", "leaver connected").await;
    witness.next_must_be_line("", "leaver disconnected").await;
    witness.assert_silent().await;
}

#[tokio::test]
async fn an_answer_asked_for_before_the_close_comes_before_the_close() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    client.write(&[frame(FIN | TEXT, b"last words"), close(1000, "")].concat()).await;
    assert_eq!(client.next_frame().await.unwrap().payload, b"last words");
    assert_eq!(client.next_frame().await.unwrap().close_code(), 1000);
}

#[tokio::test]
async fn a_client_that_closes_properly_resets_or_just_ends_is_announced_once() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect(&server, "witness").await;

    let leaver = Client::connect(&server, "leaver").await;
    witness.next_must_be_line("", "leaver connected").await;
    leaver.leave().await;
    witness.next_must_be_line("", "leaver disconnected").await;

    let vanisher = Client::connect(&server, "vanisher").await;
    witness.next_must_be_line("", "vanisher connected").await;
    vanisher.vanish();
    witness.next_must_be_line("", "vanisher disconnected").await;

    let resetter = RawClient::upgrade(&server, "username=resetter").await;
    witness.next_must_be_line("", "resetter connected").await;
    resetter.reset();
    witness.next_must_be_line("", "resetter disconnected").await;

    let mut half_closer = RawClient::upgrade(&server, "username=half").await;
    witness.next_must_be_line("", "half connected").await;
    half_closer.shutdown().await;
    witness.next_must_be_line("", "half disconnected").await;
    half_closer.expect_end().await;

    let mut cut_off = RawClient::upgrade(&server, "username=cut").await;
    witness.next_must_be_line("", "cut connected").await;
    cut_off.write(&frame(FIN | TEXT, b"a frame of which half arrives")[..9]).await;
    drop(cut_off);
    witness.next_must_be_line("", "cut disconnected").await;

    witness.count_becomes(1).await;
    witness.assert_silent().await;
}

#[tokio::test]
async fn a_client_that_goes_in_the_handshake_is_not_announced() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect(&server, "witness").await;
    let request = Handshake::new(&server, "username=never").bytes();
    for sent in [0, 1, request.len() / 2, request.len() - 1] {
        let mut client = RawClient::connect(&server).await;
        client.write(&request[..sent]).await;
        drop(client);
    }
    witness.assert_silent().await;
}

#[tokio::test]
async fn a_closed_connection_gives_its_place_back() {
    let server = TestServer::start(roomd::config::Settings { clients: 1, ..settings() });
    for _ in 0..20 {
        Client::open_when_there_is_room(&server, "username=aki").await.leave().await;
        let client = Client::open_when_there_is_room(&server, "username=aki").await;
        client.vanish();
    }
}
