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
fn settings_alone_are_taken_back_alone_and_the_version_before_stays_in_reach() {
    let mut board = installed("settings-beside");
    let upgrade = program::version("0.1.1");
    deploy(&board, &upgrade, "clients = 66\n").ended(0, &["before it was 0.1.0-"]);
    deploy(&board, &upgrade, "clients = 77\n").ended(0, &["--rollback brings the settings before back"]);
    for clients in ["66", "77", "66"] {
        board.deploy(&["--rollback"]).ended(0, &["going back to 0.1.1-"]);
        board.cut_power();
        board.boot();
        assert_eq!((board.serves().as_str(), clients_max(&board).as_str()), ("0.1.1", clients));
    }
    board.sh("sh /usr/local/lib/roomd/current/before/install");
    assert_eq!(board.serves(), "0.1.0");
    board.deploy(&["--rollback"]).ended(0, &["going back to 0.1.1-"]);
    // What was taken back in its time is not taken back once more.
    board.deploy(&["--rollback"]).ended(0, &["going back to 0.1.0-"]);
    assert_eq!((board.serves().as_str(), clients_max(&board).as_str()), ("0.1.0", "66"));
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

const DROP_IN: &str = "/etc/systemd/system/roomd.service.d/override.conf";

/// A board whose settings only root may read: they come as the key of a certificate does.
fn with_credential(name: &str) -> Board {
    let board = installed(name);
    board.write("/root/roomd.toml", "clients = 77\n");
    board.sh("chmod 600 /root/roomd.toml");
    let lines = "LoadCredential=roomd.toml:/root/roomd.toml\nEnvironment=ROOMD_CONFIG=%d/roomd.toml";
    board.write(DROP_IN, &format!("[Service]\n{lines}\n"));
    board
}

#[test]
fn what_only_root_may_read_is_there_for_the_check_as_it_is_for_the_service() {
    let board = with_credential("settings-credential");
    board.deploy(&["--binary", &program::version("0.1.1")]).ended(0, &[]);
    assert_eq!((board.serves().as_str(), clients_max(&board).as_str()), ("0.1.1", "77"));
}

#[test]
fn a_credential_that_is_wrong_or_not_there_is_found_out_before_anything_is_touched() {
    super::stays_as_it_was(with_credential("settings-no-credential"), true, |board| {
        let deploy = || board.deploy(&["--binary", &program::version("0.1.1")]);
        board.write("/root/roomd.toml", "clinets = 77\n");
        deploy().ended(1, &["roomd does not take the settings", "did you mean clients?"]);
        board.sh("rm /root/roomd.toml");
        deploy().ended(1, &["roomd does not take the settings", "Job for roomd-check.service failed"]);
        board.write("/root/roomd.toml", "clients = 77\n");
    });
}

#[test]
fn settings_that_the_user_of_the_service_cannot_read_are_refused() {
    super::stays_as_it_was(installed("settings-unread"), true, |board| {
        board.sh(&format!("chmod 600 {SETTINGS}"));
        let refused = board.deploy(&["--binary", &program::version("0.1.1")]);
        refused.ended(1, &["does not take the settings", "roomd.toml"]);
        board.sh(&format!("chmod 644 {SETTINGS}"));
    });
}

#[test]
fn variables_in_a_file_that_a_drop_in_names_count_when_settings_are_checked() {
    let board = installed("settings-variables");
    board.write(DROP_IN, "[Service]\nEnvironmentFile=/etc/roomd/variables\n");
    board.write("/etc/roomd/variables", "ROOMD_CLIENTS=77\n");
    board.deploy(&["--binary", &program::version("0.1.1")]).ended(0, &[]);
    assert_eq!(clients_max(&board), "77");
    board.write("/etc/roomd/variables", "ROOMD_CLIENTS=none\n");
    let refused = board.deploy(&["--binary", &program::version("0.1.2")]);
    refused.ended(1, &["does not take the settings", "ROOMD_CLIENTS"]);
    assert_eq!(board.serves(), "0.1.1");
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
