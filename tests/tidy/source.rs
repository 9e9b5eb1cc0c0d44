//! A Rust file as the rules see it: its code without comments and the insides of strings, and which
//! of its lines are tests. Method: a small lexer, exact enough for code that rustfmt has seen.

use std::ops::Range;

/// One file.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root on.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Like `text`, byte for byte, but blank where there are comments and literals.
    pub(crate) code: String,
    /// Like `code`, but blank where there are tests.
    pub(crate) product: String,
    /// Whether the whole file is a test or a bench.
    pub(crate) is_test: bool,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = code_of(text);
        let mut product = code.clone();
        for range in test_items(&code) {
            product.replace_range(range.clone(), &blank(&code[range]));
        }
        let is_test = !path.starts_with("src/") && path != "build.rs";
        Self { path: path.to_owned(), text: text.to_owned(), code, product, is_test }
    }

    /// Lines that are not tests.
    pub(crate) fn product_lines(&self) -> usize {
        let in_tests: usize =
            test_items(&self.code).into_iter().map(|range| self.code[range].lines().count()).sum();
        if self.is_test { 0 } else { self.text.lines().count() - in_tests }
    }

    pub(crate) fn line_of(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }

    /// Where the modules below this file are.
    fn directory(&self) -> String {
        let stem = self.path.trim_end_matches(".rs");
        match stem.rsplit_once('/') {
            Some((directory, "mod" | "lib" | "main")) => directory.to_owned(),
            _ => stem.to_owned(),
        }
    }
}

/// Marks the files that are modules for tests only: `#[cfg(test)] mod name;`.
pub(crate) fn mark_test_modules(sources: &mut [Source]) {
    let mut modules = Vec::new();
    for source in &*sources {
        for range in test_items(&source.code) {
            let item = source.code[range].trim_end_matches(';');
            if let Some((_, name)) = item.rsplit_once("mod ") {
                modules.push(format!("{}/{name}", source.directory()));
            }
        }
    }
    for source in sources {
        let stem = source.path.trim_end_matches(".rs");
        source.is_test |= modules.iter().any(|module| {
            stem.strip_prefix(module.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
    }
}

/// Items under `#[cfg(test)]`, each to its `;` or closing brace.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    let mut from = 0;
    while let Some(start) = code[from..].find("#[cfg(test)]").map(|at| from + at) {
        let end = match code[start..].find(['{', ';']).map(|at| start + at) {
            Some(at) if code.as_bytes()[at] == b'{' => closing_brace(code, at),
            Some(at) => at + 1,
            None => code.len(),
        };
        items.push(start..end);
        from = end;
    }
    items
}

/// The end of the block that opens at `open`.
pub(crate) fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return at + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Where `word` stands, neither part of a longer name nor of a lifetime.
pub(crate) fn words(code: &str, word: &str) -> Vec<usize> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'\'';
    let bytes = code.as_bytes();
    let alone = |&at: &usize| {
        let beside = [at.checked_sub(1), Some(at + word.len())].into_iter().flatten();
        !beside.filter_map(|at| bytes.get(at)).any(|&byte| is_name(byte))
    };
    code.match_indices(word).map(|(at, _)| at).filter(alone).collect()
}

/// The code without comments, and without what is inside literals.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let literal = literal_len(rest, code.chars().next_back());
        if literal > 0 {
            code.push_str(&blank(&rest[..literal]));
            rest = &rest[literal..];
        } else {
            let next = rest.chars().next().map_or(0, char::len_utf8);
            code.push_str(&rest[..next]);
            rest = &rest[next..];
        }
    }
    code
}

/// Bytes of the comment or literal that `rest` begins with, 0 if it begins with none.
fn literal_len(rest: &str, before: Option<char>) -> usize {
    let in_name = before.is_some_and(|char| char.is_alphanumeric() || char == '_');
    match rest.as_bytes() {
        [b'/', b'/', ..] => rest.find('\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => rest.find("*/").map_or(rest.len(), |end| end + 2),
        [b'"', ..] => quoted_len(rest, '"'),
        [b'r', b'"' | b'#', ..] | [b'b', b'r', b'"' | b'#', ..] if !in_name => raw_len(rest),
        // Else a lifetime.
        [b'\'', b'\\', ..] => quoted_len(rest, '\''),
        [b'\'', ..] if rest.chars().nth(2) == Some('\'') => quoted_len(rest, '\''),
        _ => 0,
    }
}

fn quoted_len(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, char) in rest.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if char == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_len(rest: &str) -> usize {
    let opening = rest.find(|char| char != 'r' && char != 'b' && char != '#').unwrap_or(rest.len());
    if rest.as_bytes().get(opening) != Some(&b'"') {
        return 0;
    }
    let closing = format!("\"{}", "#".repeat(rest[..opening].matches('#').count()));
    rest[opening + 1..].find(&closing).map_or(rest.len(), |end| opening + 1 + end + closing.len())
}

/// As many bytes and lines, with nothing in them.
fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank_and_the_rest_stays_in_its_place() {
        let text = "a /* b\nb */ \"c \\\" c\" 'd' '\\'' r#\"e \" e\"# br\"f\" &'g str // h\nfor ä";
        let code = code_of(text);
        assert_eq!(code.len(), text.len());
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "&'g", "str", "for", "ä"]);
        assert_eq!(code.find("for"), text.find("for"));
    }

    #[test]
    fn tests_inside_a_file_are_not_its_product() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { {} }\n}\nfn c() {}\n";
        let source = Source::new("src/a.rs", text);
        assert_eq!(source.product.split_whitespace().collect::<String>(), "fna(){}fnc(){}");
        assert_eq!(source.product_lines(), 2);
    }

    #[test]
    fn a_module_declared_for_tests_is_a_test_with_all_below_it() {
        let paths =
            ["src/a/mod.rs", "src/a/tests/mod.rs", "src/a/tests/b.rs", "src/a/tests_of.rs", "src/c.rs"];
        let text = |path| if path == "src/a/mod.rs" { "#[cfg(test)]\nmod tests;\nmod tests_of;" } else { "" };
        let mut sources: Vec<_> = paths.iter().map(|&path| Source::new(path, text(path))).collect();
        mark_test_modules(&mut sources);
        let tests: Vec<_> = sources.iter().map(|source| source.is_test).collect();
        assert_eq!(tests, [false, true, true, false, false]);
    }

    #[test]
    fn a_word_is_not_part_of_a_name() {
        assert_eq!(words("net internet net_work 'net net", "net"), [0, 27]);
    }
}
