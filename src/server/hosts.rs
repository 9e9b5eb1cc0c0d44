//! Under which names and addresses this board is reached, and which pages may connect to it.

use super::clock;
use crate::config::Settings;
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Suffixes that routers and mDNS give to the names of hosts. Nobody can register a name under them
/// (the last one belongs to the maker of many routers), so no page from elsewhere can have one.
const LOCAL_SUFFIXES: [&str; 7] =
    ["local", "lan", "home", "home.arpa", "internal", "localdomain", "fritz.box"];
/// Addresses come and go with the network; they are looked up again at most this often.
const LOOK_UP_EVERY: Duration = Duration::from_secs(5);

/// The names and addresses of the board, and what the settings add.
#[derive(Debug)]
pub(super) struct Hosts {
    own_name: String,
    allowed_hosts: Vec<String>,
    allowed_origins: Vec<String>,
    interfaces: Mutex<Interfaces>,
}

#[derive(Debug, Default)]
struct Interfaces {
    addresses: Vec<IpAddr>,
    looked_up: Option<Instant>,
}

impl Hosts {
    pub(super) fn new(settings: &Settings) -> Self {
        let lower = |list: &[String]| list.iter().map(|text| text.trim().to_ascii_lowercase()).collect();
        let origins: Vec<String> = lower(&settings.allowed_origins);
        Self {
            own_name: rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase(),
            allowed_hosts: lower(&settings.allowed_hosts),
            allowed_origins: origins.iter().map(|origin| without_default_port(origin).to_owned()).collect(),
            interfaces: Mutex::default(),
        }
    }

    /// Whether a `Host` means this board. `local` is the address that the connection came in on.
    pub(super) fn is_allowed(&self, host: &str, local: IpAddr) -> bool {
        let host = host.to_ascii_lowercase();
        let Some(name) = name_of(&host) else { return false };
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        if self.allowed_hosts.iter().any(|allowed| allowed == bare || allowed == name || *allowed == host) {
            return true;
        }
        match address_of(name) {
            Some(address) => {
                let address = address.to_canonical();
                address.is_loopback() || address == local.to_canonical() || self.is_interface(address)
            }
            None => self.is_own_name(name.strip_suffix('.').unwrap_or(name)),
        }
    }

    /// Whether a page from `origin` may connect to the server that it calls `host`.
    pub(super) fn is_origin_allowed(&self, origin: &str, host: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        let origin = without_default_port(&origin);
        if self.allowed_origins.iter().any(|allowed| allowed == origin) {
            return true;
        }
        let Some((scheme @ ("http" | "https"), authority)) = origin.split_once("://") else { return false };
        let own = format!("{scheme}://{}", host.to_ascii_lowercase());
        !authority.is_empty() && origin == without_default_port(&own)
    }

    fn is_own_name(&self, name: &str) -> bool {
        let own = self.own_name.split('.').next().unwrap_or_default();
        let suffix = name.strip_prefix(own).and_then(|rest| rest.strip_prefix('.'));
        name == "localhost"
            || !own.is_empty()
                && (name == own
                    || name == self.own_name
                    || suffix.is_some_and(|suffix| LOCAL_SUFFIXES.contains(&suffix)))
    }

    fn is_interface(&self, address: IpAddr) -> bool {
        let mut interfaces = self.interfaces.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::instant();
        if interfaces.looked_up.is_none_or(|then| now.duration_since(then) >= LOOK_UP_EVERY) {
            let found = if_addrs::get_if_addrs().unwrap_or_default();
            interfaces.addresses = found.iter().map(if_addrs::Interface::ip).collect();
            interfaces.looked_up = Some(now);
        }
        interfaces.addresses.contains(&address)
    }
}

/// An origin as browsers write it: the port of its scheme is left out (RFC 6454, section 6.2).
fn without_default_port(origin: &str) -> &str {
    let port = if origin.starts_with("https:") { ":443" } else { ":80" };
    origin.strip_suffix(port).unwrap_or(origin)
}

/// A host without its port; nothing if it is not well-formed.
fn name_of(host: &str) -> Option<&str> {
    let (name, port) = match host.rfind(']') {
        Some(bracket) if host.starts_with('[') => (&host[..=bracket], &host[bracket + 1..]),
        Some(_) => return None,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = |port: &str| port.strip_prefix(':').is_some_and(|digits| digits.parse::<u16>().is_ok());
    (!name.is_empty() && (port.is_empty() || is_port(port))).then_some(name)
}

fn address_of(name: &str) -> Option<IpAddr> {
    match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(v6) => v6.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => name.parse().ok().filter(IpAddr::is_ipv4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    fn hosts() -> Hosts {
        let settings = Settings {
            allowed_hosts: vec!["Chat.example".into(), "2001:db8::7".into()],
            allowed_origins: vec!["https://app.example".into(), "https://other.example:443".into()],
            ..Settings::default()
        };
        Hosts { own_name: "board".into(), ..Hosts::new(&settings) }
    }

    #[test]
    fn the_names_and_addresses_of_the_board_are_allowed() {
        for host in [
            "192.0.2.7",
            "192.0.2.7:8080",
            "127.0.0.1:1",
            "[::1]:8080",
            "localhost:8080",
            "board",
            "BOARD:80",
            "board.local:8080",
            "board.local.",
            "board.home.arpa",
            "chat.example",
            "chat.example:8080",
            "[::ffff:192.0.2.7]:8080",
            "[2001:db8::7]:8080",
        ] {
            assert!(hosts().is_allowed(host, LOCAL), "{host}");
        }
    }

    #[test]
    fn other_names_and_addresses_are_not() {
        for host in [
            "",
            "evil.example",
            "192.0.2.8",
            "board.evil.example",
            "local",
            ".local",
            "xboard",
            "board.locals",
            "192.0.2.7.evil.example",
            "chat.example.evil",
            "[::2]",
            "[::1",
            "::1",
            "localhost:x",
            "localhost:99999",
        ] {
            assert!(!hosts().is_allowed(host, LOCAL), "{host}");
        }
    }

    #[test]
    fn a_page_may_connect_to_the_host_that_it_came_from() {
        for (origin, host) in [
            ("http://board:8080", "board:8080"),
            ("http://board", "board:80"),
            ("http://board:80", "board"),
            ("https://board", "board:443"),
            ("HTTP://Board:8080", "bOARD:8080"),
            ("https://app.example", "board:8080"),
            ("https://other.example", "board:8080"),
            ("https://other.example:443", "board:8080"),
        ] {
            assert!(hosts().is_origin_allowed(origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("null", "board"),
            ("", ""),
            ("http://", ""),
            ("http://evil.example", "board"),
            ("http://board:8081", "board:8080"),
            ("http://board", "board:8080"),
            ("ftp://board", "board"),
            ("http://app.example", "board"),
        ] {
            assert!(!hosts().is_origin_allowed(origin, host), "{origin} {host}");
        }
    }
}
