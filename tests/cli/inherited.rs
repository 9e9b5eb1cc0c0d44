//! Sockets that are there before roomd is, as systemd hands them over: from descriptor 3 on.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::{fd::OwnedFd, unix::net::UnixListener},
    process::Command,
};

use rustix::process::Signal;
use socket2::{Domain, Socket, Type};

use super::run::{Roomd, answer, roomd};

/// A run that gets `given` as its descriptor 3, by way of its standard input. `listen` must not be used.
fn handed(given: impl Into<OwnedFd>, environment: &str) -> Roomd {
    let start = format!("exec 3<&0 </dev/null; {environment} exec \"$0\" --listen=192.0.2.1:80");
    let mut command = Command::new("sh");
    command.arg("-c").arg(start).arg(env!("CARGO_BIN_EXE_roomd"));
    let mut run = Roomd::of(command);
    run.command.stdin(given.into());
    run
}

const OURS: &str = "LISTEN_FDS=1 LISTEN_PID=$$";

/// What it answers when asked for its health under this name.
pub(crate) fn status_of(address: SocketAddr, host: &str) -> String {
    answer(address, "/healthz", &format!("Host: {host}\r\n")).split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn a_socket_that_is_handed_over_is_used_instead_of_the_setting() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let running = handed(listener.try_clone().unwrap(), OURS).start();
    assert_eq!(status_of(address, &address.to_string()), "200");
    assert_eq!(status_of(address, "elsewhere.example"), "403");
    let (code, said) = running.stop(Signal::TERM);
    assert_eq!(code, Some(0));
    let told =
        format!("listening on {address} (inherited, so that `listen` is not used), open http://{address}/");
    assert!(said[0].ends_with(&told), "{said:?}");
    // Whoever comes while it is being started anew waits.
    let mut waiting = TcpStream::connect(address).unwrap();
    let running = handed(listener, OURS).start();
    write!(waiting, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(running.stop(Signal::TERM).0, Some(0));
}

#[test]
fn a_socket_for_all_addresses_is_announced_by_name_and_answers_to_the_address_that_was_called() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()).unwrap();
    socket.listen(8).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    let running = handed(socket, OURS).start();
    let loopback = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 9), port));
    assert_eq!(status_of(loopback, &loopback.to_string()), "200");
    assert_eq!(status_of(loopback, &format!("192.0.2.77:{port}")), "403");
    let (_, said) = running.stop(Signal::TERM);
    let uname = rustix::system::uname();
    let name = uname.nodename().to_str().unwrap().split('.').next().unwrap();
    let url = if name.is_empty() || name == "localhost" {
        "http://".into()
    } else {
        format!("http://{name}.local:{port}/")
    };
    assert!(said[0].contains(&url) && !said[0].contains("//127."), "{said:?}");
}

#[test]
fn one_socket_for_both_families_answers_in_both() {
    let socket = match Socket::new(Domain::IPV6, Type::STREAM, None) {
        Ok(socket) => socket,
        Err(error) => return assert_eq!(error.raw_os_error(), Some(97), "this kernel has no IPv6"),
    };
    socket.set_only_v6(false).unwrap();
    socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into()).unwrap();
    socket.listen(8).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    let running = handed(socket, OURS).start();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    assert_eq!(status_of(address, &address.to_string()), "200");
    let (_, said) = running.stop(Signal::TERM);
    assert!(said[0].contains(&format!("listening on 0.0.0.0:{port} [::]:{port} (inherited")), "{said:?}");
}

#[test]
fn what_is_no_tcp_socket_that_listens_is_refused_with_what_to_change() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let path = std::env::temp_dir().join(format!("roomd-inherited-{}", std::process::id()));
    let local = UnixListener::bind(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    let given: [OwnedFd; 4] = [connected.into(), datagrams.into(), local.into(), file.into()];
    for given in given {
        let line = handed(given, OURS).run().refused(71);
        assert!(line.starts_with("a socket from systemd: ") && line.contains("ListenStream="), "{line}");
    }
    let line = handed(listener.try_clone().unwrap(), "LISTEN_FDS=2 LISTEN_PID=$$").run().refused(71);
    assert!(line.contains("fd 4 is not a socket"), "{line}");
}

/// A plan of the defaults, for as many sockets as are handed over.
#[test]
fn each_socket_that_is_handed_over_counts_in_the_plan() {
    let plan = |listen: &str| {
        let printed = roomd(&["plan", listen]).run().printed();
        let total = printed.lines().last().unwrap().split_once("at most ").unwrap().1.trim_start();
        total.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let (one, two) = (plan("--listen=127.0.0.1:1"), plan("--listen=127.0.0.1:1,127.0.0.1:2"));
    assert!(one < two);
    let handed = |memory_max: u64| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let environment = format!("LISTEN_FDS=2 LISTEN_PID=$$ ROOMD_MEMORY_MAX={memory_max}");
        handed(listener, &format!("exec 4<&3; {environment}"))
    };
    let line = handed(two - 1).run().refused(78);
    assert!(line.contains(&format!("the plan needs {two} bytes, the limit is {}", two - 1)), "{line}");
    assert_eq!(handed(two).start().stop(Signal::TERM).0, Some(0));
}

#[test]
fn sockets_for_another_process_are_left_alone() {
    let run = roomd(&["--listen=127.0.0.1:0"]).variable("LISTEN_FDS", "1").variable("LISTEN_PID", "1");
    let (code, said) = run.start().stop(Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(!said[0].contains("inherited"), "{said:?}");
}
