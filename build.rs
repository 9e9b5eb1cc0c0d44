//! Turns the table of compile-time ceilings into constants, and tells the binary for what it was built.
//!
//! `ROOMD_BUILD_<NAME>=<number>` in the build environment changes one of them. A value outside its range
//! stops the build, and so does a name that is not in the table, but only when this runs: cargo, which
//! watches names that it was told and no others, does not run it again for that. `src/limits.rs` includes
//! the result and checks how the numbers stand to each other.

use std::{env, fmt::Write as _, fs, path::Path, process::exit};

const PREFIX: &str = "ROOMD_BUILD_";

/// Name, default, least and greatest value.
pub(crate) const CEILINGS: &[(&str, usize, usize, usize)] = &[
    ("CLIENTS", 16_384, 1, 65_534),
    ("ROOMS", 256, 1, 65_534),
    ("ROOMS_PER_CLIENT", 32, 1, 255),
    ("LOG_BYTES", 2 << 20, 4_096, 1 << 30),
    ("LOG_MESSAGES", 4_096, 4, 1 << 20),
    ("MESSAGE_BYTES", 512 << 10, 1_024, 1 << 28),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Not ROOMD_…: `cargo run` hands it on to the program, for which that would be a setting.
    println!("cargo::rustc-env=BUILT_FOR={}", env::var("TARGET").expect("cargo sets TARGET"));
    for (name, ..) in CEILINGS {
        println!("cargo::rerun-if-env-changed={PREFIX}{name}");
    }
    let variables = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    match constants(variables.map(|(name, value)| (name, value.to_string_lossy().into_owned()))) {
        Ok(constants) => {
            let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
            fs::write(Path::new(&out).join("ceilings.rs"), constants).expect("OUT_DIR is writable");
        }
        Err(why) => {
            println!("cargo::error={why}");
            exit(1);
        }
    }
}

/// The ceilings as Rust code, given the variables of the environment.
pub(crate) fn constants(variables: impl Iterator<Item = (String, String)>) -> Result<String, String> {
    let mut values: Vec<usize> = CEILINGS.iter().map(|row| row.1).collect();
    for (variable, text) in variables {
        let Some(name) = variable.strip_prefix(PREFIX) else { continue };
        let Some(place) = CEILINGS.iter().position(|row| row.0 == name) else {
            let names: Vec<_> = CEILINGS.iter().map(|row| row.0).collect();
            return Err(format!("{variable} is not a ceiling of roomd; there are: {}", names.join(", ")));
        };
        let (_, _, least, greatest) = CEILINGS[place];
        let value = text.parse().ok().filter(|value| (least..=greatest).contains(value));
        values[place] = value
            .ok_or_else(|| format!("{variable}={text}: give a whole number from {least} to {greatest}"))?;
    }
    let mut constants = String::new();
    for ((name, ..), value) in CEILINGS.iter().zip(values) {
        let value = grouped(value);
        writeln!(
            constants,
            "/// Build-time ceiling, `{PREFIX}{name}`.\npub const {name}_MAX: usize = {value};"
        )
        .expect("writing to a string");
    }
    Ok(constants)
}

/// A number as Rust code writes it, its digits in groups of three.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join("_")
}
