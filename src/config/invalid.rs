//! What is said about a setting that cannot be used.

use std::fmt;

/// Longest piece of somebody's input that is repeated in a message, in characters.
const QUOTED_CHARS_MAX: usize = 64;

/// A setting or argument that cannot be used: where it stands, what is wrong, what to change.
/// Shown as one line, whatever the input was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    place: String,
    fault: Fault,
}

/// What is wrong with a value, and what to change; not yet where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) what: String,
    pub(super) change: String,
}

impl Fault {
    pub(super) fn new(what: impl Into<String>, change: impl Into<String>) -> Self {
        Self { what: what.into(), change: change.into() }
    }

    pub(super) fn at(self, place: impl fmt::Display) -> Invalid {
        Invalid { place: place.to_string(), fault: self }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.fault.what, self.fault.change)
    }
}

impl std::error::Error for Invalid {}

/// `text` as it can be repeated within a line: control characters escaped, not too long.
pub(super) fn quote(text: &str) -> String {
    let mut quoted: String = text.chars().take(QUOTED_CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().count() > QUOTED_CHARS_MAX {
        quoted.push('…');
    }
    format!("`{quoted}`")
}

/// The candidate that `word` was probably meant to be.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let slips_max = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(slips, _)| *slips <= slips_max)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// "did you mean ...?" where there is a near miss, else `otherwise`.
pub(super) fn suggest(near: Option<String>, otherwise: &str) -> String {
    near.map_or_else(|| otherwise.to_owned(), |name| format!("did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_line_break_stays_on_its_line() {
        assert_eq!(quote("a\nb\u{1b}[0m"), "`a\\nb\\u{1b}[0m`");
    }

    #[test]
    fn a_quote_is_cut_above_the_longest_piece() {
        let whole = "x".repeat(QUOTED_CHARS_MAX);
        assert_eq!(quote(&whole), format!("`{whole}`"));
        assert_eq!(quote(&format!("{whole}y")), format!("`{whole}…`"));
    }

    #[test]
    fn the_nearest_name_wins_and_a_stranger_gets_none() {
        let names = ["clients", "rooms", "rooms_per_client"];
        assert_eq!(nearest("clinets", names), Some("clients"));
        assert_eq!(nearest("room", names), Some("rooms"));
        assert_eq!(nearest("roms", names), Some("rooms"));
        assert_eq!(nearest("colour", names), None);
    }
}
