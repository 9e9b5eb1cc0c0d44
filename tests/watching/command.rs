//! `roomd status`, the real binary.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::{Command, Output, Stdio},
    thread,
};

use roomd::config::Settings;
use serde_json::Value;

use super::{settings, support::TestServer};

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roomd"));
    command.arg("status").args(arguments).env_clear().envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

fn url(server: &TestServer) -> String {
    format!("http://{}", server.host())
}

/// What it printed; it ended well.
#[track_caller]
fn printed(ended: Ended) -> String {
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    ended.stdout
}

/// The one line that it failed with.
#[track_caller]
fn refused(ended: Ended, code: i32) -> String {
    let Ended { code: ended_with, stdout, stderr } = ended;
    assert_eq!((ended_with, stdout.as_str()), (Some(code), ""), "{stderr}");
    let line = stderr.strip_prefix("roomd: ").and_then(|line| line.strip_suffix('\n')).unwrap();
    assert!(!line.contains('\n') && line.contains("; "), "{line}");
    line.to_owned()
}

/// A server that says this to everyone, and its address.
fn stranger(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1_024];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}")
}

#[test]
fn a_server_that_is_well_is_shown_line_by_line_and_its_own_answer_as_it_is() {
    let server = TestServer::start(settings());
    let shown = printed(run(&["--url", &url(&server)], &[]));
    let labels: Vec<_> = shown.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let always = ["server", "listening", "clients", "rooms", "memory", "descriptors", "messages", "dropped"];
    assert!(labels.starts_with(&always) && labels.ends_with(&["board", "load", "clock"]), "{shown}");
    assert!(shown.contains(&format!("listening    {}\n", server.host())), "{shown}");
    assert!(shown.contains("clients      0 of 1024, 0 blocked, something waits for 0\n"), "{shown}");
    let json = printed(run(&["--json", "--url", &url(&server)], &[]));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert!(json["clients"] == 0 && json["counters"].is_object(), "{json}");
}

#[test]
fn without_a_url_it_asks_where_the_settings_listen() {
    let server = TestServer::start(settings());
    printed(run(&["--listen", &server.host()], &[]));
    printed(run(&[], &[("ROOMD_LISTEN", &server.host())]));
    let path = std::env::temp_dir().join(format!("roomd-status-{}.toml", std::process::id()));
    std::fs::write(&path, format!("listen = \"{}\"\n", server.host())).unwrap();
    let ended = run(&["--config", path.to_str().unwrap()], &[]);
    std::fs::remove_file(path).unwrap();
    printed(ended);
}

#[test]
fn a_locked_server_opens_with_the_token_of_the_settings() {
    let secret = "hush-hush-hush";
    let token = Some(secret.to_owned());
    let locked = Settings { status_token: token.clone(), token, ..settings() };
    let server = TestServer::start(locked);
    let line = refused(run(&["--url", &url(&server)], &[]), 69);
    assert!(line.contains("refused with 401") && line.contains("--status-token"), "{line}");
    let line = refused(run(&["--url", &url(&server), "--status-token=wrong"], &[]), 69);
    assert!(line.contains("this is not the `status_token`"), "{line}");
    for (arguments, variables) in
        [(vec!["--status-token", secret], vec![]), (vec![], vec![("ROOMD_STATUS_TOKEN", secret)])]
    {
        let shown = printed(run(&[vec!["--url", &url(&server)], arguments].concat(), &variables));
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn no_server_and_one_that_is_not_roomd_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let line = refused(run(&["--url", &format!("http://{closed}")], &[]), 69);
    assert!(line.contains("is roomd running there?"), "{line}");
    for answer in ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 200 OK\r\n\r\n<html>", ""] {
        let line = refused(run(&["--url", &stranger(answer)], &[]), 69);
        assert!(line.contains("give the --url of a roomd"), "{answer:?}: {line}");
    }
}

#[test]
fn a_server_that_is_not_well_ends_with_1_and_the_reason() {
    let hung = stranger("HTTP/1.0 503 Service Unavailable\r\n\r\n{\"status\":\"hung\"}");
    let line = refused(run(&["--url", &hung], &[]), 1);
    assert!(line.contains("it is not well (hung)"), "{line}");
    // It accepts, by its backlog, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = refused(run(&["--url", &format!("http://{}", silent.local_addr().unwrap())], &[]), 1);
    assert!(line.contains("gave no answer for 5 s"), "{line}");
}

#[test]
fn a_name_that_the_server_does_not_know_is_told_with_the_setting() {
    let answer = concat!(
        "HTTP/1.0 403 Forbidden\r\n\r\n",
        r#"{"error":"host_not_allowed","content":"`x` is not; add it to the setting `allowed_hosts`"}"#
    );
    let line = refused(run(&["--url", &stranger(answer)], &[]), 69);
    assert!(line.contains("`allowed_hosts`"), "{line}");
}

#[test]
fn wrong_flags_are_told_in_one_line() {
    for (arguments, part) in [
        (&["--url", "board:8080"][..], "is not the address of a server; write it like http://"),
        (&["--url"], "flag --url: needs a value; "),
        (&["--listen", "127.0.0.1:0"], "the first address has no port of its own; give --url"),
        (&["--clients", "0"], "out of range; "),
        (&["plan"], "one argument too many; "),
    ] {
        let line = refused(run(arguments, &[]), 78);
        assert!(line.contains(part), "{arguments:?}: {line}");
    }
    let help = printed(run(&["--help"], &[]));
    assert!(help.contains("roomd status [FLAG]") && help.contains("--json"), "{help}");
}
