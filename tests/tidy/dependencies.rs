//! Dependencies: each has a row with its reason in the architecture.

const ADVICE: &str = "give it a row and its reason in docs/ARCHITECTURE.md, \"Dependencies\", or remove it";

/// Dependencies without a row `| `name` | reason |` under "Dependencies".
pub(crate) fn unexplained(manifest: &str, document: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten();
    let places = targets.filter_map(|(_, target)| target.as_table()).chain([&manifest]);
    let mut names: Vec<_> = places
        .flat_map(|place| tables.iter().filter_map(|table| place.get(*table)?.as_table()))
        .flat_map(toml::Table::keys)
        .collect();
    names.dedup();
    assert!(!names.is_empty(), "a manifest without dependencies: this test looks in the wrong place");
    let section = section(document);
    let reason = |name: &str| section.iter().find_map(|line| line.strip_prefix(&format!("| `{name}` | ")));
    let without =
        names.into_iter().filter(|name| reason(name).is_none_or(|reason| reason.len() < "| a".len()));
    without.map(|name| format!("{name}: {ADVICE}")).collect()
}

fn section(document: &str) -> Vec<&str> {
    let from_heading = document.lines().skip_while(|line| *line != "## Dependencies");
    from_heading.skip(1).take_while(|line| !line.starts_with("## ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[dependencies]\na = \"1\"\n[dev-dependencies]\nb = { version = \"1\" }\n\
        [target.x.dev-dependencies]\nc = \"1\"\n";

    fn missing(rows: &str) -> usize {
        unexplained(MANIFEST, &format!("# Title\n## Dependencies\n{rows}\n## Decisions\n| `b` | Late |\n"))
            .len()
    }

    #[test]
    fn every_dependency_needs_a_row_with_a_reason() {
        assert_eq!(missing("| `a` | Sockets |\n| `b` | Properties |\n| `c` | Certificates |"), 0);
        assert_eq!(missing("| `a` | Sockets |"), 2);
        assert_eq!(missing("| `a` | |\n| `b` | Properties |\n| `c` | Certificates |"), 1);
        assert_eq!(missing("`a` and `b` are used"), 3);
        assert_eq!(unexplained(MANIFEST, "# Title\n").len(), 3);
    }
}
