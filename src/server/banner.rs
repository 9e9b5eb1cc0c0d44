//! Where to open the page: the addresses of this machine, and a QR code for a phone.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
};

use fast_qr::{ECL, QRBuilder, QRCode};

/// Light modules around a QR code, on each side (ISO/IEC 18004 asks for four).
const QUIET_ZONE: usize = 4;

/// Where a browser finds the page.
#[derive(Debug, PartialEq, Eq)]
pub struct Places {
    /// By address, the ones for other machines first.
    urls: Vec<String>,
    /// By the name under which multicast DNS tells of the board.
    local_name: Option<String>,
}

impl Places {
    /// Of a server that listens on `bound`; unspecified addresses stand for those of `interfaces`.
    pub fn new(scheme: &str, bound: &[SocketAddr], interfaces: &[IpAddr], hostname: &str) -> Self {
        let mut urls = urls(scheme, bound, interfaces);
        let local_name = local_name_url(scheme, hostname, bound);
        if urls.is_empty() && local_name.is_none() {
            urls.extend(bound.first().map(|address| url(scheme, "<this board>", address.port())));
        }
        Self { urls, local_name }
    }

    /// All of them.
    pub fn all(&self) -> Vec<&str> {
        self.urls.iter().chain(&self.local_name).map(String::as_str).collect()
    }

    /// The one for a line that has room for one: the name, which stays when the address changes.
    pub fn best(&self) -> &str {
        let best = self.local_name.as_ref().or_else(|| self.lan_url()).or_else(|| self.urls.first());
        best.map_or("", String::as_str)
    }

    /// What a terminal shows: every address, the name, and a QR code for the first address on the LAN. The
    /// code brings the token along, in the fragment, which browsers keep to themselves; no line shows it.
    pub fn banner(&self, token: Option<&str>) -> String {
        let mut text = format!("roomd {} is ready. Open in a browser:\n\n", env!("CARGO_PKG_VERSION"));
        for url in &self.urls {
            let _ = writeln!(text, "  {url}");
        }
        if let Some(url) = &self.local_name {
            let _ = writeln!(text, "  {url} (where mDNS runs, as on Raspberry Pi OS)");
        }
        let code = self.lan_url().and_then(|url| QRBuilder::new(link(url, token)).ecl(ECL::L).build().ok());
        if let Some(code) = code {
            let _ = write!(text, "\n{}", half_blocks(&code));
            if token.is_some() {
                text.push_str("\nThe code brings the token along: whoever scans it is let in.\n");
            }
        } else if token.is_some() {
            text.push_str("\nThe page asks for the token.\n");
        }
        text + "\nCtrl-C stops it.\n"
    }

    /// The first that another machine can open by an address.
    fn lan_url(&self) -> Option<&String> {
        let is_of_others =
            |url: &&String| !["://127.", "://[::1]", "://<"].iter().any(|own| url.contains(own));
        self.urls.iter().find(is_of_others)
    }
}

/// An address that lets in whoever opens it.
fn link(url: &str, token: Option<&str>) -> String {
    let Some(token) = token else { return url.to_owned() };
    let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
    format!("{url}#token={token}")
}

/// Private IPv4 first, then other IPv4, IPv6, and what reaches this machine alone.
fn urls(scheme: &str, bound: &[SocketAddr], interfaces: &[IpAddr]) -> Vec<String> {
    let mut all: Vec<SocketAddr> = bound.iter().flat_map(|address| reached(*address, interfaces)).collect();
    all.sort_by_key(|address| rank(address.ip()));
    let mut urls: Vec<String> = Vec::with_capacity(all.len());
    for address in all {
        let url = url(scheme, &host(address.ip()), address.port());
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    urls
}

/// The name under which a board with multicast DNS is found, if others can reach it at all.
fn local_name_url(scheme: &str, hostname: &str, bound: &[SocketAddr]) -> Option<String> {
    let address = bound.iter().find(|address| address.ip().is_unspecified())?;
    let name = hostname.split('.').next().unwrap_or_default();
    let is_name = !name.is_empty() && name != "localhost";
    is_name.then(|| url(scheme, &format!("{name}.local"), address.port()))
}

fn reached(address: SocketAddr, interfaces: &[IpAddr]) -> Vec<SocketAddr> {
    if !address.ip().is_unspecified() {
        return vec![address];
    }
    let same_family = interfaces.iter().filter(|ip| ip.is_ipv4() == address.is_ipv4() && opens(**ip));
    same_family.map(|ip| SocketAddr::new(*ip, address.port())).collect()
}

/// Link-local IPv6 needs a zone, which browsers do not take.
fn opens(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => true,
        IpAddr::V6(ip) => !ip.is_unicast_link_local(),
    }
}

fn rank(ip: IpAddr) -> u8 {
    match ip {
        ip if ip.is_loopback() => 4,
        IpAddr::V4(ip) if ip.is_private() => 0,
        IpAddr::V4(ip) if ip.is_link_local() => 2,
        IpAddr::V4(_) => 1,
        IpAddr::V6(_) => 3,
    }
}

fn host(ip: IpAddr) -> String {
    if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
}

fn url(scheme: &str, host: &str, port: u16) -> String {
    let is_default = matches!((scheme, port), ("http", 80) | ("https", 443));
    let port = if is_default { String::new() } else { format!(":{port}") };
    format!("{scheme}://{host}{port}/")
}

/// Two modules in each character, light ones as bright blocks on black: scanners want dark on light, and
/// with both colours set it is so in every terminal.
fn half_blocks(code: &QRCode) -> String {
    const BRIGHT_ON_BLACK: &str = "\x1b[97;40m";
    const RESET: &str = "\x1b[0m";
    let side = code.size + 2 * QUIET_ZONE;
    let is_light = |row: usize, column: usize| {
        let inside = |at: usize| at.checked_sub(QUIET_ZONE).filter(|at| *at < code.size);
        match (inside(row), inside(column)) {
            (Some(row), Some(column)) => !code[row][column].value(),
            _ => true,
        }
    };
    let mut text = String::new();
    for row in (0..side).step_by(2) {
        text.push_str(BRIGHT_ON_BLACK);
        text.extend((0..side).map(|column| match (is_light(row, column), is_light(row + 1, column)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        }));
        text.push_str(RESET);
        text.push('\n');
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn addresses<T: std::str::FromStr<Err: std::fmt::Debug>>(texts: &[&str]) -> Vec<T> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_any_address_stands_for_every_interface_of_its_family_lan_first() {
        let interfaces = addresses(&[
            "127.0.0.1",
            "::1",
            "fe80::1",
            "169.254.1.1",
            "203.0.113.5",
            "192.168.1.20",
            "2001:db8::5",
        ]);
        assert_eq!(
            urls("http", &addresses(&["0.0.0.0:8080"]), &interfaces),
            [
                "http://192.168.1.20:8080/",
                "http://203.0.113.5:8080/",
                "http://169.254.1.1:8080/",
                "http://127.0.0.1:8080/"
            ]
        );
        assert_eq!(
            urls("http", &addresses(&["[::]:8080"]), &interfaces),
            ["http://[2001:db8::5]:8080/", "http://[::1]:8080/"]
        );
    }

    #[test]
    fn a_bound_address_stands_for_itself_once_and_port_80_is_left_out() {
        let bound = addresses(&["10.0.0.1:80", "0.0.0.0:80"]);
        assert_eq!(urls("http", &bound, &addresses(&["10.0.0.1"])), ["http://10.0.0.1/"]);
        assert_eq!(urls("https", &addresses(&["[::2]:80"]), &[]), ["https://[::2]:80/"]);
        assert_eq!(urls("https", &addresses(&["10.0.0.1:443"]), &[]), ["https://10.0.0.1/"]);
    }

    #[test]
    fn the_local_name_is_offered_only_where_others_can_reach_it() {
        let any = addresses(&["0.0.0.0:8080"]);
        assert_eq!(local_name_url("http", "board.lan", &any).as_deref(), Some("http://board.local:8080/"));
        assert_eq!(local_name_url("http", "localhost", &any), None);
        assert_eq!(local_name_url("http", "", &any), None);
        assert_eq!(local_name_url("http", "board", &addresses(&["127.0.0.1:8080"])), None);
    }

    fn places(bound: &str, interfaces: &[&str], hostname: &str) -> Places {
        Places::new("http", &addresses(&[bound]), &addresses(interfaces), hostname)
    }

    #[test]
    fn the_banner_has_a_code_only_for_an_address_on_the_lan() {
        let own = ["127.0.0.1", "::1"];
        assert!(!places("0.0.0.0:8080", &own, "").banner(None).contains('█'));
        assert!(!places("0.0.0.0:8080", &[], "").banner(None).contains('█'));
        let text = places("0.0.0.0:8080", &["127.0.0.1", "192.168.1.20"], "board").banner(None);
        assert!(
            text.contains('█') && text.contains("  http://192.168.1.20:8080/\n  http://127.0.0.1:8080/\n")
        );
        assert!(text.contains("http://board.local:8080/ (where mDNS runs"));
    }

    #[test]
    fn the_best_place_is_the_name_then_an_address_for_others_then_any() {
        let all = ["127.0.0.1", "192.168.1.20"];
        assert_eq!(places("0.0.0.0:8080", &all, "board").best(), "http://board.local:8080/");
        assert_eq!(places("0.0.0.0:8080", &all, "localhost").best(), "http://192.168.1.20:8080/");
        assert_eq!(places("127.0.0.1:8080", &all, "board").best(), "http://127.0.0.1:8080/");
    }

    #[test]
    fn where_no_interface_can_be_seen_the_name_is_left_or_no_more_than_the_port() {
        assert_eq!(places("[::]:8080", &[], "board").all(), ["http://board.local:8080/"]);
        assert_eq!(places("[::]:8080", &[], "localhost").all(), ["http://<this board>:8080/"]);
    }

    #[test]
    fn the_code_brings_the_token_along_and_no_line_shows_it() {
        let text = places("192.168.1.20:8080", &[], "").banner(Some("a&b#c"));
        let link = "http://192.168.1.20:8080/#token=a%26b%23c";
        let code = QRBuilder::new(link).ecl(ECL::L).build().unwrap();
        assert!(text.contains(&half_blocks(&code)) && text.contains("whoever scans it is let in"), "{text}");
        let own = places("127.0.0.1:8080", &[], "").banner(Some("a&b#c"));
        assert!(own.contains("asks for the token"), "{own}");
        for text in [text, own] {
            assert!(!text.contains("a&b") && !text.contains("#token="), "{text}");
        }
    }

    #[test]
    fn the_longest_token_still_fits_into_a_code() {
        let text = places("[2001:db8:1:2:3:4:5:6]:65535", &[], "").banner(Some(&"&".repeat(256)));
        assert!(text.contains('█'), "{text}");
    }

    #[test]
    fn the_code_read_back_from_its_characters_is_the_same_within_its_quiet_zone() {
        let code = QRBuilder::new("http://192.168.1.20:8080/").ecl(ECL::L).build().unwrap();
        let side = code.size + 2 * QUIET_ZONE;
        let mut rows: Vec<Vec<bool>> = Vec::new();
        for line in half_blocks(&code).lines() {
            let cells = line.strip_prefix("\x1b[97;40m").unwrap().strip_suffix("\x1b[0m").unwrap();
            rows.push(cells.chars().map(|cell| cell == '▄' || cell == ' ').collect());
            rows.push(cells.chars().map(|cell| cell == '▀' || cell == ' ').collect());
        }
        assert!(rows.iter().all(|row| row.len() == side));
        for (row, cells) in rows.iter().enumerate() {
            for (column, dark) in cells.iter().enumerate() {
                let inside = |at: usize| (QUIET_ZONE..QUIET_ZONE + code.size).contains(&at);
                let expected =
                    inside(row) && inside(column) && code[row - QUIET_ZONE][column - QUIET_ZONE].value();
                assert_eq!(*dark, expected, "row {row}, column {column}");
            }
        }
    }
}
