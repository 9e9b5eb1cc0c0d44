//! Kinds of values: how each is read from text, and shown.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use super::{
    invalid::{Fault, nearest, quote, suggest},
    settings::{LogLevel, StatusAccess},
    table::Row,
};

/// What the value of a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of things.
    Count,
    /// A whole number of bytes; `KiB`, `MiB` or `GiB` may follow the number.
    Bytes,
    /// Whole seconds.
    Seconds,
    /// Whole milliseconds.
    Milliseconds,
    /// `ADDRESS:PORT`, several separated by commas.
    Addresses,
    /// Host names or addresses without port, separated by commas.
    Hosts,
    /// `SCHEME://HOST[:PORT]`, several separated by commas.
    Origins,
    /// Visible ASCII that is never shown.
    Secret,
    /// The name of a [`StatusAccess`].
    Access,
    /// Path of a file; empty for none.
    Path,
    /// The name of a [`LogLevel`].
    Level,
}

impl Kind {
    /// What stands for the value in a usage line.
    pub const fn placeholder(self) -> &'static str {
        match self {
            Self::Count => "N",
            Self::Bytes => "BYTES",
            Self::Seconds => "S",
            Self::Milliseconds => "MS",
            Self::Addresses => "ADDRESS:PORT",
            Self::Hosts => "HOST",
            Self::Origins => "ORIGIN",
            Self::Secret => "TEXT",
            Self::Access => "WHO",
            Self::Path => "PATH",
            Self::Level => "LEVEL",
        }
    }

    /// Whether several values may be given.
    pub const fn is_list(self) -> bool {
        matches!(self, Self::Addresses | Self::Hosts | Self::Origins)
    }

    /// Whether a value is a number.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Count | Self::Bytes | Self::Seconds | Self::Milliseconds)
    }
}

/// A value that has been read, or that stands in the settings. Deliberately without `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value {
    Number(u64),
    Addresses(Vec<SocketAddr>),
    Names(Vec<String>),
    Secret(Option<String>),
    Access(StatusAccess),
    Path(Option<PathBuf>),
    Level(LogLevel),
}

const MISMATCH: &str = "a row reads and sets one variant";

impl Value {
    pub(super) fn number(self) -> u64 {
        if let Self::Number(number) = self { number } else { unreachable!("{MISMATCH}") }
    }

    pub(super) fn addresses(self) -> Vec<SocketAddr> {
        if let Self::Addresses(addresses) = self { addresses } else { unreachable!("{MISMATCH}") }
    }

    pub(super) fn names(self) -> Vec<String> {
        if let Self::Names(names) = self { names } else { unreachable!("{MISMATCH}") }
    }

    pub(super) fn secret(self) -> Option<String> {
        if let Self::Secret(secret) = self { secret } else { unreachable!("{MISMATCH}") }
    }

    pub(super) fn access(self) -> StatusAccess {
        if let Self::Access(access) = self { access } else { unreachable!("{MISMATCH}") }
    }

    pub(super) fn path(self) -> Option<PathBuf> {
        if let Self::Path(path) = self { path } else { unreachable!("{MISMATCH}") }
    }

    pub(super) fn level(self) -> LogLevel {
        if let Self::Level(level) = self { level } else { unreachable!("{MISMATCH}") }
    }

    pub(super) fn show(&self, kind: Kind) -> String {
        match self {
            Self::Number(number) if kind == Kind::Bytes => show_bytes(*number),
            Self::Number(number) => number.to_string(),
            Self::Addresses(addresses) => show_list(addresses),
            Self::Names(names) => show_list(names),
            Self::Secret(secret) => if secret.is_some() { "(set)" } else { "(none)" }.to_owned(),
            Self::Access(access) => access.name().to_owned(),
            Self::Path(Some(path)) => path.to_string_lossy().escape_debug().to_string(),
            Self::Path(None) => "(none)".to_owned(),
            Self::Level(level) => level.name().to_owned(),
        }
    }
}

fn show_list<T: ToString>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(T::to_string).collect();
    if items.is_empty() { "(none)".to_owned() } else { items.join(", ") }
}

const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];

/// A number of bytes exactly, in the largest unit of which it is a multiple: `256KiB`, `1000`.
pub(super) fn show_bytes(bytes: u64) -> String {
    let whole = |(_, shift): &(_, u32)| bytes > 0 && bytes.trailing_zeros() >= *shift;
    match UNITS.iter().find(|unit| whole(unit)) {
        Some((unit, shift)) => format!("{}{unit}", bytes >> shift),
        None => bytes.to_string(),
    }
}

impl Row {
    /// What may be given, as the end of a sentence.
    pub fn range(&self) -> String {
        let (least, greatest) = (self.least, self.greatest);
        match self.kind {
            Kind::Bytes => format!("{} to {}", show_bytes(least), show_bytes(greatest)),
            Kind::Count | Kind::Seconds | Kind::Milliseconds => format!("{least} to {greatest}"),
            Kind::Addresses | Kind::Hosts | Kind::Origins => format!("up to {greatest}"),
            Kind::Secret => format!("{least} to {greatest} visible ASCII characters"),
            Kind::Access => format!("one of {}", StatusAccess::ALL.map(StatusAccess::name).join(", ")),
            Kind::Path => format!("a path of up to {greatest} bytes"),
            Kind::Level => format!("one of {}", LogLevel::ALL.map(LogLevel::name).join(", ")),
        }
    }

    /// Reads what one source gives: one text, or for a list any number, each separated by commas.
    pub(super) fn parse(&self, texts: &[String]) -> Result<Value, Fault> {
        if self.kind.is_list() {
            return self.parse_list(texts);
        }
        let [text] = texts else {
            return Err(Fault::new("a list where one value belongs", "give one value"));
        };
        if self.kind == Kind::Secret {
            self.parse_secret(text)
        } else if self.kind == Kind::Access {
            let access = self.parse_word(text, StatusAccess::ALL, StatusAccess::name, "an access");
            access.map(Value::Access)
        } else if self.kind == Kind::Path {
            self.parse_path(text)
        } else if self.kind == Kind::Level {
            self.parse_word(text, LogLevel::ALL, LogLevel::name, "a log level").map(Value::Level)
        } else {
            self.parse_number(text)
        }
    }

    fn parse_number(&self, text: &str) -> Result<Value, Fault> {
        let (digits, shift) = match UNITS.iter().find_map(|unit| Some((text.strip_suffix(unit.0)?, unit.1))) {
            Some(split) if self.kind == Kind::Bytes => split,
            _ => (text, 0),
        };
        let wanted = if self.kind == Kind::Bytes {
            "a number of bytes, such as 65536, 64KiB or 1MiB,"
        } else {
            "a whole number"
        };
        let change = format!("give {wanted} from {}", self.range());
        let whole = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !whole(digits.strip_prefix('-').unwrap_or(digits)) {
            return Err(Fault::new(format!("{} is not a number that can be used", quote(text)), change));
        }
        // What does not even fit 64 bits is out of range, too.
        let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
        number
            .filter(|number| (self.least..=self.greatest).contains(number))
            .map(Value::Number)
            .ok_or_else(|| Fault::new(format!("{} is out of range", quote(text)), change))
    }

    fn parse_secret(&self, text: &str) -> Result<Value, Fault> {
        let change = || format!("give {}", self.range());
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Fault::new("the secret has a character that is not visible ASCII", change()));
        }
        if !(self.least..=self.greatest).contains(&(text.len() as u64)) {
            return Err(Fault::new(format!("the secret is {} bytes long", text.len()), change()));
        }
        Ok(Value::Secret(Some(text.to_owned())))
    }

    fn parse_path(&self, text: &str) -> Result<Value, Fault> {
        if text.len() as u64 > self.greatest {
            return Err(Fault::new(
                format!("the path is {} bytes long", text.len()),
                format!("give {}", self.range()),
            ));
        }
        if text.contains('\0') {
            return Err(Fault::new(format!("{} is not a path", quote(text)), "take the character 0 out"));
        }
        Ok(Value::Path(Some(PathBuf::from(text)).filter(|_| !text.is_empty())))
    }

    fn parse_word<T: Copy, const N: usize>(
        &self,
        text: &str,
        all: [T; N],
        name: fn(T) -> &'static str,
        wanted: &str,
    ) -> Result<T, Fault> {
        all.into_iter().find(|one| name(*one) == text).ok_or_else(|| {
            let near = nearest(text, all.map(name)).map(str::to_owned);
            let otherwise = format!("give {}", self.range());
            Fault::new(format!("{} is not {wanted}", quote(text)), suggest(near, &otherwise))
        })
    }

    fn parse_list(&self, texts: &[String]) -> Result<Value, Fault> {
        let items: Vec<&str> = texts
            .iter()
            .filter(|text| !text.is_empty())
            .flat_map(|text| text.split(','))
            .map(str::trim)
            .collect();
        if (items.len() as u64) < self.least {
            return Err(Fault::new("the list is empty", format!("give at least {}", self.least)));
        }
        if items.len() as u64 > self.greatest {
            let change = format!("give at most {}", self.greatest);
            return Err(Fault::new(format!("the list has {} entries", items.len()), change));
        }
        if self.kind == Kind::Addresses {
            let addresses = parse_each(&items, parse_address)?;
            refuse_covered(&addresses)?;
            Ok(Value::Addresses(addresses))
        } else if self.kind == Kind::Hosts {
            parse_each(&items, parse_host).map(Value::Names)
        } else {
            parse_each(&items, parse_origin).map(Value::Names)
        }
    }
}

fn parse_each<T: PartialEq>(items: &[&str], parse: fn(&str) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        let value = parse(item)?;
        if values.contains(&value) {
            return Err(Fault::new(format!("{} is listed twice", quote(item)), "list it once"));
        }
        values.push(value);
    }
    Ok(values)
}

/// The system refuses an address of a port that is taken on all addresses of the same family.
fn refuse_covered(addresses: &[SocketAddr]) -> Result<(), Fault> {
    let covers = |all: &SocketAddr, one: &SocketAddr| {
        all.ip().is_unspecified()
            && all != one
            && all.is_ipv4() == one.is_ipv4()
            && all.port() == one.port()
            && one.port() != 0
    };
    for one in addresses {
        if let Some(all) = addresses.iter().find(|all| covers(all, one)) {
            let change = format!("leave {one} out, or list single addresses alone");
            return Err(Fault::new(format!("{all} has {one} in it"), change));
        }
    }
    Ok(())
}

fn parse_address(text: &str) -> Result<SocketAddr, Fault> {
    if let Ok(SocketAddr::V6(address)) = text.parse()
        && address.ip().is_unicast_link_local()
        && address.scope_id() == 0
    {
        let what = format!("{} is another one on each network", quote(text));
        let change = format!(
            "write [{}%N]:{}, N being the number of its interface in `ip link`",
            address.ip(),
            address.port()
        );
        return Err(Fault::new(what, change));
    }
    text.parse().map_err(|_| {
        let change = match (text.strip_prefix(':').unwrap_or(text).parse::<u16>(), text.parse::<IpAddr>()) {
            (Ok(port), _) => format!("write 0.0.0.0:{port} for that port on every interface"),
            (_, Ok(ip)) => format!("write {}, with a port", SocketAddr::new(ip, 8080)),
            _ => "write an address and a port, such as 192.168.1.20:8080 or [::1]:8080".to_owned(),
        };
        Fault::new(format!("{} is not an address with a port", quote(text)), change)
    })
}

/// A host name in lower case, or an address without brackets.
fn parse_host(text: &str) -> Result<String, Fault> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(ip.to_string());
    }
    if is_host_name(text) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Fault::new(
        format!("{} is not a host name", quote(text)),
        "write the name or address alone, without scheme, port or path, such as board.example.org",
    ))
}

/// RFC 1123, section 2.1: letters, digits, hyphens and dots, at most 253 in all and 63 per label; the
/// underscore is let in because home routers hand out names with it.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// An origin as browsers send it (RFC 6454, section 6.2): scheme and host in lower case, no path.
fn parse_origin(text: &str) -> Result<String, Fault> {
    let fault = |change: String| Fault::new(format!("{} is not an origin", quote(text)), change);
    let example = || "write scheme, host and port alone, such as https://board.example.org:8443".to_owned();
    let Some((scheme, authority)) = text.split_once("://") else { return Err(fault(example())) };
    if let Some(bare) = text.strip_suffix('/').filter(|_| !authority.trim_end_matches('/').contains('/')) {
        return Err(fault(format!(
            "write it without the slash at the end: {}",
            quote(bare.trim_end_matches('/'))
        )));
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_host = is_host_name(host)
        || host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok());
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if is_scheme && is_host && is_port { Ok(text.to_ascii_lowercase()) } else { Err(fault(example())) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{super::table::row, *};

    fn parse(key: &str, texts: &[&str]) -> Result<String, String> {
        let row = row(key).unwrap();
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        let value = row.parse(&texts).map_err(|fault| format!("{}; {}", fault.what, fault.change))?;
        Ok(value.show(row.kind))
    }

    #[test]
    fn bytes_are_read_plain_and_with_each_unit_and_shown_in_the_largest() {
        for (text, shown) in [("65536", "64KiB"), ("65537", "65537"), ("64KiB", "64KiB"), ("1024KiB", "1MiB")]
        {
            assert_eq!(parse("inbound_bytes", &[text]).as_deref(), Ok(shown));
        }
        assert_eq!(parse("memory_max", &["1GiB"]).as_deref(), Ok("1GiB"));
        assert_eq!(show_bytes(0), "0");
    }

    #[test]
    fn what_is_not_a_number_is_told_apart_from_what_is_out_of_range() {
        for text in ["", "-", "x", "1.5", "+5", "0x10", "64 KiB", "64kB", "KiB", "1e3", "１"] {
            assert!(parse("inbound_bytes", &[text]).unwrap_err().contains("is not a number"), "{text}");
        }
        for text in ["-1", "0", "99999999999999999999999", "99999999999999999GiB"] {
            assert!(parse("inbound_bytes", &[text]).unwrap_err().contains("is out of range"), "{text}");
        }
        assert!(parse("clients", &["64KiB"]).unwrap_err().contains("is not a number"));
    }

    #[test]
    fn lists_are_split_at_commas_and_joined_over_repeats() {
        assert_eq!(parse("allowed_hosts", &["a,B", "c.d"]).as_deref(), Ok("a, b, c.d"));
        assert_eq!(parse("allowed_hosts", &[""]).as_deref(), Ok("(none)"));
        assert!(parse("allowed_hosts", &["a,,b"]).is_err());
        assert!(parse("allowed_hosts", &["a,A"]).unwrap_err().contains("twice"));
        assert!(parse("listen", &[""]).unwrap_err().contains("empty"));
    }

    #[test]
    fn an_address_that_another_one_has_in_it_is_refused() {
        for (listen, said) in [
            ("0.0.0.0:80,127.0.0.1:80", "0.0.0.0:80 has 127.0.0.1:80 in it; leave 127.0.0.1:80 out, or"),
            ("[::1]:80,[::]:80", "[::]:80 has [::1]:80 in it; leave [::1]:80 out, or"),
        ] {
            let error = parse("listen", &[listen]).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
        for listen in ["0.0.0.0:80,127.0.0.1:81", "0.0.0.0:80,[::]:80,", "0.0.0.0:0,127.0.0.1:0"] {
            assert!(parse("listen", &[listen.trim_end_matches(',')]).is_ok(), "{listen}");
        }
    }

    #[test]
    fn an_address_of_one_link_needs_its_interface() {
        let error = parse("listen", &["[fe80::1]:80"]).unwrap_err();
        assert!(error.ends_with("; write [fe80::1%N]:80, N being the number of its interface in `ip link`"));
        assert_eq!(parse("listen", &["[fe80::1%2]:80"]).as_deref(), Ok("[fe80::1%2]:80"));
    }

    #[test]
    fn the_longest_list_is_read_and_one_more_entry_is_not() {
        for key in ["listen", "allowed_hosts", "allowed_origins"] {
            let entry = |n: u64| match key {
                "listen" => format!("127.0.0.1:{n}"),
                "allowed_hosts" => format!("host{n}"),
                _ => format!("http://host{n}"),
            };
            let entries: Vec<_> = (0..row(key).unwrap().greatest).map(entry).collect();
            let mut entries: Vec<_> = entries.iter().map(String::as_str).collect();
            assert!(parse(key, &entries).is_ok());
            entries.push(if key == "allowed_origins" { "http://one.more" } else { "127.0.0.2:1" });
            assert!(parse(key, &entries).unwrap_err().contains("at most"), "{key}");
        }
    }

    #[test]
    fn a_port_or_an_address_alone_is_answered_with_what_to_write() {
        assert!(parse("listen", &["8080"]).unwrap_err().contains("write 0.0.0.0:8080"));
        assert!(parse("listen", &[":80"]).unwrap_err().contains("write 0.0.0.0:80 "));
        assert!(parse("listen", &["::1"]).unwrap_err().contains("write [::1]:8080"));
        assert!(parse("listen", &["localhost:80"]).unwrap_err().contains("such as"));
        assert_eq!(parse("listen", &["127.0.0.1:0,[::1]:80"]).as_deref(), Ok("127.0.0.1:0, [::1]:80"));
    }

    #[test]
    fn hosts_are_names_or_addresses_and_nothing_around_them() {
        for (text, read) in
            [("Board.LAN", "board.lan"), ("[::1]", "::1"), ("10.0.0.1", "10.0.0.1"), ("a_b", "a_b")]
        {
            assert_eq!(parse("allowed_hosts", &[text]).as_deref(), Ok(read));
        }
        for text in ["http://a", "a:80", "a/b", "a b", ".a", "a..b", "ä", "*"] {
            assert!(parse("allowed_hosts", &[text]).is_err(), "{text}");
        }
        let (label, longer) = ("x".repeat(63), "x".repeat(64));
        assert!(parse("allowed_hosts", &[&label]).is_ok());
        assert!(parse("allowed_hosts", &[&longer]).is_err());
        let name = [label.as_str(), &label, &label, &label[2..]].join(".");
        assert_eq!(name.len(), 253);
        assert!(parse("allowed_hosts", &[&name]).is_ok());
        assert!(parse("allowed_hosts", &[&format!("x{name}")]).is_err());
    }

    #[test]
    fn origins_have_a_scheme_a_host_maybe_a_port_and_no_path() {
        for text in
            ["http://a", "https://a.b:8443", "http://[::1]:80", "http://[::1]", "capacitor://localhost"]
        {
            assert_eq!(parse("allowed_origins", &[text]).as_deref(), Ok(text));
        }
        assert_eq!(parse("allowed_origins", &["HTTP://A.b"]).as_deref(), Ok("http://a.b"));
        for text in [
            "a.b",
            "http://",
            "://a",
            "http://a/b",
            "http://a:0",
            "http://a:65536",
            "http://a b",
            "1x://a",
            "null",
            "*",
        ] {
            assert!(parse("allowed_origins", &[text]).is_err(), "{text}");
        }
        assert!(parse("allowed_origins", &["http://a/"]).unwrap_err().ends_with("at the end: `http://a`"));
    }

    #[test]
    fn a_path_up_to_its_greatest_length_is_taken_and_an_empty_one_is_none() {
        let (greatest, longer) = ("p".repeat(4_095), "p".repeat(4_096));
        assert_eq!(parse("tls_cert", &[""]).as_deref(), Ok("(none)"));
        assert_eq!(parse("tls_cert", &["/etc/a b.pem"]).as_deref(), Ok("/etc/a b.pem"));
        assert_eq!(parse("tls_cert", &[&greatest]).as_deref(), Ok(greatest.as_str()));
        assert!(parse("tls_cert", &[&longer]).unwrap_err().contains("4096 bytes long"));
        assert!(parse("tls_cert", &["a\0b"]).is_err());
    }

    #[test]
    fn a_secret_of_every_length_but_0_up_to_256_is_taken_and_never_told() {
        let (greatest, longer) = ("s".repeat(256), "s".repeat(257));
        assert_eq!(parse("token", &["s"]).as_deref(), Ok("(set)"));
        assert_eq!(parse("token", &[&greatest]).as_deref(), Ok("(set)"));
        for text in ["", longer.as_str(), "ss ss", "sßs", "s\ns"] {
            assert!(
                !parse("token", &[text])
                    .unwrap_err()
                    .replace("secret", "")
                    .replace("visible ASCII", "")
                    .contains("ss")
            );
        }
    }

    #[test]
    fn each_level_is_known_by_its_name_and_a_near_miss_is_named() {
        for level in LogLevel::ALL {
            assert_eq!(parse("log", &[level.name()]).as_deref(), Ok(level.name()));
        }
        assert!(parse("log", &["wran"]).unwrap_err().contains("did you mean warn?"));
        assert!(parse("log", &["INFO"]).unwrap_err().contains("give one of"));
    }
}
