//! Refused before the upgrade: plain HTTP, JSON, and a sentence that names the setting to change.

use std::io::ErrorKind;

use roomd::{config::Settings, limits::ATTEMPTS_BURST};
use tokio::net::TcpStream;

use crate::support::{Client, Handshake, RawClient, Response, TestServer, guarded, settings};

fn with_token(token: &str) -> Settings {
    Settings { token: Some(token.to_owned()), ..settings() }
}

#[tokio::test]
async fn without_the_right_token_nobody_comes_in() {
    let server = TestServer::start(with_token("s3cret+/="));
    let wrong =
        ["", "token=", "token=wrong", "token=s3cret", "token=s3cret%2B%2F%3Dx", "token=S3CRET%2B%2F%3D"];
    for query in wrong {
        let sentence = Handshake::new(&server, query).send(&server).await.assert_refusal(401, "unauthorized");
        assert!(sentence.contains("token"), "{sentence}");
    }
    for header in ["Bearer wrong", "Bearer ", "Bearer", "Basic s3cret+/=", "s3cret+/=", "Bearer s3cret+/=x"] {
        let request = Handshake::new(&server, "").with("Authorization", header);
        request.send(&server).await.assert_refusal(401, "unauthorized");
    }
}

#[tokio::test]
async fn the_right_token_opens_by_query_and_by_header() {
    let server = TestServer::start(with_token("s3cret+/="));
    Handshake::new(&server, "token=s3cret%2B%2F%3D").send(&server).await.assert_upgraded();
    let by_header = Handshake::new(&server, "").with("Authorization", "Bearer s3cret+/=");
    by_header.send(&server).await.assert_upgraded();
    let scheme_in_lower_case = Handshake::new(&server, "").with("Authorization", "bearer s3cret+/=");
    scheme_in_lower_case.send(&server).await.assert_upgraded();
}

#[tokio::test]
async fn a_server_without_a_token_ignores_one() {
    let server = TestServer::start(settings());
    Handshake::new(&server, "token=whatever").send(&server).await.assert_upgraded();
    Handshake::new(&server, "").with("Authorization", "Bearer x").send(&server).await.assert_upgraded();
}

#[tokio::test]
async fn the_page_of_another_site_may_not_connect() {
    let server = TestServer::start(settings());
    let port = server.address().port();
    let origins = [
        "http://evil.example".to_owned(),
        "http://evil.example:80".to_owned(),
        format!("http://evil.example:{port}"),
        format!("http://127.0.0.1:{}", port ^ 1),
        format!("http://127.0.0.1.evil.example:{port}"),
        format!("http://evil.example/127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}@evil.example"),
        format!("http://evil.example@127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}."),
        format!("http://127.0.0.1.:{port}"),
        format!("http://localhost:{port}"),
        format!("ws://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port} http://evil.example"),
        "http://127.0.0.1".to_owned(),
        "null".to_owned(),
        "file://".to_owned(),
        String::new(),
    ];
    for origin in origins {
        let response = Handshake::new(&server, "").with("Origin", &origin).send(&server).await;
        let sentence = response.assert_refusal(403, "origin_not_allowed");
        assert!(sentence.contains("allowed_origins"), "{sentence}");
    }
}

#[tokio::test]
async fn the_own_page_and_programs_without_an_origin_may_connect() {
    let server = TestServer::start(settings());
    let own = format!("http://{}", server.host());
    Handshake::new(&server, "").with("Origin", &own).send(&server).await.assert_upgraded();
    Handshake::new(&server, "").send(&server).await.assert_upgraded();
}

#[tokio::test]
async fn a_further_origin_is_let_in_by_its_setting() {
    let allowed_origins = vec!["https://pages.example".to_owned()];
    let server = TestServer::start(Settings { allowed_origins, ..settings() });
    let from = |origin: &str| Handshake::new(&server, "").with("Origin", origin);
    from("https://pages.example").send(&server).await.assert_upgraded();
    from("http://pages.example").send(&server).await.assert_refusal(403, "origin_not_allowed");
    from("https://pages.example.evil").send(&server).await.assert_refusal(403, "origin_not_allowed");
    from("https://sub.pages.example").send(&server).await.assert_refusal(403, "origin_not_allowed");
}

#[tokio::test]
async fn a_foreign_host_is_refused_even_when_the_origin_agrees() {
    let server = TestServer::start(settings());
    let port = server.address().port();
    for host in
        [format!("evil.example:{port}"), "evil.example".to_owned(), format!("127.0.0.1.evil.example:{port}")]
    {
        let rebound =
            Handshake::new(&server, "").with("Host", &host).with("Origin", &format!("http://{host}"));
        let sentence = rebound.send(&server).await.assert_refusal(403, "host_not_allowed");
        assert!(sentence.contains("allowed_hosts"), "{sentence}");
    }
}

#[tokio::test]
async fn the_boards_own_names_and_addresses_are_hosts() {
    let allowed_hosts = vec!["board.example".to_owned()];
    let server = TestServer::start(Settings { allowed_hosts, ..settings() });
    let port = server.address().port();
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "board.example", "Board.Example", "[::1]"] {
        let host = format!("{host}:{port}");
        let request =
            Handshake::new(&server, "").with("Host", &host).with("Origin", &format!("http://{host}"));
        let response = request.send(&server).await;
        assert_eq!(response.status, 101, "{host}: {response:?}");
    }
}

#[tokio::test]
async fn a_plain_request_is_told_to_upgrade() {
    let server = TestServer::start(settings());
    let plain = Handshake::new(&server, "").without("Connection").without("Upgrade");
    let response = plain.send(&server).await;
    response.assert_refusal(426, "upgrade_required");
    // RFC 9110, section 15.5.22.
    assert!(
        response.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket")),
        "{response:?}"
    );
}

#[tokio::test]
async fn an_address_has_only_so_many_connections() {
    let server = TestServer::start(Settings { connections_per_address: 2, ..settings() });
    let first = Client::open(&server, "username=one").await;
    let _second = Client::open(&server, "username=two").await;
    let response = Handshake::new(&server, "").send(&server).await;
    let sentence = response.assert_refusal(429, "too_many_connections");
    assert!(sentence.contains("connections_per_address"), "{sentence}");
    first.leave().await;
    let mut third = Client::open_when_there_is_room(&server, "username=three").await;
    third.next_must_be("welcome").await;
    assert_eq!(Client::try_open(&server, "").await.unwrap_err(), 429, "the limit still holds");
}

#[tokio::test]
async fn refusals_do_not_use_up_the_connections_of_an_address() {
    let server = TestServer::start(Settings { connections_per_address: 2, ..with_token("secret") });
    for _ in 0..10 {
        Handshake::new(&server, "").send(&server).await.assert_refusal(401, "unauthorized");
    }
    let _first = Client::open_when_there_is_room(&server, "token=secret").await;
    let _second = Client::open_when_there_is_room(&server, "token=secret").await;
}

#[tokio::test]
async fn an_address_may_try_only_so_often() {
    let server = TestServer::start(Settings { connections_per_address: 2, ..settings() });
    let attempt = Handshake::new(&server, "").without("Upgrade").bytes();
    let mut client = RawClient::connect(&server).await;
    // Many at once: far more than may come again while they are answered.
    let attempts = ATTEMPTS_BURST + 1_000;
    client.write(&attempt.repeat(attempts as usize)).await;
    let mut allowed = 0;
    let refused = loop {
        let answer = Response::read(&mut client).await;
        if answer.status == 429 {
            break answer;
        }
        answer.assert_refusal(426, "upgrade_required");
        allowed += 1;
        assert!(allowed < attempts, "the bound is never met");
    };
    assert!(allowed >= ATTEMPTS_BURST, "{allowed} were allowed");
    let sentence = refused.assert_refusal(429, "too_many_attempts");
    assert!(sentence.contains("50 a second") && refused.header("retry-after").is_some(), "{refused:?}");
}

#[tokio::test]
async fn an_address_alone_holds_half_of_the_handshakes() {
    let server = TestServer::start(Settings { connections_per_address: 2, handshakes: 3, ..settings() });
    let status = Handshake::new(&server, "").line("GET /healthz HTTP/1.1").without("Upgrade");
    let mut first = RawClient::connect(&server).await;
    let mut second = RawClient::connect(&server).await;
    for client in [&mut first, &mut second] {
        client.write(&status.bytes()).await;
        assert_eq!(Response::read(client).await.status, 200);
    }
    assert!(!is_let_in(&server, &status.bytes()).await);
    drop(first);
    // The third is let in as soon as the first is gone for good.
    let let_in = async { while !is_let_in(&server, &status.bytes()).await {} };
    guarded("the place of the first", let_in).await;
}

/// Whether a further connection is answered. One too many is reset as it is accepted, which may be before its
/// own side has been told that it is connected.
async fn is_let_in(server: &TestServer, request: &[u8]) -> bool {
    let stream = match TcpStream::connect(server.address()).await {
        Ok(stream) => stream,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
            return false;
        }
    };
    let mut client = RawClient::over(stream);
    client.try_write(request).await;
    client.read_some(1).await
}

#[tokio::test]
async fn a_full_client_table_says_when_to_come_back() {
    let server = TestServer::start(Settings { clients: 2, ..settings() });
    let first = Client::open(&server, "username=one").await;
    let mut second = Client::open(&server, "quiet=1").await;
    let response = Handshake::new(&server, "").send(&server).await;
    let sentence = response.assert_refusal(503, "clients_full");
    assert!(sentence.contains("clients"), "{sentence}");
    let seconds = response.header("retry-after").unwrap_or_else(|| panic!("{response:?}"));
    assert!(seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0), "{response:?}");
    first.leave().await;
    let mut third = Client::open_when_there_is_room(&server, "username=three").await;
    assert_eq!(third.next_must_be("welcome").await["username"], "three");
    second.assert_silent().await;
}

#[tokio::test]
async fn a_refused_client_is_neither_announced_nor_counted() {
    let server = TestServer::start(Settings { clients: 1, ..settings() });
    let mut only = Client::connect(&server, "only").await;
    for _ in 0..3 {
        Handshake::new(&server, "username=refused").send(&server).await.assert_refusal(503, "clients_full");
    }
    only.assert_silent().await;
}

#[tokio::test]
async fn the_token_is_asked_for_before_anything_is_told() {
    let server = TestServer::start(Settings { clients: 1, ..with_token("secret") });
    let _only = Client::open(&server, "token=secret").await;
    Handshake::new(&server, "").send(&server).await.assert_refusal(401, "unauthorized");
    Handshake::new(&server, "token=secret").send(&server).await.assert_refusal(503, "clients_full");
}

#[tokio::test]
async fn a_request_that_never_ends_is_ended() {
    let server = TestServer::start(Settings { handshake_timeout_ms: 200, ..settings() });
    let request = Handshake::new(&server, "").bytes();
    for sent in [0, 1, request.len() - 1] {
        let mut client = RawClient::connect(&server).await;
        client.write(&request[..sent]).await;
        client.expect_end().await;
    }
    Handshake::new(&server, "").send(&server).await.assert_upgraded();
}

/// With a single place for connections that are no WebSockets yet, whoever holds it too long is ended.
async fn assert_place_comes_free(server: &TestServer) {
    Client::open_when_there_is_room(server, "quiet=1").await.assert_silent().await;
}

fn with_one_handshake() -> Settings {
    Settings { handshakes: 1, handshake_timeout_ms: 200, write_timeout_ms: 1_000, ..settings() }
}

#[tokio::test]
async fn an_idle_connection_does_not_keep_others_out() {
    let server = TestServer::start(with_one_handshake());
    let _says_nothing = RawClient::connect(&server).await;
    assert_place_comes_free(&server).await;
    let (_, _kept_alive) = Handshake::new(&server, "").without("Upgrade").send_and_keep(&server).await;
    assert_place_comes_free(&server).await;
}

#[tokio::test]
async fn a_body_that_never_comes_does_not_keep_others_out() {
    let server = TestServer::start(with_one_handshake());
    let mut client = RawClient::connect(&server).await;
    let request = Handshake::new(&server, "").line("POST /ws HTTP/1.1").with("Content-Length", "1000000");
    client.write(&request.bytes()).await;
    assert_place_comes_free(&server).await;
}

#[tokio::test]
#[ignore = "waits for the kernel's time-out of 20 seconds"]
async fn answers_that_nobody_takes_do_not_keep_others_out() {
    let server = TestServer::start(with_one_handshake());
    let mut client = RawClient::connect_narrow(&server).await;
    let request = Handshake::new(&server, "").line("GET / HTTP/1.1").without("Upgrade").without("Connection");
    // More answers than both kernels hold, and nobody who reads them.
    let flood = request.bytes().repeat(20_000);
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), client.try_write(&flood)).await;
    assert_place_comes_free(&server).await;
}
