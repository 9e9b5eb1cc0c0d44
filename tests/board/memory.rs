//! The board's memory under attack: what roomd may have is bounded, and what others have is theirs.

use serde_json::json;

use crate::{
    board::Board,
    service::{FOR_TESTS, SETTINGS, assert_talking},
    story::tell,
    support::{Client, RawClient, content_of},
};

const DROP_IN: &str = "/etc/systemd/system/roomd.service.d/memory.conf";
const STALLED: usize = 120;
const MESSAGES: usize = 300;
const MESSAGE_BYTES: usize = 32 << 10;

/// As for a board with little memory: what the plan needs, and the reserve of the unit for the kernel.
pub(crate) async fn stalled_readers_attack(board: &Board) {
    let settings =
        "clients = 128\nrooms = 16\nhandshakes = 16\ninbound_bytes = \"4MiB\"\nsend_buffer_bytes = \"32KiB\"";
    board.write(SETTINGS, &format!("{FOR_TESTS}\n{settings}"));
    board.write(DROP_IN, "[Service]\nEnvironment=ROOMD_MEMORY_MAX=64MiB\nMemoryMax=96M");
    board.run("systemctl daemon-reload && systemctl restart roomd.service");
    let before = (board.service("MainPID"), board.service("NRestarts"));

    let server = board.server();
    let mut stalled = Vec::new();
    for number in 0..STALLED {
        let query = format!("username=stalled{number}");
        let mut client = RawClient::upgrade_with_receive_buffer(&server, &query, 4 << 10).await;
        // Half of a large message, for the memory that half-received ones take.
        client.write(&[0x81, 0xFE, 0x7F, 0xFF, 0, 0, 0, 0]).await;
        client.write(&[b'x'; 16 << 10]).await;
        stalled.push(client);
    }
    let mut noor = Client::connect(&server, "noor").await;
    let mut aki = Client::connect(&server, "aki").await;
    let content = "x".repeat(MESSAGE_BYTES);
    for number in 1..=MESSAGES {
        aki.send(json!({"type": "chat", "content": format!("{number} {content}")})).await;
        for client in [&mut aki, &mut noor] {
            let chat = client.next_of_type("chat").await;
            assert!(content_of(&chat).starts_with(&format!("{number} ")), "those who read miss nothing");
        }
    }
    let status = board.status().await;
    tell(&format!("    {} of {STALLED} blocked; at most {} taken", status["blocked"], peak(board)));
    assert!(status["blocked"].as_u64().unwrap() > STALLED as u64 / 2, "{status}");
    assert_talking(&mut aki, &mut noor).await;
    assert_eq!((board.service("MainPID"), board.service("NRestarts")), before, "it lives");
    assert_eq!(kills(board), "oom_kill 0");
    assert_eq!(killed(board, |_| true), NOBODY);
}

/// What it has is taken away: it is ended, and nothing else is. What it was before the attack it is again then.
pub(crate) async fn more_than_it_may_have(board: &Board) {
    let others =
        "systemctl show --value --property=MainPID ssh.service systemd-journald.service dbus.service";
    let (before, neighbours) = (board.service("MainPID"), board.run(others));
    board.run("systemctl set-property --runtime roomd.service MemoryMax=1M");
    let pid = "systemctl show --value --property=MainPID roomd.service";
    board.wait_until(&format!("[ $({pid}) != {before} ]"));
    board.run("systemctl set-property --runtime roomd.service MemoryMax=96M");
    assert_eq!(board.get("/healthz").await.status, 200, "it was started anew");
    assert_eq!(board.run(others), neighbours);
    assert_eq!(killed(board, |line| !line.contains("(roomd)")), NOBODY);
    assert_ne!(killed(board, |line| line.contains("(roomd)")), NOBODY);
    board.restore("installed");
}

fn peak(board: &Board) -> String {
    let bytes = board.run("cat /sys/fs/cgroup/system.slice/roomd.service/memory.peak");
    format!("{} MiB", bytes.parse::<u64>().unwrap() >> 20)
}

fn kills(board: &Board) -> String {
    board.run("grep ^oom_kill /sys/fs/cgroup/system.slice/roomd.service/memory.events | head --lines=1")
}

const NOBODY: [&str; 0] = [];

/// What the kernel says about processes that it ended for want of memory.
fn killed(board: &Board, is_asked_for: impl Fn(&str) -> bool) -> Vec<String> {
    let kernel = board.run("journalctl --no-pager --dmesg --output=cat");
    let killed = kernel.lines().filter(|line| line.contains("Killed process") && is_asked_for(line));
    killed.map(str::to_owned).collect()
}
