//! Why a run has no result, or one that the server fails.

use std::fmt;

/// Each is shown as one line that says what to change.
#[derive(Debug)]
pub enum Failure {
    /// The arguments: `EX_CONFIG` of sysexits(3).
    Invalid(String),
    /// There is no server, or it lets the run not go on: `EX_UNAVAILABLE`.
    Unavailable(String),
    /// This machine refused something: `EX_OSERR`.
    System(String),
    /// The run went to its end, and the server broke a promise: 1.
    Broken(String),
}

impl Failure {
    pub(super) fn invalid(what: &str, change: &str) -> Self {
        Self::Invalid(format!("{what}; {change}"))
    }

    /// The exit code of the process.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Invalid(_) => 78,
            Self::Unavailable(_) => 69,
            Self::System(_) => 71,
            Self::Broken(_) => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(text) | Self::Unavailable(text) | Self::System(text) | Self::Broken(text) => {
                f.write_str(text)
            }
        }
    }
}
