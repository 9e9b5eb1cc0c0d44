//! What whoever supervises roomd is told, over real datagram sockets.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::{linux::net::SocketAddrExt as _, unix::net},
    path::PathBuf,
};

use rustix::process::Signal;

use super::run::{GUARD, Running, datagram, roomd};

/// The end that roomd speaks to.
struct Supervisor {
    socket: net::UnixDatagram,
    name: String,
    directory: Option<PathBuf>,
}

impl Supervisor {
    fn in_a_folder() -> Self {
        let directory = std::env::temp_dir().join(format!("roomd-supervised-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let name = directory.join("notify").to_str().unwrap().to_owned();
        Self::of(net::UnixDatagram::bind(&name).unwrap(), name, Some(directory))
    }

    fn abstract_one() -> Self {
        let name = format!("roomd-supervised-{}", std::process::id());
        let address = net::SocketAddr::from_abstract_name(&name).unwrap();
        Self::of(net::UnixDatagram::bind_addr(&address).unwrap(), format!("@{name}"), None)
    }

    fn of(socket: net::UnixDatagram, name: String, directory: Option<PathBuf>) -> Self {
        socket.set_read_timeout(Some(GUARD)).unwrap();
        Self { socket, name, directory }
    }

    fn next(&self) -> String {
        String::from_utf8(datagram(&self.socket)).unwrap()
    }

    /// The next that begins so.
    fn next_with(&self, start: &str) -> String {
        std::iter::repeat_with(|| self.next()).find(|state| state.starts_with(start)).unwrap()
    }

    fn run(&self) -> Running {
        let run = roomd(&["--listen=127.0.0.1:0"]).variable("NOTIFY_SOCKET", &self.name);
        run.variable("WATCHDOG_USEC", "200000").start()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if let Some(directory) = &self.directory {
            let _ = fs::remove_dir_all(directory);
        }
    }
}

/// A client in the kitchen.
fn visit(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /ws?username=aki&room=kitchen HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    stream
}

#[test]
fn a_supervisor_hears_of_everything_from_ready_to_stopping() {
    for supervisor in [Supervisor::in_a_folder(), Supervisor::abstract_one()] {
        let running = supervisor.run();
        // In whatever order.
        let mut said = [supervisor.next_with(""), String::new()];
        let other = if said[0] == "READY=1" { "STATUS=" } else { "READY=1" };
        said[1] = supervisor.next_with(other);
        said.sort_unstable();
        let [ready, status] = said;
        assert_eq!(ready, "READY=1");
        let none = "0 messages dropped, 0 slow, http://";
        let address = status.strip_prefix(&format!("STATUS=0 of 1024 clients, 0 rooms, {none}")).unwrap();
        let address = address.trim_end_matches('/');
        let client = visit(address);
        let status = supervisor.next_with("STATUS=1 ");
        assert_eq!(status, format!("STATUS=1 of 1024 clients, 1 room, {none}{address}/"));
        drop(client);
        supervisor.next_with("STATUS=0 ");
        for _ in 0..3 {
            supervisor.next_with("WATCHDOG=1");
        }
        let (code, _) = running.stop(Signal::TERM);
        assert_eq!(code, Some(0));
        assert_eq!(supervisor.next_with("STOPPING=1"), "STOPPING=1\nEXTEND_TIMEOUT_USEC=15000000");
    }
}

#[test]
fn a_supervisor_that_cannot_be_reached_is_a_warning() {
    let run = roomd(&["--listen=127.0.0.1:0"]).variable("NOTIFY_SOCKET", "/nonexistent/notify").start();
    let (code, said) = run.stop(Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(said.iter().any(|line| line.contains("WARN  NOTIFY_SOCKET /nonexistent/notify: ")), "{said:?}");
}
