//! docs/BENCHMARKS.md: its tables and its picture are those of the figures beside it; and what `scripts/bench-peers`
//! says of options that it does not have.

#![allow(clippy::unwrap_used)]

#[path = "../../benches/peers/dialects.rs"]
mod dialects;
#[path = "../../benches/peers/figures.rs"]
mod figures;
#[path = "../../benches/peers/plot.rs"]
mod plot;
#[path = "../../benches/peers/tables.rs"]
mod tables;

mod load;
mod report;
mod script;
