//! What comes out of a reader.

use std::fmt;

use crate::protocol::{
    budget::BudgetSpent,
    frame::{CloseCode, Opcode, may_be_received},
};

/// Something whole that a client has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A ping, to be answered with a pong of the same payload.
    Ping(&'a [u8]),
    /// A pong, asked for or not.
    Pong(&'a [u8]),
    /// The client's close frame, its last word.
    Close {
        /// Why, if it says; always a code that may be sent back.
        code: Option<u16>,
        /// For humans; empty if there is none.
        reason: &'a str,
    },
}

/// What a client did that ends its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// It broke RFC 6455; the text says how.
    Protocol(&'static str),
    /// Text, or the reason of a close frame, is not UTF-8.
    NotUtf8,
    /// A message was announced that is larger than allowed.
    TooLarge,
    /// The memory for half-received messages of all clients is used up: not this client's fault.
    NoMemory,
}

impl Violation {
    /// The code to close the connection with.
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::Protocol(_) => CloseCode::Protocol,
            Self::NotUtf8 => CloseCode::NotUtf8,
            Self::TooLarge => CloseCode::TooLarge,
            Self::NoMemory => CloseCode::TryAgainLater,
        }
    }

    /// The reason to give with the code; fits a close frame.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Protocol(what) => what,
            Self::NotUtf8 => "text must be UTF-8",
            Self::TooLarge => "the message is larger than message_bytes",
            Self::NoMemory => "no memory for messages that arrive in pieces, try again later",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.reason())
    }
}

impl std::error::Error for Violation {}

impl From<BudgetSpent> for Violation {
    fn from(BudgetSpent: BudgetSpent) -> Self {
        Self::NoMemory
    }
}

impl<'a> Event<'a> {
    /// Bytes of the payload of all its frames together.
    pub const fn payload_len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(payload) | Self::Ping(payload) | Self::Pong(payload) => payload.len(),
            Self::Close { code, reason } => reason.len() + if code.is_some() { 2 } else { 0 },
        }
    }

    /// What a frame, or the message that ends with it, with this payload is.
    pub(super) fn new(opcode: Opcode, payload: &'a [u8]) -> Result<Self, Violation> {
        Ok(match opcode {
            Opcode::Text => Self::Text(text(payload)?),
            Opcode::Binary | Opcode::Continuation => Self::Binary(payload),
            Opcode::Ping => Self::Ping(payload),
            Opcode::Pong => Self::Pong(payload),
            Opcode::Close => Self::close(payload)?,
        })
    }

    /// Section 5.5.1: nothing, or a code and a reason.
    fn close(payload: &'a [u8]) -> Result<Self, Violation> {
        let Some((&code, reason)) = payload.split_first_chunk() else {
            return if payload.is_empty() {
                Ok(Self::Close { code: None, reason: "" })
            } else {
                Err(Violation::Protocol("a close frame with half a code"))
            };
        };
        let code = u16::from_be_bytes(code);
        if !may_be_received(code) {
            return Err(Violation::Protocol("a close code that must not be sent"));
        }
        Ok(Self::Close { code: Some(code), reason: text(reason)? })
    }
}

fn text(bytes: &[u8]) -> Result<&str, Violation> {
    str::from_utf8(bytes).map_err(|_| Violation::NotUtf8)
}
