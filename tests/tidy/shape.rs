//! How long things may be, and what may not be in them.

use crate::source::{Source, closing_brace, words};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_COLUMNS_MAX: usize = 110;
/// Tests quote messages and scripts, which are read best in one piece.
const TEST_LINE_COLUMNS_MAX: usize = 135;
/// Spelt so that this file does not hold them.
const LEFTOVERS: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("to", "do!"),
    concat!("db", "g!"),
    concat!("unimple", "mented!"),
];

/// The file, if it is too long without its tests.
pub(crate) fn long_file(source: &Source) -> Vec<String> {
    let lines = source.product_lines();
    let message = || {
        format!(
            "{}: {lines} lines without its tests, {FILE_LINES_MAX} at most: give a part a file of its own",
            source.path
        )
    };
    (lines > FILE_LINES_MAX).then(message).into_iter().collect()
}

/// Functions that are too long, tests among them.
pub(crate) fn long_functions(source: &Source) -> Vec<String> {
    let code = &source.code;
    let mut broken = Vec::new();
    for at in words(code, "fn") {
        let Some(open) = code[at..].find(['{', ';']).map(|open| at + open) else { continue };
        if code.as_bytes()[open] == b';' {
            continue;
        }
        let lines = code[at..closing_brace(code, open)].lines().count();
        if lines > FUNCTION_LINES_MAX {
            broken.push(format!(
                "{}:{}: a function of {lines} lines, {FUNCTION_LINES_MAX} at most: name its parts",
                source.path,
                source.line_of(at)
            ));
        }
    }
    broken
}

/// Lines that are too long, which rustfmt leaves in strings, comments and macros.
pub(crate) fn long_lines(source: &Source) -> Vec<String> {
    let most = if source.path.starts_with("tests/") { TEST_LINE_COLUMNS_MAX } else { LINE_COLUMNS_MAX };
    let is_long = |line: &(usize, &str)| line.1.chars().count() > most;
    let tell = |(number, line): (usize, &str)| {
        let columns = line.chars().count();
        format!("{}:{}: {columns} columns, {most} at most: break the line", source.path, number + 1)
    };
    source.text.lines().enumerate().filter(is_long).map(tell).collect()
}

/// The keyword `unsafe`.
pub(crate) fn unsafe_code(source: &Source) -> Vec<String> {
    let tell = |at| format!("{}:{}: unsafe; find a crate that wraps it", source.path, source.line_of(at));
    words(&source.code, "unsafe").into_iter().map(tell).collect()
}

/// What was to be done later.
pub(crate) fn leftovers(path: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in LEFTOVERS.iter().filter(|word| !words(line, word).is_empty()) {
            broken
                .push(format!("{path}:{}: {word}: do it now, or write it down as a limitation", number + 1));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("src/a.rs", text)
    }

    #[test]
    fn a_file_may_have_400_lines_and_any_number_of_tests() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(1_000));
        assert_eq!(long_file(&source(&("\n".repeat(400) + &tests))).len(), 0);
        assert_eq!(long_file(&source(&("\n".repeat(401) + &tests))).len(), 1);
    }

    #[test]
    fn a_function_may_have_70_lines() {
        let function = |lines: usize| format!("trait A {{ fn b(); }}\nfn c() {{{}}}", "\n".repeat(lines - 1));
        assert_eq!(long_functions(&source(&function(70))).len(), 0);
        assert_eq!(long_functions(&source(&function(71))).len(), 1);
    }

    #[test]
    fn a_line_may_have_110_columns() {
        assert_eq!(long_lines(&source(&"ä".repeat(110))).len(), 0);
        assert_eq!(long_lines(&source(&"ä".repeat(111))).len(), 1);
        assert_eq!(long_lines(&Source::new("tests/a.rs", &"ä".repeat(135))).len(), 0);
        assert_eq!(long_lines(&Source::new("tests/a.rs", &"ä".repeat(136))).len(), 1);
    }

    #[test]
    fn unsafe_is_found_in_code_alone() {
        assert_eq!(unsafe_code(&source("unsafe { x() }")).len(), 1);
        assert_eq!(unsafe_code(&source("#![forbid(unsafe_code)] // unsafe\n\"unsafe\"")).len(), 0);
    }

    #[test]
    fn leftovers_are_found_in_any_text() {
        for word in LEFTOVERS {
            assert_eq!(leftovers("a.md", &format!("fine\n# {word}: later")).len(), 1, "{word}");
            assert_eq!(leftovers("a.md", &format!("m{word}")).len(), 0, "{word}");
        }
    }
}
