//! Holds what the documents say about the project against the project: files, tests, dependencies.

#![allow(clippy::unwrap_used)]

mod markdown;

use std::{collections::BTreeSet, fs, path::Path};

use markdown::code_words;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// All Rust sources of the project in one text.
fn sources() -> String {
    fn add(folder: &Path, all: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(&path, all);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut all = String::new();
    for folder in ["src", "tests", "fuzz/checks"] {
        add(&Path::new(ROOT).join(folder), &mut all);
    }
    all
}

/// A word in backticks that names a file or folder of the project.
fn is_path(word: &str) -> bool {
    let folders = ["src/", "tests/", "docs/", "web/", "fuzz/", "benches/", "systemd/", "scripts/"];
    let is_plain = !word.contains([' ', '*', '<']);
    is_plain && folders.iter().any(|folder| word.starts_with(folder))
}

#[test]
fn every_file_that_the_documents_name_is_there() {
    for document in markdown::all() {
        for word in code_words(&document.text).into_iter().filter(|word| is_path(word)) {
            assert!(Path::new(ROOT).join(word).exists(), "{}: `{word}` is not there", document.name);
        }
    }
}

#[test]
fn every_test_binary_has_its_row() {
    let section = markdown::read("docs/TESTING.md").section("## What is where").join("\n");
    for entry in fs::read_dir(Path::new(ROOT).join("tests")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_binary =
            path.join("main.rs").exists() || path.extension().is_some_and(|extension| extension == "rs");
        let word = if path.is_dir() { format!("`tests/{name}/`") } else { format!("`tests/{name}`") };
        assert!(!is_binary || section.contains(&word), "{word} has no row in docs/TESTING.md");
    }
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    for document in markdown::all() {
        let folder = Path::new(ROOT).join(&document.name).parent().unwrap().to_owned();
        for target in document.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            if file.contains("://") {
                continue;
            }
            let path = if file.is_empty() { Path::new(ROOT).join(&document.name) } else { folder.join(file) };
            assert!(path.exists(), "{}: no file {target}", document.name);
            if !anchor.is_empty() {
                let text = fs::read_to_string(&path).unwrap();
                let mut anchors = text.lines().filter(|line| line.starts_with('#')).map(anchor_of);
                assert!(anchors.any(|known| known == anchor), "{}: no heading {target}", document.name);
            }
        }
    }
}

/// The anchor that a heading gets: lower case, hyphens for spaces, no punctuation.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    text.chars().filter(|&c| c.is_alphanumeric() || c == '-' || c == '_').collect()
}

#[test]
fn every_invariant_is_held_by_something_that_exists() {
    let sources = sources();
    for row in markdown::read("docs/ARCHITECTURE.md").table("## Invariants") {
        let names = code_words(&row[1]);
        for test in
            names.into_iter().filter(|name| name.contains('_') && !is_path(name) && !name.contains(' '))
        {
            assert!(sources.contains(&format!("fn {test}(")), "no test `{test}` for: {}", row[0]);
        }
    }
}

#[test]
fn every_dependency_has_its_reason_and_no_other_has_one() {
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let mut is_wanted = false;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            is_wanted = line.ends_with("dependencies]") && *line != "[build-dependencies]";
        }
        is_wanted && !line.starts_with(['[', '#'])
    });
    let wanted: BTreeSet<_> =
        lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.to_owned()).collect();
    assert!(wanted.len() > 20, "{wanted:?}");
    let section = markdown::read("docs/ARCHITECTURE.md").section("## Dependencies").join("\n");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let told: BTreeSet<_> = rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned())).collect();
    assert_eq!(told, wanted);
}
