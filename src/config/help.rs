//! What `roomd --help` and `roomd --version` print.

use std::fmt::Write as _;

use super::{
    settings::Settings,
    table::{Row, TABLE},
};

/// Terminals are at least so wide.
const COLUMNS: usize = 80;
/// Where the explanations begin.
const INDENT: usize = 34;

const HEAD: &str = "\
Rooms and broadcast over WebSocket for small Linux boards, in one lean binary.
Without any argument it serves on port 8080 and prints the addresses to open.

Usage: roomd [COMMAND] [FLAG]...

Commands:
  serve           Serve until SIGTERM or SIGINT (what it does without a command)
  plan            Print the memory that these settings can need, line by line
  check-config    Print every setting, its value and where that came from
  status          Ask a running server how it is (see roomd status --help)
  bench           Measure a server (flags of its own: see roomd bench --help)

Flags:
  --config FILE                   Settings as `name = value` (TOML); without it
                                  /etc/roomd/roomd.toml is read if it exists
  -h, --help                      Print this
  -V, --version                   Print the version

Each setting is a flag (--log-bytes 64KiB), an environment variable
(ROOMD_LOG_BYTES=64KiB) and a name in the file (log_bytes = \"64KiB\"). Flags win
over the environment, that over the file, that over the default. Bytes take KiB,
MiB or GiB; lists take commas or the flag several times. In brackets: default
and range.
";

const FOOT: &str = "
Exit code: 0 done, or stopped as asked; 1 status: the server is not well, bench:
it lost messages without telling, or doubled them; 69 status, bench: there is no
server, or it refused; 71 the system refused something (a port, descriptors);
78 a flag or setting is wrong; 129, 130, 143 ended at once by a second signal;
134 aborted, to be started again. Standard error says what to change.
";

/// The name and the version.
pub const fn version() -> &'static str {
    concat!("roomd ", env!("CARGO_PKG_VERSION"), "\n")
}

/// Every command and setting, with default and range, for a terminal of 80 columns.
pub fn help() -> String {
    let defaults = Settings::default();
    let mut help = format!("{}{HEAD}", version());
    let mut group = "";
    for row in &TABLE {
        if row.group != group {
            group = row.group;
            let _ = write!(help, "\n{group}:\n");
        }
        entry(&mut help, row, &defaults);
    }
    help + FOOT
}

/// The flag on the left, its sentence, default and range on the right.
fn entry(help: &mut String, row: &Row, defaults: &Settings) {
    let flag = format!("  {} {}", row.flag(), row.kind.placeholder());
    let off = if row.zero_is_off { ", 0 = off" } else { "" };
    let shown = row.show(defaults);
    // `0 (off)` and `(none)` are for tables.
    let default = shown.split_once('(').map_or(shown.as_str(), |(_, word)| word.trim_end_matches(')'));
    let facts = format!("[{default}; {}{off}]", row.range());
    let width = COLUMNS - INDENT;
    let mut lines = wrap(row.help, width);
    let last = lines.last_mut().expect("there is always a line");
    if last.len() + 1 + facts.len() <= width {
        *last = format!("{last} {facts}");
    } else {
        lines.extend(wrap(&facts, width));
    }
    let mut lines = lines.into_iter();
    if flag.len() < INDENT {
        let _ = writeln!(help, "{flag:INDENT$}{}", lines.next().unwrap_or_default());
    } else {
        let _ = writeln!(help, "{flag}");
    }
    for line in lines {
        let _ = writeln!(help, "{:INDENT$}{line}", "");
    }
}

/// Breaks `text` at spaces into lines of at most `width` characters.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            let space = if line.is_empty() { "" } else { " " };
            line.push_str(space);
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_a_small_terminal() {
        for line in help().lines() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
    }

    #[test]
    fn a_word_that_just_fits_stays_on_the_line() {
        assert_eq!(wrap("ab cd", 5), ["ab cd"]);
        assert_eq!(wrap("ab cde", 5), ["ab", "cde"]);
        assert_eq!(wrap("abcdef g", 5), ["abcdef", "g"]);
    }
}
