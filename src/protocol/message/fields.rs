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
        loop {
            let name = without_blanks(rest);
            let (name_len, field) = match self.named(name) {
                Some((len, field)) => (len, Some(field)),
                None => (string(name).filter(|string| !string.has_escapes)?.len, None),
            };
            let value = without_blanks(symbol(&name[name_len..], b':')?);
            let string = string(value)?;
            if let Some(field) = field {
                let start = text.len() - value.len();
                let inside = &text[start + 1..start + string.len - 1];
                *field = Some(Value::Text { inside, has_escapes: string.has_escapes });
            }
            rest = &value[string.len..];
            let Some(next) = symbol(rest, b',') else {
                return without_blanks(symbol(rest, b'}')?).is_empty().then_some(());
            };
            rest = next;
        }
    }

    /// Where the value of the field belongs whose name, a JSON string, is at the front of a text, and how
    /// long that is; nowhere if nothing is known of it.
    const fn named(&mut self, text: &[u8]) -> Option<(usize, &mut Option<Value<'a>>)> {
        Some(match text {
            [b'"', b't', b'y', b'p', b'e', b'"', ..] => (6, &mut self.kind),
            [b'"', b'c', b'o', b'n', b't', b'e', b'n', b't', b'"', ..] => (9, &mut self.content),
            [b'"', b'r', b'o', b'o', b'm', b'"', ..] => (6, &mut self.room),
            [b'"', b'i', b'd', b'"', ..] => (4, &mut self.id),
            [b'"', b'h', b'i', b's', b't', b'o', b'r', b'y', b'"', ..] => (9, &mut self.history),
            [b'"', b's', b'i', b'n', b'c', b'e', b'"', ..] => (7, &mut self.since),
            _ => return None,
        })
    }
}

/// Behind the blanks that JSON allows there (RFC 8259, section 2).
fn without_blanks(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = text {
        text = rest;
    }
    text
}

/// Behind a symbol, which may have blanks before it.
fn symbol(text: &[u8], symbol: u8) -> Option<&[u8]> {
    without_blanks(text).strip_prefix(&[symbol])
}

/// A JSON string in a text.
struct Found {
    /// With its quotes.
    len: usize,
    has_escapes: bool,
}

/// The JSON string at the front of a text.
fn string(text: &[u8]) -> Option<Found> {
    let inside = text.strip_prefix(b"\"")?;
    let plain = plain_len(inside);
    match inside.get(plain)? {
        b'"' => Some(Found { len: plain + 2, has_escapes: false }),
        _ => string_with_escapes(inside, plain),
    }
}

/// The same behind its first quote, and the part of it that has no escapes.
fn string_with_escapes(inside: &[u8], mut len: usize) -> Option<Found> {
    loop {
        len += match &inside[len..] {
            [b'"', ..] => return Some(Found { len: len + 2, has_escapes: true }),
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
                Some((len, field)) if len == name.len() => *field = Some(Value::of(map.next_value()?)),
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
