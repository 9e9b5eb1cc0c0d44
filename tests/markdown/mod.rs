//! As much of Markdown as the tests of the documents need: sections, tables, fenced blocks.

// Each test binary compiles all of it and uses its own part.
#![allow(dead_code, clippy::unwrap_used)]

use std::{fs, path::Path};

/// One document.
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) language: String,
    /// The line of the document that its first line is.
    pub(crate) line: usize,
    pub(crate) lines: Vec<String>,
}

/// Reads a document of the project by its path from the top.
pub(crate) fn read(name: &str) -> Document {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    Document { name: name.to_owned(), text }
}

/// The README, and every document under `docs/`.
pub(crate) fn all() -> Vec<Document> {
    let mut names = vec!["README.md".to_owned(), "CHANGELOG.md".to_owned()];
    for folder in ["docs", "docs/decisions"] {
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        let files = entries.map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
        names.extend(files.map(|path| format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap())));
    }
    assert!(names.len() > 6, "the documents are where they are looked for: {names:?}");
    names.iter().map(|name| read(name)).collect()
}

impl Document {
    /// The lines below a heading (given with its `#`s), up to the next one of its level or above.
    pub(crate) fn section(&self, heading: &str) -> Vec<&str> {
        let level = heading.split(' ').next().unwrap().len();
        let mut lines = self.text.lines().skip_while(|line| *line != heading);
        assert!(lines.next().is_some(), "{} has no section `{heading}`", self.name);
        let ends = |line: &str| {
            let depth = line.bytes().take_while(|byte| *byte == b'#').count();
            (1..=level).contains(&depth) && line[depth..].starts_with(' ')
        };
        lines.take_while(|line| !ends(line)).collect()
    }

    /// The rows of the first table below a heading, without its head; cells without the space around.
    pub(crate) fn table(&self, heading: &str) -> Vec<Vec<String>> {
        let lines = self.section(heading).into_iter().skip_while(|line| !line.starts_with('|'));
        let rows = lines.take_while(|line| line.starts_with('|')).skip(2);
        let rows: Vec<_> = rows.map(cells).collect();
        assert!(!rows.is_empty(), "{}: no table below `{heading}`", self.name);
        rows
    }

    /// All fenced blocks.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let (mut blocks, mut open) = (Vec::new(), None::<Block>);
        for (index, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(language), None) => {
                    open = Some(Block { language: language.to_owned(), line: index + 2, lines: Vec::new() });
                }
                (Some(_), some) => blocks.extend(some.take()),
                (None, Some(block)) => block.lines.push(line.to_owned()),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a fence is not closed", self.name);
        blocks
    }
}

/// The words that a text has in backticks.
pub(crate) fn code_words(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_start_matches('|').trim_end_matches('|');
    row.split('|').map(|cell| cell.trim().to_owned()).collect()
}
