//! `roomd bench` against a server: each mode adds up, and what is in its way is told in one line.

#![allow(clippy::unwrap_used)]

mod support;

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    thread,
};

use roomd::config::Settings;
use serde_json::Value;
use support::{TestServer, settings};

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn bench(url: &str, arguments: &str) -> Ended {
    roomd("bench", url, arguments)
}

fn roomd(command: &str, url: &str, arguments: &str) -> Ended {
    let mut roomd = Command::new(env!("CARGO_BIN_EXE_roomd"));
    let command = roomd.args([command, "--url", url]).args(arguments.split_whitespace()).env_clear();
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The report of a run that must succeed.
fn report(server: &TestServer, arguments: &str) -> Value {
    let ended = bench(&format!("http://{}", server.host()), &format!("{arguments} --json"));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments}: {}", ended.stdout);
    assert_eq!(ended.stdout.lines().count(), 1);
    serde_json::from_str(&ended.stdout).unwrap()
}

fn number(report: &Value, pointer: &str) -> u64 {
    report.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {pointer} in {report}"))
}

fn positive(report: &Value, pointer: &str) -> bool {
    report.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {pointer} in {report}"))
        > 0.0
}

/// Everyone got everything: `members` to each message.
#[track_caller]
fn assert_complete(report: &Value, members: u64) {
    assert!(number(report, "/messages") > 0, "{report}");
    assert_eq!(number(report, "/deliveries"), number(report, "/messages") * members, "{report}");
    for lost in ["/lost/declared", "/lost/undeclared", "/lost/surplus"] {
        assert_eq!(number(report, lost), 0, "{report}");
    }
    assert!(positive(report, "/latency_ms/max") && positive(report, "/deliveries_per_s"), "{report}");
}

/// The one line of a run that must fail.
#[track_caller]
fn refused(settings: Settings, arguments: &str, code: i32) -> String {
    let server = TestServer::start(settings);
    let ended = bench(&format!("http://{}", server.host()), arguments);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{}", ended.stderr);
    let line = ended.stderr.strip_prefix("roomd: ").and_then(|line| line.strip_suffix('\n')).unwrap();
    assert!(!line.contains('\n') && line.contains("; "), "{line}");
    line.to_owned()
}

#[test]
fn a_closed_loop_reaches_everyone_publishers_included() {
    let server = TestServer::start(settings());
    let report = report(&server, "fan-out --clients 10 --publishers 2 --seconds 1 --window 4");
    assert_complete(&report, 12);
    assert_eq!((report["mode"].as_str(), report["pace"].as_str()), (Some("fan-out"), Some("window 4")));
}

/// One read of the server brings all of it, and one write each member.
#[test]
fn what_is_bundled_comes_in_one_piece() {
    let server = TestServer::start(settings());
    let report = report(&server, "--clients 1 --window 8 --bundle --seconds 1");
    assert_complete(&report, 2);
    assert_eq!(report["pace"].as_str(), Some("window 8 bundled"));
    let status = roomd("status", &format!("http://{}", server.host()), "--json").stdout;
    let status: Value = serde_json::from_str(&status).unwrap();
    let written = number(&status, "/counters/writes") * 8;
    assert!(written < number(&report, "/deliveries") * 9 / 8, "{report} {status}");
}

#[test]
fn a_paced_run_sends_as_many_as_were_asked_for_however_they_are_spread() {
    let server = TestServer::start(settings());
    let report = report(&server, "--clients 9 --rooms 3 --publishers 3 --rate 20 --seconds 1");
    assert_complete(&report, 4);
    assert_eq!(number(&report, "/messages"), 60);
}

#[test]
fn the_lobby_is_measured_like_a_room() {
    let server = TestServer::start(settings());
    assert_complete(&report(&server, "--clients 5 --rooms 0 --seconds 1"), 6);
}

#[test]
fn an_open_run_adds_up_with_what_was_declared_missing() {
    let server = TestServer::start(Settings { log_messages: 64, ..settings() });
    let report = report(&server, "--open --clients 10 --seconds 1");
    let due = number(&report, "/messages") * 11;
    assert_eq!(number(&report, "/deliveries") + number(&report, "/lost/declared"), due, "{report}");
    assert_eq!((number(&report, "/lost/undeclared"), number(&report, "/lost/surplus")), (0, 0));
}

#[test]
fn those_that_do_not_read_lose_alone_and_what_they_lose_is_declared() {
    let send_buffer_bytes = 4_096;
    let server = TestServer::start(Settings { log_messages: 16, send_buffer_bytes, ..settings() });
    let report = report(&server, "slow --clients 8 --slow 2 --rate 1000 --content-bytes 1000 --seconds 1");
    let (messages, declared) = (number(&report, "/messages"), number(&report, "/lost/declared"));
    assert_eq!(messages, 1_000);
    assert_eq!(number(&report, "/deliveries") + declared, messages * 9, "{report}");
    assert!(declared > 0, "{report}");
    assert_eq!(number(&report, "/lost/undeclared") + number(&report, "/lost/surplus"), 0);
}

#[test]
fn an_echo_comes_back_to_its_sender_alone() {
    let server = TestServer::start(settings());
    let report = report(&server, "echo --clients 5 --seconds 1 --content-bytes 21");
    assert_complete(&report, 1);
}

#[test]
fn idle_clients_are_counted_and_the_servers_memory_is_seen() {
    let server = TestServer::start(settings());
    let report = report(&server, "idle --clients 20 --seconds 1");
    // The server of this test is the test itself.
    assert_eq!(number(&report, "/server/pid"), u64::from(std::process::id()));
    assert!(number(&report, "/server/rss_bytes_after") > 0, "{report}");
    assert!(positive(&report, "/connected_ms"), "{report}");
}

#[test]
fn a_storm_ends_with_the_right_count() {
    let server = TestServer::start(settings());
    let report = report(&server, "storm --clients 30");
    assert!(positive(&report, "/joined_ms") && positive(&report, "/left_ms"), "{report}");
}

#[test]
fn people_get_a_table() {
    let server = TestServer::start(settings());
    let ended = bench(&format!("http://{}/", server.host()), "--clients 2 --seconds 1");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for row in ["messages", "deliveries", "latency", "lost          0 declared, 0 undeclared", "server CPU"] {
        assert!(ended.stdout.lines().any(|line| line.starts_with(row)), "{row}: {}", ended.stdout);
    }
}

#[test]
fn each_limit_of_the_server_that_is_in_the_way_is_named() {
    let line = refused(Settings { connections_per_address: 3, ..settings() }, "--clients 3", 69);
    assert!(line.starts_with("refused with 429 (your address has 3 connections"), "{line}");
    assert!(line.ends_with("; start the server with --connections-per-address 0"), "{line}");
    let line = refused(Settings { clients: 3, ..settings() }, "--clients 3", 69);
    assert!(line.ends_with("; start the server with more --clients"), "{line}");
    let limited = Settings { messages_per_second: 5, burst: 5, ..settings() };
    let line = refused(limited, "--clients 3 --rate 100", 69);
    assert!(line.ends_with("; start it with --messages-per-second 0"), "{line}");
    let line = refused(Settings { rooms: 1, ..settings() }, "--clients 3 --rooms 2", 69);
    assert!(line.ends_with("; start the server with more --rooms"), "{line}");
    let guarded = Settings { token: Some("sesame-sesame-sesame".to_owned()), ..settings() };
    assert!(refused(guarded.clone(), "", 69).ends_with("; give its --token"));
    let server = TestServer::start(guarded);
    report(&server, "--clients 2 --seconds 1 --token sesame-sesame-sesame");
}

#[test]
fn a_server_that_is_not_there_or_is_none_is_told() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ended = bench(&format!("http://{free}"), "");
    assert_eq!(ended.code, Some(69));
    assert!(ended.stderr.ends_with("; is the server running, and --url right?\n"), "{}", ended.stderr);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4_096]);
            let _ =
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    let ended = bench(&format!("http://{address}"), "");
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(69), "roomd: refused with 404; give --url of a roomd\n")
    );
}

#[test]
fn a_wrong_flag_is_one_line_and_nothing_is_measured() {
    let ended = bench("http://127.0.0.1:1", "--clinets 5");
    let line = "roomd: `--clinets`: bench has no such flag; did you mean --clients?\n";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(78), "", line));
    let ended = bench("http://127.0.0.1:1", "--help");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("fan-out"), "{}", ended.stdout);
}
