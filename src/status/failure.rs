//! Why there is nothing to print.

use crate::config::Invalid;
use std::fmt;

/// Each is shown as one line that says what to do.
#[derive(Debug)]
pub enum Failure {
    /// The arguments: `EX_CONFIG` of sysexits(3).
    Invalid(String),
    /// There is no server, or it refused: `EX_UNAVAILABLE`.
    Unavailable(String),
    /// There is one, and it is not well: 1.
    Unwell(String),
}

impl Failure {
    /// The exit code of the process.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Invalid(_) => 78,
            Self::Unavailable(_) => 69,
            Self::Unwell(_) => 1,
        }
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(text) | Self::Unavailable(text) | Self::Unwell(text) => f.write_str(text),
        }
    }
}
