//! What a client is told that does not get in: a status, a code, and one sentence that says what to change.

use crate::protocol::handshake::{HandshakeError, VERSION};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Seconds after which a client that found no place should try again.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("5");

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
    /// How many connections an address may have.
    Address(usize),
    /// How many clients there may be.
    Full(usize),
    Stopping,
    NoRandomness,
}

impl Refusal {
    /// The code in the answer's body, and in the counts.
    pub(super) fn code(&self) -> &'static str {
        self.parts().1
    }

    fn parts(&self) -> (StatusCode, &'static str, String) {
        match self {
            Self::Handshake(error) => {
                let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
                let code =
                    if status == StatusCode::UPGRADE_REQUIRED { "upgrade_required" } else { "bad_handshake" };
                (status, code, error.to_string())
            }
            Self::HostCount => {
                (StatusCode::BAD_REQUEST, "bad_request", "send exactly one `Host` header".to_owned())
            }
            Self::Host(host) => (
                StatusCode::FORBIDDEN,
                "host_not_allowed",
                format!(
                    "`{}` is not one of this board's names or addresses; if it should be, \
                    add it to the setting `allowed_hosts`",
                    shown(host)
                ),
            ),
            #[cfg(feature = "tls")]
            Self::Plain(_) => (
                StatusCode::PERMANENT_REDIRECT,
                "tls_required",
                "this port speaks TLS: use `https://` or `wss://`".into(),
            ),
            Self::Origin(origin) => (
                StatusCode::FORBIDDEN,
                "origin_not_allowed",
                format!(
                    "a page from `{}` may not connect here; if it should, \
                    add it to the setting `allowed_origins`",
                    shown(origin)
                ),
            ),
            Self::NoToken => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "this server asks for its `token`: give it as `?token=` or as `Authorization: Bearer`".into(),
            ),
            Self::WrongToken => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "this is not the server's `token`: give the one from its settings".into(),
            ),
            Self::Address(max) => (
                StatusCode::TOO_MANY_REQUESTS,
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
            Self::Stopping => (
                StatusCode::SERVICE_UNAVAILABLE,
                "stopping",
                "the server is stopping; try again in a moment".into(),
            ),
            Self::NoRandomness => (
                StatusCode::SERVICE_UNAVAILABLE,
                "no_randomness",
                "the system has no random numbers yet; try again in a moment".into(),
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, content) = self.parts();
        tracing::debug!(status = status.as_u16(), code, "refused");
        let mut response = (status, Json(json!({"error": code, "content": content}))).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UPGRADE_REQUIRED {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        }
        if self == Self::Handshake(HandshakeError::WrongVersion) {
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
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
