//! The architecture as a test: which floor may know which, how long things may be, and that what
//! the documents and scripts point at is there.
//!
//! Each rule is a function over text that returns what breaks it, one sentence each that says what to
//! do instead; beside it are tests that show it a bad sample. Here the rules meet the repository.

#![allow(clippy::unwrap_used)]

mod dependencies;
mod floors;
mod markdown;
mod scripts;
mod shape;
mod source;

use source::Source;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Not ours, or made by a build.
const NOT_OURS: [&str; 6] = [".git", "target", "node_modules", "artifacts", "corpus", "coverage"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Paths of all files below `directory` from the root on, in order.
fn files(directory: &str) -> Vec<String> {
    let mut paths = Vec::new();
    collect(&root().join(directory), &mut paths);
    let mut paths: Vec<_> =
        paths.iter().map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()).collect();
    paths.sort_unstable();
    assert!(!paths.is_empty(), "there is nothing in {directory:?}: this test looks in the wrong place");
    paths
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            paths.push(path);
        } else if !NOT_OURS.contains(&path.file_name().unwrap().to_str().unwrap()) {
            collect(&path, paths);
        }
    }
}

fn with_extension<'a>(paths: &'a [String], extension: &str) -> Vec<&'a str> {
    let has = |path: &&str| Path::new(path).extension().is_some_and(|found| found == extension);
    paths.iter().map(String::as_str).filter(has).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All Rust files, those of the library with what is a test in them told apart.
fn sources() -> Vec<Source> {
    let paths = files("");
    let read = |path: &&str| Source::new(path, &read(path));
    let mut sources: Vec<Source> = with_extension(&paths, "rs").iter().map(read).collect();
    source::mark_test_modules(&mut sources);
    sources
}

/// All of it at once, so that one run tells everything.
#[track_caller]
fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn no_floor_imports_from_one_above_it() {
    let sources = sources();
    assert_none(&floors::without_files(&sources));
    assert_none(&sources.iter().flat_map(floors::imports_upward).collect::<Vec<_>>());
}

#[test]
fn only_the_server_awaits_and_touches_sockets_and_clocks() {
    assert_none(&sources().iter().flat_map(floors::foreign_words).collect::<Vec<_>>());
}

#[test]
fn files_functions_and_lines_are_short() {
    let sources = sources();
    let broken = sources.iter().flat_map(|source| {
        let mut broken = shape::long_file(source);
        broken.extend(shape::long_functions(source));
        broken.extend(shape::long_lines(source));
        broken
    });
    assert_none(&broken.collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_to_do_and_nothing_is_unsafe() {
    let paths = files("");
    let mut broken: Vec<_> = sources().iter().flat_map(shape::unsafe_code).collect();
    for path in &paths {
        // Pictures and the like have no words.
        if let Ok(text) = fs::read_to_string(root().join(path)) {
            broken.extend(shape::leftovers(path, &text));
        }
    }
    assert_none(&broken);
}

#[test]
fn every_document_has_one_title_and_its_links_lead_somewhere() {
    let paths = files("");
    let mut broken = Vec::new();
    for path in with_extension(&paths, "md") {
        let text = read(path);
        broken.extend(markdown::titles(path, &text));
        broken.extend(markdown::dead_links(path, &text, |target| {
            let target = root().join(target);
            target.is_dir().then(String::new).or_else(|| fs::read(target).ok().map(lossy))
        }));
    }
    assert_none(&broken);
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

#[test]
fn every_script_says_what_it_is_for_and_can_be_used() {
    let paths = files("scripts");
    let texts: Vec<_> = paths.iter().map(|path| (path.as_str(), read(path))).collect();
    let broken = texts.iter().flat_map(|(path, text)| {
        let mut broken = scripts::unexplained(path, text);
        broken.extend(scripts::unusable(path, scripts::is_executable(&root().join(path)), &texts));
        broken
    });
    assert_none(&broken.collect::<Vec<_>>());
}

#[test]
fn every_dependency_has_its_reason_in_the_architecture() {
    assert_none(&dependencies::unexplained(&read("Cargo.toml"), &read("docs/ARCHITECTURE.md")));
}
