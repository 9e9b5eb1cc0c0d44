//! The Debian package that was there before: what dpkg still runs of it when it is purged at last.

use std::fs;

use super::{Board, installed};

/// What dpkg runs to purge a package that was removed. As `deb-systemd-helper purge`, which cargo-deb puts in,
/// it takes the links of the service along.
fn purge_package(board: &Board) {
    let postrm = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/debian/postrm")).unwrap();
    board.write("/postrm", &postrm.replace("#DEBHELPER#", "rm -f /etc/systemd/system/*.wants/roomd.*"));
    board.sh("sh -e /postrm purge");
}

#[test]
fn a_package_that_is_purged_after_a_deployment_takes_neither_settings_nor_service_along() {
    let mut board = installed("purged-later");
    board.write("/etc/roomd/roomd.toml", "token = \"open-sesame\"\n");
    board.write("/etc/default/roomd", "ROOMD_CLIENTS=77\n");
    purge_package(&board);
    assert_eq!(board.read("/etc/roomd/roomd.toml"), "token = \"open-sesame\"\n");
    assert_eq!(board.read("/etc/default/roomd"), "ROOMD_CLIENTS=77\n");
    board.cut_power();
    board.boot();
    assert_eq!(board.serves(), "0.1.0");
}

#[test]
fn a_package_that_is_purged_from_a_board_without_a_deployment_leaves_nothing() {
    let board = Board::new("purged");
    board.write("/etc/roomd/roomd.toml", "clients = 77\n");
    board.write("/etc/default/roomd", "ROOMD_CLIENTS=77\n");
    purge_package(&board);
    assert!(!board.has("/etc/roomd") && !board.has("/etc/default/roomd"));
}
