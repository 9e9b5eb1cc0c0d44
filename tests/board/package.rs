//! The Debian package on the board: installed, upgraded, purged.

use std::{fs, path::Path, process::Command};

use crate::{
    board::Board,
    deploy::assert_runs,
    program::{self, BINARY},
    service::SETTINGS,
};

/// From `scripts/release --profile ci aarch64`.
const PACKAGE: &str = "target/ci-files/roomd_0.1.0-1_arm64.deb";

pub(crate) async fn replaces_what_was_deployed(board: &Board) {
    board.copy(PACKAGE, "/root/roomd.deb");
    let refused = board.try_run("dpkg --install /root/roomd.deb 2>&1");
    let said = String::from_utf8(refused.stdout).unwrap();
    assert!(!refused.status.success() && said.contains("roomd is installed in /usr/local already"), "{said}");
    board.run("sh /usr/local/lib/roomd/current/uninstall --purge");
    assert_eq!(board.run("find /usr/local /etc -name '*roomd*'"), "");

    board.run("dpkg --install /root/roomd.deb 2>&1");
    assert_runs(board, &program::path(BINARY)).await;
    assert_eq!(board.run("systemctl is-enabled roomd.service roomd.socket"), "enabled\nenabled");
    assert_eq!(board.run("dpkg --verify roomd"), "");
}

/// The settings stay as they were changed, and the socket stays open.
pub(crate) async fn is_upgraded_and_purged(board: &Board) {
    board.run(&format!("echo 'clients = 77' >>{SETTINGS}"));
    let socket = "systemctl show --property=ActiveEnterTimestampMonotonic roomd.socket";
    let before = board.run(socket);
    board.copy(&newer(), "/root/newer.deb");
    board.run("dpkg --install /root/newer.deb 2>&1");
    assert_runs(board, &program::another(1)).await;
    assert_eq!(board.status().await["clients_max"], 77);
    assert_eq!(board.run(socket), before, "nobody was refused");
    board.run("dpkg --purge roomd 2>&1");
    assert_eq!(board.service("LoadState"), "not-found");
    assert_eq!(board.run("find / -xdev -name '*roomd*' -not -path '/root/*' -not -path '/var/log/*'"), "");
}

/// The same package with another program, and a later version.
fn newer() -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package");
    let package = format!("{}.deb", folder.display());
    let _ = fs::remove_dir_all(&folder);
    dpkg_deb(&["--raw-extract", &program::path(PACKAGE), folder.to_str().unwrap()]);
    fs::copy(program::another(1), folder.join("usr/bin/roomd")).unwrap();
    let control = folder.join("DEBIAN/control");
    let fields = fs::read_to_string(&control).unwrap();
    assert!(fields.contains("Version: 0.1.0-1"), "{fields}");
    fs::write(&control, fields.replace("Version: 0.1.0-1", "Version: 0.1.1-1")).unwrap();
    dpkg_deb(&["--root-owner-group", "--build", folder.to_str().unwrap(), &package]);
    package
}

fn dpkg_deb(arguments: &[&str]) {
    let output = Command::new("dpkg-deb").args(arguments).output().expect("dpkg-deb of dpkg");
    assert!(output.status.success(), "{output:?}");
}
