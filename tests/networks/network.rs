//! A board and the world in namespaces of their own, and what can be done to the cable between them.

use std::{
    fs::{self, File},
    future::Future,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr},
    os::fd::AsFd as _,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use socket2::{Domain, Socket, Type};
use tokio::{net::TcpSocket, runtime::Builder};

use crate::support::{RawClient, TestServer, guarded};

const BOARD: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const HEALTHY: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
/// Whose packets can be dropped.
const GHOST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 3);
const PORT: u16 = 8_080;

/// Both namespaces, and the server on the board. All of it is gone when it is dropped.
pub(crate) struct Network {
    pub(crate) server: TestServer,
    child: Child,
    board: Namespace,
    world: Namespace,
}

struct Namespace(String);

/// Runs a test in the world around a board on which roomd runs with these flags.
pub(crate) fn run<Test: Future<Output = ()>>(flags: &[&str], test: impl FnOnce(Network) -> Test + Send) {
    thread::scope(|scope| {
        // A thread of its own: the sockets that it makes are in the namespace that it has moved into.
        let world = scope.spawn(|| {
            let network = Network::new(flags);
            network.enter();
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(test(network));
        });
        if let Err(panic) = world.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

impl Network {
    fn new(flags: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = |place: &str| format!("roomd-{}-{number}-{place}", std::process::id());
        let (board, world) = (Namespace::new(name("board")), Namespace::new(name("world")));
        ip(&format!("-n {} link add cable type veth peer name cable netns {}", board.0, world.0));
        for (namespace, addresses) in [(&board, &[BOARD][..]), (&world, &[HEALTHY, GHOST])] {
            for address in addresses {
                ip(&format!("-n {} address add {address}/24 dev cable", namespace.0));
            }
            ip(&format!("-n {} link set lo up", namespace.0));
            ip(&format!("-n {} link set cable up", namespace.0));
        }
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &board.0, env!("CARGO_BIN_EXE_roomd")]);
        command.arg(format!("--listen={BOARD}:{PORT}")).args(flags).env_clear().stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        lines.find(|line| line.contains("listening on")).expect("roomd listens");
        thread::spawn(move || lines.for_each(drop));
        let server = TestServer::elsewhere(SocketAddr::from((BOARD, PORT)));
        Self { server, child, board: board, world: world }
    }

    fn enter(&self) {
        let namespace = File::open(format!("/run/netns/{}", self.world.0)).unwrap();
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
    }

    /// A client that can be made to vanish, with a receive buffer of so many bytes.
    pub(crate) async fn ghost(&self, query: &str, buffer: usize) -> RawClient {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(buffer).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.bind(&SocketAddr::from((GHOST, 0)).into()).unwrap();
        let socket = TcpSocket::from_std_stream(socket.into());
        let stream = guarded("connecting", socket.connect(self.server.address())).await.unwrap();
        RawClient::upgrade_over(stream, &self.server, query).await
    }

    /// From now on no packet of a ghost gets through, in either direction, and nobody is told.
    pub(crate) fn cut_off_ghosts(&self) {
        self.on_board(&[&format!("ip saddr {GHOST} drop"), &format!("ip daddr {GHOST} drop")]);
    }

    /// From now on so many of a hundred packets are lost, in both directions.
    pub(crate) fn lose(&self, percent: u32) {
        let rule = format!("ip daddr 10.77.0.0/24 numgen random mod 100 < {percent} drop");
        self.on_board(&[&rule, &rule]);
    }

    /// Pulls the cable out, or puts it back.
    pub(crate) fn set_link(&self, up: bool) {
        ip(&format!("-n {} link set cable {}", self.board.0, if up { "up" } else { "down" }));
    }

    /// Sockets that the board's kernel has to ghosts, whoever they belong to.
    pub(crate) fn sockets_to_ghosts(&self) -> usize {
        let table = fs::read_to_string(format!("/proc/{}/net/tcp", self.child.id())).unwrap();
        let ghost = format!("{:08X}:", u32::from_ne_bytes(GHOST.octets()));
        table
            .lines()
            .filter(|line| line.split_whitespace().nth(2).is_some_and(|peer| peer.starts_with(&ghost)))
            .count()
    }

    /// Filters what comes in by the first rule, what goes out by the second.
    fn on_board(&self, [incoming, outgoing]: &[&str; 2]) {
        let rules = format!(
            "table inet roomd {{
                chain incoming {{ type filter hook input priority 0; {incoming}; }}
                chain outgoing {{ type filter hook output priority 0; {outgoing}; }}
            }}"
        );
        run_tool(Command::new("ip").args(["netns", "exec", &self.board.0, "nft", &rules]));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Namespace {
    fn new(name: String) -> Self {
        ip(&format!("netns add {name}"));
        Self(name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

fn ip(arguments: &str) {
    run_tool(Command::new("ip").args(arguments.split(' ')));
}

fn run_tool(command: &mut Command) {
    let advice = "run this as root, with iproute2 and nftables installed, where namespaces can be made";
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; {advice}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}; {advice}");
}
