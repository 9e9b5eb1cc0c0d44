//! What the log tells, and that nobody waits for whoever takes it.

use std::{
    io::{BufRead as _, BufReader, PipeReader, Write as _, pipe},
    net::{SocketAddr, TcpStream},
    process::Stdio,
};

use rustix::process::{Pid, Signal, kill_process};

use super::run::{Guarded, answer, roomd};

pub(crate) const LOST: &str = "lines of this log lost, since whoever takes it was slow: ";
/// An upgrade as a browser asks for it, but for the host.
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Is refused, which is a line in the log, until lines are lost; each time there is an answer.
pub(crate) fn until_lines_are_lost(address: SocketAddr) {
    let own = format!("Host: {address}\r\n");
    for _ in 0..50 {
        for _ in 0..100 {
            assert!(answer(address, "/", "Host: elsewhere\r\n").starts_with("HTTP/1.1 403 "));
        }
        if !answer(address, "/api/status", &own).contains("\"log_lines_lost\":0") {
            return;
        }
    }
    panic!("5,000 lines, and nobody took them");
}

/// A server whose standard error is read by nobody but the test, and where it listens.
fn with_a_pipe(level: &str) -> (Guarded, BufReader<PipeReader>, SocketAddr) {
    let (reader, writer) = pipe().unwrap();
    let mut run = roomd(&["--listen=127.0.0.1:0", &format!("--log={level}")]);
    let child = Guarded(run.command.stdout(Stdio::null()).stderr(writer).spawn().unwrap());
    // The command keeps its end of the pipe open.
    run.command.stderr(Stdio::null());
    let (mut log, mut first) = (BufReader::with_capacity(1, reader), String::new());
    log.read_line(&mut first).unwrap();
    let address = first.split_once("listening on ").unwrap().1.split([' ', ',']).next().unwrap();
    let address = address.parse().unwrap();
    (child, log, address)
}

#[test]
fn a_log_that_nobody_reads_keeps_nobody_waiting_and_what_is_lost_is_counted() {
    let (mut child, log, address) = with_a_pipe("debug");
    until_lines_are_lost(address);
    let mut lines = log.lines().map(Result::unwrap);
    let told = lines.find(|line| line.contains(LOST)).unwrap();
    assert!(told.contains(" WARN  "), "{told}");
    until_lines_are_lost(address);
    kill_process(Pid::from_child(&child.0), Signal::TERM).unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(0), "although nobody reads its last lines");
}

#[test]
fn what_was_refused_is_told_with_its_address_and_at_the_stop_what_was_not_told() {
    let mut running = roomd(&["--listen=127.0.0.1:0", "--log=debug", "--token=hush"]).start();
    let address = running.addresses()[0];
    let own = format!("Host: {address}\r\n");
    answer(address, "/ws?token=guess", &format!("{own}{UPGRADE}"));
    running.wait_for("requests refused (unauthorized, the last from 127.0.0.1): 1");
    answer(address, "/ws", &format!("{own}Origin: http://evil.example\r\n{UPGRADE}"));
    let (_, said) = running.stop(Signal::TERM);
    let told = |part: &str| assert!(said.iter().any(|line| line.contains(part)), "no {part:?} in {said:#?}");
    told("refused, this is not the server's `token`: give the one from its settings");
    told("address=127.0.0.1 status=401 code=\"unauthorized\"");
    told("a page from `http://evil.example` may not connect here");
    told("requests refused (origin_not_allowed, the last from 127.0.0.1): 1");
    assert!(!said.iter().any(|line| line.contains("guess")), "{said:#?}");
}

#[test]
fn each_client_is_told_with_its_name_and_its_end() {
    let mut running = roomd(&["--listen=127.0.0.1:0", "--log=debug"]).start();
    let address = running.addresses()[0];
    let upgrade = |name: &str, first_bytes: &[u8]| {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!("GET /ws?username={name} HTTP/1.1\r\nHost: {address}\r\n{UPGRADE}\r\n");
        stream.write_all(&[head.as_bytes(), first_bytes].concat()).unwrap();
        stream
    };
    for (name, first_bytes, end) in [
        ("aki", &b"\x88\x82\0\0\0\0\x03\xe8"[..], "closed by its client with 1000"),
        ("bo", b"\x88\x80\0\0\0\0", "closed by its client"),
        ("cy", b"\x81\x01x", "ended with 1002: a client's frame must be masked"),
    ] {
        let _open = upgrade(name, first_bytes);
        running.wait_for(&format!("disconnected, {end} address=127.0.0.1 name=\"{name}\""));
    }
    let open = upgrade("di", b"");
    running.wait_for("connected address=127.0.0.1 name=\"di\"");
    drop(open);
    running.wait_for("disconnected, the connection broke address=127.0.0.1 name=\"di\"");
    let of_aki = running.said.iter().filter(|line| line.ends_with("name=\"aki\""));
    let of_aki: Vec<_> =
        of_aki.filter_map(|line| line.split("DEBUG ").nth(1)?.split([' ', ',']).next()).collect();
    assert_eq!(of_aki, ["connected", "disconnected"]);
}
