//! What the server says, as a client reads it.

use serde::Deserialize;
use std::borrow::Cow;

#[derive(Debug, Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    #[serde(borrow)]
    pub(crate) content: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) sender: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) room: Cow<'a, str>,
    pub(crate) timestamp: u64,
    pub(crate) seq: Option<u64>,
    pub(crate) epoch: Option<&'a str>,
    pub(crate) username: Option<&'a str>,
    pub(crate) resume: Option<&'a str>,
    pub(crate) id: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    pub(crate) from: Option<u64>,
    pub(crate) to: Option<u64>,
    pub(crate) missed: Option<u64>,
    pub(crate) reason: Option<&'a str>,
}
