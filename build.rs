//! Turns the table of compile-time ceilings into constants.
//!
//! `ROOMD_BUILD_<NAME>=<number>` in the build environment changes one of them; a name that is not in
//! the table, or a value outside its range, stops the build. `src/limits.rs` includes the result and
//! checks how the numbers stand to each other.

use std::{env, fmt::Write as _, fs, path::Path, process::exit};

/// Name, default, least and greatest value.
const CEILINGS: &[(&str, usize, usize, usize)] = &[
    ("CLIENTS", 16_384, 1, 65_534),
    ("ROOMS", 256, 1, 65_534),
    ("ROOMS_PER_CLIENT", 32, 1, 255),
    ("LOG_BYTES", 2 << 20, 4_096, 1 << 30),
    ("LOG_MESSAGES", 4_096, 4, 1 << 20),
    ("MESSAGE_BYTES", 512 << 10, 1_024, 1 << 28),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let mut constants = String::new();
    for &(name, default, least, greatest) in CEILINGS {
        let variable = format!("ROOMD_BUILD_{name}");
        println!("cargo::rerun-if-env-changed={variable}");
        let value = match env::var(&variable) {
            Err(_) => default,
            Ok(text) => {
                text.parse().ok().filter(|value| (least..=greatest).contains(value)).unwrap_or_else(|| {
                    refuse(&format!("{variable}={text}: give a whole number from {least} to {greatest}"))
                })
            }
        };
        let value = grouped(value);
        writeln!(constants, "/// Build-time ceiling, `{variable}`.\npub const {name}_MAX: usize = {value};")
            .expect("writing to a string");
    }
    for (variable, _) in env::vars_os() {
        let variable = variable.to_string_lossy();
        let known = |name: &str| CEILINGS.iter().any(|row| row.0 == name);
        if variable.strip_prefix("ROOMD_BUILD_").is_some_and(|name| !known(name)) {
            let names: Vec<_> = CEILINGS.iter().map(|row| row.0).collect();
            refuse(&format!("{variable} is not a ceiling of roomd; there are: {}", names.join(", ")));
        }
    }
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("ceilings.rs"), constants).expect("OUT_DIR is writable");
}

/// A number as Rust code writes it, its digits in groups of three.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join("_")
}

fn refuse(why: &str) -> ! {
    println!("cargo::error={why}");
    exit(1);
}
