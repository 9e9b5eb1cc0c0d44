//! Who gets in: the handshake, where the page came from, the secret, and how many from one address.

use super::{attempts::Attempts, hosts::Hosts, refusal::Refusal, secret::Secret, tally::Seat};
use crate::{
    config::Settings,
    hub::{Now, Token},
    protocol::handshake,
    switchboard::Query,
};
use axum::http::{HeaderMap, Method, Uri, header, uri::Authority};
use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How the page from which a request comes stands to us (Fetch Metadata, section 2.3). Browsers tell it
/// to servers that nobody on the way can have replaced: over TLS, and to this machine itself.
pub(super) const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Counts a connection until its socket is closed.
pub(super) type Place = Arc<Seat>;

/// What the accept loop knows about a connection.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
    /// Whether this server itself speaks TLS on it; a proxy in front may do so unseen.
    pub(super) is_tls: bool,
    pub(super) place: Place,
}

impl Connection {
    /// Whether it never leaves this machine.
    pub(super) fn is_from_here(&self) -> bool {
        is_from_here(self.peer.ip(), self.local.ip())
    }
}

/// The kernel takes no packet from outside that has one of its own addresses for a source.
pub(super) fn is_from_here(peer: IpAddr, local: IpAddr) -> bool {
    let (peer, local) = (peer.to_canonical(), local.to_canonical());
    peer.is_loopback() || peer == local
}

/// A client that was let in.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) address: IpAddr,
    pub(super) place: Place,
    /// What it asks for; without the secret.
    pub(super) query: Query,
    /// By which it may come back.
    pub(super) token: Token,
}

/// The rules, and who is inside.
#[derive(Debug)]
pub(super) struct Door {
    hosts: Hosts,
    token: Option<Secret>,
    attempts: Attempts,
    per_address_max: usize,
    handshakes_max: usize,
    per_address: Arc<Counts>,
    handshakes: Arc<Counts>,
}

/// Connections by address. Holds an address only while it has some: never more than there are connections.
type Counts = Mutex<HashMap<IpAddr, usize>>;

/// Counts its address for as long as it lives.
#[derive(Debug)]
pub(super) struct Pass {
    address: IpAddr,
    counts: Arc<Counts>,
}

impl Door {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            hosts: Hosts::new(settings),
            token: settings.token.clone().map(Secret::new),
            attempts: Attempts::new(settings.connections_per_address),
            per_address_max: settings.connections_per_address,
            handshakes_max: handshakes_max(settings),
            per_address: Arc::default(),
            handshakes: Arc::default(),
        }
    }

    /// Whether a request may be answered at all: its `Host` must mean this board, else a page from
    /// elsewhere could reach it under a name of its own (DNS rebinding).
    pub(super) fn check_host(&self, headers: &HeaderMap, uri: &Uri, local: IpAddr) -> Result<(), Refusal> {
        // RFC 9112, section 3.2: a request with none or several is to be refused.
        if headers.get_all(header::HOST).iter().count() != 1 {
            return Err(Refusal::HostCount);
        }
        let host = host_of(headers, uri);
        if self.hosts.is_allowed(host, local) { Ok(()) } else { Err(Refusal::Host(host.to_owned())) }
    }

    /// Judges who comes, by where the page is from and by the secret.
    pub(super) fn judge(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        connection: &Connection,
    ) -> Result<Visitor, Refusal> {
        self.check_origin(headers, uri, connection.is_tls)?;
        let mut query = Query::parse(uri.query().unwrap_or_default());
        self.check_token(headers, query.secret.take().as_deref())?;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| Refusal::NoRandomness)?;
        Ok(Visitor {
            address: connection.peer.ip(),
            place: connection.place.clone(),
            query,
            token: Token::new(random),
        })
    }

    /// Judges how a visitor asks; the answer's `Sec-WebSocket-Accept`.
    pub(super) fn check_handshake(method: &Method, headers: &HeaderMap) -> Result<String, Refusal> {
        let header = |name| headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        handshake::check(method.as_str(), header).map_err(Refusal::Handshake)
    }

    /// Counts one more connection that begins, if its address has not half of all such places.
    pub(super) fn begin(&self, address: IpAddr) -> Result<Pass, Refusal> {
        Pass::new(&self.handshakes, address, self.handshakes_max)
    }

    /// Counts one more attempt to open a WebSocket, if an address may have one more.
    pub(super) fn attempt(&self, address: IpAddr, now: Now) -> Result<(), Refusal> {
        self.attempts.count(network(address), now)
    }

    /// Counts one more WebSocket from an address, if it may have one more.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Pass, Refusal> {
        Pass::new(&self.per_address, address, self.per_address_max)
    }

    /// A browser tells where the page came from that wants to connect; a device tells nothing.
    fn check_origin(&self, headers: &HeaderMap, uri: &Uri, is_tls: bool) -> Result<(), Refusal> {
        let host = host_of(headers, uri);
        for origin in headers.get_all(header::ORIGIN) {
            let origin = origin.to_str().unwrap_or("?");
            if !self.hosts.is_origin_allowed(origin, host, is_tls) {
                return Err(Refusal::Origin(origin.to_owned()));
            }
        }
        // Where a browser leaves the origin out, it may still tell that the page is not ours.
        let site = headers.get(SEC_FETCH_SITE).map(|site| site.to_str().unwrap_or("?"));
        match site {
            Some(site)
                if !headers.contains_key(header::ORIGIN) && !["same-origin", "none"].contains(&site) =>
            {
                Err(Refusal::Origin(site.to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn check_token(&self, headers: &HeaderMap, in_query: Option<&str>) -> Result<(), Refusal> {
        let Some(secret) = &self.token else { return Ok(()) };
        match bearer(headers).or(in_query) {
            Some(shown) if secret.is(shown) => Ok(()),
            Some(_) => Err(Refusal::WrongToken),
            None => Err(Refusal::NoToken),
        }
    }
}

impl Pass {
    /// One more of at most `max`, where 0 is no limit.
    fn new(counts: &Arc<Counts>, address: IpAddr, max: usize) -> Result<Self, Refusal> {
        let address = network(address);
        let mut locked = lock(counts);
        let count = locked.entry(address).or_default();
        if max > 0 && *count >= max {
            return Err(Refusal::Address(max));
        }
        *count += 1;
        Ok(Self { address, counts: counts.clone() })
    }

    /// The address that is counted: of IPv6 the network.
    pub(super) const fn address(&self) -> IpAddr {
        self.address
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = lock(&self.counts).entry(self.address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// Nobody alone may keep all others from coming in; a proxy, for which connections by address mean nothing,
/// may.
const fn handshakes_max(settings: &Settings) -> usize {
    if settings.connections_per_address == 0 { 0 } else { settings.handshakes.div_ceil(2) }
}

/// Where a request says that it goes; what stands in the request line wins (RFC 9112, section 3.2.2).
pub(super) fn host_of<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> &'a str {
    let in_header = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    uri.authority().map(Authority::as_str).or(in_header).unwrap_or_default()
}

/// The secret that a request shows in its `Authorization`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// What counts as one address: of IPv6 the network, since a host has as many addresses there as it likes.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A count is changed in one step; it is right even after a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(per_address_max: usize) -> Door {
        Door::new(&Settings { connections_per_address: per_address_max, ..Settings::default() })
    }

    #[test]
    fn an_address_has_as_many_connections_as_it_may_and_a_place_comes_free_again() {
        let door = door(2);
        let address = IpAddr::from([192, 0, 2, 1]);
        let first = door.admit(address).unwrap();
        let _second = door.admit(address).unwrap();
        assert!(door.admit(address).is_err());
        assert!(door.admit(IpAddr::from([192, 0, 2, 2])).is_ok());
        drop(first);
        assert!(door.admit(address).is_ok());
    }

    #[test]
    fn the_board_itself_comes_from_loopback_or_from_where_it_goes() {
        for (peer, local, expected) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.2", "127.0.0.1", true),
            ("::1", "::1", true),
            ("192.168.1.20", "192.168.1.20", true),
            ("::ffff:127.0.0.1", "::ffff:192.168.1.20", true),
            ("::ffff:192.168.1.20", "192.168.1.20", true),
            ("::ffff:192.168.1.21", "::ffff:192.168.1.20", false),
            ("192.168.1.21", "192.168.1.20", false),
            ("fe80::2", "fe80::1", false),
        ] {
            let is_from_here = is_from_here(peer.parse().unwrap(), local.parse().unwrap());
            assert_eq!(is_from_here, expected, "{peer} {local}");
        }
    }

    #[test]
    fn the_table_forgets_addresses_without_connections() {
        let door = door(0);
        for last in 0..9 {
            drop(door.admit(IpAddr::from([192, 0, 2, last])).unwrap());
        }
        assert!(lock(&door.per_address).is_empty());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let door = door(1);
        let _held = door.admit("2001:db8::1".parse().unwrap()).unwrap();
        assert!(door.admit("2001:db8::ffff:0:0:2".parse().unwrap()).is_err());
        assert!(door.admit("2001:db8:0:1::1".parse().unwrap()).is_ok());
        let _mapped = door.admit("::ffff:192.0.2.1".parse().unwrap()).unwrap();
        assert!(door.admit("192.0.2.1".parse().unwrap()).is_err());
    }
}
