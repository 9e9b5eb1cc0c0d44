//! The guarantees: no silent hole, one order, nobody slowed by another, resume, no ghosts.

#![allow(clippy::unwrap_used)]

mod ended;
mod liveness;
mod order;
mod random;
mod replay;
mod slow;
mod stop;
mod storm;
#[path = "../support/mod.rs"]
mod support;
