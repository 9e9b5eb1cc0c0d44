//! The command line of the real binary: settings, errors, exit codes, start and stop.
//!
//! Each run has a cleared environment and a configuration file of its own (empty unless a test says
//! otherwise), so that nothing on this machine can change the outcome.

#![allow(clippy::unwrap_used)]

mod errors;
mod inherited;
mod journal;
mod log;
mod process;
mod run;
mod sample;
mod settings;
mod supervised;
mod units;

/// What no output may contain.
const SECRET: &str = "hush-hush-hush";
