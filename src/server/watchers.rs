//! Who may ask how the server is.

use super::{
    door::{Connection, bearer},
    refusal::Refusal,
    secret,
    shared::Shared,
};
use crate::config::{Settings, StatusAccess};
use axum::{
    extract::{Extension, Request, State},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use std::sync::Arc;

/// Lets a request through to what tells how the server is, or says which setting is in the way.
pub(super) async fn check(
    State(shared): State<Arc<Shared>>,
    Extension(connection): Extension<Connection>,
    request: Request,
    next: Next,
) -> Response {
    match judge(&shared.settings, request.headers(), connection.is_from_here()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => shared.refuse(refusal, connection.peer.ip()),
    }
}

fn judge(settings: &Settings, headers: &HeaderMap, is_from_here: bool) -> Result<(), Refusal> {
    if settings.status_access == StatusAccess::Loopback && !is_from_here {
        return Err(Refusal::NotLoopback);
    }
    let Some(token) = &settings.status_token else { return Ok(()) };
    match bearer(headers) {
        Some(shown) if secret::is_same(shown, token) => Ok(()),
        Some(_) => Err(Refusal::WrongStatusToken),
        None => Err(Refusal::NoStatusToken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::door::is_from_here;
    use axum::http::{HeaderValue, header};

    #[test]
    fn loopback_is_this_machine_in_each_notation_and_nobody_else() {
        let settings = Settings { status_access: StatusAccess::Loopback, ..Settings::default() };
        let judge = |peer: &str| {
            let is_from_here = is_from_here(peer.parse().unwrap(), "192.168.1.10".parse().unwrap());
            judge(&settings, &HeaderMap::new(), is_from_here)
        };
        for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "192.168.1.10"] {
            assert_eq!(judge(own), Ok(()), "{own}");
        }
        for other in ["192.168.1.20", "::2", "fe80::1", "::ffff:192.168.1.20", "0.0.0.0"] {
            assert_eq!(judge(other), Err(Refusal::NotLoopback), "{other}");
        }
    }

    #[test]
    fn the_secret_opens_and_nothing_else_does() {
        let settings = Settings { status_token: Some("open-sesame".into()), ..Settings::default() };
        let judge = |shown: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(shown) = shown {
                headers.insert(header::AUTHORIZATION, HeaderValue::from_str(shown).unwrap());
            }
            judge(&settings, &headers, false)
        };
        for right in ["Bearer open-sesame", "bearer open-sesame "] {
            assert_eq!(judge(Some(right)), Ok(()), "{right}");
        }
        for wrong in ["Bearer open-sesam", "Bearer open-sesame2", "Bearer "] {
            assert_eq!(judge(Some(wrong)), Err(Refusal::WrongStatusToken), "{wrong}");
        }
        for none in [None, Some("Basic open-sesame"), Some("open-sesame")] {
            assert_eq!(judge(none), Err(Refusal::NoStatusToken), "{none:?}");
        }
    }
}
