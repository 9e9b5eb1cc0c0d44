//! What `scripts/deploy` and `scripts/release` give away: the program that was asked for, in files that are the
//! same from any checkout, with the licences of all that is in it.

#![allow(clippy::unwrap_used)]

mod checkout;
mod files;
mod notices;
mod programs;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
