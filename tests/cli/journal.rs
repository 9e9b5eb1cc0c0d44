//! The log in the journal. Where roomd looks for it cannot be chosen, so each run is in a mount
//! namespace of its own, in which the test makes `/run` (unshare(1); no root is needed where the
//! system lets everyone have namespaces).

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader, PipeReader, pipe},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::{
    fs::fstat,
    process::{Pid, Signal, kill_process},
};

use super::{
    log::{LOST, until_lines_are_lost},
    run::{GUARD, Guarded, Roomd, datagram},
};

/// A run whose standard error is the journal's stream, in a machine whose journal is in `folder`.
struct Run {
    child: Guarded,
    stderr: PipeReader,
    _run: Roomd,
}

fn run(folder: &Path, log: &str) -> Run {
    let script = "mount --types tmpfs tmpfs /run && mkdir --parents /run/systemd/journal && \
        mount --bind \"$1\" /run/systemd/journal && exec \"$0\" --listen=127.0.0.1:0 \"--log=$2\"";
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_roomd")]).arg(folder).arg(log);
    let mut run = Roomd::of(command);
    let (stderr, theirs) = pipe().unwrap();
    let file = fstat(&theirs).unwrap();
    run.command.env("JOURNAL_STREAM", format!("{}:{}", file.st_dev, file.st_ino));
    run.command.env("PATH", std::env::var_os("PATH").unwrap());
    let child = Guarded(run.command.stdout(Stdio::null()).stderr(theirs).spawn().unwrap());
    // The command keeps its end of the pipe open.
    run.command.stderr(Stdio::null());
    Run { child, stderr, _run: run }
}

impl Run {
    /// Ends it in order; what it said on standard error.
    fn stop(mut self) -> Vec<String> {
        kill_process(Pid::from_child(&self.child.0), Signal::TERM).unwrap();
        assert_eq!(self.child.0.wait().unwrap().code(), Some(0));
        BufReader::new(self.stderr).lines().map(Result::unwrap).collect()
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("roomd-journal-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The next entry: fields as the journal's own protocol has them, each `NAME=value` in a line, or the
/// name in a line, the length in eight bytes, the value.
fn entry(journal: &UnixDatagram) -> BTreeMap<String, String> {
    let bytes = datagram(journal);
    let (mut rest, mut fields) = (&bytes[..], BTreeMap::new());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = text(&rest[..end]);
        rest = &rest[end + 1..];
        if let Some((name, value)) = line.split_once('=') {
            fields.insert(name.to_owned(), value.to_owned());
        } else {
            let (length, value) = rest.split_first_chunk().unwrap();
            let length = usize::try_from(u64::from_le_bytes(*length)).unwrap();
            fields.insert(line, text(&value[..length]));
            rest = &value[length + 1..];
        }
    }
    fields
}

/// The next entry whose message begins so.
fn entry_with(journal: &UnixDatagram, start: &str) -> BTreeMap<String, String> {
    let entries = std::iter::repeat_with(|| entry(journal));
    entries
        .into_iter()
        .find(|fields| fields.get("MESSAGE").is_some_and(|text| text.starts_with(start)))
        .unwrap()
}

/// A journal in the folder, and a run that tells it everything.
fn debugging(folder: &Path) -> (UnixDatagram, Run) {
    let journal = UnixDatagram::bind(folder.join("socket")).unwrap();
    journal.set_read_timeout(Some(GUARD)).unwrap();
    (journal, run(folder, "debug"))
}

/// Where a server says that it listens.
fn address_in(started: &BTreeMap<String, String>) -> SocketAddr {
    started["MESSAGE"].split(' ').nth(2).unwrap().trim_end_matches(',').parse().unwrap()
}

#[test]
fn the_journal_gets_entries_with_levels_and_fields() {
    let folder = folder("native");
    let (journal, run) = debugging(&folder);
    let started = entry_with(&journal, "listening on 127.0.0.1:");
    assert_eq!((&*started["PRIORITY"], &*started["SYSLOG_IDENTIFIER"]), ("6", "roomd"), "{started:?}");
    let mut stream = TcpStream::connect(address_in(&started)).unwrap();
    std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n").unwrap();
    let refused = entry_with(&journal, "refused");
    assert_eq!(
        (&*refused["PRIORITY"], &*refused["ROOMD_CODE"], &*refused["ROOMD_STATUS"]),
        ("7", "host_not_allowed", "403")
    );
    assert_eq!(refused["ROOMD_ADDRESS"], "127.0.0.1", "{refused:?}");
    assert!(
        refused["CODE_FILE"].contains("server") && refused["CODE_LINE"].parse::<u32>().is_ok(),
        "{refused:?}"
    );
    assert_eq!(run.stop(), [""; 0], "nothing is said twice");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_journal_that_takes_nothing_for_a_while_keeps_nobody_waiting() {
    let folder = folder("stalled");
    let (journal, run) = debugging(&folder);
    let started = entry_with(&journal, "listening on 127.0.0.1:");
    until_lines_are_lost(address_in(&started));
    let entries = std::iter::from_fn(|| Some(entry(&journal)));
    let told = entries.into_iter().find(|fields| fields["MESSAGE"].contains(LOST)).unwrap();
    assert_eq!(told["PRIORITY"], "4", "{told:?}");
    assert_eq!(run.stop(), [""; 0]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_journal_that_cannot_be_reached_gets_lines_with_levels_and_no_times() {
    let folder = folder("lines");
    let mut run = run(&folder, "info");
    let mut first = String::new();
    BufReader::with_capacity(1, &mut run.stderr).read_line(&mut first).unwrap();
    assert!(first.starts_with("<6>listening on 127.0.0.1:"), "{first}");
    let said = run.stop();
    assert!(said.iter().all(|line| line.starts_with("<6>stop")), "{said:?}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_error_at_the_start_is_an_error_in_the_journal() {
    let folder = folder("error");
    let mut run = run(&folder, "loud");
    assert_eq!(run.child.0.wait().unwrap().code(), Some(78));
    let mut said = String::new();
    BufReader::new(&mut run.stderr).read_line(&mut said).unwrap();
    assert!(said.starts_with("<3>roomd: "), "{said}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_stream_of_the_journal_that_is_not_standard_error_changes_nothing() {
    let run = super::run::roomd(&["--listen=127.0.0.1:0"]);
    let file = fstat(File::open("/dev/null").unwrap()).unwrap();
    let run = run.variable("JOURNAL_STREAM", &format!("{}:{}", file.st_dev, file.st_ino));
    let (_, said) = run.start().stop(Signal::TERM);
    assert!(said[0].contains("Z INFO  listening on "), "{said:?}");
}
