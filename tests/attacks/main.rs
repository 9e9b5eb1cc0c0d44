//! Attacks on the real binary, under a memory limit that is its own plan.
//!
//! In each of them the process lives, healthy clients go on talking and miss nothing, and the kernel's account of
//! what was taken stays below what `roomd plan` announced. Needs root, for the limit: it is a stage of
//! `scripts/test`, and not a part of `cargo test`. Each attack prints its peak beside the plan:
//!
//! ```sh
//! cargo test --test attacks -- --nocapture
//! ```

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

mod attacker;
mod floods;
mod group;
mod http;
mod reconnecting;
mod site;
mod stalling;
#[path = "../support/mod.rs"]
mod support;
