//! The parts of `scripts/bench-peers` that a shell is not made for:
//!
//! ```sh
//! peers load mqtt|nats|socket.io FLAG...   # a load in another protocol
//! peers report RUNS DOCS                   # figures, picture and tables of DOCS, from these runs
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod dialects;
mod figures;
mod plot;
mod tables;

use std::{env, ffi::OsString, fs, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let words: Vec<OsString> = env::args_os().skip(1).filter(|word| word != "--bench").collect();
    let done = match &words[..] {
        [word, dialect, flags @ ..] if word == "load" => load(dialect, flags),
        [word, runs, docs] if word == "report" => report(runs.as_ref(), docs.as_ref()),
        _ => Err(("usage: peers load DIALECT FLAG... | peers report RUNS DOCS".to_owned(), 78)),
    };
    let Err((why, code)) = done else { return ExitCode::SUCCESS };
    eprintln!("peers: {why}");
    ExitCode::from(code)
}

fn load(name: &OsString, flags: &[OsString]) -> Result<(), (String, u8)> {
    let dialect = dialects::DIALECTS.into_iter().find(|(known, _)| name == known);
    let (_, dialect) = dialect.ok_or_else(|| (format!("there is no dialect {}", name.display()), 78))?;
    let done = roomd::bench::run_in(dialect, flags.iter().cloned(), |text| print!("{text}"));
    done.map_err(|failure| (failure.to_string(), failure.exit_code()))
}

fn report(runs: &Path, docs: &Path) -> Result<(), (String, u8)> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| told(path, &error));
    let write = |path: &Path, text: String| fs::write(path, text).map_err(|error| told(path, &error));
    let figures = figures::Figures::of_lines(&read(runs)?).map_err(|error| told(runs, &error))?;
    let document = docs.join("BENCHMARKS.md");
    let text = tables::written_into(&read(&document)?, &figures).map_err(|error| told(&document, &error))?;
    write(&docs.join("benchmarks.json"), figures.json())?;
    write(&docs.join("benchmarks.svg"), plot::svg(&figures))?;
    write(&document, text)
}

fn told(path: &Path, error: &dyn std::fmt::Display) -> (String, u8) {
    (format!("{}: {error}", path.display()), 65)
}
