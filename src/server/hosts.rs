//! Under which names and addresses this board is reached, and which pages may connect to it.

use super::clock;
use crate::config::Settings;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
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
    allowed_names: Vec<String>,
    allowed_addresses: Vec<IpAddr>,
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
        let (hosts, origins): (Vec<String>, Vec<String>) =
            (lower(&settings.allowed_hosts), lower(&settings.allowed_origins));
        let addresses = hosts.iter().filter_map(|host| host.parse().ok());
        Self {
            own_name: rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase(),
            allowed_addresses: addresses.map(|address: IpAddr| address.to_canonical()).collect(),
            allowed_names: hosts,
            allowed_origins: origins.iter().map(|origin| without_default_port(origin).to_owned()).collect(),
            interfaces: Mutex::default(),
        }
    }

    /// Whether a `Host` means this board. `local` is the address that the connection came in on. The port
    /// is whatever the browser went to: something on the way may have turned it into ours.
    pub(super) fn is_allowed(&self, host: &str, local: IpAddr) -> bool {
        let host = host.to_ascii_lowercase();
        match name_of(&host) {
            Some(Name::Address(address)) => {
                let address = address.to_canonical();
                address.is_loopback()
                    || address == local.to_canonical()
                    || self.allowed_addresses.contains(&address)
                    || self.is_interface(address)
            }
            Some(Name::Word(name)) => {
                self.is_own_name(name) || self.allowed_names.iter().any(|allowed| allowed == name)
            }
            None => false,
        }
    }

    /// Whether a page from `origin` may connect to the server that it calls `host`. Without TLS a proxy in
    /// front may have it, so that both schemes are right; with TLS of our own only one is.
    pub(super) fn is_origin_allowed(&self, origin: &str, host: &str, is_tls: bool) -> bool {
        let origin = origin.to_ascii_lowercase();
        let origin = without_default_port(&origin);
        if self.allowed_origins.iter().any(|allowed| allowed == origin) {
            return true;
        }
        let Some((scheme @ ("http" | "https"), authority)) = origin.split_once("://") else { return false };
        let own = format!("{scheme}://{}", host.to_ascii_lowercase());
        !authority.is_empty() && (scheme == "https" || !is_tls) && origin == without_default_port(&own)
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

/// What a `Host` calls the board.
#[derive(Debug, PartialEq, Eq)]
enum Name<'a> {
    Address(IpAddr),
    /// Without the dot at the end that makes a name absolute.
    Word(&'a str),
}

/// A host without its port; nothing if it is not well-formed.
fn name_of(host: &str) -> Option<Name<'_>> {
    if let Some(rest) = host.strip_prefix('[') {
        let (literal, port) = rest.split_once(']')?;
        let address = without_zone(literal)?.parse::<Ipv6Addr>().ok()?;
        return is_port(port).then_some(Name::Address(address.into()));
    }
    let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
    let address = name.parse::<Ipv4Addr>().map(|address| Name::Address(address.into()));
    let name = name.strip_suffix('.').unwrap_or(name);
    (is_port(port) && !name.is_empty()).then(|| address.unwrap_or(Name::Word(name)))
}

/// The zone names an interface of the asker's own machine; some programs send it all the same.
fn without_zone(literal: &str) -> Option<&str> {
    let Some((address, zone)) = literal.split_once('%') else { return Some(literal) };
    let is_zone = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let zone = zone.strip_prefix("25").unwrap_or(zone);
    (!zone.is_empty() && zone.bytes().all(is_zone)).then_some(address)
}

/// Nothing, or a colon and a number.
fn is_port(port: &str) -> bool {
    let is_number =
        |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok();
    port.is_empty() || port.strip_prefix(':').is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

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
            // Whatever the port: another one may be forwarded to ours.
            "board:1",
            "board:65535",
            "chat.example.",
            "chat.example.:8080",
            "LOCALHOST.:8080",
            // Zones, as RFC 6874 writes them and as programs do.
            "[::1%25lo]:8080",
            "[::1%lo]",
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
            "localhost:",
            "localhost:+80",
            "localhost:80:80",
            "localhost:80@evil.example",
            "user@localhost",
            "user:pass@localhost:80",
            "localhost#evil.example",
            "localhost/evil.example",
            "localhost\\evil.example",
            "localhost, evil.example",
            "localhost evil.example",
            "localhost..",
            "board.local..",
            ".",
            "http://localhost",
            "board.example",
            "board.lan.evil.example",
            "chat.example.local",
            "*.chat.example",
            // Other ways to write an address, which no browser sends.
            "2130706433",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "127.1",
            "0.0.0.0",
            "127.0.0.1.",
            "[127.0.0.1]",
            "[::]",
            "[::1]x",
            "[::1]:",
            "[::1%]",
            "[::1%25]",
            "[::1%;]",
            "[::1%lo",
            "[localhost]",
            "localhost]",
            "[]",
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
            assert!(hosts().is_origin_allowed(origin, host, false), "{origin} {host}");
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
            assert!(!hosts().is_origin_allowed(origin, host, false), "{origin} {host}");
        }
        // What another server says on port 80 is no page of ours on port 443.
        for (origin, is_allowed) in [("https://board", true), ("http://board", false)] {
            assert_eq!(hosts().is_origin_allowed(origin, "board", true), is_allowed, "{origin}");
        }
    }
}
