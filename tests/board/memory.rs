//! The board's memory under attack: what roomd may have is bounded, and what others have is theirs.

use serde_json::json;

use crate::{
    board::Board,
    service::{ONE_ADDRESS, SETTINGS, assert_talking},
    story::tell,
    support::{Client, RawClient},
};

const DROP_IN: &str = "/etc/systemd/system/roomd.service.d/memory.conf";
const STALLED: usize = 120;
const MESSAGES: usize = 300;
const MESSAGE_BYTES: usize = 32 << 10;

/// As for a board with little memory: what the plan needs, and the reserve of the unit for the kernel.
pub(crate) async fn stalled_readers_attack(board: &Board) {
    let settings =
        "clients = 128\nrooms = 16\nhandshakes = 16\ninbound_bytes = \"4MiB\"\nsend_buffer_bytes = \"32KiB\"";
    board.write(SETTINGS, &format!("{ONE_ADDRESS}\n{settings}"));
    board.write(DROP_IN, "[Service]\nEnvironment=ROOMD_MEMORY_MAX=64MiB\nMemoryMax=96M");
    board.run("systemctl daemon-reload && systemctl restart roomd.service");
    let before = (board.service("MainPID"), board.service("NRestarts"));

    let server = board.server();
    let mut noor = Client::connect(&server, "noor").await;
    let mut aki = Client::connect(&server, "aki").await;
    let mut stalled = Vec::new();
    for number in 0..STALLED {
        let query = format!("username=stalled{number}");
        let mut client = RawClient::upgrade_with_receive_buffer(&server, &query, 4 << 10).await;
        // Half of a large message, for the memory that half-received ones take.
        client.write(&[0x81, 0xFE, 0x7F, 0xFF, 0, 0, 0, 0]).await;
        client.write(&[b'x'; 16 << 10]).await;
        stalled.push(client);
    }
    let content = "x".repeat(MESSAGE_BYTES);
    for number in 0..MESSAGES {
        aki.send(json!({"type": "chat", "content": content, "id": number.to_string()})).await;
        aki.expect("its ack", |event| event["id"] == number.to_string()).await;
    }
    let status = board.status().await;
    tell(&format!("    {} of {STALLED} blocked; at most {} taken", status["blocked"], peak(board)));
    assert!(status["blocked"].as_u64().unwrap() > STALLED as u64 / 2, "{status}");
    assert_talking(&mut aki, &mut noor).await;
    assert_eq!((board.service("MainPID"), board.service("NRestarts")), before, "it lives");
    assert_eq!(kills(board), "oom_kill 0");
    assert_no_kernel_kill(board, "");
}

/// Half of what it has is taken away: it is ended and started anew, and nothing else is.
pub(crate) async fn more_than_it_may_have(board: &Board) {
    let others =
        "systemctl show --value --property=MainPID ssh.service systemd-journald.service dbus.service";
    let (before, neighbours) = (board.service("MainPID"), board.run(others));
    board.run("systemctl set-property --runtime roomd.service MemoryMax=1M");
    let pid = "systemctl show --value --property=MainPID roomd.service";
    board.wait_until(&format!("[ $({pid}) != {before} ]"));
    board.run(&format!(
        "rm {DROP_IN} && systemctl set-property --runtime roomd.service MemoryMax= && systemctl daemon-reload"
    ));
    board.write(SETTINGS, ONE_ADDRESS);
    board.wait_until("systemctl restart roomd.service");
    assert_eq!(board.get("/healthz").await.status, 200);
    assert_eq!(board.run(others), neighbours);
    assert_no_kernel_kill(board, "roomd");
}

fn peak(board: &Board) -> String {
    let bytes = board.run("cat /sys/fs/cgroup/system.slice/roomd.service/memory.peak");
    format!("{} MiB", bytes.parse::<u64>().unwrap() >> 20)
}

fn kills(board: &Board) -> String {
    board.run("grep ^oom_kill /sys/fs/cgroup/system.slice/roomd.service/memory.events | head --lines=1")
}

/// The kernel has ended no process for want of memory but those of this name.
fn assert_no_kernel_kill(board: &Board, but: &str) {
    let kernel = board.run("journalctl --no-pager --dmesg --output=cat");
    let killed = kernel.lines().filter(|line| line.contains("Killed process"));
    let others: Vec<_> =
        killed.filter(|line| but.is_empty() || !line.contains(&format!("({but})"))).collect();
    assert!(others.is_empty(), "{others:?}");
}
