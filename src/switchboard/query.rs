//! What a client asks for while it connects: the query of `/ws`.

use crate::{
    hub::Token,
    protocol::message::{Position, position},
};
use std::{borrow::Cow, fmt};

/// The parameters that were given. Of one that comes twice the last counts, but every `room` does.
#[derive(Debug, Default)]
pub struct Query {
    /// The name that it would like.
    pub username: String,
    /// Nothing of the lobby.
    pub quiet: bool,
    /// The client that it was before; nothing if what came is no token.
    pub resume: Option<Token>,
    /// The secret that it shows.
    pub secret: Option<String>,
    /// The position in the lobby's log after which it wants everything.
    pub since: Option<Position<'static>>,
    /// How many of the lobby's last messages it wants.
    pub history: Option<u64>,
    /// What could not be read, as one sentence.
    pub advice: Option<&'static str>,
    text: Text,
}

/// The query as it came: its rooms as a list could take many times as much. May hold the secret, and so is not
/// shown.
#[derive(Default)]
struct Text(String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text")
    }
}

impl Query {
    /// Reads what stands behind the `?`.
    pub fn parse(query: &str) -> Self {
        let mut parsed = Self { text: Text(query.to_owned()), ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            parsed.take(&name, value);
        }
        parsed
    }

    /// Rooms to join at once, as they came.
    pub fn rooms(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let rooms = form_urlencoded::parse(self.text.0.as_bytes()).filter(|(name, _)| name == "room");
        rooms.map(|(_, value)| value)
    }

    fn take(&mut self, name: &str, value: Cow<'_, str>) {
        match name {
            "username" => self.username = value.into_owned(),
            "quiet" => self.quiet = value == "1",
            "resume" => self.resume = Token::parse(&value),
            "token" => self.secret = Some(value.into_owned()),
            "since" if !value.is_empty() => match position(Cow::Owned(value.into_owned())) {
                Some(since) => self.since = Some(since),
                None => {
                    self.advice = Some("Give `since` as EPOCH:SEQ, as `welcome` and the messages told them.");
                }
            },
            "history" if !value.is_empty() => match value.parse() {
                Ok(count) => self.history = Some(count),
                Err(_) => self.advice = Some("Give `history` as a whole number, 0 or more."),
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_parameter_by_parameter() {
        let query =
            Query::parse("username=a%20b&room=x&room=&quiet=1&since=e-0:7&history=3&resume=zz&other=1");
        assert_eq!((query.username.as_str(), query.quiet, query.resume), ("a b", true, None));
        assert_eq!(query.rooms().collect::<Vec<_>>(), ["x", ""]);
        assert_eq!((query.since.unwrap().seq, query.history, query.advice), (7, Some(3), None));
        assert!(Query::parse("since=7").advice.is_some());
        assert!(Query::parse("history=-1").advice.is_some());
        assert!(Query::parse("since=&history=").advice.is_none());
    }
}
