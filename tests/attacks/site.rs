//! The real binary under a limit that is its own plan, with healthy clients that talk all the while.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::{
    group::Group,
    support::{Client, Ledger, TestServer, guarded, room_of, seq_of},
};

const BINARY: &str = env!("CARGO_BIN_EXE_roomd");
/// A board of 256 MB, as docs/OPERATING.md sets it up, and time-outs that a test can wait for.
pub(crate) const SMALL: [&str; 7] = [
    "--clients=128",
    "--rooms=16",
    "--send-buffer-bytes=32KiB",
    "--receive-buffer-bytes=16KiB",
    "--handshakes=16",
    "--inbound-bytes=4MiB",
    "--handshake-timeout-ms=1000",
];
/// The healthy may say what they like, and nothing else is other than it is set up.
pub(crate) const TALKATIVE: [&str; 1] = ["--burst=1000"];
/// Nothing but memory is in the way of an attacker.
pub(crate) const UNLIMITED: [&str; 3] =
    ["--connections-per-address=0", "--messages-per-second=0", "--burst=0"];
/// Where healthy clients talk.
const ROOM: &str = "healthy";

/// A server under attack.
pub(crate) struct Site {
    pub(crate) server: TestServer,
    attack: &'static str,
    child: Child,
    group: Group,
    plan: u64,
    /// One at a time: each has the machine for itself.
    _turn: MutexGuard<'static, ()>,
}

/// Two that are members of a room, and what they know of it.
pub(crate) struct Talk {
    members: [(Client, Ledger); 2],
    said: u64,
}

impl Site {
    /// Starts a server with these flags in a group that ends it if it takes more than its plan.
    pub(crate) fn start(attack: &'static str, flags: &[&[&str]]) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever attacks needs as many descriptors as the server.
        let limits = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, ..limits }).unwrap();
        let flags: Vec<&str> = [&["--listen=127.0.0.1:0", "--log=info"][..], &flags.concat()].concat();
        let plan = plan(&flags);
        let group = Group::new(plan);
        let mut command = group.command(BINARY);
        let memory_max = format!("--memory-max={plan}");
        let mut child =
            command.args(&flags).arg(memory_max).env_clear().stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("listening on")).expect("roomd listens");
        let address = line.split("listening on ").nth(1).and_then(|rest| rest.split([' ', ',']).next());
        let address: SocketAddr = address.unwrap().parse().unwrap();
        thread::spawn(move || lines.for_each(drop));
        Self { server: TestServer::elsewhere(address), attack, child, group, plan, _turn: turn }
    }

    /// What the server says of itself.
    pub(crate) async fn status(&self) -> Value {
        let request = crate::support::Handshake::new(&self.server, "").line("GET /api/status HTTP/1.1");
        let answer = request.without("Upgrade").with("Connection", "close").send(&self.server).await;
        serde_json::from_str(&answer.body).unwrap()
    }

    /// One of its counters.
    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let status = self.status().await;
        status["counters"][name].as_u64().unwrap_or_else(|| panic!("no {name} in {status}"))
    }

    /// Checks that it lived, stayed below its plan and ends in order, and prints both figures.
    pub(crate) async fn finish(mut self, mut talk: Talk) {
        talk.exchange(20).await;
        assert_eq!(self.child.try_wait().unwrap(), None, "{}: the server has ended", self.attack);
        assert_eq!(self.group.kills(), 0, "{}: killed for want of memory", self.attack);
        let (peak, plan) = (self.group.peak(), self.plan);
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let part = 100 * peak / plan;
        println!(
            "\n  {:<40} peak {:>6.1} MiB  plan {:>6.1} MiB  {part:>3} %",
            self.attack,
            mib(peak),
            mib(plan)
        );
        assert!(peak <= plan, "{}: {peak} bytes were taken, {plan} were planned", self.attack);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last line of `roomd plan`, in bytes.
fn plan(flags: &[&str]) -> u64 {
    let output = Command::new(BINARY).arg("plan").args(flags).env_clear().output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let total = text.lines().last().and_then(|line| line.strip_prefix("in all, at most"));
    total.unwrap_or_else(|| panic!("{text}")).split_whitespace().next().unwrap().parse().unwrap()
}

impl Talk {
    /// Two clients join the room.
    pub(crate) async fn begin(site: &Site) -> Self {
        let mut members = Vec::new();
        for name in ["healthy-1", "healthy-2"] {
            let mut client = Client::connect_quietly(&site.server, name).await;
            let joined = client.join(ROOM).await;
            members.push((client, Ledger::starting_at(ROOM, seq_of(&joined) + 2)));
        }
        let members = members.try_into().ok().expect("two");
        let mut talk = Self { members, said: 0 };
        talk.exchange(1).await;
        talk
    }

    /// They say `count` messages in turn, and each receives every one of them: nothing is late for good, and
    /// nothing is missing.
    pub(crate) async fn exchange(&mut self, count: usize) {
        for turn in 0..count {
            self.said += 1;
            let content = format!("{} {}", self.said, "h".repeat(200));
            let speaker = &mut self.members[turn % 2].0;
            speaker.send(json!({"type": "chat", "room": ROOM, "content": content})).await;
            for (member, ledger) in &mut self.members {
                let heard = |message: &Value| {
                    ledger.enter(message);
                    room_of(message) == ROOM && message["content"] == *content
                };
                // The ledger fails at a hole by itself.
                let mut heard = heard;
                guarded("a message between healthy clients", async {
                    while !heard(&member.next("a message between healthy clients").await) {}
                })
                .await;
                assert_eq!(ledger.missed, 0, "healthy clients miss nothing: {:?}", ledger.gaps);
            }
        }
    }
}
