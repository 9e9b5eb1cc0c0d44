//! A server that is a process of its own: the binary that ships, and perhaps the emulator that runs it.

use std::{
    env,
    io::{self, BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
};

use roomd::config::{Settings, table::TABLE};
use rustix::process::{Pid, Signal, kill_process};

use super::GUARD;

/// The command that starts the binary `path` with these settings, by way of the command, if there is one,
/// that `ROOMD_TEST_RUNNER` tells.
fn command(path: &str, settings: &Settings) -> Command {
    let runner = env::var("ROOMD_TEST_RUNNER").unwrap_or_default();
    let mut words = runner.split_whitespace().chain([path]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(flags(settings)).env_clear().env("ROOMD_CONFIG", "/dev/null");
    command
}

/// The flags that make these settings of the defaults, on a free port of the loopback.
fn flags(settings: &Settings) -> Vec<String> {
    let defaults = Settings::default();
    let differs = TABLE.iter().filter(|row| row.show(settings) != row.show(&defaults));
    let flag = |row: &roomd::config::table::Row| {
        let secret = match row.key {
            "token" => settings.token.clone(),
            "status_token" => settings.status_token.clone(),
            _ => None,
        };
        let value = secret.unwrap_or_else(|| row.show(settings).replace(" (off)", "").replace(", ", ","));
        format!("{}={value}", row.flag())
    };
    ["--listen=127.0.0.1:0".to_owned()].into_iter().chain(differs.map(flag)).collect()
}

/// A server that listens; it does not outlive the test.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
    is_asked_to_stop: bool,
}

impl Process {
    /// Starts the binary at `path` and waits until it tells its address.
    pub(crate) fn start(path: &str, settings: &Settings) -> (Self, SocketAddr) {
        let mut command = command(path, settings);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = sync_channel(1_024);
        // Reads on when nobody takes the lines any more: a full pipe would stop the server.
        thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| drop(sender.try_send(line)));
        });
        let mut process = Self { child, lines, said: Vec::new(), is_asked_to_stop: false };
        loop {
            let Ok(line) = process.lines.recv_timeout(GUARD) else {
                panic!("{command:?} does not listen: {:?}", process.said)
            };
            let address = line.split_whitespace().skip_while(|word| *word != "listening").nth(2);
            let address = address.and_then(|address| address.trim_end_matches(',').parse().ok());
            process.said.push(line);
            if let Some(address) = address {
                return (process, address);
            }
        }
    }

    /// Asks it to stop, once: a second signal would end it at once.
    pub(crate) fn terminate(&mut self) {
        if !self.is_asked_to_stop {
            self.is_asked_to_stop = true;
            // An error means that it has ended by itself; waiting for it tells how.
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
    }

    /// Waits for its end, which must be one in order: all that it logged.
    pub(crate) fn wait(mut self) -> io::Result<Vec<String>> {
        let mut said = std::mem::take(&mut self.said);
        loop {
            match self.lines.recv_timeout(GUARD) {
                Ok(line) => said.push(line),
                Err(RecvTimeoutError::Timeout) => panic!("no end within {GUARD:?}: {said:?}"),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.child.wait()?;
        if status.success() { Ok(said) } else { Err(io::Error::other(format!("{status}: {said:?}"))) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
