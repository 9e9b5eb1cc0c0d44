//! How roomd comes onto the board and is kept up to date there: `scripts/deploy`, with all that can go wrong.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

use crate::{
    board::Board,
    program::{self, BINARY},
    service::{FOR_TESTS, SETTINGS},
    story::tell,
};

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/deploy");

/// As the user pi, who may use sudo.
pub(crate) async fn is_deployed(board: &Board) {
    let settings = program::store("settings.toml", FOR_TESTS.as_bytes());
    let said = deploy(board, &["--binary", &program::path(BINARY), "--config", &settings], 0);
    assert!(said.contains("it boots from now on"), "{said}");
    assert_eq!(board.run(&format!("cat {SETTINGS}")), FOR_TESTS);
    assert_eq!(board.run("roomd --version"), "roomd 0.1.0");
    assert_eq!(board.run("systemctl is-enabled roomd.service roomd.socket"), "enabled\nenabled");
    assert_runs(board, &program::path(BINARY)).await;
    let times = ["ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic"];
    let [started, ready] = times.map(|time| board.service_number(time));
    tell(&format!("    ready {} ms after its start", (ready - started) / 1_000));

    let before = board.service("MainPID");
    let said = deploy(board, &["--binary", &program::path(BINARY)], 0);
    assert!(said.contains("already there"), "{said}");
    assert_eq!(board.service("MainPID"), before);
    board.save("installed");
}

pub(crate) async fn is_upgraded(board: &Board) {
    let socket = "systemctl show --property=ActiveEnterTimestampMonotonic roomd.socket";
    let before = board.run(socket);
    let (first, second) = (program::path(BINARY), program::another(1));
    deploy(board, &["--binary", &second], 0);
    assert_runs(board, &second).await;
    assert_eq!(board.run(socket), before, "nobody was refused");
    deploy(board, &["--rollback"], 0);
    assert_runs(board, &first).await;
    deploy(board, &["--binary", &second, "--check"], 1);
    deploy(board, &["--binary", &second], 0);
    assert_runs(board, &second).await;
}

pub(crate) async fn bad_versions_are_taken_back(board: &Board) {
    let ends = program::that_serves_by("echo no memory for this >&2; exit 1");
    let said = deploy(board, &["--binary", &ends], 2);
    assert!(said.contains("| no memory for this") && said.contains("is back, and answers"), "{said}");
    let hangs = program::that_serves_by("trap \"\" TERM; while :; do sleep 1; done");
    let said = deploy(board, &["--binary", &hangs, "--wait", "15"], 2);
    assert!(said.contains("not ready within 15 s") && said.contains("is back, and answers"), "{said}");
    let before = board.service("MainPID");
    let said = deploy(board, &["--binary", &program::of_another_machine()], 1);
    assert!(said.contains("does not run on this board (aarch64)"), "{said}");
    let said = deploy(board, &["--binary", &program::another(2), "--config", DEPLOY], 1);
    assert!(said.contains("does not take the settings"), "{said}");
    assert_eq!(board.service("MainPID"), before, "what is refused touches nothing");
    assert_runs(board, &program::another(1)).await;
    assert_eq!(board.run("find /usr/local/lib/roomd -name roomd -type f | wc --lines"), "2");
}

/// Before the version is kept the board boots the old one, from then on the new one.
pub(crate) async fn the_power_fails_while_it_is_upgraded(board: &Board) {
    let (second, third) = (program::another(1), program::another(2));
    for (line, version) in [("the settings are good", &second), ("it boots from now on", &third)] {
        let mut deploying = begin(board, &["--binary", &third]);
        let lines = BufReader::new(deploying.stdout.take().unwrap()).lines();
        let mut seen = lines.map_while(Result::ok);
        assert!(seen.any(|seen| seen.contains(line)), "no line with {line:?}");
        board.cut();
        deploying.wait().unwrap();
        board.start();
        tell(&format!("    its power was cut at {line:?}"));
        assert_runs(board, version).await;
    }
    let said = deploy(board, &["--binary", &third], 0);
    assert!(said.contains("already there"), "{said}");
}

/// What answers is this program.
pub(crate) async fn assert_runs(board: &Board, program: &str) {
    assert_eq!(board.get("/healthz").await.status, 200);
    let runs = board.run(&format!("sha256sum </proc/{}/exe", board.service("MainPID")));
    let wanted = Command::new("sha256sum").stdin(File::open(program).unwrap()).output().unwrap();
    assert_eq!(runs, String::from_utf8(wanted.stdout).unwrap().trim(), "{program}");
}

/// Deploys, which ends with this code; what it said.
pub(crate) fn deploy(board: &Board, arguments: &[&str], code: i32) -> String {
    let mut deploying = begin(board, arguments);
    let mut said = String::new();
    deploying.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let ended = deploying.wait().unwrap();
    assert_eq!(ended.code(), Some(code), "scripts/deploy {arguments:?}: {said}");
    said
}

/// What it writes to standard error comes among the rest.
fn begin(board: &Board, arguments: &[&str]) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$@\" 2>&1", "sh", DEPLOY, "pi@board"]).args(arguments).arg("--");
    command.arg("-F").arg(board.ssh_config()).stdin(Stdio::null()).stdout(Stdio::piped());
    command.spawn().unwrap()
}
