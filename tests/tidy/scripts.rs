//! Scripts: each says what it is for, and can be run or is used by one that can.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

pub(crate) fn is_executable(path: &Path) -> bool {
    fs::metadata(path).unwrap().permissions().mode() & 0o111 == 0o111
}

/// The script, unless it begins with a comment.
pub(crate) fn unexplained(path: &str, text: &str) -> Vec<String> {
    let first = text.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
    let explained = first.strip_prefix("# ").is_some_and(|comment| !comment.starts_with("shellcheck "));
    let message = || format!("{path}: begin with a comment that says what it is for");
    (!explained).then(message).into_iter().collect()
}

/// The script, unless it is executable, or another one sources or names it.
pub(crate) fn unusable(path: &str, is_executable: bool, scripts: &[(&str, String)]) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let uses = |line: &str| {
        let used = line.trim_end_matches('"').ends_with(&format!("/{name}"));
        used && !line.trim_start().starts_with('#')
    };
    let is_used = scripts.iter().any(|(other, text)| *other != path && text.lines().any(uses));
    let message = || format!("{path}: no script uses it, and nobody can run it: chmod +x");
    (!is_executable && !is_used).then(message).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_begins_with_what_it_is_for() {
        assert_eq!(unexplained("a", "#!/bin/sh\n# Does a.\nset -eu\n").len(), 0);
        assert_eq!(unexplained("a", "# Is sourced.\n").len(), 0);
        for bad in ["#!/bin/sh\nset -eu\n", "# shellcheck shell=sh\n", "#!/bin/sh\n", ""] {
            assert_eq!(unexplained("a", bad).len(), 1, "{bad:?}");
        }
    }

    #[test]
    fn a_script_can_be_run_or_is_sourced() {
        let scripts =
            |line: &str| [("scripts/a", format!("#!/bin/sh\n{line}\n")), ("scripts/b", String::new())];
        assert_eq!(unusable("scripts/b", true, &scripts("")).len(), 0);
        assert_eq!(unusable("scripts/b", false, &scripts(". \"$(dirname -- \"$0\")/b\"")).len(), 0);
        assert_eq!(unusable("scripts/b", false, &scripts("")).len(), 1);
        assert_eq!(unusable("scripts/b", false, &scripts("# . scripts/b")).len(), 1);
        assert_eq!(unusable("scripts/b", false, &scripts(". scripts/bb")).len(), 1);
    }
}
