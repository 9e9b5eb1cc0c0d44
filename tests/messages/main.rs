//! What clients say and what the server says: every row of the protocol's tables.

#![allow(clippy::unwrap_used)]

mod bad_messages;
mod chat;
mod echo;
mod limits;
mod lists;
mod midstream;
mod presence;
mod rooms;
#[path = "../support/mod.rs"]
mod support;
