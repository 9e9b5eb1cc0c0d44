//! The listening sockets.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::config::Settings;

/// An address that could not be listened on. Shown as one line that says what to change.
#[derive(Debug)]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    pub error: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, error } = self;
        write!(f, "listen {address}: {error}; ")?;
        if error.kind() == io::ErrorKind::AddrInUse {
            write!(f, "stop what uses port {0} (`ss -ltnp sport = :{0}` shows it) or ", address.port())?;
            f.write_str("give another port with --listen")
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            f.write_str("give a port from 1024 up with --listen, or grant CAP_NET_BIND_SERVICE")
        } else if error.kind() == io::ErrorKind::AddrNotAvailable {
            f.write_str("give an address that this machine has with --listen, or 0.0.0.0 for all")
        } else {
            f.write_str("give another address with --listen")
        }
    }
}

impl std::error::Error for BindError {}

/// Binds every address of `settings.listen`, ready for an asynchronous runtime. Accepted connections
/// inherit the kernel buffers. Of the default pair `[::]` is left out where the machine has no IPv6.
///
/// # Errors
/// The first address that cannot be bound; those bound before it are closed again.
pub fn bind(settings: &Settings) -> Result<Vec<TcpListener>, BindError> {
    let is_default = settings.listen == Settings::default().listen;
    let mut listeners = Vec::with_capacity(settings.listen.len());
    for &address in &settings.listen {
        match bind_one(address, settings) {
            Ok(listener) => listeners.push(listener),
            Err(error) if is_default && is_ipv6_missing(address, &error) => {}
            Err(error) => return Err(BindError { address, error }),
        }
    }
    Ok(listeners)
}

/// Where they really listen, each once: a port may have been left to the system, and IPv6 may be missing.
pub fn bound(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
}

/// The addresses that are listened on. One socket may do for both families: its address is that of
/// IPv6, and for IPv4 it has another one.
pub fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    let mut addresses = Vec::with_capacity(listeners.len() + 1);
    for listener in listeners {
        let Ok(address) = listener.local_addr() else { continue };
        let is_any = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        if is_any && !SockRef::from(listener).only_v6().unwrap_or(true) {
            addresses.push(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port()));
        }
        addresses.push(address);
    }
    addresses
}

fn bind_one(address: SocketAddr, settings: &Settings) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // So that `[::]` and `0.0.0.0` can both be bound, whatever `bindv6only` says.
        socket.set_only_v6(true)?;
    }
    // A restart must not wait until the connections of the last run have left TIME_WAIT.
    socket.set_reuse_address(true)?;
    // Before listening: the window that is announced follows from the buffer (tcp(7)).
    socket.set_recv_buffer_size(settings.receive_buffer_bytes)?;
    socket.set_send_buffer_size(settings.send_buffer_bytes)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog(settings))?;
    Ok(socket.into())
}

/// How many may wait to be accepted: they have buffers too, and so are in the plan.
pub(super) fn backlog(settings: &Settings) -> i32 {
    i32::try_from(settings.handshakes).unwrap_or(i32::MAX)
}

/// A kernel without IPv6 has no such family; one where it is switched off has no such address.
fn is_ipv6_missing(address: SocketAddr, error: &io::Error) -> bool {
    const EAFNOSUPPORT: i32 = 97;
    address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
        && (error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn listening_on(addresses: &[&str]) -> Settings {
        let listen = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Settings { listen, ..Settings::default() }
    }

    #[test]
    fn connections_inherit_the_kernel_buffers() {
        let settings = Settings {
            send_buffer_bytes: 20_000,
            receive_buffer_bytes: 10_000,
            ..listening_on(&["127.0.0.1:0"])
        };
        let listener = bind(&settings).unwrap().remove(0);
        listener.set_nonblocking(false).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let accepted: Socket = listener.accept().unwrap().0.into();
        // Linux doubles both (socket(7)).
        assert_eq!(accepted.send_buffer_size().unwrap(), 40_000);
        assert_eq!(accepted.recv_buffer_size().unwrap(), 20_000);
    }

    #[test]
    fn several_addresses_are_bound_in_order_and_do_not_block() {
        let listeners = bind(&listening_on(&["127.0.0.1:0", "127.0.0.2:0"])).unwrap();
        let ips: Vec<_> =
            listeners.iter().map(|listener| listener.local_addr().unwrap().ip().to_string()).collect();
        assert_eq!(ips, ["127.0.0.1", "127.0.0.2"]);
        assert_eq!(listeners[0].accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn both_families_can_have_the_same_port() {
        let v4 = bind(&listening_on(&["0.0.0.0:0"])).unwrap().remove(0);
        let port = v4.local_addr().unwrap().port();
        match bind(&listening_on(&[&format!("[::]:{port}")])) {
            Ok(v6) => assert_eq!(v6[0].local_addr().unwrap().port(), port),
            Err(error) => assert!(is_ipv6_missing(error.address, &error.error), "{error}"),
        }
    }

    #[test]
    fn a_socket_for_both_families_has_two_addresses() {
        let of = |only_v6: bool| {
            let socket = Socket::new(Domain::IPV6, Type::STREAM, None)?;
            socket.set_only_v6(only_v6)?;
            socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into())?;
            socket.listen(1)?;
            let addresses = addresses(&[socket.into()]);
            Ok(addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>())
        };
        match (of(false), of(true)) {
            (Ok(both), Ok(one)) => {
                assert_eq!((both.join(" "), one.join(" ")), ("0.0.0.0 ::".into(), "::".into()));
            }
            (Err(error), _) | (_, Err(error)) => {
                assert!(is_ipv6_missing("[::]:0".parse().unwrap(), &error), "{error}");
            }
        }
    }

    #[test]
    fn a_port_whose_connections_have_just_been_closed_can_be_bound_again() {
        let listener = bind(&listening_on(&["127.0.0.1:0"])).unwrap().remove(0);
        listener.set_nonblocking(false).unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = std::net::TcpStream::connect(address).unwrap();
        // The side that closes first keeps the port in TIME_WAIT (RFC 9293, section 3.6.1).
        drop(listener.accept().unwrap());
        assert_eq!(io::Read::read(&mut client, &mut [0]).unwrap(), 0);
        drop((client, listener));
        assert!(bind(&listening_on(&[&address.to_string()])).is_ok());
    }

    #[test]
    fn a_taken_port_is_told_and_nothing_stays_bound() {
        let taken = bind(&listening_on(&["127.0.0.1:0"])).unwrap();
        let taken = taken[0].local_addr().unwrap();
        let free = bind(&listening_on(&["127.0.0.2:0"])).unwrap().remove(0);
        let free_address = free.local_addr().unwrap();
        drop(free);
        let error = bind(&listening_on(&[&free_address.to_string(), &taken.to_string()])).unwrap_err();
        assert_eq!(error.address, taken);
        assert!(error.to_string().contains("give another port"), "{error}");
        assert!(bind(&listening_on(&[&free_address.to_string()])).is_ok());
    }

    #[test]
    fn an_address_of_another_machine_is_told() {
        let error = bind(&listening_on(&["192.0.2.1:0"])).unwrap_err().to_string();
        assert!(
            error.starts_with("listen 192.0.2.1:0: ") && error.contains("that this machine has"),
            "{error}"
        );
    }

    #[test]
    fn only_the_any_address_of_ipv6_may_be_missing() {
        let missing = io::Error::from_raw_os_error(97);
        assert!(is_ipv6_missing("[::]:80".parse().unwrap(), &missing));
        assert!(is_ipv6_missing("[::]:80".parse().unwrap(), &io::ErrorKind::AddrNotAvailable.into()));
        assert!(!is_ipv6_missing("[::]:80".parse().unwrap(), &io::ErrorKind::AddrInUse.into()));
        assert!(!is_ipv6_missing("[::1]:80".parse().unwrap(), &missing));
        assert!(!is_ipv6_missing("0.0.0.0:80".parse().unwrap(), &missing));
    }
}
