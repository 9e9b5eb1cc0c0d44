//! Every file that fuzzing has left in `fuzz/corpus/`, through the check of its target: what was found
//! once stays found, without a fuzzer.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{collections::BTreeSet, fs, path::PathBuf};

#[path = "../fuzz/checks/connection.rs"]
mod connection;
#[path = "../fuzz/checks/frame_reader.rs"]
mod frame_reader;
#[path = "../fuzz/checks/frames.rs"]
mod frames;
#[path = "../fuzz/checks/hub_ops.rs"]
mod hub_ops;
#[path = "../fuzz/checks/message_parse.rs"]
mod message_parse;
#[path = "../fuzz/checks/settings.rs"]
mod settings;

struct Target {
    /// Also the name of its folder.
    name: &'static str,
    check: fn(&[u8]),
}

const TARGETS: &[Target] = &[
    Target { name: "connection", check: connection::check },
    Target { name: "frame_reader", check: frame_reader::check },
    Target { name: "hub_ops", check: hub_ops::check },
    Target { name: "message_parse", check: message_parse::check },
    Target { name: "settings", check: settings::check },
];

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

#[test]
fn every_file_of_the_corpus_passes_the_check_of_its_target() {
    for Target { name, check } in TARGETS {
        let files: Vec<_> =
            fs::read_dir(corpus().join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!files.is_empty(), "the corpus of {name} is empty");
        for file in files {
            // Printed when the check panics: the harness shows the output of a failed test.
            println!("{}", file.display());
            check(&fs::read(&file).unwrap());
        }
    }
}

#[test]
fn every_folder_of_the_corpus_belongs_to_a_target() {
    let folders: BTreeSet<_> = fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(folders, TARGETS.iter().map(|target| target.name.to_string()).collect());
}
