//! The board, and what its systemd does for roomd.

use std::process::Command;

use serde_json::json;

use crate::{
    board::Board,
    support::{Client, content_of},
};

pub(crate) const SETTINGS: &str = "/etc/roomd/roomd.toml";
/// The forward makes one address of all clients, and a test says more than a person does; or, while it looks
/// elsewhere, less.
pub(crate) const FOR_TESTS: &str =
    "connections_per_address = 0\nmessages_per_second = 0\nburst = 0\nheartbeat_s = 54";

pub(crate) fn comes_up(board: &Board) {
    board.wait_until_booted();
    assert_eq!(board.run("uname -m"), "aarch64");
    assert!(board.run("cat /sys/fs/cgroup/cgroup.controllers").contains("memory"));
    assert_eq!(board.run_as_pi("sudo id -u"), "0");
    let ssh = Command::new("ssh").arg("-F").arg(board.ssh_config()).args(["pi@board", "hostname"]).output();
    assert_eq!(ssh.unwrap().stdout, b"board\n", "programs of their own reach it as well");
    board.save("fresh");
}

pub(crate) async fn people_talk(board: &Board) {
    let page = board.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<title>roomd</title>"), "{page:?}");
    assert_eq!(board.get("/healthz").await.status, 200);
    let mut noor = Client::connect(&board.server(), "noor").await;
    let mut aki = Client::connect(&board.server(), "aki").await;
    assert_talking(&mut aki, &mut noor).await;
    board.wait_until("systemctl status roomd.service | grep -q \"Status: .2 of 1024 clients, 0 rooms\"");
    let status = board.run("systemctl status --no-pager roomd.service");
    assert!(status.contains("Active: active (running)"), "{status}");
}

/// What one says the other hears.
pub(crate) async fn assert_talking(from: &mut Client, to: &mut Client) {
    from.send(json!({"type": "chat", "content": "The kettle boils"})).await;
    let heard =
        to.expect("what was said", |event| event["type"] == "chat" && event["sender"] == from.name()).await;
    assert_eq!(content_of(&heard), "The kettle boils");
}

pub(crate) async fn is_killed(board: &Board) {
    let before = board.service("MainPID");
    board.run("systemctl kill --signal=KILL roomd.service");
    // The socket is systemd's: whoever comes now waits.
    assert_eq!(board.get("/healthz").await.status, 200);
    assert_ne!(board.service("MainPID"), before);
    assert_eq!(board.service("NRestarts"), "1");

    board.run("systemctl stop roomd.service 2>&1");
    assert_eq!(board.service("ActiveState"), "inactive");
    assert_eq!(board.get("/healthz").await.status, 200, "whoever comes starts it");
    assert_eq!(board.service("ActiveState"), "active");
}

pub(crate) async fn hangs(board: &Board) {
    let before = board.service("MainPID");
    board.run("systemctl kill --signal=STOP roomd.service");
    let pid = "systemctl show --value --property=MainPID roomd.service";
    board.wait_until(&format!("[ $({pid}) != {before} ] && systemctl --quiet is-active roomd.service"));
    let journal = board.run("journalctl --no-pager --boot --unit=roomd.service");
    assert!(journal.contains("Watchdog timeout"), "{journal}");
    assert_eq!(board.get("/healthz").await.status, 200);
}
