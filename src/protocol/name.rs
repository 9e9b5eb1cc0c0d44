//! Names of people and rooms: what is cleaned, what is cut, what is refused.

use crate::limits::{NAME_BYTES_MAX, NAME_GRAPHEMES_MAX, ROOM_NAME_BYTES_MAX};
use heapless::String;
use unicode_segmentation::UnicodeSegmentation;

/// A display name as everyone sees it.
pub type DisplayName = String<NAME_BYTES_MAX, u8>;
/// The key of a room; empty is the lobby.
pub type RoomName = String<ROOM_NAME_BYTES_MAX, u8>;

/// The sender of the server's own messages; nobody else may have this name, in any case.
pub const SYSTEM: &str = "System";

/// A room name that is empty, too long, or has a character that names may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadRoomName;

/// Makes a display name of what a client asked for; empty if nothing usable is left.
pub fn display_name(wanted: &str) -> DisplayName {
    let mut kept: std::string::String = wanted.chars().filter(|&c| !is_forbidden(c)).collect();
    kept.truncate(kept.trim_end().len());
    let name = cut(kept.trim_start(), "");
    if is_visible(&name) && !is_reserved(&name) { name } else { DisplayName::new() }
}

/// The name with a suffix, cut so that both bounds hold: at a cluster's edge, and never the suffix.
pub fn with_suffix(name: &str, suffix: &str) -> DisplayName {
    cut(name, suffix)
}

/// The key of a room, trimmed, which a [`RoomName`] holds; `Ok` of an empty name is the lobby.
pub fn room_or_lobby(wanted: &str) -> Result<&str, BadRoomName> {
    // Most are made of letters, digits and hyphens: those have nothing to trim and nothing to refuse.
    let is_plain = wanted.bytes().all(|byte| byte.is_ascii_graphic());
    let name = if is_plain { wanted } else { wanted.trim() };
    let is_good = name.len() <= ROOM_NAME_BYTES_MAX && (is_plain || is_text(name));
    if is_good { Ok(name) } else { Err(BadRoomName) }
}

/// What bytes became that were no text would be one room for all of them.
fn is_text(name: &str) -> bool {
    let is_forbidden = |c| is_forbidden(c) || c == char::REPLACEMENT_CHARACTER;
    !name.chars().any(is_forbidden) && (name.is_empty() || is_visible(name))
}

/// The key of a room that is not the lobby, trimmed.
pub fn room(wanted: &str) -> Result<&str, BadRoomName> {
    room_or_lobby(wanted).ok().filter(|name| !name.is_empty()).ok_or(BadRoomName)
}

/// Control characters, bidirectional controls, and what is invisible without joining anything.
fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            | '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

/// What joins or varies other characters is kept, but alone it is nothing to see.
fn is_visible(name: &str) -> bool {
    name.chars().any(|c| !(c.is_whitespace() || is_unseen(c)))
}

/// Upper case, because it also folds letters such as U+017F that have no lower case of their own; without
/// what cannot be seen between such letters.
fn is_reserved(name: &str) -> bool {
    let seen = name.chars().filter(|&c| !is_unseen(c));
    seen.flat_map(char::to_uppercase).eq(SYSTEM.chars().flat_map(char::to_uppercase))
}

/// What is not drawn: default ignorable code points that are not forbidden, and the blank pattern of Braille.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200C}'..='\u{200D}' | '\u{2061}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{2800}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

fn cut(name: &str, suffix: &str) -> DisplayName {
    let graphemes = NAME_GRAPHEMES_MAX.saturating_sub(suffix.graphemes(true).count());
    let bytes = NAME_BYTES_MAX.saturating_sub(suffix.len());
    let mut kept = DisplayName::new();
    for cluster in name.graphemes(true).take(graphemes) {
        if kept.len() + cluster.len() > bytes || kept.push_str(cluster).is_err() {
            break;
        }
    }
    let end = kept.trim_end().len();
    kept.truncate(end);
    // A suffix always fits: it is a hyphen and a number, and room was left for it.
    let _ = kept.push_str(suffix);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_and_invisible_characters_within_are_removed() {
        assert_eq!(display_name("  a\u{200B}k\u{202E}i\u{7}\u{FEFF} ").as_str(), "aki");
        assert_eq!(display_name("\u{2066} aki\u{2069}").as_str(), "aki");
        assert_eq!(display_name("a b").as_str(), "a b");
    }

    #[test]
    fn joiners_are_kept_but_are_nothing_to_see_alone() {
        assert_eq!(display_name("👩\u{200D}🚀").as_str(), "👩\u{200D}🚀");
        assert_eq!(display_name("\u{200D}\u{200C}").as_str(), "");
        assert_eq!(room("\u{200D}"), Err(BadRoomName));
        for unseen in
            ["\u{AD}", "\u{34F}", "\u{180E}", "\u{2061}", "\u{2800}", "\u{3164}", "\u{FE0F}", "\u{E0041}"]
        {
            assert_eq!(display_name(unseen).as_str(), "", "{unseen:?}");
            assert_eq!(room(unseen), Err(BadRoomName), "{unseen:?}");
            let seen = format!("a{unseen}");
            assert_eq!(display_name(&seen).as_str(), seen);
        }
        assert_eq!(display_name("❤\u{FE0F}").as_str(), "❤\u{FE0F}");
    }

    #[test]
    fn the_name_of_the_server_is_taken_in_any_case_and_disguise() {
        for name in [
            "System",
            "SYSTEM",
            " system ",
            "Sys\u{200B}tem",
            "\u{17F}ystem",
            "Sys\u{200D}tem",
            "\u{200C}System\u{200C}",
            "Sys\u{AD}tem",
            "System\u{2061}",
            "S\u{FE0F}ystem",
        ] {
            assert_eq!(display_name(name).as_str(), "", "{name:?}");
        }
        for name in ["Systems", "Sys\u{200D}tems"] {
            assert_eq!(display_name(name).as_str(), name);
        }
    }

    #[test]
    fn a_name_is_cut_at_32_clusters() {
        for (count, kept) in [(31, 31), (32, 32), (33, 32)] {
            assert_eq!(display_name(&"é".repeat(count)).chars().count(), kept);
        }
    }

    #[test]
    fn a_name_is_cut_at_96_bytes_and_never_inside_a_cluster() {
        assert_eq!(display_name(&"名".repeat(33)).len(), 96);
        let flag = "🇯🇵"; // 8 bytes
        assert_eq!(display_name(&flag.repeat(12)).len(), 96);
        assert_eq!(display_name(&flag.repeat(13)).len(), 96);
        let family = "👨\u{200D}👩\u{200D}👧"; // 18 bytes
        assert_eq!(display_name(&family.repeat(6)).len(), 90);
        let tower = format!("a{}", "\u{301}".repeat(60));
        assert_eq!(display_name(&tower).as_str(), "", "one cluster that is too long cannot be cut");
    }

    #[test]
    fn a_suffix_takes_the_place_of_the_last_clusters() {
        assert_eq!(with_suffix("aki", "-2").as_str(), "aki-2");
        assert_eq!(with_suffix(&"a".repeat(32), "-2").as_str(), format!("{}-2", "a".repeat(30)));
        assert_eq!(with_suffix(&"名".repeat(32), "-10").as_str(), format!("{}-10", "名".repeat(29)));
    }

    #[test]
    fn a_room_name_has_1_to_48_bytes_after_trimming() {
        assert!(room("").is_err() && room(" \t").is_err());
        assert_eq!(room_or_lobby("  "), Ok(""));
        assert_eq!(room(" k "), Ok("k"));
        assert!(room(&"k".repeat(47)).is_ok() && room(&"k".repeat(48)).is_ok());
        assert!(room(&"k".repeat(49)).is_err());
        assert!(room(&"名".repeat(16)).is_ok() && room(&"名".repeat(17)).is_err());
    }

    #[test]
    fn a_room_name_is_refused_rather_than_changed() {
        for name in ["a\u{7}", "a\u{202E}b", "\u{FEFF}a", "a\u{200B}", "a\u{FFFD}"] {
            assert_eq!(room(name), Err(BadRoomName), "{name:?}");
        }
        assert_eq!(room("Küche 1"), Ok("Küche 1"));
    }
}
