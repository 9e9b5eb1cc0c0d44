//! Who says something else than what is spoken here, or nothing.

use roomd::config::Settings;

use crate::{
    certificate::Certificate,
    client::{connect, send, shake, upgrade},
    support::{Handshake, RawClient, TEXT, TestServer, settings},
};

fn with_one_handshake() -> Settings {
    Settings { handshakes: 1, handshake_timeout_ms: 300, ..settings() }
}

/// The bytes with which a client begins, which nobody answers.
async fn hello(certificate: &Certificate) -> Vec<u8> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let asking = tokio::spawn(shake(stream, certificate.trusted()));
    let mut peer = RawClient::over(listener.accept().await.unwrap().0);
    let head = peer.read_exactly(5).await;
    let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
    let rest = peer.read_exactly(length).await;
    asking.abort();
    [head, rest].concat()
}

#[tokio::test]
async fn plain_http_is_told_where_the_same_is_over_tls() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(settings()));
    let own = server.host();
    for (line, location) in [
        ("GET / HTTP/1.1", "/"),
        ("GET /app.js?x=1 HTTP/1.1", "/app.js?x=1"),
        ("GET /ws?username=aki HTTP/1.1", "/ws?username=aki"),
        ("HEAD /nothing HTTP/1.1", "/nothing"),
    ] {
        let mut client = RawClient::connect(&server).await;
        client.write(&Handshake::new(&server, "").line(line).bytes()).await;
        let head = client.read_head().await;
        assert!(head.starts_with("HTTP/1.1 308 "), "{head}");
        assert!(head.to_lowercase().contains(&format!("location: https://{own}{location}\r\n")), "{head}");
        assert!(head.contains("nosniff"), "{head}");
    }
    let response = Handshake::new(&server, "").send(&server).await;
    let sentence = response.assert_refusal(308, "tls_required");
    assert!(sentence.contains("wss://"), "{sentence}");
}

#[tokio::test]
async fn the_board_itself_is_told_in_plain_http_how_the_server_is_and_no_more() {
    let certificate = Certificate::new();
    let own = Settings { status_token: Some("sesame".into()), ..certificate.within(settings()) };
    let server = TestServer::start(own);
    let ask =
        |path: &str| Handshake::new(&server, "").line(&format!("GET {path} HTTP/1.1")).without("Upgrade");
    assert_eq!(ask("/healthz").send(&server).await.status, 200);
    for path in ["/api/status", "/metrics"] {
        ask(path).send(&server).await.assert_refusal(401, "unauthorized");
        let answer = ask(path).with("Authorization", "Bearer sesame").send(&server).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    ask("/healthz").with("Host", "evil.example").send(&server).await.assert_refusal(403, "host_not_allowed");
    for path in ["/", "/ws", "/healthz/", "/api"] {
        ask(path).send(&server).await.assert_refusal(308, "tls_required");
    }
}

#[tokio::test]
async fn nobody_is_sent_to_another_host() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(settings()));
    let foreign = Handshake::new(&server, "").with("Host", "evil.example");
    let response = foreign.send(&server).await;
    response.assert_refusal(403, "host_not_allowed");
    assert_eq!(response.header("location"), None);
    let line = "GET http://evil.example/ HTTP/1.1";
    Handshake::new(&server, "").line(line).send(&server).await.assert_refusal(403, "host_not_allowed");
    send(&foreign, &server, &certificate).await.assert_refusal(403, "host_not_allowed");
}

#[tokio::test]
async fn noise_ends_only_its_own_connection() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(settings()));
    let mut witness = upgrade(&server, &certificate, "quiet=1").await;
    let hello = hello(&certificate).await;
    let mut spoilt = hello.clone();
    // The length of the session's name, behind record, type, length, version and random bytes.
    spoilt[43] = 0xff;
    let rows: [&[u8]; 7] = [
        b"\0",
        b"\x16",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\x00\x05hello",
        b"\x15\x03\x03\x00\x02\x02\x28",
        &spoilt,
        &hello[..hello.len() - 1],
    ];
    for bytes in rows {
        let mut client = RawClient::connect(&server).await;
        client.try_write(bytes).await;
        client.shutdown_if_open().await;
        client.expect_end().await;
    }
    witness.send_text("still here").await;
    assert_eq!(witness.next_with_opcode(TEXT).await.payload, b"still here");
}

#[tokio::test]
async fn a_record_that_was_tampered_with_ends_its_client() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(settings()));
    let mut witness = upgrade(&server, &certificate, "username=witness").await;
    let client = upgrade(&server, &certificate, "username=tampered").await;
    let mut raw = RawClient::over(client.into_stream().into_inner().0);
    raw.write(b"\x17\x03\x03\x00\x20this is not what was agreed upon").await;
    loop {
        if witness.next_json().await["content"] == "tampered disconnected" {
            break;
        }
    }
}

#[tokio::test]
async fn nobody_keeps_others_out_by_not_shaking_hands() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(with_one_handshake()));
    let hello = hello(&certificate).await;
    for said in [0, 1, 5, hello.len() - 1, hello.len()] {
        let mut silent = RawClient::connect(&server).await;
        silent.write(&hello[..said]).await;
        // There is one place: this one is served when the silent one has lost it.
        upgrade(&server, &certificate, "quiet=1").await;
        silent.expect_end().await;
    }
    // Nor by saying nothing once hands are shaken.
    let _idle = connect(&server, &certificate).await;
    upgrade(&server, &certificate, "quiet=1").await;
}

#[tokio::test]
async fn a_client_that_offers_another_protocol_alone_is_refused_in_the_handshake() {
    let certificate = Certificate::new();
    let server = TestServer::start(certificate.within(settings()));
    for (protocols, is_taken) in [(&["h2"][..], false), (&["h2", "http/1.1"], true), (&[], true)] {
        let mut config = certificate.trusted();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = RawClient::connect(&server).await.into_stream();
        assert_eq!(shake(stream, config).await.is_ok(), is_taken, "{protocols:?}");
    }
}
