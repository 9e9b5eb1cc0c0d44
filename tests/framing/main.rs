//! RFC 6455 over real sockets: what is right comes back, what is wrong gets its close code.

#![allow(clippy::unwrap_used)]

mod closing;
mod malformed;
mod messages;
mod random;
#[path = "../support/mod.rs"]
mod support;
