//! The way in: names, query parameters, refusals and handshakes.

#![allow(clippy::unwrap_used)]

mod handshakes;
mod hosts;
mod names;
mod parameters;
mod refusals;
mod resume;
#[path = "../support/mod.rs"]
mod support;
