//! What stands beside the program.

use std::{fs, os::unix::fs::MetadataExt as _};

use super::checkout::Checkout;

/// Names and modes of what `bundle` puts together, and the sums that it makes of that.
fn bundled(name: &str, umask: u32) -> (Vec<(String, u32)>, String) {
    let checkout = Checkout::new(name);
    for folder in ["scripts/on-board", "systemd"] {
        for entry in fs::read_dir(checkout.root.join(folder)).unwrap() {
            let (path, mode) = (entry.as_ref().unwrap().path(), entry.unwrap().metadata().unwrap().mode());
            let whole = if mode & 0o100 == 0 { 0o666 } else { 0o777 };
            checkout.set_mode(path.to_str().unwrap(), whole & !umask);
        }
    }
    checkout.bash("mkdir bundle; bundle bundle scripts/check-binary").unwrap();
    let entries = fs::read_dir(checkout.root.join("bundle")).unwrap().map(Result::unwrap);
    let mut files: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().mode() & 0o777))
        .collect();
    files.sort();
    (files, fs::read_to_string(checkout.root.join("bundle/SHA256SUMS")).unwrap())
}

#[test]
fn a_checkout_of_any_umask_makes_the_same_files() {
    let usual = bundled("umask-022", 0o022);
    let programs = usual.0.iter().filter(|file| file.1 == 0o755).map(|file| file.0.as_str());
    assert_eq!(programs.collect::<Vec<_>>(), ["install", "roomd", "uninstall"]);
    for umask in [0o002, 0o007, 0o027, 0o077] {
        assert_eq!(bundled(&format!("umask-{umask:o}"), umask), usual, "{umask:o}");
    }
}
