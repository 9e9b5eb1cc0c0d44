//! Start and stop: signals, log lines, descriptors, terminals.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
};

use rustix::{
    process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

use super::{
    inherited::status_of,
    run::{Ended, GUARD, Guarded, Roomd, lines_of, roomd},
};

#[test]
fn each_signal_that_asks_for_the_end_stops_it_as_planned() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let (code, said) = roomd(&["--listen=127.0.0.1:0"]).start().stop(signal);
        assert_eq!(code, Some(0));
        assert!(said.last().unwrap().ends_with("stopped"), "{said:?}");
    }
}

#[test]
fn others_get_times_levels_and_every_address() {
    let (_, said) = roomd(&["--listen=127.0.0.1:0,127.0.0.2:0"]).start().stop(Signal::TERM);
    let words: Vec<_> = said[0].split_whitespace().collect();
    assert!(words[0].ends_with('Z') && words[1..4] == ["INFO", "listening", "on"], "{said:?}");
    for part in [" 127.0.0.1:", " 127.0.0.2:", " http://127.0.0.1:", " http://127.0.0.2:"] {
        assert!(said[0].contains(part), "{said:?}");
    }
}

#[test]
fn one_place_for_handshakes_serves_whichever_address_is_asked() {
    let running = roomd(&["--listen=127.0.0.1:0,127.0.0.2:0", "--handshakes=1"]).start();
    let addresses = running.addresses();
    assert_eq!(addresses.len(), 2, "{addresses:?}");
    for address in [1, 1, 0, 0, 1].map(|index| addresses[index]) {
        assert_eq!(status_of(address, &address.to_string()), "200", "{address}");
    }
}

/// Needs 52 descriptors, under a limit: `-n` sets both, `-Sn` the soft one alone.
fn limited(limit: &str) -> Roomd {
    let start = "exec \"$0\" --listen=127.0.0.1:0 --clients=10 --handshakes=10";
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit {limit}; {start}")).arg(env!("CARGO_BIN_EXE_roomd"));
    Roomd::of(command)
}

#[test]
fn descriptors_that_just_suffice_start_and_one_less_does_not() {
    assert_eq!(limited("-n 53").start().stop(Signal::TERM).0, Some(0));
    assert_eq!(limited("-n 52").start().stop(Signal::TERM).0, Some(0));
    let line = limited("-n 51").run().refused(71);
    assert!(line.contains("51 are granted, clients + handshakes + 32 need 52; raise LimitNOFILE="), "{line}");
}

#[test]
fn connections_that_cannot_be_accepted_are_summed_up_with_what_to_change_and_accepted_later() {
    let mut running = roomd(&["--listen=127.0.0.1:0"]).start();
    let pid = Pid::from_child(&running.child.0);
    let open = fs::read_dir(format!("/proc/{}/fd", running.child.0.id())).unwrap().count() as u64;
    let low = Rlimit { current: Some(open), ..getrlimit(Resource::Nofile) };
    let before = prlimit(Some(pid), Resource::Nofile, low).unwrap();
    let address = running.address();
    let _waiting = TcpStream::connect(&address).unwrap();
    running.wait_for("connections not accepted for want of descriptors or memory (raise LimitNOFILE");
    prlimit(Some(pid), Resource::Nofile, before).unwrap();
    let mut answered = TcpStream::connect(&address).unwrap();
    answered.write_all(format!("GET /healthz HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    answered.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"ok\""), "{answer}");
    let (code, said) = running.stop(Signal::TERM);
    let lines = said.iter().filter(|line| line.contains("not accepted")).count();
    assert_eq!((code, lines), (Some(0), 1), "{said:?}");
}

#[test]
fn a_soft_limit_of_descriptors_is_raised() {
    let running = limited("-Sn 51").start();
    let limits = fs::read_to_string(format!("/proc/{}/limits", running.child.0.id())).unwrap();
    let open_files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(open_files.split_whitespace().nth(3), Some("52"));
    assert_eq!(running.stop(Signal::TERM).0, Some(0));
}

#[test]
fn a_terminal_is_shown_an_address_that_can_be_opened_and_a_quiet_log_stays_empty() {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let screen = File::options().read(true).write(true).open(name).unwrap();
    let mut run = roomd(&["--listen=127.0.0.1:0", "--log=warn"]);
    let mut child = run.command.stdout(screen).stderr(Stdio::piped()).spawn().unwrap();
    let logged = lines_of(child.stderr.take().unwrap());
    let mut child = Guarded(child);
    let lines = lines_of(File::from(terminal));
    let mut shown: Vec<String> = Vec::new();
    while !shown.iter().any(|line| line.contains("Ctrl-C")) {
        shown.push(lines.recv_timeout(GUARD).expect("roomd shows where it is"));
    }
    let address = shown.iter().find_map(|line| line.trim().strip_prefix("http://")).unwrap();
    TcpStream::connect(address.trim_end_matches('/')).unwrap();
    kill_process(Pid::from_child(&child.0), Signal::TERM).unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    assert_eq!(logged.iter().next(), None);
}

#[test]
fn output_that_cannot_be_written_is_told_and_a_reader_that_has_gone_is_no_failure() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = roomd(&["plan"]).command.stdout(full).output().unwrap();
    assert!(Ended::of(&output).refused(71).starts_with("standard output: "));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut run = roomd(&["plan"]);
    assert_eq!(run.command.stdout(writer).status().unwrap().code(), Some(0));
}
