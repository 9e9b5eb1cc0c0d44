//! Boards on which it cannot be done: each is told why and what to do, and nothing is changed.

use super::{Board, LIB, installed, program};

/// The board refuses with these words, and has nothing on it afterwards.
fn refused(board: &Board, parts: &[&str]) {
    board.deploy(&["--binary", &program::first()]).ended(1, parts);
    assert!(!board.has(LIB) && !board.has("/etc/roomd"));
    assert_eq!(board.serves(), "");
}

#[test]
fn a_host_that_is_not_there() {
    let mut board = Board::new("unreachable");
    board.variables = vec![("SSH_FAILS", "1")];
    refused(&board, &["No route to host", "no shell on pi@board"]);
}

#[test]
fn a_user_who_is_not_root_and_may_not_become_it() {
    let mut board = Board::new("rights");
    board.variables = vec![("FAKE_UID", "1000")];
    board.fact("sudo", "asks");
    refused(&board, &["sudo on pi@board asks for a password", "\"pi ALL=(ALL) NOPASSWD: ALL\""]);
    board.sh("rm /fakes/sudo");
    // The machine that tests may have one.
    if !board.sh("command -v sudo || :").contains("sudo") {
        refused(&board, &["has no sudo: deploy as root@board"]);
    }
}

#[test]
fn a_user_who_may_become_root_does() {
    let mut board = Board::new("sudo");
    board.variables = vec![("FAKE_UID", "1000")];
    board.deploy(&["--binary", &program::first()]).ended(0, &["it boots from now on"]);
    assert_eq!(board.serves(), "0.1.0");
}

#[test]
fn a_shell_that_greets_whoever_comes_is_not_taken_for_an_answer() {
    let mut board = Board::new("greeting");
    board.variables = vec![("FAKE_UID", "1000"), ("SSH_GREETS", "Hello!\\nNo mail")];
    board.deploy(&["--binary", &program::first()]).ended(0, &["board is x86_64", "it boots from now on"]);
    board.fact("sudo", "asks");
    let asks = board.deploy(&["--binary", &program::first()]);
    asks.ended(1, &["asks for a password", "\"pi ALL=(ALL) NOPASSWD: ALL\""]);
}

#[test]
fn a_directory_for_temporary_files_with_a_space_in_its_name() {
    const SPACED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/with a space");
    std::fs::create_dir_all(SPACED).unwrap();
    let mut board = Board::new("spaced");
    board.variables = vec![("TMPDIR", SPACED)];
    board.deploy(&["--binary", &program::first()]).ended(0, &["it boots from now on"]);
}

#[test]
fn a_user_who_keeps_all_files_private_installs_a_program_for_every_user() {
    let mut board = Board::new("umask");
    board.variables = vec![("FAKE_UID", "1000"), ("FAKE_UMASK", "077")];
    board.deploy(&["--binary", &program::first()]).ended(0, &["it boots from now on"]);
    let private = board.sh("find -L /usr/local/lib/roomd /etc/roomd ! -perm -a+r");
    assert_eq!(private, "");
    board.sh("cd /usr/local/lib/roomd/current; find roomd install uninstall -perm 755 | wc -l | grep -qx 3");
    board
        .sh("cd /usr/local/lib/roomd/current; find checks roomd.toml units/* -perm 644 | wc -l | grep -qx 4");
}

#[test]
fn a_machine_for_which_there_is_no_build() {
    let board = Board::new("sparc");
    board.fact("uname", "sparc64");
    board.deploy(&[]).ended(1, &["there is no build for sparc64", "--binary FILE"]);
}

#[test]
fn a_board_without_systemd() {
    let board = Board::new("no-systemd");
    board.sh("rmdir /run/systemd/system");
    refused(&board, &["not run by systemd"]);
}

#[test]
fn a_disk_without_room_or_that_runs_full() {
    let board = Board::new("full");
    board.fact("df", "4000");
    refused(&board, &["has 4000 KiB left and this needs", "make room"]);
    board.no_fact("df");
    // It promises more than it has.
    board.sh("mount -t tmpfs -o size=1m tmpfs /usr/local");
    board.deploy(&["--binary", &program::first()]).ended(1, &["roomd cannot be written; is the disk full"]);
    assert_eq!(board.sh("ls -A /usr/local/lib"), "");
}

#[test]
fn no_room_to_unpack_what_comes() {
    let board = Board::new("unpack");
    board.sh("mount -t tmpfs -o size=64k tmpfs /tmp");
    refused(&board, &["could not be unpacked", "df -h /tmp"]);
    assert_eq!(board.sh("ls -A /tmp"), "");
}

#[test]
fn settings_that_are_no_file() {
    let board = installed("no-file");
    board.sh("mkfifo /tmp/fifo");
    for path in ["/etc", "/tmp/fifo", "/nowhere"] {
        let said = board.sh(&format!(
            "timeout 9 sh /usr/local/lib/roomd/current/install --config {path} 2>&1 || echo code $?"
        ));
        assert_eq!(said, format!("roomd: {path} is no file that can be read.\ncode 1\n"));
    }
}

#[test]
fn a_disk_that_cannot_be_written() {
    let board = Board::new("read-only");
    board.sh("mount -o remount,bind,ro /usr/local");
    refused(&board, &["/usr/local/lib cannot be written to", "remount,rw"]);
}

#[test]
fn a_root_that_is_lost_at_the_next_boot() {
    let board = Board::new("overlay");
    for kind in ["overlayfs", "tmpfs"] {
        board.fact("stat", kind);
        refused(&board, &["lost at the next boot", "raspi-config"]);
    }
}

#[test]
fn a_partition_that_is_mounted_only_after_the_units_are_read() {
    let board = Board::new("partition");
    board.fact("partition", "2");
    refused(&board, &["/usr/local/lib is on a partition of its own", "Debian package"]);
}

#[test]
fn a_board_with_the_debian_package() {
    let board = Board::new("package");
    board.fact("dpkg-query", "installed");
    refused(&board, &["as a Debian package", "apt-get install ./roomd_VERSION_ARCH.deb"]);
    board.fact("dpkg-query", "config-files");
    board.deploy(&["--binary", &program::first()]).ended(0, &[]);
}

#[test]
fn what_is_somebody_elses_is_not_replaced() {
    let board = Board::new("foreign");
    for (make, path, told) in [
        ("echo >", "/etc/systemd/system/roomd.service", "systemctl edit roomd.service"),
        ("ln -s /dev/null", "/etc/systemd/system/roomd.socket", "masked: systemctl unmask roomd.socket"),
        ("mkdir -p /usr/local/bin; echo >", "/usr/local/bin/roomd", "move it away"),
    ] {
        board.sh(&format!("{make} {path}"));
        refused(&board, &[told]);
        board.sh(&format!("rm {path}"));
    }
}

#[test]
fn a_second_installation_at_the_same_time() {
    let board = installed("twice");
    board.sh("flock /run/roomd-install.lock /usr/bin/sleep 100 >/dev/null 2>&1 & /usr/bin/sleep 0.2");
    let again = board.deploy(&["--binary", &program::version("0.1.1")]);
    again.ended(1, &["another installation is under way"]);
    let uninstall = board.sh("sh /usr/local/lib/roomd/current/uninstall 2>&1 || echo code $?");
    assert!(
        uninstall.contains("an installation is under way") && uninstall.contains("code 1"),
        "{uninstall}"
    );
    assert_eq!(board.serves(), "0.1.0");
}

#[test]
fn a_kernel_without_an_account_of_memory_is_warned_of() {
    let mut board = Board::off("no-cgroup");
    board.write("/sys/fs/cgroup/cgroup.controllers", "cpu pids\n");
    board.fact("cgroups", "#subsys_name hierarchy num_cgroups enabled\nmemory 0 1 0");
    board.boot();
    let deployed = board.deploy(&["--binary", &program::first()]);
    deployed.ended(0, &["MemoryMax= has no effect", "cgroup_enable=memory"]);
}

#[test]
fn arguments_that_make_no_sense() {
    for (arguments, told) in [
        (&["--chekc"][..], "--chekc is no option"),
        (&["other"], "one board at a time"),
        (&["--check", "--rollback"], "either --check or --rollback"),
        (&["--config"], "--config needs a value"),
        (&["--config", "/nowhere"], "/nowhere cannot be read"),
        (&["--binary", "/tmp"], "/tmp cannot be read"),
        (&["--wait", "0"], "whole seconds, from 1 up"),
        (&["--wait", "x"], "whole seconds, from 1 up"),
    ] {
        Board::deploy_blindly(arguments).ended(1, &[told]);
    }
}
