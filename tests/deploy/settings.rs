//! Settings that come with a deployment: checked by the new program, in force with it, back with it.

use super::{Board, board::get, installed, program};

const SETTINGS: &str = "/etc/roomd/roomd.toml";

/// Writes settings beside the board and deploys them with a program.
fn deploy(board: &Board, binary: &str, settings: &str) -> super::board::Deployed {
    board.write("/new.toml", settings);
    let path = board.root.join("new.toml");
    board.deploy(&["--binary", binary, "--config", path.to_str().unwrap()])
}

/// What the process that serves has been told to read, or nothing.
fn clients_max(board: &Board) -> String {
    let answer = board.sh(&get("/api/status"));
    let (_, rest) = answer.split_once("\"clients_max\":").unwrap();
    rest.split(',').next().unwrap().to_owned()
}

#[test]
fn settings_come_with_the_version_and_go_back_with_it() {
    let mut board = installed("settings");
    deploy(&board, &program::version("0.1.1"), "clients = 77\n").ended(0, &["the settings are good"]);
    assert_eq!((board.serves().as_str(), clients_max(&board).as_str()), ("0.1.1", "77"));
    board.cut_power();
    board.boot();
    assert_eq!((board.serves().as_str(), clients_max(&board).as_str()), ("0.1.1", "77"));
    board.deploy(&["--rollback"]).ended(0, &[]);
    board.cut_power();
    board.boot();
    assert_eq!((board.serves().as_str(), clients_max(&board).as_str()), ("0.1.0", "1024"));
    board.deploy(&["--rollback"]).ended(0, &[]);
    assert_eq!((board.serves().as_str(), clients_max(&board).as_str()), ("0.1.1", "77"));
}

#[test]
fn settings_alone_can_be_deployed_and_taken_back() {
    let board = installed("settings-alone");
    deploy(&board, &program::first(), "clients = 77\n").ended(0, &["it boots from now on"]);
    assert_eq!(clients_max(&board), "77");
    deploy(&board, &program::first(), "clients = 77\n").ended(0, &["already there"]);
    board.deploy(&["--rollback"]).ended(0, &[]);
    assert_eq!((board.serves().as_str(), clients_max(&board).as_str()), ("0.1.0", "1024"));
}

#[test]
fn the_check_tells_settings_that_differ() {
    let board = installed("settings-check");
    board.write("/new.toml", "clients = 77\n");
    let path = board.root.join("new.toml");
    let check = ["--binary", &program::first(), "--check", "--config", path.to_str().unwrap()];
    board.deploy(&check).ended(1, &["version: 0.1.0-", "the same", "roomd.toml is another one"]);
    assert_eq!(clients_max(&board), "1024");
}

#[test]
fn settings_that_are_wrong_are_refused_before_anything_is_touched() {
    super::stays_as_it_was(installed("settings-wrong"), true, |board| {
        let wrong = deploy(board, &program::version("0.1.1"), "clinets = 77\n");
        wrong.ended(1, &["roomd does not take the settings", "did you mean clients?"]);
        let large = deploy(board, &program::version("0.1.1"), "clients = 16000\n");
        large.ended(1, &["roomd does not take the settings", "memory_max"]);
    });
}

#[test]
fn drop_ins_count_when_settings_are_checked() {
    let board = installed("settings-dropin");
    let raised = "[Service]\nEnvironment=ROOMD_MEMORY_MAX=4GiB\nMemoryMax=5000M\n";
    board.write("/etc/systemd/system/roomd.service.d/larger.conf", raised);
    deploy(&board, &program::first(), "clients = 8000\n").ended(0, &[]);
    assert_eq!(clients_max(&board), "8000");
    board.write("/etc/default/roomd", "ROOMD_MEMORY_MAX=1MiB\n");
    deploy(&board, &program::first(), "clients = 8001\n").ended(1, &["does not take the settings"]);
}

#[test]
fn settings_that_both_programs_never_take_at_once_are_refused() {
    let board = installed("settings-never");
    deploy(&board, &program::first(), "heartbeat_s = 10\n").ended(0, &[]);
    let both = deploy(&board, &program::with_another_setting(), "heartbeat_z = 10\n");
    both.ended(1, &["change one of the two, then the other"]);
    assert_eq!(board.read(SETTINGS), "heartbeat_s = 10\n");
    // By way of settings that both know.
    deploy(&board, &program::with_another_setting(), "clients = 77\n").ended(0, &[]);
    deploy(&board, &program::with_another_setting(), "heartbeat_z = 10\n").ended(0, &[]);
    assert_eq!(board.serves(), "0.2.0");
}

#[test]
fn a_program_that_does_not_take_the_settings_that_are_there_is_refused() {
    super::stays_as_it_was(installed("settings-stay"), true, |board| {
        board.sh("cp /etc/roomd/roomd.toml /kept; echo heartbeat_s = 10 > /etc/roomd/roomd.toml");
        let refused = board.deploy(&["--binary", &program::with_another_setting()]);
        refused.ended(1, &["does not take the settings", "heartbeat_s"]);
        board.sh("cat /kept > /etc/roomd/roomd.toml");
    });
}

#[test]
fn a_small_board_gets_settings_for_small_boards_and_a_large_one_does_not() {
    for (kib, small) in [(496 * 1024, false), (496 * 1024 - 1, true)] {
        let mut board = Board::off(if small { "small" } else { "large" });
        board.fact("meminfo", &format!("MemTotal: {kib} kB"));
        board.boot();
        board.deploy(&["--binary", &program::first()]).ended(0, &[]);
        board.cut_power();
        board.boot();
        assert_eq!(clients_max(&board), if small { "128" } else { "1024" });
        let dropin = "/etc/systemd/system/roomd.service.d/small-board.conf";
        assert_eq!(board.has(dropin), small);
        // Who has changed them is not overruled, and is warned.
        board.deploy(&["--binary", &program::version("0.1.1")]).ended(0, &[]);
        if small {
            board.sh(&format!("rm {dropin}; echo > {SETTINGS}"));
            let warned = board.deploy(&["--binary", &program::first()]);
            warned.ended(0, &["warning: roomd may take 496 MiB here", "the board has 495 MiB"]);
            assert_eq!(clients_max(&board), "1024");
        }
    }
}
