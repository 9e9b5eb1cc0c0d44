//! What idle clients cost: the server's resident memory at its start, and what each of 1,000 (or of
//! the number given) clients adds that is connected, has been told everything, and says nothing.
//!
//!     cargo bench --bench idle_clients [-- COUNT]
//!
//! Private memory of the process by `/proc/PID/smaps_rollup`, so without the kernel's socket buffers,
//! which the settings bound. The clients are quiet: thousands that greet each other would be a storm.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

const REQUEST: &str = "GET /ws?quiet=1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

fn main() {
    let count: usize = env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000);
    let (mut server, address) = start(count);
    let (at_start, resident) = (private_kib(&server), resident_kib(&server));
    let clients: Vec<TcpStream> = (0..count).map(|_| connect(&address)).collect();
    drain(&clients);
    let with_clients = private_kib(&server);
    println!("resident at start: {resident} KiB, of which private: {at_start} KiB");
    println!("private with {count} idle clients: {with_clients} KiB");
    println!("each: {} bytes", (with_clients - at_start) * 1_024 / count as u64);
    server.kill().unwrap();
    server.wait().unwrap();
}

fn start(count: usize) -> (Child, String) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_roomd"))
        .args(["--listen", "127.0.0.1:0", "--connections-per-address", "0"])
        .args(["--clients", &count.max(1_024).to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let line = lines.find(|line| line.as_ref().unwrap().contains("listening on")).unwrap().unwrap();
    let address = line.split("listening on ").nth(1).unwrap().split([',', ' ']).next().unwrap();
    (server, address.to_owned())
}

fn connect(address: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(REQUEST.as_bytes()).unwrap();
    let mut answer = [0; 12];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    client.set_nonblocking(true).unwrap();
    client
}

/// Reads until nothing has come for a while.
fn drain(clients: &[TcpStream]) {
    let mut buffer = vec![0; 65_536];
    let mut quiet_rounds = 0;
    while quiet_rounds < 5 {
        let read: usize = clients.iter().map(|mut client| client.read(&mut buffer).unwrap_or(0)).sum();
        quiet_rounds = if read == 0 { quiet_rounds + 1 } else { 0 };
        #[expect(clippy::disallowed_methods, reason = "quiet is the absence of an event")]
        thread::sleep(Duration::from_millis(100));
    }
}

fn private_kib(server: &Child) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", server.id())).unwrap();
    field(&rollup, "Private_Clean:") + field(&rollup, "Private_Dirty:")
}

fn resident_kib(server: &Child) -> u64 {
    field(&fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap(), "VmRSS:")
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
