//! Whole runs of the server over a network in memory, with a clock of their own: the switchboard, the hub
//! and the readers as they are in the product; only sockets and time are simulated. A run follows from
//! its seed, so one that failed once fails again:
//!
//! - `ROOMD_SIM_SEED=7 cargo test --test simulation -- --nocapture` runs this seed and prints its table,
//! - `ROOMD_SIM_SEEDS=5000` runs more of them, `ROOMD_SIM_HOURS=2` as many as there is time for,
//! - `ROOMD_SIM_UPDATE=1` writes `tests/simulation/snapshot.txt` anew: look at what has changed.

#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::wildcard_enum_match_arm)]

mod book;
mod chronicle;
mod client;
mod dice;
#[path = "../../fuzz/checks/frames.rs"]
mod frames;
mod message;
mod network;
mod resets;
mod table;
mod world;

use std::{
    env,
    panic::{catch_unwind, resume_unwind},
    path::Path,
    time::{Duration, Instant},
};
use table::table;
use world::{WallClock, World};

const SEEDS: u64 = 200;
const SNAPSHOT: &str = "tests/simulation/snapshot.txt";

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text}: give a whole number")))
}

fn run(seed: u64) -> String {
    let ran = catch_unwind(|| table(seed, &World::run(seed, WallClock::Jumping)));
    ran.unwrap_or_else(|panic| {
        eprintln!("seed {seed} fails; again: ROOMD_SIM_SEED={seed} cargo test --test simulation every_seed");
        resume_unwind(panic);
    })
}

#[test]
fn every_seed_keeps_every_promise() {
    if let Some(seed) = number("ROOMD_SIM_SEED") {
        return eprintln!("{}", run(seed));
    }
    let (first, count) = match number("ROOMD_SIM_HOURS") {
        Some(_) => (1_000_000, u64::MAX),
        None => (1, number("ROOMD_SIM_SEEDS").unwrap_or(SEEDS)),
    };
    #[allow(clippy::disallowed_methods, reason = "how long to go on, not what happens")]
    let now = Instant::now;
    let end = number("ROOMD_SIM_HOURS").map(|hours| now() + Duration::from_secs(hours * 3_600));
    for seed in (first..).take(usize::try_from(count).unwrap_or(usize::MAX)) {
        if end.is_some_and(|end| now() >= end) {
            return eprintln!("{} seeds", seed - first);
        }
        run(seed);
    }
}

#[test]
fn a_run_is_what_it_was_when_it_was_last_looked_at() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SNAPSHOT);
    let table = run(1);
    if env::var_os("ROOMD_SIM_UPDATE").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, table, "if this is as it should be: ROOMD_SIM_UPDATE=1 cargo test --test simulation");
}

#[test]
fn a_seed_gives_the_same_run_again_whatever_the_wall_clock_says() {
    for seed in 1..6 {
        assert_eq!(run(seed), table(seed, &World::run(seed, WallClock::Steady)));
    }
}
