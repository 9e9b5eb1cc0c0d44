//! Documents: one title each, and links that lead somewhere.

use std::path::{Component, Path, PathBuf};

/// The document, unless it has exactly one title.
pub(crate) fn titles(path: &str, text: &str) -> Vec<String> {
    let found = prose(text).filter(|(_, line)| line.starts_with("# ")).count();
    let message =
        || format!("{path}: {found} lines begin with `# `; a document has one title, the rest are `##`");
    (found != 1).then(message).into_iter().collect()
}

/// Links into the repository for which there is no file, or no heading in it. `open` gives the text of a
/// file by its path from the root on.
pub(crate) fn dead_links(path: &str, text: &str, open: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let directory = Path::new(path).parent().unwrap();
    let mut broken = Vec::new();
    for (number, line) in prose(text) {
        for link in links(line) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.to_owned() } else { normal(&directory.join(file)) };
            let why = match open(&target) {
                None => format!("there is no {target}"),
                Some(text) if !heading.is_empty() && !anchors(&text).any(|anchor| anchor == heading) => {
                    format!("{target} has no heading for #{heading}")
                }
                Some(_) => continue,
            };
            broken.push(format!("{path}:{number}: ({link}) leads nowhere: {why}; mend the link"));
        }
    }
    broken
}

/// Lines outside of code blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_block = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_block ^= is_fence;
        !in_block && !is_fence
    })
}

/// Targets of the links of a line that are in the repository.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let text = line.split('`').step_by(2);
    let inline =
        text.flat_map(|text| text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()));
    let elsewhere = |link: &&str| link.contains("://") || link.starts_with("mailto:");
    inline.filter(move |link| !elsewhere(link))
}

/// The headings, as they are named in links.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    let heading = |(_, line): (usize, &str)| line.trim_start_matches('#').strip_prefix(' ').map(anchor);
    prose(text).filter(|(_, line)| line.starts_with('#')).filter_map(heading)
}

fn anchor(heading: &str) -> String {
    let kept = |char: &char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_');
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .map(|char| if char == ' ' { '-' } else { char })
        .collect()
}

/// Without `.` and `..`.
fn normal(path: &Path) -> String {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => normal.push(part),
        }
    }
    normal.to_str().unwrap().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(text: &str) -> usize {
        let open = |target: &str| match target {
            "docs/A.md" => Some(text.to_owned()),
            "README.md" => Some("# Title\n## Two `words`, so\n".to_owned()),
            _ => None,
        };
        dead_links("docs/A.md", text, open).len()
    }

    #[test]
    fn a_document_has_exactly_one_title() {
        assert_eq!(titles("a.md", "# One\n## Part\n```sh\n# comment\n```\n").len(), 0);
        assert_eq!(titles("a.md", "# One\n# Two\n").len(), 1);
        assert_eq!(titles("a.md", "text\n").len(), 1);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        for bad in [
            "[a](B.md)",
            "![a](a.png)",
            "x [a](../README.md) [b](gone)",
            "[a](#none)",
            "[a](../README.md#none)",
        ] {
            assert_eq!(dead(bad), 1, "{bad}");
        }
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        for good in
            ["[a](../README.md#two-words-so)", "# A b\n[a](#a-b)", "[a](A.md \"x\")", "[a](https://x.y/z)"]
        {
            assert_eq!(dead(good), 0, "{good}");
        }
        assert_eq!(dead("`[a](gone)`\n```\n[a](gone)\n```\n"), 0);
    }
}
