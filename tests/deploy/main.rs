//! `scripts/deploy` against an imitation of a board (`board.rs`): each way in which it can go wrong, and a
//! power cut at every step. Method: the scripts and the program are real; systemd is a small stand-in. The
//! real one is in `tests/board/`.

#![allow(clippy::unwrap_used)]

mod board;
#[path = "../support/program.rs"]
mod made;
mod package;
mod program;
mod refusals;
mod settings;

use board::Board;

const LIB: &str = "/usr/local/lib/roomd";

/// A board on which the first version was installed.
fn installed(name: &str) -> Board {
    let board = Board::new(name);
    board.deploy(&["--binary", &program::first()]).ended(0, &["it boots from now on"]);
    board
}

#[test]
fn the_first_install_serves_boots_and_is_found_by_the_check() {
    let mut board = Board::new("first");
    let binary = program::first();
    board.deploy(&["--binary", &binary, "--check"]).ended(1, &["version: none", "service: there is none"]);
    assert!(!board.has(LIB), "a check changes nothing");
    board.deploy(&["--binary", &binary]).ended(0, &["roomd 0.1.0 is on the disk", "answers at port 8080"]);
    board
        .deploy(&["--binary", &binary, "--check"])
        .ended(0, &["the same", "stays as it is", "answers at port"]);
    assert_eq!(board.serves(), "0.1.0");
    assert_eq!(board.sh("roomd --version"), "roomd 0.1.0\n");
    assert!(board.read("/etc/roomd/roomd.toml").starts_with("# Settings of roomd;"));
    board.cut_power();
    board.boot();
    assert_eq!(board.serves(), "0.1.0");
}

#[test]
fn what_is_there_already_is_left_as_it_is() {
    let board = installed("same");
    let process = board.process();
    board.deploy(&["--binary", &program::first()]).ended(0, &["already there", "answers at port 8080"]);
    assert_eq!(board.process(), process, "it was not restarted");
    board.sh("systemctl stop roomd.service");
    board.deploy(&["--binary", &program::first(), "--check"]).ended(1, &["the same", "does not work"]);
    board.deploy(&["--binary", &program::first()]).ended(0, &["it boots from now on"]);
    assert_eq!(board.serves(), "0.1.0");
}

#[test]
fn two_versions_are_kept_and_a_rollback_goes_to_and_fro() {
    let mut board = installed("two");
    board.deploy(&["--rollback"]).ended(1, &["there is no version before"]);
    for version in ["0.1.1", "0.1.2"] {
        board.deploy(&["--binary", &program::version(version)]).ended(0, &["it boots from now on"]);
        assert_eq!(board.serves(), version);
        assert_eq!(board.versions().len(), 2, "{:?}", board.versions());
    }
    assert!(board.versions()[0].starts_with("0.1.1-"));
    for version in ["0.1.1", "0.1.2"] {
        board.deploy(&["--rollback"]).ended(0, &["going back to"]);
        board.cut_power();
        board.boot();
        assert_eq!(board.serves(), version);
    }
    board.deploy(&["--binary", &program::first(), "--check"]).ended(1, &["another one"]);
}

#[test]
fn the_same_version_again_does_not_take_the_place_of_the_one_before() {
    let board = installed("again");
    let upgrade = program::version("0.1.1");
    board.deploy(&["--binary", &upgrade]).ended(0, &["before it was 0.1.0-"]);
    board.sh("systemctl stop roomd.service");
    let again = board.deploy(&["--binary", &upgrade]);
    again.ended(0, &["it boots from now on\n"]);
    assert!(!again.said.contains("before it was"), "{}", again.said);
    assert_eq!(board.versions().len(), 2, "{:?}", board.versions());
    board.deploy(&["--rollback"]).ended(0, &["going back to 0.1.0-"]);
    assert_eq!(board.serves(), "0.1.0");
}

/// Nothing of the one that failed is left, and the one before serves, as before and after a boot.
fn stays_as_it_was(mut board: Board, process_stays: bool, deploy: impl FnOnce(&Board)) {
    let files = |board: &Board| {
        let places = "/usr/local /etc/roomd /etc/systemd /run/systemd";
        board.sh(&format!("cd /; find {places} ! -type d | sort; cat /etc/roomd/roomd.toml"))
    };
    let (before, process) = (files(&board), board.process());
    deploy(&board);
    assert_eq!(files(&board), before);
    assert_eq!(board.serves(), "0.1.0");
    assert!(!process_stays || board.process() == process, "it was not even restarted");
    board.cut_power();
    board.boot();
    assert_eq!(board.serves(), "0.1.0");
}

#[test]
fn a_version_that_ends_at_once_is_taken_back() {
    stays_as_it_was(installed("ends"), false, |board| {
        let bad = program::that_serves_by("echo no memory for this; exit 1");
        let wanted = ["does not work here", "| no memory for this", "is back, and answers"];
        board.sh("echo said long ago >>/run/fake/journal");
        let failed = board.deploy(&["--binary", &bad]);
        failed.ended(2, &wanted);
        assert!(!failed.said.contains("said long ago"), "{}", failed.said);
    });
}

#[test]
fn a_version_that_is_never_ready_is_taken_back() {
    stays_as_it_was(installed("never"), false, |board| {
        let bad = program::that_serves_by("trap '' TERM; while :; do /usr/bin/sleep 1; done");
        let wanted = ["it was not ready within 2 s", "is back, and answers"];
        board.deploy(&["--binary", &bad, "--wait", "2"]).ended(2, &wanted);
    });
}

#[test]
fn what_the_version_before_needs_to_stop_is_not_waited_for_as_the_start_of_the_new_one() {
    let board = installed("grace");
    board.fact("stops-after-s", "3");
    board
        .deploy(&["--binary", &program::version("0.1.1"), "--wait", "2"])
        .ended(0, &["it boots from now on"]);
    assert_eq!(board.serves(), "0.1.1");
}

#[test]
fn a_clock_that_is_set_meanwhile_does_not_end_the_wait() {
    let board = installed("clock");
    board.fact("pid-late", "3");
    board.deploy(&["--binary", &program::version("0.1.1")]).ended(0, &["it boots from now on"]);
    assert_eq!(board.serves(), "0.1.1");
}

#[test]
fn a_version_that_is_another_program_than_the_one_that_was_sent_is_taken_back() {
    stays_as_it_was(installed("other"), false, |board| {
        let bad = program::that_serves_by("exec /usr/local/lib/roomd/current/roomd");
        board.deploy(&["--binary", &bad, "--wait", "2"]).ended(2, &["what runs is", "is back, and answers"]);
    });
}

#[test]
fn a_program_for_another_machine_is_refused_before_anything_is_touched() {
    stays_as_it_was(installed("machine"), true, |board| {
        let bad = program::of_another_machine();
        board.deploy(&["--binary", &bad]).ended(1, &["does not run on this board (x86_64)"]);
    });
}

#[test]
fn a_first_version_that_fails_leaves_nothing() {
    let board = Board::new("nothing");
    let bad = program::that_serves_by("exit 1");
    board.deploy(&["--binary", &bad]).ended(2, &["does not work here", "nothing of it is left"]);
    assert_eq!(board.sh("find /usr/local /etc/roomd /etc/systemd ! -type d 2>/dev/null || :"), "");
    assert!(!board.has(LIB) && !board.has("/etc/roomd"));
}

#[test]
fn a_first_version_that_cannot_be_kept_leaves_nothing() {
    let mut board = Board::off("nothing-kept");
    board.fact("meminfo", "MemTotal: 262144 kB");
    board.boot();
    // Where a directory should come.
    board.write("/etc/systemd/system/multi-user.target.wants", "");
    board.deploy(&["--binary", &program::first()]).ended(2, &["nothing of it is left"]);
    let left = board.sh("find /usr/local /etc/roomd /etc/systemd /run/systemd ! -type d 2>/dev/null || :");
    assert_eq!(left, "/etc/systemd/system/multi-user.target.wants\n");
    assert_eq!(board.serves(), "");
}

#[test]
fn it_is_loud_when_the_version_before_does_not_work_any_more_either() {
    let board = installed("loud");
    board.sh("rm /usr/local/lib/roomd/current/roomd");
    let bad = program::that_serves_by("exit 1");
    board.deploy(&["--binary", &bad]).ended(3, &["*** NO roomd RUNS ON THIS BOARD"]);
    board.deploy(&["--binary", &program::first()]).ended(0, &["it boots from now on"]);
    assert_eq!(board.serves(), "0.1.0");
}

#[test]
fn who_had_stopped_it_has_it_stopped_after_a_failure() {
    let board = installed("stopped");
    board.sh("systemctl stop roomd.service roomd.socket");
    board.deploy(&["--binary", &program::that_serves_by("exit 1")]).ended(2, &["stopped, as it was before"]);
    assert_eq!(board.serves(), "");
    board.deploy(&["--binary", &program::first()]).ended(0, &[]);
    assert_eq!(board.serves(), "0.1.0");
}

#[test]
fn a_lost_connection_ends_nothing_half_way() {
    let mut board = installed("lost");
    board.variables = vec![("SSH_BREAKS", "1")];
    board.deploy(&["--binary", &program::version("0.1.1")]).ended(1, &["the connection was lost"]);
    board.wait_for_install();
    assert_eq!(board.serves(), "0.1.1");
    board.deploy(&["--binary", &program::that_serves_by("exit 1")]).ended(1, &["the connection was lost"]);
    board.wait_for_install();
    assert_eq!(board.serves(), "0.1.1");
    assert_eq!(board.versions().len(), 2);
}

#[test]
fn links_that_systemctl_enable_has_made_do_not_hold_an_old_version() {
    let mut board = installed("enable");
    // As systemd 252 leaves them: resolved, and so of one version for good.
    board.sh("cd /etc/systemd/system; version=$(readlink /usr/local/lib/roomd/current)
        ln -s /usr/local/lib/roomd/$version/units/roomd.service roomd.service
        ln -sf /usr/local/lib/roomd/$version/units/roomd.service multi-user.target.wants/roomd.service");
    for version in ["0.1.1", "0.1.2"] {
        board.deploy(&["--binary", &program::version(version)]).ended(0, &[]);
        board.cut_power();
        board.boot();
        assert_eq!(board.serves(), version);
    }
}

#[test]
fn who_has_disabled_it_has_it_disabled_after_an_upgrade() {
    let mut board = installed("disabled");
    board.sh("rm /etc/systemd/system/*.wants/roomd.*");
    board.deploy(&["--binary", &program::version("0.1.1")]).ended(0, &[]);
    assert_eq!(board.serves(), "0.1.1");
    board.cut_power();
    board.boot();
    assert_eq!(board.serves(), "");
}

#[test]
fn uninstalling_leaves_the_settings_and_purging_nothing() {
    let board = installed("uninstall");
    board.deploy(&["--binary", &program::version("0.1.1")]).ended(0, &[]);
    board.sh("sh /usr/local/lib/roomd/current/uninstall");
    assert_eq!(board.serves(), "");
    let left = "find /usr/local /etc/roomd /etc/systemd /run/systemd ! -type d 2>/dev/null || :";
    assert_eq!(board.sh(left), "/etc/roomd/roomd.toml\n");
    board.deploy(&["--binary", &program::first()]).ended(0, &[]);
    board.sh("sh /usr/local/lib/roomd/current/uninstall --purge");
    assert_eq!(board.sh(left), "");
}

/// Every change that an upgrade makes on the board has a number; the power goes before each of them, in turn.
/// What an earlier cut has left on the disk stays there, and may be in nobody's way.
#[test]
fn a_power_cut_at_any_step_of_an_upgrade_leaves_one_of_the_two_versions_whole() {
    let mut board = installed("cut");
    board.write("/etc/roomd/roomd.toml", "clients = 66\n");
    board.save_disk();
    board.write("/new.toml", "clients = 77\n");
    let config = board.root.join("new.toml");
    let upgrade = program::version("0.1.1");
    let arguments = ["--binary", &upgrade, "--config", config.to_str().unwrap()];
    let mut seen = Vec::new();
    for number in 1.. {
        let deployed = board.deploy_and_cut(number, &arguments);
        board.cut_power();
        board.boot();
        seen.push(board.serves());
        let serves = seen.last().unwrap().as_str();
        assert!(["0.1.0", "0.1.1"].contains(&serves), "cut {number}: {serves:?}, {}", deployed.said);
        if deployed.code == 0 {
            break;
        }
        if serves == "0.1.1" {
            board.cut_power();
            board.restore_disk();
            board.boot();
        }
    }
    let first_new = seen.iter().position(|version| version == "0.1.1").unwrap();
    assert!(first_new > 20 && seen.len() > 40, "{seen:?}");
    assert!(seen[first_new..].iter().all(|version| version == "0.1.1"), "it goes back no more: {seen:?}");
    assert_eq!(board.read("/etc/roomd/roomd.toml"), "clients = 77\n");
    assert_eq!(board.versions().len(), 2);
}

/// As above; then somebody edits the settings, and deploys without any.
#[test]
fn a_power_cut_at_any_step_has_no_rollback_bring_settings_that_nobody_asked_for() {
    let mut board = installed("cut-edited");
    board.write("/etc/roomd/roomd.toml", "clients = 66\n");
    board.write("/new.toml", "clients = 77\n");
    board.save_disk();
    let config = board.root.join("new.toml");
    let (upgrade, later) = (program::version("0.1.1"), program::version("0.1.2"));
    for number in 1.. {
        let cut = board.deploy_and_cut(number, &["--binary", &upgrade, "--config", config.to_str().unwrap()]);
        board.cut_power();
        board.boot();
        if cut.code == 0 {
            break;
        }
        let before = board.serves();
        if before == "0.1.0" && board.sh("ls -A /etc/roomd") == "roomd.toml\n" {
            // The settings had not come yet.
            continue;
        }
        board.write("/etc/roomd/roomd.toml", "clients = 88\n");
        board.deploy(&["--binary", &later]).ended(0, &["it boots from now on"]);
        board.deploy(&["--rollback"]).ended(0, &[]);
        assert_eq!(board.serves(), before, "cut {number}");
        assert_eq!(board.read("/etc/roomd/roomd.toml"), "clients = 88\n", "cut {number}");
        assert_eq!(board.sh("ls -A /etc/roomd"), "roomd.toml\n", "cut {number}");
        board.cut_power();
        board.restore_disk();
        board.boot();
    }
}

/// As above, from a board on which there was none.
#[test]
fn a_power_cut_at_any_step_of_the_first_install_leaves_nothing_in_the_way() {
    let mut board = Board::new("cut-first");
    board.save_disk();
    for number in 1.. {
        let deployed = board.deploy_and_cut(number, &["--binary", &program::first()]);
        board.cut_power();
        board.boot();
        if deployed.code == 0 {
            break;
        }
        if board.serves() == "0.1.0" {
            board.cut_power();
            board.restore_disk();
            board.boot();
        }
    }
    assert_eq!(board.serves(), "0.1.0");
}
