//! What stands beside the program.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path, process::Command};

use super::{ROOT, checkout::Checkout};

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

/// Runs this in the repository; its lines.
fn lines_of(script: &str) -> Vec<String> {
    let output = Command::new("bash").args(["-euc", script]).current_dir(ROOT).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Links of a document, from the top; without those to elsewhere and to itself.
fn links(document: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(ROOT).join(document)).unwrap();
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let targets = targets.filter(|target| !target.is_empty() && !target.contains("://"));
    let path = |target: &str| match target.strip_prefix("../") {
        Some(above) => above.to_owned(),
        None if folder.is_empty() => target.to_owned(),
        None => format!("{folder}/{target}"),
    };
    targets.map(path).collect()
}

fn assert_links_lead_somewhere(shipped: &[String]) {
    let documents = shipped.iter().filter(|path| Path::new(path).extension().is_some_and(|end| end == "md"));
    let mut followed = 0;
    for document in documents {
        for link in links(document) {
            assert!(shipped.contains(&link), "{document} links to {link}, which does not go along");
            followed += 1;
        }
    }
    assert!(followed > 20, "{shipped:?}");
}

#[test]
fn a_document_in_the_archive_links_to_nothing_that_is_not_there() {
    let list = "eval \"$(grep '^readonly DOCUMENTS=' scripts/release)\"; printf '%s\\n' \"${DOCUMENTS[@]}\"";
    assert_links_lead_somewhere(&lines_of(list));
}

#[test]
fn a_document_in_the_package_links_to_nothing_that_is_not_there() {
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let mut shipped = Vec::new();
    for asset in manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap() {
        let (files, place) = (asset[0].as_str().unwrap(), asset[1].as_str().unwrap());
        let Some(place) = place.strip_prefix("usr/share/doc/roomd/") else { continue };
        let files = lines_of(&format!("for file in {files}; do echo \"${{file##*/}}\"; done"));
        shipped.extend(files.iter().map(|file| format!("{place}{file}")));
    }
    assert!(shipped.contains(&"THIRD-PARTY".to_owned()), "{shipped:?}");
    assert_links_lead_somewhere(&shipped);
}
