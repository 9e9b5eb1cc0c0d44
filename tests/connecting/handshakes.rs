//! Requests for an upgrade, right and wrong (RFC 6455, section 4.2).

use serde_json::Value;

use crate::support::{Client, Handshake, RawClient, Response, TestServer, settings};

/// A request that is none for a WebSocket gets an HTTP error of the 400s and a JSON body.
fn assert_refused(situation: &str, response: &Response) {
    assert!((400..500).contains(&response.status) || response.status == 505, "{situation}: {response:?}");
}

fn assert_explained(situation: &str, response: &Response) {
    let body: Value = serde_json::from_str(&response.body)
        .unwrap_or_else(|error| panic!("{situation}: {error}: {response:?}"));
    assert!(body["error"].is_string() && body["content"].is_string(), "{situation}: {body}");
}

#[tokio::test]
async fn the_example_of_the_rfc_is_answered_as_there() {
    let server = TestServer::start(settings());
    let response = Handshake::new(&server, "username=aki").send(&server).await;
    response.assert_upgraded();
    assert_eq!(response.header("sec-websocket-protocol"), None);
    assert_eq!(response.header("sec-websocket-extensions"), None);
}

#[tokio::test]
async fn headers_that_are_written_otherwise_but_right_are_taken() {
    let server = TestServer::start(settings());
    let right = || Handshake::new(&server, "");
    let rows = [
        ("upgrade in capitals", right().with("Upgrade", "WebSocket")),
        ("connection in small letters", right().with("Connection", "upgrade")),
        ("a list of connection options", right().with("Connection", "keep-alive, Upgrade")),
        ("two connection headers", right().with("Connection", "keep-alive").and("Connection", "Upgrade")),
        (
            "names in small letters",
            right().without("Sec-WebSocket-Key").and("sec-websocket-key", crate::support::KEY),
        ),
        ("white space around the key", right().with("Sec-WebSocket-Key", "  dGhlIHNhbXBsZSBub25jZQ==  ")),
        ("an extension on offer", right().with("Sec-WebSocket-Extensions", "permessage-deflate")),
        ("a browser's further headers", right().with("User-Agent", "Mozilla/5.0").and("Cookie", "a=b")),
    ];
    for (situation, request) in rows {
        let response = request.send(&server).await;
        assert_eq!(response.status, 101, "{situation}: {response:?}");
        assert_eq!(response.header("sec-websocket-extensions"), None, "{situation}: {response:?}");
        response.assert_upgraded();
    }
}

#[tokio::test]
async fn a_subprotocol_on_offer_is_not_taken_up() {
    let server = TestServer::start(settings());
    let response =
        Handshake::new(&server, "").with("Sec-WebSocket-Protocol", "chat, superchat").send(&server).await;
    assert_eq!(response.header("sec-websocket-protocol"), None, "{response:?}");
}

#[tokio::test]
async fn a_request_without_an_upgrade_is_told_so() {
    let server = TestServer::start(settings());
    let right = || Handshake::new(&server, "");
    let rows = [
        ("no Connection", right().without("Connection")),
        ("no Upgrade", right().without("Upgrade")),
        ("neither", right().without("Connection").without("Upgrade")),
        ("Connection: close", right().with("Connection", "close")),
        ("Upgrade: h2c", right().with("Upgrade", "h2c")),
    ];
    for (situation, request) in rows {
        let response = request.send(&server).await;
        assert!([400, 426].contains(&response.status), "{situation}: {response:?}");
        assert_explained(situation, &response);
    }
}

#[tokio::test]
async fn a_key_that_is_missing_or_wrong_is_refused() {
    let server = TestServer::start(settings());
    let right = || Handshake::new(&server, "");
    let with_key = |key: &str| right().with("Sec-WebSocket-Key", key);
    let rows = [
        ("no key", right().without("Sec-WebSocket-Key")),
        ("an empty key", with_key("")),
        ("15 bytes", with_key("AAAAAAAAAAAAAAAAAAAA")),
        ("17 bytes", with_key("AAAAAAAAAAAAAAAAAAAAAAA=")),
        ("not base64", with_key("dGhlIHNhbXBsZSBub25j!!==")),
        ("no padding", with_key("dGhlIHNhbXBsZSBub25jZQ")),
    ];
    for (situation, request) in rows {
        let response = request.send(&server).await;
        assert_eq!(response.status, 400, "{situation}: {response:?}");
        response.assert_refusal(400, "bad_handshake");
    }
}

#[tokio::test]
async fn another_version_is_told_which_one_is_spoken() {
    let server = TestServer::start(settings());
    for version in ["12", "14", "8", "0", "thirteen", ""] {
        let response = Handshake::new(&server, "").with("Sec-WebSocket-Version", version).send(&server).await;
        assert!([400, 426].contains(&response.status), "{version}: {response:?}");
        assert_explained(version, &response);
        // RFC 6455, section 4.4.
        assert_eq!(response.header("sec-websocket-version"), Some("13"), "{version}: {response:?}");
    }
    let response = Handshake::new(&server, "").without("Sec-WebSocket-Version").send(&server).await;
    assert_refused("no version", &response);
    assert_explained("no version", &response);
}

#[tokio::test]
async fn another_method_is_refused() {
    let server = TestServer::start(settings());
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let request =
            Handshake::new(&server, "").line(&format!("{method} /ws HTTP/1.1")).with("Content-Length", "0");
        let response = request.send(&server).await;
        assert_refused(method, &response);
    }
}

#[tokio::test]
async fn an_older_http_is_refused() {
    let server = TestServer::start(settings());
    let response = Handshake::new(&server, "").line("GET /ws HTTP/1.0").send(&server).await;
    assert_refused("HTTP/1.0", &response);
}

#[tokio::test]
async fn a_request_without_a_host_or_with_two_is_refused() {
    let server = TestServer::start(settings());
    let none = Handshake::new(&server, "").without("Host").send(&server).await;
    assert_refused("no Host", &none);
    let two = Handshake::new(&server, "").and("Host", "evil.example").send(&server).await;
    assert_refused("two Hosts", &two);
}

#[tokio::test]
async fn what_is_no_http_ends_only_its_own_connection() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect_quietly(&server, "witness").await;
    let long_line = format!("GET /ws?username={} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    let many_headers = format!("GET /ws HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(10_000));
    let rows: [&[u8]; 6] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        long_line.as_bytes(),
        many_headers.as_bytes(),
    ];
    for bytes in rows {
        let mut client = RawClient::connect(&server).await;
        client.try_write(bytes).await;
        client.shutdown().await;
        client.expect_end().await;
    }
    witness.assert_silent().await;
    Handshake::new(&server, "").send(&server).await.assert_upgraded();
}

#[tokio::test]
async fn a_request_dribbled_byte_by_byte_is_read_the_same() {
    let server = TestServer::start(settings());
    let mut client = RawClient::connect(&server).await;
    for byte in Handshake::new(&server, "username=aki").bytes() {
        client.write(&[byte]).await;
        tokio::task::yield_now().await;
    }
    Response::read(&mut client).await.assert_upgraded();
    assert_eq!(client.next_json().await["username"], "aki");
}

#[tokio::test]
async fn a_connection_that_was_refused_may_try_again() {
    let server = TestServer::start(settings());
    let wrong = Handshake::new(&server, "").without("Sec-WebSocket-Key");
    let (refused, mut client) = wrong.send_and_keep(&server).await;
    assert_refused("no key", &refused);
    if refused.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        client.expect_end().await;
        return;
    }
    client.write(&Handshake::new(&server, "username=aki").bytes()).await;
    Response::read(&mut client).await.assert_upgraded();
    assert_eq!(client.next_json().await["username"], "aki");
}
