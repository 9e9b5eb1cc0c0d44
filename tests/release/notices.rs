//! `scripts/notices`: whose work is in the program.

use std::{collections::BTreeSet, fs, process::Command};

use super::{ROOT, checkout::Checkout};

/// What it prints of crates that are linked like this, and have these files.
fn notices_of(name: &str, linked: &str, files: &[(&str, &str)]) -> Result<String, String> {
    let checkout = Checkout::new(name);
    let cargo = format!("#!/bin/sh\n[ \"$1\" != tree ] || printf '{linked}'\n");
    fs::write(checkout.root.join("home/bin/cargo"), cargo).unwrap();
    for (path, text) in files {
        let path = checkout.root.join("home/registry/src/index").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    checkout.bash("scripts/notices aarch64-unknown-linux-musl")
}

#[test]
fn a_text_that_several_share_is_there_once_and_of_several_licences_that_of_mit() {
    let linked =
        "roomd v0.1.0 (/here) MIT\\nzap v2.0.0 MIT OR Apache-2.0\\nabc v1.0.0 MIT\\nabc v1.0.0 MIT\\n";
    let files = [
        ("abc-1.0.0/LICENSE", "Copyright Aki\n"),
        ("zap-2.0.0/LICENSE-MIT", "Copyright Aki\n"),
        ("zap-2.0.0/LICENSE-APACHE", "Apache of zap\n"),
        ("zap-2.0.0/NOTICE", "Thanks to Noor\n"),
        ("zap-2.0.0/src", "code\n"),
    ];
    let said = notices_of("notices", linked, &files).unwrap();
    assert!(said.contains("\nabc 1.0.0 MIT\nzap 2.0.0 MIT OR Apache-2.0\n\n"), "{said}");
    let (_, texts) = said.split_once("\n--- ").unwrap();
    let wanted =
        "abc 1.0.0, zap 2.0.0: LICENSE\n\nCopyright Aki\n\n--- zap 2.0.0: NOTICE\n\nThanks to Noor\n";
    assert_eq!(texts, wanted);
}

#[test]
fn apache_stands_where_there_is_nothing_else() {
    let files = [("abc-1.0.0/LICENSE-APACHE", "Apache of abc\n")];
    let said = notices_of("apache", "abc v1.0.0 Apache-2.0\\n", &files).unwrap();
    assert!(said.ends_with("--- abc 1.0.0: LICENSE-APACHE\n\nApache of abc\n"), "{said}");
}

#[test]
fn a_crate_that_brings_no_licence_is_an_error() {
    let said = notices_of("none", "abc v1.0.0 MIT\\n", &[("abc-1.0.0/README.md", "abc\n")]).unwrap_err();
    assert!(said.contains("abc 1.0.0 brings no licence"), "{said}");
}

#[test]
fn everything_that_is_linked_has_its_text() {
    let notices = format!("{ROOT}/scripts/notices");
    let output = Command::new(notices).arg("aarch64-unknown-linux-musl").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let head = said.lines().skip(2).take_while(|line| !line.is_empty());
    let name_of = |line: &str| line.rsplitn(2, ' ').last().unwrap().to_owned();
    let linked: BTreeSet<_> =
        head.map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    let titles = said.lines().filter_map(|line| Some(line.strip_prefix("--- ")?.rsplit_once(": ")?.0));
    let told: BTreeSet<_> = titles.flat_map(|title| title.split(", ").map(str::to_owned)).collect();
    assert!(told.is_subset(&linked) && linked.len() > 50, "{linked:?}");
    for one in linked.difference(&told) {
        assert!(said.contains(&format!("\n{}: Copyright", name_of(one))), "{one}");
    }
    for holder in ["Rich Felker", "The Rust Project Developers", "Unicode, Inc."] {
        assert!(said.contains(holder), "{holder}");
    }
}
