//! Every file that fuzzing has left in `fuzz/corpus/`, through the check of its target: what was found
//! once stays found, without a fuzzer. And pieces of these files put together anew, which is little of what a
//! fuzzer would try, but on every run: a check that the product has outgrown does not wait for one.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use proptest::{collection::vec, prelude::*, sample::Index, test_runner::RngSeed};
use std::{collections::BTreeSet, fs, path::PathBuf, sync::LazyLock};

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

/// As much as a fuzzer tries by itself.
const BYTES_MAX: usize = 4_096;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// By name: a folder has them in any order.
fn files(target: &str) -> BTreeSet<PathBuf> {
    fs::read_dir(corpus().join(target)).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// From one byte of a file to another, and how often.
#[derive(Debug, Clone)]
struct Piece {
    file: Index,
    from: Index,
    to: Index,
    times: usize,
}

fn piece() -> impl Strategy<Value = Piece> {
    let times = prop_oneof![4 => Just(1), 1 => 2..20_usize];
    (any::<Index>(), any::<Index>(), any::<Index>(), times).prop_map(|(file, from, to, times)| Piece {
        file,
        from,
        to,
        times,
    })
}

/// What the corpus of this target holds.
fn contents(target: &Target) -> Vec<Vec<u8>> {
    files(target.name).iter().map(|file| fs::read(file).unwrap()).collect()
}

fn put_together(pieces: &[Piece], contents: &[Vec<u8>]) -> Vec<u8> {
    let bytes = pieces.iter().flat_map(|piece| {
        let file = piece.file.get(contents);
        let (from, to) = (piece.from.index(file.len() + 1), piece.to.index(file.len() + 1));
        file[from.min(to)..from.max(to)].repeat(piece.times)
    });
    bytes.take(BYTES_MAX).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 5_000,
        // The same on every run, so that whoever changes the product is told, and nobody else.
        rng_seed: RngSeed::Fixed(4),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn pieces_of_the_corpus_put_together_anew_pass_the_check_of_their_target(
        pieces in vec(piece(), 1..8), head in vec(any::<u8>(), 0..5),
    ) {
        static CONTENTS: LazyLock<Vec<Vec<Vec<u8>>>> = LazyLock::new(|| TARGETS.iter().map(contents).collect());
        for (target, contents) in TARGETS.iter().zip(&*CONTENTS) {
            (target.check)(&[head.clone(), put_together(&pieces, contents)].concat());
        }
    }
}

#[test]
fn every_file_of_the_corpus_passes_the_check_of_its_target() {
    for Target { name, check } in TARGETS {
        let files = files(name);
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
