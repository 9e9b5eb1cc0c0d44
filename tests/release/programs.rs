//! `program_of` in `scripts/bundle`, and what `scripts/cross-build` leaves for it.

use std::fs;

use super::checkout::Checkout;

const PROGRAM: &str = "target/dist/aarch64-unknown-linux-musl/roomd";

/// The program that is shipped after these words, and how often something was built until then.
#[track_caller]
fn shipped(checkout: &Checkout, words: &str) -> (usize, String) {
    let said = checkout.bash(words).unwrap_or_else(|said| panic!("{words}: {said}"));
    let path = checkout.root.join(PROGRAM);
    assert!(said.ends_with(&format!("{}\n", path.display())), "{words}: {said}");
    let (times, built) = checkout.built();
    let program = fs::read_to_string(path).unwrap();
    assert_eq!(program.trim(), built, "{words}: it is what was built last");
    (times, built)
}

fn release(times: usize) -> (usize, String) {
    (times, "release, clients as ever".to_owned())
}

#[test]
fn what_was_built_as_it_is_wanted_is_taken_as_it_is() {
    let checkout = Checkout::new("same");
    for _ in 0..2 {
        assert_eq!(shipped(&checkout, "program_of aarch64"), release(1));
    }
    checkout.bash("scripts/cross-build aarch64").unwrap();
    assert_eq!(shipped(&checkout, "program_of aarch64"), release(2));
}

#[test]
fn what_the_tests_have_built_with_less_optimisation_is_built_again() {
    let checkout = Checkout::new("profile");
    checkout.bash("scripts/cross-build --profile ci aarch64").unwrap();
    assert_eq!(shipped(&checkout, "program_of aarch64"), release(2));
    let said = checkout.bash("scripts/cross-build --profile ci aarch64; program_of aarch64").unwrap();
    assert!(said.contains("roomd was built with another profile or other ceilings"), "{said}");
    // The tests of what is released want theirs.
    assert_eq!(shipped(&checkout, "program_of aarch64 ci"), (5, "ci, clients as ever".to_owned()));
    assert_eq!(shipped(&checkout, "program_of aarch64 ci").0, 5);
}

#[test]
fn what_has_other_ceilings_than_are_wanted_is_built_again() {
    let checkout = Checkout::new("ceilings");
    let many = "ROOMD_BUILD_CLIENTS=40000 program_of aarch64";
    assert_eq!(shipped(&checkout, "program_of aarch64"), release(1));
    for _ in 0..2 {
        assert_eq!(shipped(&checkout, many), (2, "release, clients 40000".to_owned()));
    }
    assert_eq!(shipped(&checkout, "program_of aarch64"), release(3));
}

#[test]
fn what_is_older_than_its_sources_is_built_again() {
    let checkout = Checkout::new("older");
    assert_eq!(shipped(&checkout, "program_of aarch64"), release(1));
    for (times, file) in [(2, "src/lib.rs"), (3, "web/index.html"), (4, "Cargo.lock"), (5, "build.rs")] {
        let changed = format!("touch --date='1 minute ago' {PROGRAM}; touch {file}; program_of aarch64");
        assert_eq!(shipped(&checkout, &changed), release(times));
    }
}

#[test]
fn what_has_not_passed_the_check_is_never_shipped() {
    let checkout = Checkout::new("refused");
    assert_eq!(shipped(&checkout, "program_of aarch64"), release(1));
    for _ in 0..2 {
        let said = checkout.bash(
            "touch refused; touch --date='1 minute ago' target/dist/*/roomd; touch build.rs
            program_of aarch64",
        );
        assert!(said.unwrap_err().contains("it could not be built for aarch64"));
    }
    assert_eq!(shipped(&checkout, "rm refused; program_of aarch64"), release(4));
}
