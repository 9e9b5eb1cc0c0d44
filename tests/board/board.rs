//! The board: `scripts/board` with a state of its own, and what it runs as the tests see it from outside.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::support::{Handshake, Response, TestServer};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A virtual board that is on; dropping it cuts its power.
#[derive(Debug)]
pub(crate) struct Board {
    state: PathBuf,
}

impl Board {
    /// Boots one with a fresh disk.
    pub(crate) fn boot() -> Self {
        let board = Self { state: Path::new(env!("CARGO_TARGET_TMPDIR")).join("board") };
        board.script(&["forget"]);
        board.script(&["start"]);
        board
    }

    /// Runs a command as root, which must succeed; what it prints, without white space around.
    pub(crate) fn run(&self, command: &str) -> String {
        self.script(&["ssh", command])
    }

    /// The same as the user pi, who may use sudo.
    pub(crate) fn run_as_pi(&self, command: &str) -> String {
        self.script(&["pi", command])
    }

    /// Runs a command as root that may fail.
    pub(crate) fn try_run(&self, command: &str) -> Output {
        self.output(&["ssh", command])
    }

    /// Waits, on the board, until a command succeeds; it has no single quotes.
    pub(crate) fn wait_until(&self, condition: &str) {
        self.run(&format!("timeout 240 sh -c 'until {condition}; do sleep 0.2; done'"));
    }

    /// Waits until everything that the boot starts has started, without a failure.
    pub(crate) fn wait_until_booted(&self) {
        let state = self.try_run("timeout 240 systemctl is-system-running --wait").stdout;
        let state = String::from_utf8(state).unwrap();
        assert_eq!(state.trim(), "running", "{}", self.run("systemctl --failed --no-pager"));
    }

    /// Copies a file of this machine, if its path is relative of the repository, to a path of the board, as root.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        let from = Path::new(ROOT).join(from);
        assert!(from.exists(), "there is no {}; scripts/test board builds what is needed", from.display());
        self.script(&["copy", from.to_str().unwrap(), to]);
    }

    /// Writes a file on the board, as root.
    pub(crate) fn write(&self, path: &str, text: &str) {
        self.run(&format!("mkdir -p $(dirname {path}) && cat >{path} <<'END'\n{text}\nEND"));
    }

    /// Keeps its whole state under a name of lower case letters.
    pub(crate) fn save(&self, name: &str) {
        self.script(&["save", name]);
    }

    /// Goes back to a state that was kept: disk, memory, processes.
    pub(crate) fn restore(&self, name: &str) {
        self.script(&["restore", name]);
    }

    /// Reboots it in order.
    pub(crate) fn reboot(&self) {
        self.script(&["reboot"]);
        self.wait_until_booted();
    }

    /// Cuts its power, and nothing more.
    pub(crate) fn cut(&self) {
        self.script(&["cut"]);
    }

    /// Boots it, with the disk that it had when its power was cut.
    pub(crate) fn start(&self) {
        self.script(&["start"]);
        self.wait_until_booted();
    }

    /// For ssh and what uses it: `ssh -F FILE pi@board`.
    pub(crate) fn ssh_config(&self) -> PathBuf {
        self.state.join("ssh_config")
    }

    /// What listens on its port 8080, for the clients of the tests.
    pub(crate) fn server(&self) -> TestServer {
        TestServer::elsewhere(self.script(&["address"]).parse().unwrap())
    }

    /// What its port 8080 answers to a plain GET.
    pub(crate) async fn get(&self, path: &str) -> Response {
        let server = self.server();
        let upgrade = ["Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key"];
        let request = Handshake::new(&server, "").line(&format!("GET {path} HTTP/1.1"));
        upgrade.into_iter().fold(request, Handshake::without).send(&server).await
    }

    /// `/api/status`, which must be there.
    pub(crate) async fn status(&self) -> Value {
        let response = self.get("/api/status").await;
        assert_eq!(response.status, 200, "{response:?}");
        serde_json::from_str(&response.body).unwrap()
    }

    /// A property of the service, as `systemctl show` tells it.
    pub(crate) fn service(&self, property: &str) -> String {
        self.run(&format!("systemctl show --value --property={property} roomd.service"))
    }

    /// The same, where it is a number.
    pub(crate) fn service_number(&self, property: &str) -> u64 {
        let value = self.service(property);
        value.parse().unwrap_or_else(|error| panic!("{property}={value}: {error}"))
    }

    fn script(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.output(arguments);
        let (said, complained) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "scripts/board {arguments:?}: {status}\n{said}\n{complained}");
        said.trim().to_owned()
    }

    fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(Path::new(ROOT).join("scripts/board"));
        command.args(arguments).env("ROOMD_BOARD", &self.state).stdin(Stdio::null());
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // Already off if the story ends with its power cut.
        let _ = self.output(&["cut"]);
    }
}
