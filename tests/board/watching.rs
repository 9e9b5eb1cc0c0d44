//! What whoever keeps the board can see of roomd: its traces on the disk, in the journal, in memory.

use serde_json::Value;

use crate::{
    board::Board,
    service::{FOR_TESTS, SETTINGS, assert_talking},
    story::tell,
    support::Client,
};

/// Of which more wear a flash out, and of which it has none.
pub(crate) async fn nothing_is_written(board: &Board) {
    let mut noor = Client::connect(&board.server(), "noor").await;
    let mut aki = Client::connect(&board.server(), "aki").await;
    let lines = journal_lines(board);
    for _ in 0..20 {
        assert_talking(&mut aki, &mut noor).await;
        assert_talking(&mut noor, &mut aki).await;
    }
    let pid = board.service("MainPID");
    assert_eq!(board.run(&format!("grep ^write_bytes: /proc/{pid}/io")), "write_bytes: 0");
    assert_eq!(journal_lines(board), lines, "what people say is no matter of the journal");
}

fn journal_lines(board: &Board) -> String {
    board.run("journalctl --sync && journalctl --quiet --unit=roomd.service | wc --lines")
}

pub(crate) async fn the_journal_can_be_asked(board: &Board) {
    board.write(SETTINGS, &format!("{FOR_TESTS}\nlog = \"debug\""));
    board.run("systemctl restart roomd.service");
    let _noor = Client::connect(&board.server(), "noor").await;
    let journal =
        board.run("journalctl --sync && journalctl --unit=roomd.service --output=json ROOMD_NAME=noor");
    let entry: Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
    assert_eq!(entry["MESSAGE"], "connected");
    assert_eq!((&entry["PRIORITY"], &entry["SYSLOG_IDENTIFIER"]), (&"7".into(), &"roomd".into()), "{entry}");
    assert!(entry["ROOMD_ADDRESS"].is_string(), "{entry}");
    board.write(SETTINGS, FOR_TESTS);
    board.run("systemctl restart roomd.service");
}

pub(crate) fn the_sandbox_is_tight(board: &Board) {
    let said = board.run("systemd-analyze --no-pager security roomd.service | tail --lines=1");
    let level = said.split("service: ").nth(1).and_then(|rest| rest.split(' ').next());
    let level: f64 = level.and_then(|level| level.parse().ok()).unwrap_or_else(|| panic!("{said}"));
    tell(&format!("    exposure {level}, by systemd-analyze security"));
    assert!(level <= 1.0, "{}", board.run("systemd-analyze --no-pager security roomd.service"));
    let pid = board.service("MainPID");
    assert_ne!(board.run(&format!("stat --format=%u /proc/{pid}")), "0", "a user of its own");
}

pub(crate) async fn two_hundred_clients_come(board: &Board) {
    let idle = resident_kib(board);
    let mut clients = Vec::new();
    for number in 0..200 {
        clients.push(Client::connect_quietly(&board.server(), &format!("sensor{number}")).await);
    }
    assert_eq!(board.status().await["clients"], 200);
    let with_all = resident_kib(board);
    tell(&format!("    resident: {idle} KiB idle, {with_all} KiB with 200 clients"));
    assert!(with_all >= idle);
}

fn resident_kib(board: &Board) -> u64 {
    let pid = board.service("MainPID");
    let line = board.run(&format!("grep ^VmRSS: /proc/{pid}/status"));
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
