//! Runs of the binary.

use std::{
    fs,
    io::{BufRead as _, BufReader, ErrorKind, Read, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixDatagram,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// Only against hanging for good; nothing here takes nearly as long.
pub(crate) const GUARD: Duration = Duration::from_mins(1);

/// A run that is being put together.
pub(crate) struct Roomd {
    pub(crate) command: Command,
    directory: PathBuf,
}

pub(crate) fn roomd(arguments: &[&str]) -> Roomd {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roomd"));
    command.args(arguments);
    Roomd::of(command)
}

impl Roomd {
    /// With a command that runs the binary in the end.
    pub(crate) fn of(mut command: Command) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("roomd-cli-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        command.env_clear().stdin(Stdio::null());
        Self { command, directory }.file("")
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn file(mut self, text: &str) -> Self {
        fs::write(self.path(), text).unwrap();
        self.command.env("ROOMD_CONFIG", self.path());
        self
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.join("roomd.toml")
    }

    pub(crate) fn run(mut self) -> Ended {
        Ended::of(&self.command.output().unwrap())
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(mut self) -> Running {
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = lines_of(child.stderr.take().unwrap());
        let mut running = Running { child: Guarded(child), lines, said: Vec::new(), _run: self };
        running.wait_for("listening on");
        running
    }
}

impl Drop for Roomd {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The lines of `stream` as they come.
pub(crate) fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(1_024);
    thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
    });
    receiver
}

/// What a run left behind.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Succeeded, and said nothing on standard error.
    pub(crate) fn printed(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""));
        self.stdout
    }

    /// Failed with this code and exactly one line, which is returned without `roomd: `.
    pub(crate) fn refused(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{}", self.stderr);
        let line = self.stderr.strip_prefix("roomd: ").unwrap_or_else(|| panic!("{}", self.stderr));
        let line = line.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n') && line.contains("; "), "{line}");
        line.to_owned()
    }
}

/// A child that does not outlive a failed test.
pub(crate) struct Guarded(pub(crate) Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that listens.
pub(crate) struct Running {
    pub(crate) child: Guarded,
    pub(crate) lines: Receiver<String>,
    pub(crate) said: Vec<String>,
    _run: Roomd,
}

impl Running {
    /// The addresses that it listens on.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let listening = self.said.iter().find_map(|line| line.split_once("listening on ")).unwrap();
        listening.1.split([' ', ',']).map_while(|word| word.parse().ok()).collect()
    }

    /// The first of them.
    pub(crate) fn address(&self) -> String {
        self.addresses()[0].to_string()
    }

    /// Waits until it has logged a line with this in it.
    pub(crate) fn wait_for(&mut self, part: &str) {
        while !self.said.iter().any(|line| line.contains(part)) {
            let line = self.lines.recv_timeout(GUARD);
            self.said.push(line.unwrap_or_else(|_| panic!("no {part:?} in {:?}", self.said)));
        }
    }

    /// Sends the signal and waits for the end: the exit code and all that was logged.
    pub(crate) fn stop(mut self, signal: Signal) -> (Option<i32>, Vec<String>) {
        kill_process(Pid::from_child(&self.child.0), signal).unwrap();
        let mut said = std::mem::take(&mut self.said);
        while let Ok(line) = self.lines.recv_timeout(GUARD) {
            said.push(line);
        }
        let mut stdout = String::new();
        self.child.0.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        assert_eq!(stdout, "", "standard output belongs to terminals");
        (self.child.0.wait().unwrap().code(), said)
    }
}

/// What is answered to a request, which is the last on its connection.
pub(crate) fn answer(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(GUARD)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The next datagram that comes, which it does before the socket's time-out.
pub(crate) fn datagram(socket: &UnixDatagram) -> Vec<u8> {
    let mut buffer = vec![0; 4_096];
    loop {
        match socket.recv(&mut buffer) {
            Ok(taken) => {
                buffer.truncate(taken);
                return buffer;
            }
            // By the end of another test's child: a wait with a time-out is not begun again by itself.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("nothing comes: {error}"),
        }
    }
}

/// `cargo run` and `cargo test` hand on what the build script sets.
#[test]
fn what_the_build_sets_for_itself_is_no_setting() {
    let of_tests = |name: &str| name.starts_with("ROOMD_TEST_") || name.starts_with("ROOMD_SIM_");
    let mut command = Command::new(env!("CARGO_BIN_EXE_roomd"));
    for (name, _) in std::env::vars().filter(|(name, _)| of_tests(name)) {
        command.env_remove(name);
    }
    let output = command.arg("plan").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
