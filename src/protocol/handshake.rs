//! The opening handshake as far as it can be judged from a request's head (RFC 6455, section 4.2).
//!
//! Extensions and subprotocols are never agreed on: the answer must not carry their headers.

use std::fmt;

use data_encoding::BASE64;
use sha1::{Digest as _, Sha1};

/// The version that roomd speaks, for the header `Sec-WebSocket-Version` of a refusal.
pub const VERSION: &str = "13";

/// Appended to the client's key before hashing (RFC 6455, section 1.3).
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a request is no opening handshake. Its text is one sentence for whoever wrote the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeError {
    /// The request does not ask to become a WebSocket.
    NotAnUpgrade,
    /// It asks for a version that roomd does not speak, or for none.
    WrongVersion,
    /// It asks to upgrade by a method other than GET.
    NotGet,
    /// The key is missing, doubled, or not 16 bytes in base64.
    BadKey,
    /// It has a body. The protocol changes behind the whole of a request (RFC 9110, section 7.8), and nothing
    /// is to be said before.
    Body,
}

impl HandshakeError {
    /// The HTTP status of the refusal. A 426 must carry `Upgrade: websocket` (RFC 9110, section
    /// 15.5.22), and for [`Self::WrongVersion`] also `Sec-WebSocket-Version: 13` (RFC 6455, section
    /// 4.2.2).
    pub const fn status(self) -> u16 {
        match self {
            Self::NotAnUpgrade | Self::WrongVersion => 426,
            Self::NotGet | Self::BadKey | Self::Body => 400,
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotAnUpgrade => {
                "this address speaks WebSocket: send `Connection: Upgrade` and `Upgrade: websocket`"
            }
            Self::WrongVersion => "send `Sec-WebSocket-Version: 13`, no other version is spoken here",
            Self::NotGet => "a WebSocket is opened with the method GET",
            Self::BadKey => "send one `Sec-WebSocket-Key` of 16 random bytes in base64",
            Self::Body => "send no body with the request that opens a WebSocket",
        })
    }
}

impl std::error::Error for HandshakeError {}

/// Checks the head of a request and returns the value of `Sec-WebSocket-Accept` for its answer.
///
/// `header` gives the values of a header, one for each of its lines, in whatever case the name came.
/// HTTP before 1.1 has no upgrade; the caller's HTTP server must not let it come this far.
pub fn check<'a, Values>(
    method: &str,
    header: impl Fn(&'static str) -> Values,
) -> Result<String, HandshakeError>
where
    Values: Iterator<Item = &'a str>,
{
    let lists = |name, token: &str| {
        header(name).flat_map(|line| line.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
    };
    if !lists("connection", "upgrade") || !lists("upgrade", "websocket") {
        return Err(HandshakeError::NotAnUpgrade);
    }
    if method != "GET" {
        return Err(HandshakeError::NotGet);
    }
    let is_empty = |length: &str| length.trim() == "0";
    if header("transfer-encoding").next().is_some() || !header("content-length").all(is_empty) {
        return Err(HandshakeError::Body);
    }
    if only(header("sec-websocket-version")) != Some(VERSION) {
        return Err(HandshakeError::WrongVersion);
    }
    only(header("sec-websocket-key")).filter(|key| is_key(key)).map(accept_key).ok_or(HandshakeError::BadKey)
}

/// The value of `Sec-WebSocket-Accept` that answers `key` (RFC 6455, section 4.2.2).
pub fn accept_key(key: &str) -> String {
    BASE64.encode(&Sha1::new().chain_update(key).chain_update(KEY_SUFFIX).finalize())
}

/// The value of a header that must come exactly once.
fn only<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let value = values.next()?.trim();
    values.next().is_none().then_some(value)
}

/// 16 bytes are 22 characters of base64 and the padding. The spare bits of the last character are not
/// looked at: small clients leave them set, and nothing depends on them.
fn is_key(key: &str) -> bool {
    let digits = key.strip_suffix("==").unwrap_or_default().as_bytes();
    digits.len() == 22 && digits.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of the RFC's own example, and its answer (section 1.3).
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    const GOOD: [(&str, &str); 4] = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", KEY),
    ];

    fn judge(method: &str, lines: &[(&str, &str)]) -> Result<String, HandshakeError> {
        check(method, |name| lines.iter().filter(move |line| line.0 == name).map(|line| line.1))
    }

    /// The good request with the lines of `name` replaced by `values`.
    fn with(name: &'static str, values: &[&'static str]) -> Result<String, HandshakeError> {
        let mut lines: Vec<_> = GOOD.into_iter().filter(|line| line.0 != name).collect();
        lines.extend(values.iter().map(|value| (name, *value)));
        judge("GET", &lines)
    }

    #[test]
    fn the_example_of_the_rfc_is_answered_as_the_rfc_says() {
        assert_eq!(accept_key(KEY), ACCEPT);
        assert_eq!(judge("GET", &GOOD).as_deref(), Ok(ACCEPT));
    }

    #[test]
    fn tokens_are_found_in_any_case_in_lists_and_on_several_lines() {
        for values in [
            &["upgrade"][..],
            &["UPGRADE"],
            &["keep-alive, Upgrade"],
            &["Upgrade,keep-alive"],
            &["keep-alive", " upgrade "],
            &[",,\tupgrade\t,"],
        ] {
            assert_eq!(with("connection", values).as_deref(), Ok(ACCEPT), "{values:?}");
        }
        for values in [&["WebSocket"][..], &["h2c, websocket"], &["h2c", "websocket"]] {
            assert_eq!(with("upgrade", values).as_deref(), Ok(ACCEPT), "{values:?}");
        }
    }

    #[test]
    fn a_body_is_refused_and_an_empty_one_is_none() {
        for (name, value, expected) in [
            ("content-length", "1", Err(HandshakeError::Body)),
            ("content-length", "0", Ok(ACCEPT.to_owned())),
            ("transfer-encoding", "chunked", Err(HandshakeError::Body)),
        ] {
            assert_eq!(with(name, &[value]), expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_plain_request_is_told_to_upgrade() {
        assert_eq!(judge("GET", &[]), Err(HandshakeError::NotAnUpgrade));
        assert_eq!(judge("POST", &[]), Err(HandshakeError::NotAnUpgrade));
        for values in [&[][..], &["keep-alive"], &["upgraded"], &["up grade"], &["close, x-upgrade"]] {
            assert_eq!(with("connection", values), Err(HandshakeError::NotAnUpgrade), "{values:?}");
        }
        for values in [&[][..], &["h2c"], &["websockets"], &["web socket"]] {
            assert_eq!(with("upgrade", values), Err(HandshakeError::NotAnUpgrade), "{values:?}");
        }
    }

    #[test]
    fn only_get_opens_a_websocket() {
        for method in ["POST", "HEAD", "CONNECT", "get", ""] {
            assert_eq!(judge(method, &GOOD), Err(HandshakeError::NotGet), "{method}");
        }
    }

    #[test]
    fn only_version_13_is_spoken() {
        for values in [&[][..], &["8"], &["130"], &["13, 8"], &["13", "13"], &[""]] {
            assert_eq!(
                with("sec-websocket-version", values),
                Err(HandshakeError::WrongVersion),
                "{values:?}"
            );
        }
        assert!(with("sec-websocket-version", &[" 13 "]).is_ok());
    }

    #[test]
    fn a_key_is_16_bytes_in_base64_and_comes_once() {
        let bad = [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZ===",
            "dGhlIHNhbXBsZSBub25j==",
            "dGhlIHNhbXBsZSBub25jZQAA==",
            "dGhlIHNhbXBsZSBub25jZQAA",
            "dGhlIHNhbXBsZSBub25j-_==",
            "dGhlIHNhbXBsZSBub2 jZQ==",
            "dGhlIHNhbXBsZSBub25é==",
        ];
        for key in bad {
            assert_eq!(with("sec-websocket-key", &[key]), Err(HandshakeError::BadKey), "{key}");
        }
        assert_eq!(with("sec-websocket-key", &[]), Err(HandshakeError::BadKey));
        assert_eq!(with("sec-websocket-key", &[KEY, KEY]), Err(HandshakeError::BadKey));
        assert!(with("sec-websocket-key", &["/+hlIHNhbXBsZSBub25jZR=="]).is_ok(), "spare bits set");
        assert_eq!(with("sec-websocket-key", &[" dGhlIHNhbXBsZSBub25jZQ== "]).as_deref(), Ok(ACCEPT));
    }

    #[test]
    fn every_refusal_has_a_status_and_one_sentence() {
        use HandshakeError::*;
        for (error, status) in [(NotAnUpgrade, 426), (WrongVersion, 426), (NotGet, 400), (BadKey, 400)] {
            assert_eq!(error.status(), status);
            let sentence = error.to_string();
            assert!(!sentence.is_empty() && !sentence.contains(['\n', '\r']) && !sentence.ends_with('.'));
        }
    }
}
