//! The embedded page and its files.

use super::door::host_of;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::{borrow::Cow, fmt::Write as _};

#[derive(RustEmbed)]
#[folder = "web/"]
struct Web;

/// The page loads nothing from elsewhere, runs nothing inline, and is framed by nobody. WebSockets to
/// its own host are named, because older browsers (Safari before 15.4) do not take them for `self`.
/// `host` is one that the door has let in.
fn policy(host: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
        connect-src 'self' ws://{host} wss://{host}; manifest-src 'self'; base-uri 'none'; \
        form-action 'none'; frame-ancestors 'none'"
    )
}

/// `/` is the page; every other path is a file beside it.
pub(super) async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = match uri.path() {
        "/" => "index.html",
        path => path.trim_start_matches('/'),
    };
    match Web::get(path) {
        Some(file) => respond(path, file, &headers, host_of(&headers, &uri)),
        None => (StatusCode::NOT_FOUND, "There is nothing here. The page is at /.\n").into_response(),
    }
}

fn respond(path: &str, file: EmbeddedFile, request: &HeaderMap, host: &str) -> Response {
    let tag = entity_tag(&file);
    let is_known = request
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|known| matches_tag(known.trim(), &tag)));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = match file.data {
            Cow::Borrowed(data) => Body::from(data),
            Cow::Owned(data) => Body::from(data),
        };
        ([(header::CONTENT_TYPE, content_type(path))], body).into_response()
    };
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy(host)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    for (name, value) in FIXED_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Browsers ask each time, and are told in a few bytes that nothing has changed. The page needs none of
/// what a browser would ask its user about.
const FIXED_HEADERS: [(HeaderName, &str); 2] = [
    (header::CACHE_CONTROL, "no-cache"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

fn entity_tag(file: &EmbeddedFile) -> String {
    let mut tag = String::from("\"");
    for byte in &file.metadata.sha256_hash()[..16] {
        // Writing to a string does not fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag + "\""
}

/// The weak comparison of RFC 9110, section 8.8.3.2.
fn matches_tag(known: &str, tag: &str) -> bool {
    known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_file_has_a_type() {
        for path in Web::iter() {
            assert_ne!(content_type(&path), "application/octet-stream", "{path}");
        }
    }

    #[test]
    fn a_tag_is_known_weak_or_strong_or_as_any() {
        assert!(
            matches_tag("\"a\"", "\"a\"") && matches_tag("W/\"a\"", "\"a\"") && matches_tag("*", "\"a\"")
        );
        assert!(!matches_tag("\"b\"", "\"a\"") && !matches_tag("a", "\"a\"") && !matches_tag("", "\"a\""));
    }
}
