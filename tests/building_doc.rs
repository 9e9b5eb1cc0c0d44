//! Holds the targets of `scripts/cross-build` in step wherever they stand: [BUILDING.md], `Cross.toml`, `deny.toml`.
//!
//! [BUILDING.md]: ../docs/BUILDING.md

#![allow(clippy::unwrap_used)]

#[allow(dead_code, clippy::print_stdout, reason = "its `main` is for cargo")]
#[path = "../build.rs"]
mod build;
mod markdown;

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use markdown::code_words;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn toml(name: &str) -> toml::Table {
    read(name).parse().unwrap()
}

/// What `scripts/targets` says when it is asked so.
fn asked(ask: &str) -> String {
    let mut bash = Command::new("bash");
    let ask = format!(". scripts/targets; {ask}");
    let output = bash.args(["-euc", &ask]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Targets and Rust's names for them, as the scripts have them.
fn targets() -> BTreeMap<String, String> {
    let said = asked("for target in \"${TARGETS[@]}\"; do echo \"$target $(triple_of \"$target\")\"; done");
    let pairs = said.lines().map(|line| line.split_once(' ').unwrap());
    let targets: BTreeMap<_, _> = pairs.map(|(name, triple)| (name.to_owned(), triple.to_owned())).collect();
    assert!(targets.len() >= 4, "{targets:?}");
    targets
}

#[test]
fn every_target_is_told_with_the_boards_that_need_it() {
    let rows = markdown::read("docs/BUILDING.md").table("## Targets");
    let cell = |row: &[String], index: usize| code_words(&row[index])[0].to_owned();
    let told: BTreeMap<_, _> = rows.iter().map(|row| (cell(row, 0), cell(row, 1))).collect();
    assert_eq!(told, targets());
}

#[test]
fn each_board_gets_what_its_kernel_and_its_system_run() {
    for (machine, bits, target) in [
        ("aarch64", "64", "aarch64"),
        ("aarch64", "32", "armv7"),
        ("armv7l", "32", "armv7"),
        ("armv8l", "32", "armv7"),
        ("armv6l", "32", "arm"),
        ("x86_64", "64", "x86_64"),
        ("sparc64", "64", "none"),
    ] {
        let said = asked(&format!("target_for {machine} {bits} || echo none"));
        assert_eq!(said.trim_end(), target, "{machine}, {bits} bits");
    }
}

#[test]
fn the_line_of_the_unit_that_a_64_bit_program_fails_by_on_a_32_bit_system_is_there() {
    let (document, unit) = (read("docs/BUILDING.md"), read("systemd/roomd.service"));
    let told = code_words(&document).into_iter().find(|word| word.starts_with("SystemCall"));
    assert!(unit.lines().any(|line| Some(line) == told), "BUILDING.md explains {told:?}");
}

#[test]
fn every_target_has_its_image_of_the_version_of_cross() {
    let script = read("scripts/cross-build");
    let version = script.lines().find_map(|line| line.strip_prefix("readonly CROSS_VERSION=")).unwrap();
    assert!(read("docs/BUILDING.md").contains(&format!("cross@{version} ")), "{version}");
    let file = toml("Cross.toml");
    let images = file["target"].as_table().unwrap();
    let found: BTreeMap<_, _> =
        images.iter().map(|(triple, target)| (triple.clone(), target["image"].as_str().unwrap())).collect();
    let image = |triple: &String| format!("ghcr.io/cross-rs/{triple}:{version}");
    let wanted: Vec<_> = targets().into_values().map(|triple| (image(&triple), triple)).collect();
    assert_eq!(found.len(), wanted.len());
    for (image, triple) in &wanted {
        assert_eq!(found.get(triple), Some(&image.as_str()), "{triple}");
    }
}

#[test]
fn the_ceilings_of_the_build_reach_the_container() {
    let file = toml("Cross.toml");
    let passed = file["build"]["env"]["passthrough"].as_array().unwrap();
    let passed: Vec<_> = passed.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    let ceilings: Vec<_> = build::CEILINGS.iter().map(|row| format!("ROOMD_BUILD_{}", row.0)).collect();
    assert_eq!(passed, ceilings);
}

#[test]
fn what_is_built_is_what_licenses_and_sources_are_checked_of() {
    let file = toml("deny.toml");
    let checked = file["graph"]["targets"].as_array().unwrap();
    for triple in targets().into_values() {
        assert!(checked.iter().any(|known| known.as_str() == Some(&triple)), "{triple} is not in deny.toml");
    }
}

#[test]
fn what_is_wrong_is_told_in_one_line_before_anything_is_built() {
    for (arguments, said) in [
        (&[][..], "name a target; there are: aarch64"),
        (&["armv6"], "`armv6`: there is no such target; there are: aarch64"),
        (&["--profile"], "option --profile: needs a value"),
        (&["--profile", "fast", "arm"], "option --profile: there is no `fast`; there are: release ci"),
        (&["--way", "boat", "arm"], "option --way: there is no `boat`; there are: cross rustup source"),
        (
            &["--way", "rustup", "--tls", "arm"],
            "option --way: rustup brings no C compiler for the cryptography of --tls; there are: cross source",
        ),
    ] {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/cross-build");
        let output = Command::new(script).args(arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(78), 0), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with(&format!("cross-build: {said}")), "{arguments:?}: {stderr}");
        assert!(stderr.ends_with("; see scripts/cross-build --help\n"), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}
