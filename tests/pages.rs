//! What plain HTTP gets: the page and its files, how the server is, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use roomd::config::Settings;
use serde_json::{Value, json};
use support::{Client, FIN, Handshake, PONG, RawClient, Response, TestServer, frame, settings};

fn get(server: &TestServer, path: &str) -> Handshake {
    let plain = ["Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key"];
    let request = Handshake::new(server, "").line(&format!("GET {path} HTTP/1.1"));
    plain.into_iter().fold(request, Handshake::without)
}

async fn fetch(server: &TestServer, path: &str) -> Response {
    get(server, path).send(server).await
}

async fn fetch_json(server: &TestServer, path: &str) -> Value {
    let response = fetch(server, path).await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    serde_json::from_str(&response.body).unwrap()
}

#[tokio::test]
async fn every_file_of_the_page_is_there_with_its_type() {
    let server = TestServer::start(settings());
    let page = fetch(&server, "/").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.body.contains("<title>roomd</title>"));
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/web")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let file = fetch(&server, &format!("/{name}")).await;
        assert_eq!(file.status, 200, "{name}");
        assert_eq!(file.body, std::fs::read_to_string(entry.path()).unwrap(), "{name}");
        let media = match name.rsplit('.').next().unwrap() {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{name}: which type has .{other}?"),
        };
        assert_eq!(file.header("content-type"), Some(media), "{name}");
    }
}

#[tokio::test]
async fn a_browser_that_has_the_file_is_told_so_in_a_few_bytes() {
    let server = TestServer::start(settings());
    let first = fetch(&server, "/app.js").await;
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
        let again = get(&server, "/app.js").and("If-None-Match", &known).send(&server).await;
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{known}");
        assert_eq!(again.header("etag"), Some(tag.as_str()), "{known}");
    }
    let changed = get(&server, "/app.js").and("If-None-Match", "\"other\"").send(&server).await;
    assert_eq!((changed.status, changed.body), (200, first.body));
    assert_ne!(fetch(&server, "/style.css").await.header("etag"), Some(tag.as_str()));
}

#[tokio::test]
async fn the_page_may_load_and_reach_nothing_but_its_own_server() {
    let server = TestServer::start(settings());
    let page = fetch(&server, "/").await;
    let policy = page.header("content-security-policy").unwrap();
    let connect = format!("connect-src 'self' ws://{0} wss://{0};", server.host());
    for part in ["default-src 'none';", "script-src 'self';", connect.as_str(), "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
}

/// The page, its files, what machines ask, what is not there, and every kind of refusal.
#[tokio::test]
async fn every_answer_tells_browsers_what_they_may_do_with_it() {
    let server = TestServer::start(Settings { token: Some("secret".into()), ..settings() });
    let tag = fetch(&server, "/").await.header("etag").unwrap().to_owned();
    let ws = || Handshake::new(&server, "");
    let rows = [
        (200, get(&server, "/")),
        (304, get(&server, "/").and("If-None-Match", &tag)),
        (200, get(&server, "/app.js")),
        (200, get(&server, "/healthz")),
        (200, get(&server, "/api/status")),
        (404, get(&server, "/nothing")),
        (405, get(&server, "/").line("POST / HTTP/1.1").and("Content-Length", "0")),
        (405, get(&server, "/healthz").line("PUT /healthz HTTP/1.1").and("Content-Length", "0")),
        (400, get(&server, "/").without("Host")),
        (403, get(&server, "/").with("Host", "evil.example")),
        (401, ws()),
        (403, ws().and("Origin", "http://evil.example")),
        (426, get(&server, "/ws?token=secret")),
        (400, ws().line("GET /ws?token=secret HTTP/1.1").without("Sec-WebSocket-Key")),
    ];
    for (status, request) in rows {
        for is_trustworthy in [false, true] {
            let request = request.clone();
            let request = if is_trustworthy { request.and("Sec-Fetch-Site", "same-origin") } else { request };
            let answer = request.send(&server).await;
            assert_eq!(answer.status, status, "{answer:?}");
            assert_protected(&answer, is_trustworthy);
        }
    }
}

fn assert_protected(answer: &Response, is_trustworthy: bool) {
    let policy = answer.header("content-security-policy").unwrap_or_default();
    let is_page = policy.contains("script-src");
    let opener = is_trustworthy.then_some("same-origin");
    let permissions = is_page.then_some("camera=(), geolocation=(), microphone=()");
    for (name, value) in [
        ("x-content-type-options", Some("nosniff")),
        ("referrer-policy", Some("no-referrer")),
        ("cross-origin-resource-policy", Some("same-origin")),
        ("cross-origin-opener-policy", opener),
        ("permissions-policy", permissions),
        ("cache-control", Some(if is_page { "no-cache" } else { "no-store" })),
        // Nothing here is for pages from elsewhere.
        ("access-control-allow-origin", None),
        ("set-cookie", None),
    ] {
        assert_eq!(answer.header(name), value, "{name}: {answer:?}");
    }
    assert!(policy.starts_with("default-src 'none'; "), "{answer:?}");
    assert!(policy.ends_with("frame-ancestors 'none'"), "{answer:?}");
    assert_eq!(is_page, [200, 304].contains(&answer.status) && answer.header("etag").is_some(), "{answer:?}");
}

#[tokio::test]
async fn what_is_not_there_is_404_and_no_way_leads_out_of_the_page() {
    let server = TestServer::start(settings());
    for path in [
        "/nothing",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "//etc/passwd",
        "/index.html/",
        "/web/index.html",
    ] {
        assert_eq!(fetch(&server, path).await.status, 404, "{path}");
    }
    let post = get(&server, "/").line("POST / HTTP/1.1").and("Content-Length", "0");
    assert_eq!(post.send(&server).await.status, 405);
}

#[tokio::test]
async fn a_head_is_answered_without_a_body() {
    let server = TestServer::start(settings());
    let mut client = RawClient::connect(&server).await;
    client.write(&get(&server, "/").line("HEAD / HTTP/1.1").bytes()).await;
    let head = client.read_head().await;
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("etag"), "{head}");
    // The next answer on the same connection begins right behind it.
    client.write(&get(&server, "/healthz").bytes()).await;
    assert_eq!(Response::read(&mut client).await.status, 200);
}

#[tokio::test]
async fn a_head_of_a_request_has_16_kib_and_100_lines() {
    let server = TestServer::start(settings());
    let bare = get(&server, "/").and("X-Padding", "").bytes().len();
    for (bytes, status) in [((16 << 10) - 1, 200), (16 << 10, 200), ((16 << 10) + 1, 431)] {
        let padding = "x".repeat(bytes - bare);
        let response = get(&server, "/").and("X-Padding", &padding).send(&server).await;
        assert_eq!(response.status, status, "{bytes} bytes");
    }
    let lines = String::from_utf8(get(&server, "/").bytes()).unwrap().lines().count() - 2;
    for (count, status) in [(99, 200), (100, 200), (101, 431)] {
        let padded = (lines..count).fold(get(&server, "/"), |request, _| request.and("X-Padding", "x"));
        assert_eq!(padded.send(&server).await.status, status, "{count} lines");
    }
}

#[tokio::test]
async fn a_server_that_is_well_says_so() {
    let server = TestServer::start(settings());
    assert_eq!(fetch_json(&server, "/healthz").await["status"], "ok");
}

/// Every message owed to a member was delivered, declared missing, discarded, or waits: by the live
/// counters, while nobody is in the middle of anything, and after everyone has gone.
#[tokio::test]
async fn what_was_owed_is_accounted_for_by_the_live_counters() {
    let server = TestServer::start(settings());
    let mut clients = Vec::new();
    for number in 0..5 {
        clients.push(Client::connect(&server, &format!("client {number}")).await);
    }
    for client in &mut clients {
        client.send(json!({"type": "join_room", "room": "k"})).await;
        client.roundtrip().await;
    }
    for client in &mut clients {
        for room in ["", "k"] {
            client.send(json!({"type": "chat", "room": room, "content": "hello"})).await;
        }
        client.roundtrip().await;
    }
    let status = fetch_json(&server, "/api/status").await;
    assert_eq!((status["clients"].clone(), status["rooms"].clone()), (5.into(), 1.into()));
    // Five of each in both logs, to five members; the lines of the coming, to those that were there.
    assert_conserved(&status, 2 * 25 + 2 * (1 + 2 + 3 + 4 + 5));
    drop(clients);
    loop {
        let status = fetch_json(&server, "/api/status").await;
        if status["clients"] == 0 {
            assert_conserved(&status, 2 * 25 + 2 * 15);
            break;
        }
    }
}

fn assert_conserved(status: &Value, owed_at_least: u64) {
    let counter = |name: &str| status["counters"][name].as_u64().unwrap();
    let settled = counter("delivered") + counter("missed") + counter("discarded");
    assert!(counter("owed") >= owed_at_least, "{status}");
    assert!(settled <= counter("owed"), "{status}");
    if status["waiting"] == 0 {
        assert_eq!(counter("owed"), settled, "{status}");
    }
}

#[tokio::test]
async fn pages_have_their_turn_while_there_is_always_something_to_read_from_clients() {
    let server = TestServer::start(settings());
    let pongs = frame(FIN | PONG, b"").repeat(10_000);
    for _ in 0..16 {
        let mut client = RawClient::upgrade(&server, "quiet=1").await;
        let pongs = pongs.clone();
        tokio::spawn(async move {
            loop {
                client.try_write(&pongs).await;
            }
        });
    }
    for _ in 0..5 {
        assert_eq!(fetch_json(&server, "/healthz").await["status"], "ok");
    }
}
