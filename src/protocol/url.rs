//! The address of a server, as people write it.

/// Whether it asks for TLS.
pub fn wants_tls(url: &str) -> bool {
    url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

/// `HOST:PORT`, as the header `Host` has it, of an `http://` URL that names a server and nothing on it; the
/// port is 80 if none is given.
pub fn authority(url: &str) -> Option<String> {
    let rest = url.strip_prefix("http://")?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.is_empty() || authority.contains(|c: char| "/?#@".contains(c) || !c.is_ascii_graphic()) {
        return None;
    }
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Some(if has_port { authority.to_owned() } else { format!("{authority}:80") })
}
