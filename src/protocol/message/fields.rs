//! The fields of a message, found in its text without building anything.
//!
//! What nearly all clients send is an object of a few plain strings; [`Fields::take_plain`] goes over it
//! once. Whatever else it may be is left to `serde_json`, which is as strict and slower.

use super::{plain::plain_len, unescaped};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// A JSON value as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A string: what is between its quotes.
    Text { inside: &'a str, has_escapes: bool },
    /// Anything else, whole.
    Other(&'a str),
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
        let json = value.get();
        match json.strip_prefix('"').and_then(|json| json.strip_suffix('"')) {
            Some(inside) => Self::Text { inside, has_escapes: inside.contains('\\') },
            None => Self::Other(json),
        }
    }
}

impl<'a> Fields<'a> {
    /// Takes in those of a JSON object; nothing if the text is something else.
    pub(super) fn take(&mut self, text: &'a str) -> Option<()> {
        self.take_plain(text).or_else(|| {
            *self = general(text)?;
            Some(())
        })
    }

    /// Takes in those of an object that has nothing but strings for values, and no escapes in their names;
    /// nothing if the text is something else, of which some may have been taken in.
    fn take_plain(&mut self, text: &'a str) -> Option<()> {
        let mut rest = symbol(text.as_bytes(), b'{')?;
        let mut unknown = None;
        loop {
            let name = without_blanks(rest);
            let (behind, field) = match self.named(name) {
                Some(named) => named,
                None => (string(name.strip_prefix(QUOTE)?)?.behind_plain()?, &mut unknown),
            };
            let value = string(inside_of_value(behind)?)?;
            rest = value.behind;
            let end = text.len() - rest.len() - 1;
            let inside = &text[end - value.len..end];
            *field = Some(Value::Text { inside, has_escapes: value.has_escapes });
            let Some(next) = symbol(rest, b',') else {
                return without_blanks(symbol(rest, b'}')?).is_empty().then_some(());
            };
            rest = next;
        }
    }

    /// Where the value of the field belongs whose name, a JSON string, is at the front of a text, and what is
    /// behind that; nowhere if nothing is known of it.
    #[expect(clippy::inline_always, reason = "its result is taken apart at once; see `string`")]
    #[inline(always)]
    fn named<'t>(&mut self, text: &'t [u8]) -> Option<(&'t [u8], &mut Option<Value<'a>>)> {
        Some(match text.get(1)? {
            b't' => (text.strip_prefix(b"\"type\"")?, &mut self.kind),
            b'c' => (text.strip_prefix(b"\"content\"")?, &mut self.content),
            b'r' => (text.strip_prefix(b"\"room\"")?, &mut self.room),
            b'i' => (text.strip_prefix(b"\"id\"")?, &mut self.id),
            b'h' => (text.strip_prefix(b"\"history\"")?, &mut self.history),
            b's' => (text.strip_prefix(b"\"since\"")?, &mut self.since),
            _ => return None,
        })
    }
}

const QUOTE: &[u8; 1] = b"\"";

/// Behind the blanks that JSON allows there (RFC 8259, section 2).
fn without_blanks(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = text {
        text = rest;
    }
    text
}

/// Behind a symbol, which may have blanks before it.
fn symbol(text: &[u8], symbol: u8) -> Option<&[u8]> {
    match text {
        [first, rest @ ..] if *first == symbol => Some(rest),
        _ => without_blanks(text).strip_prefix(&[symbol]),
    }
}

/// Behind the first quote of the string that is the value behind a name.
fn inside_of_value(behind: &[u8]) -> Option<&[u8]> {
    match behind {
        [b':', b'"', inside @ ..] => Some(inside),
        _ => without_blanks(symbol(behind, b':')?).strip_prefix(QUOTE),
    }
}

/// A JSON string in a text.
struct Found<'t> {
    /// Of what is between its quotes.
    len: usize,
    has_escapes: bool,
    behind: &'t [u8],
}

impl<'t> Found<'t> {
    /// What is behind it, if it has no escapes.
    fn behind_plain(self) -> Option<&'t [u8]> {
        (!self.has_escapes).then_some(self.behind)
    }
}

/// The JSON string whose first quote is before a text.
#[expect(
    clippy::inline_always,
    reason = "most are short: handing over what was found takes longer than to find it"
)]
#[inline(always)]
fn string(inside: &[u8]) -> Option<Found<'_>> {
    let len = plain_len(inside);
    match &inside[len..] {
        [b'"', behind @ ..] => Some(Found { len, has_escapes: false, behind }),
        _ => string_with_escapes(inside, len),
    }
}

/// The same behind the part of it that has no escapes.
#[cold]
fn string_with_escapes(inside: &[u8], mut len: usize) -> Option<Found<'_>> {
    loop {
        len += match &inside[len..] {
            [b'"', behind @ ..] => return Some(Found { len, has_escapes: true, behind }),
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'\\', b'u', digits @ ..] if digits.get(..4)?.iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return None,
        };
        len += plain_len(&inside[len..]);
    }
}

/// Those of any object.
fn general(text: &str) -> Option<Fields<'_>> {
    // Most of what is to be echoed is no object; this finds out without making an error of it.
    symbol(text.as_bytes(), b'{')?;
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
            let name = without_escapes(name);
            match fields.named(name.as_bytes()) {
                Some(([], field)) => *field = Some(Value::of(map.next_value()?)),
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(fields)
    }
}

/// A name as a JSON string, with the characters that its escapes stand for.
fn without_escapes(name: &RawValue) -> Cow<'_, str> {
    match Value::of(name) {
        Value::Text { inside, has_escapes: true } => {
            Cow::Owned(format!("\"{}\"", unescaped(inside).unwrap_or_default()))
        }
        Value::Text { .. } | Value::Other(_) => Cow::Borrowed(name.get()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> Option<Fields<'_>> {
        let mut fields = Fields::default();
        fields.take_plain(text).map(|()| fields)
    }

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
