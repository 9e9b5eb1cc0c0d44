//! Under which name a request comes (DNS rebinding), and from which page, whatever it asks for.

use roomd::config::Settings;

use crate::support::{Handshake, Response, TestServer, settings};

const PATHS: [&str; 6] = ["/", "/app.js", "/healthz", "/api/status", "/nothing", "/ws"];

fn server() -> TestServer {
    TestServer::start(Settings { allowed_hosts: vec!["board.example".to_owned()], ..settings() })
}

/// One request for each path; `change` makes it what the row is about.
async fn ask(server: &TestServer, change: impl Fn(Handshake, &str) -> Handshake) -> Vec<(String, Response)> {
    let mut answers = Vec::new();
    for path in PATHS {
        let request = Handshake::new(server, "").line(&format!("GET {path} HTTP/1.1"));
        answers.push((path.to_owned(), change(request, path).send(server).await));
    }
    answers
}

fn assert_let_in(situation: &str, answers: Vec<(String, Response)>) {
    for (path, answer) in answers {
        let status = match path.as_str() {
            "/nothing" => 404,
            "/ws" => 101,
            _ => 200,
        };
        assert_eq!(answer.status, status, "{situation} {path}: {answer:?}");
    }
}

fn assert_kept_out(situation: &str, answers: Vec<(String, Response)>) {
    for (path, answer) in answers {
        let sentence = answer.assert_refusal(403, "host_not_allowed");
        assert!(sentence.contains("`allowed_hosts`"), "{situation} {path}: {sentence}");
    }
}

#[tokio::test]
async fn every_path_is_there_under_each_name_of_the_board() {
    let server = server();
    let port = server.address().port();
    for host in [
        format!("127.0.0.1:{port}"),
        "127.0.0.1".to_owned(),
        "127.0.0.1:1".to_owned(),
        format!("LocalHost:{port}"),
        format!("localhost.:{port}"),
        format!("[::1]:{port}"),
        format!("[::1%25lo]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("board.example:{port}"),
        "BOARD.example.".to_owned(),
    ] {
        let answers = ask(&server, |request, _| request.with("Host", &host)).await;
        assert_let_in(&host, answers);
    }
}

#[tokio::test]
async fn no_path_is_there_under_another_name() {
    let server = server();
    let port = server.address().port();
    for host in [
        // Names that somebody else may have pointed at the board.
        format!("evil.example:{port}"),
        "evil.example".to_owned(),
        format!("127.0.0.1.evil.example:{port}"),
        format!("board.example.evil.example:{port}"),
        format!("sub.board.example:{port}"),
        format!("192.0.2.1:{port}"),
        format!("0.0.0.0:{port}"),
        format!("[2001:db8::1]:{port}"),
        // What is no name of a host.
        format!("user@127.0.0.1:{port}"),
        format!("evil.example@127.0.0.1:{port}"),
        format!("127.0.0.1:{port}@evil.example"),
        format!("127.0.0.1:{port}, evil.example"),
        format!("http://127.0.0.1:{port}"),
        "127.0.0.1:x".to_owned(),
        "127.0.0.1:65536".to_owned(),
        "[::1".to_owned(),
        "::1".to_owned(),
        "localhost..".to_owned(),
        "2130706433".to_owned(),
        "null".to_owned(),
        String::new(),
    ] {
        let answers = ask(&server, |request, _| request.with("Host", &host)).await;
        assert_kept_out(&host, answers);
    }
}

#[tokio::test]
async fn the_host_in_the_request_line_is_the_one_that_counts() {
    let server = server();
    let own = server.host();
    let at = |authority: String| move |path: &str| format!("GET http://{authority}{path} HTTP/1.1");
    for (line, host) in [(at(own.clone()), own.as_str()), (at(own.to_uppercase()), "evil.example")] {
        let answers = ask(&server, |request, path| request.line(&line(path)).with("Host", host)).await;
        assert_let_in(host, answers);
    }
    for authority in ["evil.example".to_owned(), format!("user@{own}"), format!("user:pass@{own}")] {
        let line = at(authority.clone());
        assert_kept_out(&authority, ask(&server, |request, path| request.line(&line(path))).await);
    }
}

#[tokio::test]
async fn the_policy_of_the_page_names_the_host_that_was_let_in() {
    let server = server();
    let own = server.host();
    let line = format!("GET http://{own}/ HTTP/1.1");
    let request = Handshake::new(&server, "").line(&line).with("Host", "evil.example; script-src *");
    let answer = request.send(&server).await;
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("ws://{own} wss://{own};")) && !policy.contains("evil"), "{policy}");
}

#[tokio::test]
async fn a_request_with_no_host_or_several_is_refused_on_every_path() {
    let server = server();
    let own = server.host();
    let rows: [(&str, Option<&str>); 3] =
        [("none", None), ("the same twice", Some(&own)), ("another one", Some("evil.example"))];
    for (situation, second) in rows {
        let answers = ask(&server, |request, _| match second {
            None => request.without("Host"),
            Some(host) => request.and("Host", host),
        });
        for (path, answer) in answers.await {
            let sentence = answer.assert_refusal(400, "bad_request");
            assert!(sentence.contains("`Host`"), "{situation} {path}: {sentence}");
        }
    }
}

/// Requests that ask for no path at all are judged as all others.
#[tokio::test]
async fn the_other_forms_of_a_request_lead_nowhere_else() {
    let server = server();
    let own = server.host();
    for (line, host, status) in [
        ("OPTIONS * HTTP/1.1".to_owned(), own.as_str(), 405),
        ("OPTIONS * HTTP/1.1".to_owned(), "evil.example", 403),
        (format!("CONNECT {own} HTTP/1.1"), own.as_str(), 405),
        ("CONNECT evil.example:443 HTTP/1.1".to_owned(), own.as_str(), 403),
    ] {
        let answer = Handshake::new(&server, "").line(&line).with("Host", host).send(&server).await;
        assert_eq!(answer.status, status, "{line} {host}: {answer:?}");
    }
}

#[tokio::test]
async fn what_a_browser_tells_of_the_page_is_heeded() {
    let server = server();
    let own = format!("http://{}", server.host());
    let rows = [
        // Without an origin, as programs and as browsers that leave it out.
        (None, None, true),
        (None, Some("same-origin"), true),
        (None, Some("none"), true),
        (None, Some("same-site"), false),
        (None, Some("cross-site"), false),
        (None, Some(""), false),
        // The origin is more exact: it may be allowed, and a proxy may have changed how things look.
        (Some(own.as_str()), Some("same-origin"), true),
        (Some(own.as_str()), Some("cross-site"), true),
        (Some("null"), Some("same-origin"), false),
        (Some("null"), None, false),
    ];
    for (origin, site, is_let_in) in rows {
        let mut request = Handshake::new(&server, "");
        for (name, value) in [("Origin", origin), ("Sec-Fetch-Site", site)] {
            request = value.into_iter().fold(request, |request, value| request.with(name, value));
        }
        let answer = request.send(&server).await;
        if is_let_in {
            answer.assert_upgraded();
        } else {
            let sentence = answer.assert_refusal(403, "origin_not_allowed");
            assert!(sentence.contains("`allowed_origins`"), "{sentence}");
        }
    }
}

#[tokio::test]
async fn each_of_several_origins_must_be_allowed() {
    let server = server();
    let own = format!("http://{}", server.host());
    for (first, second, status) in
        [(&*own, "http://evil.example", 403), ("null", &*own, 403), (&own, &own, 101)]
    {
        let request = Handshake::new(&server, "").with("Origin", first).and("Origin", second);
        assert_eq!(request.send(&server).await.status, status, "{first} {second}");
    }
}
