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
    is_since_bad: bool,
    is_history_bad: bool,
    text: Text,
}

/// The query as it came: its rooms as a list could take many times as much. It may hold the secret, and so
/// is not shown.
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

    /// What could not be read, as one sentence.
    pub const fn advice(&self) -> Option<&'static str> {
        if self.is_since_bad {
            Some("Give `since` as EPOCH:SEQ, as `welcome` and the messages told them.")
        } else if self.is_history_bad {
            Some("Give `history` as a whole number, 0 or more.")
        } else {
            None
        }
    }

    fn take(&mut self, name: &str, value: Cow<'_, str>) {
        match name {
            "username" => self.username = value.into_owned(),
            "quiet" => self.quiet = value == "1",
            "resume" => self.resume = Token::parse(&value),
            "token" => self.secret = Some(value.into_owned()),
            "since" => {
                let is_given = !value.is_empty();
                self.since = position(Cow::Owned(value.into_owned()));
                self.is_since_bad = is_given && self.since.is_none();
            }
            "history" => {
                self.history = value.parse().ok();
                self.is_history_bad = !value.is_empty() && self.history.is_none();
            }
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
        assert_eq!((query.advice(), query.since.unwrap().seq, query.history), (None, 7, Some(3)));
        assert!(Query::parse("since=7").advice().is_some());
        assert!(Query::parse("history=-1").advice().is_some());
        assert!(Query::parse("since=&history=").advice().is_none());
    }

    #[test]
    fn of_a_parameter_that_comes_twice_the_last_counts() {
        let query =
            Query::parse("username=a&username=b&quiet=1&quiet=0&since=x&since=e:7&history=x&history=3");
        assert_eq!((query.username.as_str(), query.quiet, query.advice()), ("b", false, None));
        assert_eq!((query.since.unwrap().seq, query.history), (7, Some(3)));
        let query = Query::parse("since=e:7&since=x&history=3&history=x");
        assert!(query.since.is_none() && query.history.is_none() && query.advice().is_some());
        let query = Query::parse("since=e:7&since=&history=3&history=");
        assert!(query.since.is_none() && query.history.is_none() && query.advice().is_none());
    }
}
