//! Networks that fail: peers that vanish without a word, links that go down, packets that are lost.
//!
//! Each test makes two network namespaces, a board and the rest of the world, and a cable between them; the real
//! binary runs on the board. Needs root: it is a stage of `scripts/test`, and not a part of `cargo test`.

#![allow(clippy::unwrap_used)]

mod liveness;
mod loss;
mod network;
#[path = "../support/mod.rs"]
mod support;
