//! Where the server is.

use super::failure::Failure;
use crate::protocol::url::{authority, wants_tls};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// `HOST:PORT`, as the header `Host` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target(String);

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, Failure> {
        let Some(authority) = authority(url) else {
            let shown: String = url.escape_debug().take(80).collect();
            let said = if wants_tls(url) {
                "needs TLS, which this command does not speak; run it on the board itself, which is answered \
                 without, as in http://127.0.0.1:8080"
            } else {
                "is not the address of a server; write it like http://192.168.1.20:8080"
            };
            return Err(Failure::Invalid(format!("flag --url: `{shown}` {said}")));
        };
        Ok(Self(authority))
    }

    /// How a server with these addresses is reached from its own machine: by the first.
    pub(super) fn of(listen: &[SocketAddr]) -> Result<Self, Failure> {
        let first = listen.first().filter(|address| address.port() != 0).ok_or_else(|| {
            let what = "listen: the first address has no port of its own";
            Failure::Invalid(format!("{what}; give --url, as the server's log tells it"))
        })?;
        let loopback: IpAddr =
            if first.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        let ip = if first.ip().is_unspecified() { loopback } else { first.ip() };
        Ok(Self(SocketAddr::new(ip, first.port()).to_string()))
    }

    pub(super) fn authority(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_and_without_a_port() {
        for (url, shown) in [
            ("http://board.local:8080", "http://board.local:8080"),
            ("http://board/", "http://board:80"),
            ("http://[::1]", "http://[::1]:80"),
        ] {
            assert_eq!(Target::parse(url).unwrap().to_string(), shown);
        }
        for url in ["", "board", "ftp://board", "http://", "http://a/b", "http://a b", "http://u@a"] {
            let said = Target::parse(url).unwrap_err().to_string();
            assert!(said.ends_with("; write it like http://192.168.1.20:8080"), "{said}");
        }
    }

    #[test]
    fn a_server_with_tls_is_asked_on_the_board_itself() {
        for url in ["https://board", "HTTPS://board:8443/"] {
            let said = Target::parse(url).unwrap_err().to_string();
            assert!(said.contains("needs TLS") && said.ends_with("as in http://127.0.0.1:8080"), "{said}");
        }
    }

    #[test]
    fn a_server_is_reached_by_its_first_address_or_by_loopback_where_that_means_all() {
        for (listen, shown) in [
            (&["0.0.0.0:8080", "[::]:9"][..], "http://127.0.0.1:8080"),
            (&["[::]:8080"], "http://[::1]:8080"),
            (&["192.168.1.20:80"], "http://192.168.1.20:80"),
        ] {
            let listen: Vec<SocketAddr> = listen.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(Target::of(&listen).unwrap().to_string(), shown);
        }
        assert!(
            Target::of(&["127.0.0.1:0".parse().unwrap()]).unwrap_err().to_string().contains("give --url")
        );
    }
}
