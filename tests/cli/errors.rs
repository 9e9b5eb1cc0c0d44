//! Each way to be wrong: one line on standard error, the right exit code, nothing started.

use std::{ffi::OsStr, fs, net::TcpListener, os::unix::ffi::OsStrExt as _, process::Command};

use roomd::config::table::row;
use rustix::process::Signal;

use super::{SECRET, run::roomd};

#[test]
fn each_wrong_flag_or_argument_is_one_line() {
    let wanted = format!("give a whole number from {}", row("rooms").unwrap().range());
    let no_number = "is not a number that can be used";
    for (arguments, line) in [
        (&["--clinets", "5"][..], "`--clinets`: there is no such flag; did you mean --clients?".to_owned()),
        (&["--frobnicate"], "`--frobnicate`: there is no such flag; see roomd --help".to_owned()),
        (&["serv"], "`serv`: there is no such command; did you mean serve?".to_owned()),
        (
            &["serve", "now"],
            "`now`: one argument too many; give one command, and settings as flags".to_owned(),
        ),
        (
            &["--rooms"],
            "flag --rooms: needs a value; write it behind the flag, as in --clients 100".to_owned(),
        ),
        (&["--rooms", "1", "--rooms", "2"], "flag --rooms: given more than once; give it once".to_owned()),
        (&["--rooms", "many"], format!("flag --rooms: `many` {no_number}; {wanted}")),
        (&["--rooms", "-1"], format!("flag --rooms: `-1` is out of range; {wanted}")),
        (&["--rooms", "5\n6"], format!("flag --rooms: `5\\n6` {no_number}; {wanted}")),
        (
            &["--listen", "8080"],
            "flag --listen: `8080` is not an address with a port; \
             write 0.0.0.0:8080 for that port on every interface"
                .to_owned(),
        ),
        (
            &["--log", "verbose"],
            "flag --log: `verbose` is not a log level; give one of error, warn, info, debug, trace"
                .to_owned(),
        ),
    ] {
        for command in [&[][..], &["check-config"], &["plan"]] {
            let is_run = arguments[0].starts_with('-');
            if is_run || command.is_empty() {
                assert_eq!(roomd(&[command, arguments].concat()).run().refused(78), line);
            }
        }
    }
}

#[test]
fn each_wrong_variable_is_one_line() {
    for (name, value, line) in [
        (
            "ROOMD_CLINETS",
            "5",
            "environment `ROOMD_CLINETS`: there is no such setting; did you mean ROOMD_CLIENTS?",
        ),
        (
            "ROOMD_ROOMS",
            "x",
            "environment ROOMD_ROOMS: `x` is not a number that can be used; \
             give a whole number from ",
        ),
    ] {
        let said = roomd(&[]).variable(name, value).run().refused(78);
        assert!(said.starts_with(line), "{said}");
    }
}

#[test]
fn an_empty_variable_and_one_of_the_build_are_let_be() {
    let run = roomd(&["check-config"]).variable("ROOMD_CLIENTS", "").variable("ROOMD_BUILD_CLIENTS", "x");
    run.run().printed();
}

#[test]
fn what_is_not_utf_8_is_one_line() {
    let bytes = OsStr::from_bytes(b"hush\xff");
    let mut run = roomd(&["--token"]);
    run.command.arg(bytes);
    assert_eq!(run.run().refused(78), "flag --token: the value is not UTF-8; write it in UTF-8");
    let mut run = roomd(&[]);
    run.command.env("ROOMD_TOKEN", bytes);
    assert_eq!(run.run().refused(78), "environment ROOMD_TOKEN: the value is not UTF-8; write it in UTF-8");
    let mut run = roomd(&[]);
    run.command.arg(bytes);
    assert!(run.run().refused(78).contains("there is no such command"));
}

#[test]
fn each_fault_of_the_file_is_one_line_that_names_the_line_of_the_file() {
    for (text, line, said) in [
        ("\nclinets = 5", 2, ": there is no setting `clinets`; did you mean clients?"),
        ("[rooms]\nmax = 5", 1, ", rooms: a value of type table does not belong here; write a whole number"),
        ("rooms = 5\nrooms = 6", 2, ": not TOML (duplicate key); correct the TOML there"),
        ("rooms 5", 1, ": not TOML ("),
        ("rooms = 0", 1, ", rooms: `0` is out of range; give a whole number from "),
        ("rooms = 1.5", 1, ", rooms: a value of type float does not belong here; write a whole number"),
        ("token = ''", 1, ", token: the secret is 0 bytes long; give"),
        (
            "listen = [\"0.0.0.0:80\",\n\"x\"]",
            1,
            ", listen: `x` is not an address with a port; write an address",
        ),
    ] {
        let run = roomd(&[]).file(text);
        let expected = format!("file {} line {line}{said}", run.path().display());
        let line = run.run().refused(78);
        assert!(line.starts_with(&expected), "{line}\n{expected}");
    }
}

#[test]
fn a_file_that_is_asked_for_must_be_readable() {
    let line = roomd(&["--config", "/nonexistent/x"]).run().refused(78);
    assert!(line.starts_with("file `/nonexistent/x`, named by flag --config: cannot be read ("), "{line}");
    let line = roomd(&[]).variable("ROOMD_CONFIG", "/nonexistent/x").run().refused(78);
    assert!(line.contains(", named by environment ROOMD_CONFIG: cannot be read ("), "{line}");
    assert!(line.ends_with("; create it or name another one"), "{line}");
    let line = roomd(&[]).variable("ROOMD_CONFIG", "/").run().refused(78);
    assert!(line.ends_with(": cannot be read (it is no file); name a readable TOML file in UTF-8"), "{line}");
    let run = roomd(&[]);
    fs::remove_file(run.path()).unwrap();
    assert!(Command::new("mkfifo").arg(run.path()).status().unwrap().success());
    let line = run.run().refused(78);
    assert!(line.ends_with(": cannot be read (it is no file); name a readable TOML file in UTF-8"), "{line}");
    let run = roomd(&[]);
    fs::write(run.path(), b"# \xff").unwrap();
    assert!(run.run().refused(78).contains("UTF-8"));
}

#[test]
fn a_taken_port_or_a_foreign_address_is_one_line_and_the_code_of_the_system() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let line = roomd(&["--listen", &address.to_string()]).run().refused(71);
    assert!(line.starts_with(&format!("listen {address}: ")), "{line}");
    assert!(line.contains(&format!("; stop what uses port {} (", address.port())), "{line}");
    let line = roomd(&["--listen", "192.0.2.77:8080"]).run().refused(71);
    assert!(line.contains("; give an address that this machine has"), "{line}");
}

#[test]
fn a_secret_is_in_no_output_wherever_it_was_given() {
    let file = format!("token = \"{SECRET}\"");
    let unfinished = &file[..file.len() - 1];
    let mistyped = format!("--tokn={SECRET}");
    for arguments in [&["check-config"][..], &["plan"], &["--help"], &["--rooms=0"], &["--tokn", "x"]] {
        for run in [
            roomd(arguments).file(&file),
            roomd(arguments).file(unfinished),
            roomd(arguments).variable("ROOMD_TOKEN", SECRET),
            roomd(&[arguments, &["--token", SECRET]].concat()),
            roomd(&[arguments, &[&mistyped]].concat()),
        ] {
            let ended = run.run();
            assert!(!ended.stdout.contains("hush"), "{}", ended.stdout);
            assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);
        }
    }
    let (code, said) = roomd(&["--listen=127.0.0.1:0", "--log=trace"]).file(&file).start().stop(Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(said.iter().all(|line| !line.contains("hush")), "{said:?}");
}

#[test]
fn a_certificate_and_its_key_belong_together() {
    for (given, missing) in [("tls_cert", "tls_key"), ("tls_key", "tls_cert")] {
        let (flag, variable) = (row(given).unwrap().flag(), row(given).unwrap().variable());
        let by_file = roomd(&[]).file(&format!("{given} = \"some.pem\""));
        let file = format!("file {} line 1", by_file.path().display());
        for (run, origin) in [
            (roomd(&[&flag, "some.pem"]), format!("flag {flag}")),
            (roomd(&[]).variable(&variable, "some.pem"), format!("environment {variable}")),
            (by_file, file),
        ] {
            let fault = format!("given without {missing}; give both, or neither for plain HTTP");
            assert_eq!(run.run().refused(78), format!("{given} ({origin}): {fault}"));
        }
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn a_build_without_tls_says_which_one_has_it() {
    for command in ["serve", "check-config", "plan"] {
        let line = roomd(&[command, "--tls-cert", "cert.pem", "--tls-key", "key.pem"]).run().refused(78);
        assert!(
            line.starts_with("tls_cert (flag --tls-cert): this build of roomd speaks no TLS; "),
            "{line}"
        );
        assert!(line.contains("--features tls") && line.contains("proxy"), "{line}");
    }
}
