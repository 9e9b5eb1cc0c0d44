//! The fields of a message, found in its text without building anything.
//!
//! What nearly all clients send is an object of a few plain strings; [`plain`] goes over it once. Whatever
//! else it may be is left to `serde_json`, which is as strict and slower.

use super::text_of;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// A JSON value as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value<'a> {
    pub(super) json: &'a str,
    pub(super) has_escapes: bool,
}

/// The fields that any known type has. Of a field that comes twice the last counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) kind: Option<Value<'a>>,
    pub(super) content: Option<Value<'a>>,
    pub(super) room: Option<Value<'a>>,
    pub(super) id: Option<Value<'a>>,
    pub(super) history: Option<Value<'a>>,
    pub(super) since: Option<Value<'a>>,
}

impl<'a> Value<'a> {
    fn of(value: &'a RawValue) -> Self {
        Self { json: value.get(), has_escapes: value.get().contains('\\') }
    }
}

impl<'a> Fields<'a> {
    /// Those of a JSON object; nothing if the text is something else.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        plain(text).or_else(|| general(text))
    }

    /// Where the value of a field belongs; nowhere if nothing is known of it.
    fn named(&mut self, name: &[u8]) -> Option<&mut Option<Value<'a>>> {
        Some(match name {
            b"type" => &mut self.kind,
            b"content" => &mut self.content,
            b"room" => &mut self.room,
            b"id" => &mut self.id,
            b"history" => &mut self.history,
            b"since" => &mut self.since,
            _ => return None,
        })
    }
}

/// Those of an object that has nothing but strings for values, and no escapes in their names.
fn plain(text: &str) -> Option<Fields<'_>> {
    let bytes = text.as_bytes();
    let mut fields = Fields::default();
    let mut at = symbol(bytes, 0, b'{')?;
    loop {
        let name = without_blanks(bytes, at);
        let (name_end, false) = string(bytes, name)? else { return None };
        let value = without_blanks(bytes, symbol(bytes, name_end, b':')?);
        let (value_end, has_escapes) = string(bytes, value)?;
        if let Some(field) = fields.named(&bytes[name + 1..name_end - 1]) {
            *field = Some(Value { json: &text[value..value_end], has_escapes });
        }
        let Some(next) = symbol(bytes, value_end, b',') else {
            let end = symbol(bytes, value_end, b'}')?;
            return (without_blanks(bytes, end) == bytes.len()).then_some(fields);
        };
        at = next;
    }
}

/// Behind the blanks that JSON allows there (RFC 8259, section 2).
fn without_blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Behind a symbol, which may have blanks before it.
fn symbol(bytes: &[u8], at: usize, symbol: u8) -> Option<usize> {
    let at = without_blanks(bytes, at);
    (bytes.get(at) == Some(&symbol)).then_some(at + 1)
}

/// Behind the JSON string that starts here, and whether it has escapes.
fn string(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    if bytes.get(start) != Some(&b'"') {
        return None;
    }
    let mut at = start + 1;
    let mut has_escapes = false;
    loop {
        at += plain_len(&bytes[at..]);
        at += match &bytes[at..] {
            [b'"', ..] => return Some((at + 1, has_escapes)),
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'\\', b'u', digits @ ..] if digits.get(..4)?.iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return None,
        };
        has_escapes = true;
    }
}

/// How many bytes there are before the first that is a quote, a backslash or a control character.
fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    words.len() * 8 + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// The high bit of each byte that is special; above the lowest of them others may have it as well.
const fn special_bytes(word: u64) -> u64 {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let is_control = word.wrapping_sub(EACH * 0x20);
    let is_quote = (word ^ (EACH * b'"' as u64)).wrapping_sub(EACH);
    let is_backslash = (word ^ (EACH * b'\\' as u64)).wrapping_sub(EACH);
    (is_control | is_quote | is_backslash) & !word & (EACH << 7)
}

/// Those of any object.
fn general(text: &str) -> Option<Fields<'_>> {
    // Most of what is to be echoed is no object; this finds out without making an error of it.
    symbol(text.as_bytes(), 0, b'{')?;
    let mut json = serde_json::Deserializer::from_str(text);
    let fields = json.deserialize_map(FieldsVisitor).ok()?;
    json.end().ok().map(|()| fields)
}

struct FieldsVisitor;

impl<'a> Visitor<'a> for FieldsVisitor {
    type Value = Fields<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Fields<'a>, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key::<&RawValue>()? {
            let name = text_of(Value::of(name));
            match name.as_ref().and_then(|name| fields.named(name.as_bytes())) {
                Some(field) => *field = Some(Value::of(map.next_value()?)),
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_objects_are_told_from_others() {
        let rows = [
            (r#"{"type":"chat","content":"a \" \\ \u00e9 é","x":"y"}"#, true),
            (" {\t\"type\" : \"chat\" ,\r\n \"room\":\"\" } ", true),
            ("{}", false),
            (r#"{"type":"chat",}"#, false),
            (r#"{"type":"chat"} x"#, false),
            (r#"{"type":"chat""#, false),
            (r#"{"type":"chat"#, false),
            (r#"{"type""chat"}"#, false),
            (r#"{"history":5}"#, false),
            (r#"{"\u0074ype":"chat"}"#, false),
            (r#"{"content":"\x"}"#, false),
            (r#"{"content":"\u12g4"}"#, false),
            (r#"{"content":"\u123"}"#, false),
            ("{\"content\":\"a\tb\"}", false),
            ("\u{c}{\"type\":\"chat\"}", false),
            ("{\"type\":\u{c}\"chat\"}", false),
            ("{\"type\":\"chat\"}\u{c}", false),
            ("", false),
        ];
        for (text, expected) in rows {
            assert_eq!(plain(text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn a_special_byte_is_found_in_each_place_of_each_word() {
        for special in ["\"", "\\", "\n", "\u{1f}", "\0"] {
            for before in 0..20 {
                let text = format!("{}{special}é {special}", "\u{7f}".repeat(before));
                assert_eq!(plain_len(text.as_bytes()), before, "{text:?}");
            }
        }
        let others = "ÿ !#[]~\u{7f}\u{80}\u{10ffff}";
        assert_eq!(plain_len(others.as_bytes()), others.len());
    }

    proptest! {
        #[test]
        fn what_is_plain_is_what_serde_json_finds(
            text in concat!(
                r#"[ \n\f]?\{("(type|room|id|x\\n)"[ \f]?:[ ]?"#,
                r#"("([a-zé]|\\[nu"\\/b]|\\u[0-9a-g]{4}|\t){0,12}"|null|5),?){0,4}\}?[ x\r\f]?"#,
            ),
        ) {
            if let Some(fields) = plain(&text) {
                prop_assert_eq!(Some(fields), general(&text));
            }
        }

        #[test]
        fn an_object_of_strings_is_plain(fields: Vec<(String, String)>) {
            prop_assume!(!fields.is_empty());
            let map: serde_json::Map<_, _> =
                fields.into_iter().map(|(name, value)| (name, value.into())).collect();
            let text = serde_json::Value::from(map).to_string();
            let has_escaped_names = plain(&text).is_none();
            prop_assert!(!has_escaped_names || text.contains('\\'));
        }
    }
}
