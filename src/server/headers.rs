//! What every answer tells browsers, whatever it is an answer to.

use super::door::SEC_FETCH_SITE;
use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// Nothing is what it does not say it is, tells others where it was, or is shown or read by other sites.
const ALWAYS: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// For what is no part of the page: it loads nothing, is framed by nobody, and is kept nowhere.
const UNLESS_SET: [(HeaderName, &str); 2] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Cuts the tie to the page that opened this one.
const CUT_OPENER: (HeaderName, &str) = (HeaderName::from_static("cross-origin-opener-policy"), "same-origin");

/// Adds the headers to an answer; an upgrade is none, nothing is shown of it.
pub(super) async fn add(request: Request, next: Next) -> Response {
    // Over plain HTTP browsers do not heed this one, and complain to whoever looks at their console.
    let is_trustworthy = request.headers().contains_key(SEC_FETCH_SITE);
    let mut response = next.run(request).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let headers = response.headers_mut();
    for (name, value) in UNLESS_SET {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let opener = is_trustworthy.then_some(CUT_OPENER);
    for (name, value) in ALWAYS.into_iter().chain(opener) {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
