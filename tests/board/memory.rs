//! The board's memory under attack: what roomd may have is bounded, and what others have is theirs.

use crate::{
    board::Board,
    service::{FOR_TESTS, SETTINGS, assert_talking},
    story::tell,
    support::{Client, FIN, LengthForm, RawClient, TEXT, frame_as},
};

const DROP_IN: &str = "/etc/systemd/system/roomd.service.d/memory.conf";
/// As on a board with little memory, and with all the time in the world for readers that stall.
const FEW_CLIENTS: &str = "clients = 128\nrooms = 16\nhandshakes = 16\nsend_buffer_bytes = \"32KiB\"\n\
    inbound_bytes = \"4MiB\"\nwrite_timeout_ms = 600000";
/// What the plan of that may need, and the reserve of the unit for the kernel.
const LITTLE_MEMORY: &str = "[Service]\nEnvironment=ROOMD_MEMORY_MAX=80MiB\nMemoryMax=112M";
const STALLED: u64 = 100;
const HALF_MESSAGES: usize = 20;

/// Every buffer that a stranger can fill is full, and whoever reads hears everything all the same.
pub(crate) async fn stalled_readers_attack(board: &Board) {
    board.write(SETTINGS, &format!("{FOR_TESTS}\n{FEW_CLIENTS}"));
    board.write(DROP_IN, LITTLE_MEMORY);
    board.run("systemctl daemon-reload && systemctl restart roomd.service");
    let before = (board.service("MainPID"), board.service("NRestarts"));
    let server = board.server();
    let mut half = Vec::new();
    for number in 0..HALF_MESSAGES {
        let mut client = RawClient::upgrade(&server, &format!("quiet=1&username=half{number}")).await;
        client.write(&frame_as(LengthForm::Sixteen, FIN | TEXT, 65_535, &vec![b'x'; 60_000])).await;
        half.push(client);
    }
    board.run(&format!(
        "systemd-run --quiet --unit=attack roomd bench slow --clients={0} --slow={STALLED} --content-bytes=16384 \
         --rate=20 --seconds=600",
        STALLED + 1
    ));
    let mut noor = Client::connect(&server, "noor").await;
    let mut aki = Client::connect(&server, "aki").await;
    let mut turns = 0;
    while board.status().await["blocked"].as_u64().unwrap() < STALLED {
        assert_talking(&mut aki, &mut noor).await;
        turns += 1;
        assert!(turns < 1_000, "{}", board.run("systemctl status --no-pager attack.service roomd.service"));
    }
    for _ in 0..20 {
        assert_talking(&mut aki, &mut noor).await;
        assert_talking(&mut noor, &mut aki).await;
    }
    tell(&format!("    {STALLED} stalled readers, {HALF_MESSAGES} half messages: {} at most", peak(board)));
    assert_eq!((board.service("MainPID"), board.service("NRestarts")), before, "it lives");
    assert_eq!(killed(board, |_| true), NOBODY);
    board.run("systemctl stop attack.service");
}

/// What it has is taken away: it is ended, and nothing else is. What it was before the attack it is again then.
pub(crate) async fn more_than_it_may_have(board: &Board) {
    let others =
        "systemctl show --value --property=MainPID ssh.service systemd-journald.service dbus.service";
    let (before, neighbours) = (board.service("MainPID"), board.run(others));
    board.run("systemctl set-property --runtime roomd.service MemoryMax=1M");
    let pid = "systemctl show --value --property=MainPID roomd.service";
    board.wait_until(&format!("[ $({pid}) != {before} ]"));
    board.run("systemctl set-property --runtime roomd.service MemoryMax=112M");
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

const NOBODY: [&str; 0] = [];

/// What the kernel says about processes that it ended for want of memory.
fn killed(board: &Board, is_asked_for: impl Fn(&str) -> bool) -> Vec<String> {
    let kernel = board.run("journalctl --no-pager --dmesg --output=cat");
    let killed = kernel.lines().filter(|line| line.contains("Killed process") && is_asked_for(line));
    killed.map(str::to_owned).collect()
}
