//! `scripts/bench-peers`, as far as it goes without measuring.

use std::{path::Path, process::Command};

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn bench_peers(arguments: &[&str]) -> Ended {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/bench-peers");
    let output = Command::new(script).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn help_names_every_peer_and_measure_on_a_terminal_of_80_columns() {
    let ended = bench_peers(&["--help"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    for word in [
        "--peer NAME=COMMAND",
        "--at-once",
        "--rounds N",
        "roomd floor floor-single mosquitto",
        "idle-5000",
        "{port}",
    ] {
        assert!(ended.stdout.contains(word), "{word}: {}", ended.stdout);
    }
    for line in ended.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn what_is_wrong_is_told_in_one_line_before_anything_is_measured() {
    for (arguments, said) in [
        (&["--peer-list", "ws"][..], "`--peer-list`: there is no such option"),
        (&["ws"], "`ws`: there is no such option"),
        (&["--rounds"], "option --rounds: needs a value"),
        (&["--rounds", "0"], "option --rounds: `0` is no whole number from 1 to 1000"),
        (&["--seconds", "21"], "option --seconds: `21` is no whole number from 1 to 20"),
        (&["--seconds", "1.5"], "option --seconds: `1.5` is no whole number from 1 to 20"),
        (&["--peers", "ws,nginx"], "option --peers: there is no `nginx`; there are: roomd floor "),
        (&["--peers", ""], "option --peers: the list is empty; name some of: roomd floor "),
        (&["--measures", "closed"], "option --measures: there is no `closed`; there are: closed-1000 "),
        (&["--peer", "mine"], "option --peer: `mine` is not NAME=COMMAND with a plain name"),
        (
            &["--peer", "a\"b=c {port}"],
            "option --peer: `a\"b=c {port}` is not NAME=COMMAND with a plain name",
        ),
        (&["--peer", "mine=run 8080"], "option --peer: `mine` has no {port} in its command"),
        (&["--at-once", "--peers", "roomd"], "option --at-once: there is no other than roomd in --peers"),
        (
            &["--at-once", "--measures", "rooms-50,idle-5000"],
            "option --at-once: nothing can be compared in `idle-5000`; there are: paced-500 ",
        ),
        (&["--peer", "ws=run {port}"], "option --peer: `ws` is the name of a known peer"),
    ] {
        let ended = bench_peers(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(78), ""), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.starts_with(&format!("bench-peers: {said}")), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.ends_with("; see scripts/bench-peers --help\n"), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1);
    }
}

#[test]
fn there_is_no_report_without_runs() {
    let ended = bench_peers(&["--report", "--runs", "/nonexistent/runs.jsonl"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(
        ended.stderr.starts_with("bench-peers: there are no runs in /nonexistent/runs.jsonl; "),
        "{}",
        ended.stderr
    );
}
