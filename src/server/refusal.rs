//! What a client is told that does not get in: a status, a code, and one sentence that says what to change.

use crate::{
    limits::ATTEMPTS_PER_SECOND,
    protocol::handshake::{HandshakeError, VERSION},
};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Seconds after which a client that found no place should try again.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("5");

/// The code of a connection that is closed before it said anything: only counted, never told.
pub(super) const UNHEARD: &str = "too_many_handshakes";
/// Every code of a refusal, in the order of the protocol's table.
pub(super) const CODES: [&str; 14] = [
    UNHEARD,
    "bad_request",
    "host_not_allowed",
    "tls_required",
    "too_many_attempts",
    "origin_not_allowed",
    "unauthorized",
    "no_randomness",
    "stopping",
    "too_many_connections",
    "clients_full",
    "upgrade_required",
    "bad_handshake",
    "loopback_only",
];

/// Why a request is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    Handshake(HandshakeError),
    /// It named no host, or several.
    HostCount,
    /// The host that it named.
    Host(String),
    /// Where the same is over TLS.
    #[cfg(feature = "tls")]
    Plain(String),
    /// The origin that it came from.
    Origin(String),
    NoToken,
    WrongToken,
    /// The address tries too often.
    Attempts,
    NoStatusToken,
    WrongStatusToken,
    /// How the server is is told to this machine alone.
    NotLoopback,
    /// How many connections an address may have.
    Address(usize),
    /// How many clients there may be.
    Full(usize),
    Stopping,
    NoRandomness,
}

/// Status, code and sentence.
pub(super) type Parts = (StatusCode, &'static str, String);

fn bad_handshake(error: HandshakeError) -> Parts {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let code = if status == StatusCode::UPGRADE_REQUIRED { "upgrade_required" } else { "bad_handshake" };
    (status, code, error.to_string())
}

fn unauthorized(content: &str) -> Parts {
    (StatusCode::UNAUTHORIZED, "unauthorized", content.to_owned())
}

const fn forbidden(code: &'static str, content: String) -> Parts {
    (StatusCode::FORBIDDEN, code, content)
}

const fn too_many(code: &'static str, content: String) -> Parts {
    (StatusCode::TOO_MANY_REQUESTS, code, content)
}

fn unavailable(code: &'static str, content: &str) -> Parts {
    (StatusCode::SERVICE_UNAVAILABLE, code, content.to_owned())
}

impl Refusal {
    /// What it is told by; see [`Self::answer`].
    pub(super) fn parts(&self) -> Parts {
        match self {
            Self::Handshake(error) => bad_handshake(*error),
            Self::HostCount => {
                (StatusCode::BAD_REQUEST, "bad_request", "send exactly one `Host` header".to_owned())
            }
            Self::Host(host) => forbidden(
                "host_not_allowed",
                format!(
                    "`{}` is not one of this board's names or addresses; if it should be, \
                    add it to the setting `allowed_hosts`",
                    shown(host)
                ),
            ),
            #[cfg(feature = "tls")]
            Self::Plain(_) => {
                let content = "this port speaks TLS: use `https://` or `wss://`";
                (StatusCode::PERMANENT_REDIRECT, "tls_required", content.into())
            }
            Self::Origin(origin) => forbidden(
                "origin_not_allowed",
                format!(
                    "a page from `{}` may not connect here; if it should, \
                    add it to the setting `allowed_origins`",
                    shown(origin)
                ),
            ),
            Self::NoToken => unauthorized(
                "this server asks for its `token`: give it as `?token=` or as `Authorization: Bearer`",
            ),
            Self::WrongToken => {
                unauthorized("this is not the server's `token`: give the one from its settings")
            }
            Self::NoStatusToken => {
                unauthorized("this path asks for the `status_token`: give it as `Authorization: Bearer`")
            }
            Self::WrongStatusToken => {
                unauthorized("this is not the `status_token`: give the one from the server's settings")
            }
            Self::NotLoopback => forbidden(
                "loopback_only",
                "the setting `status_access` is `loopback`: ask on the board itself, or set it to `all`"
                    .into(),
            ),
            Self::Attempts => too_many(
                "too_many_attempts",
                format!("your address tries too often; wait, then try {ATTEMPTS_PER_SECOND} a second"),
            ),
            Self::Address(max) => too_many(
                "too_many_connections",
                format!(
                    "your address has {max} connections already; close one, \
                    or raise the setting `connections_per_address`"
                ),
            ),
            Self::Full(max) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "clients_full",
                format!("all {max} places are taken; try again later, or raise the setting `clients`"),
            ),
            Self::Stopping => unavailable("stopping", "the server is stopping; try again in a moment"),
            Self::NoRandomness => {
                unavailable("no_randomness", "the system has no random numbers yet; try again in a moment")
            }
        }
    }

    /// The answer that is made of its [`Self::parts`].
    pub(super) fn answer(self, (status, code, content): Parts) -> Response {
        let mut response = (status, Json(json!({"error": code, "content": content}))).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UPGRADE_REQUIRED {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        }
        if self == Self::Handshake(HandshakeError::WrongVersion) {
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE || self == Self::Attempts {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER_S);
        }
        #[cfg(feature = "tls")]
        if let Self::Plain(location) = &self
            && let Ok(location) = HeaderValue::from_str(location)
        {
            headers.insert(header::LOCATION, location);
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What a stranger sent, short enough to be sent back.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once_and_every_refusal_has_one_of_them() {
        let text = String::new;
        let all = [
            Refusal::HostCount,
            Refusal::Host(text()),
            #[cfg(feature = "tls")]
            Refusal::Plain(text()),
            Refusal::Attempts,
            Refusal::Origin(text()),
            Refusal::NoToken,
            Refusal::WrongToken,
            Refusal::NoStatusToken,
            Refusal::WrongStatusToken,
            Refusal::NoRandomness,
            Refusal::Stopping,
            Refusal::Address(1),
            Refusal::Full(1),
            Refusal::Handshake(HandshakeError::NotAnUpgrade),
            Refusal::Handshake(HandshakeError::BadKey),
            Refusal::NotLoopback,
        ];
        let mut codes: Vec<_> = all.iter().map(|refusal| refusal.parts().1).collect();
        codes.dedup();
        let is_built = |code: &&&str| cfg!(feature = "tls") || **code != "tls_required";
        assert_eq!(CODES[0], UNHEARD, "who is closed without an answer comes first");
        assert_eq!(codes, CODES[1..].iter().filter(is_built).copied().collect::<Vec<_>>());
    }
}
