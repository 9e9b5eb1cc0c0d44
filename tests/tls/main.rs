//! TLS, in a build that has it (`--features tls`): the page, the WebSocket, who says the wrong thing,
//! slow clients, a certificate that changes, and the memory that all this takes.

#![cfg(all(feature = "tls", not(target_env = "musl")))]
#![allow(clippy::unwrap_used)]

mod certificate;
mod client;
mod files;
mod memory;
mod process;
#[path = "../cli/run.rs"]
#[allow(dead_code)]
mod run;
mod speaking;
mod strangers;
#[path = "../support/mod.rs"]
mod support;
