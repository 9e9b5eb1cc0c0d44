//! Where a value came from, and what was said there.

use std::{fmt, path::Path, sync::Arc};

use super::table::Row;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File {
        /// As it was named.
        path: Arc<Path>,
        /// From 1.
        line: usize,
    },
    /// This variable.
    Environment(String),
    /// This flag.
    Flag(String),
}

impl Origin {
    /// The line in the file, or 0.
    pub(super) fn line(&self) -> usize {
        if let Self::File { line, .. } = self { *line } else { 0 }
    }

    /// Where a value of `row` stands; flags and variables name the setting by themselves.
    pub(super) fn place(&self, row: &Row) -> String {
        if let Self::File { .. } = self { format!("{self}, {}", row.key) } else { self.to_string() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => {
                write!(f, "file {} line {line}", path.to_string_lossy().escape_debug())
            }
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// What one source says about one setting; not yet read as a value.
pub(super) struct Given {
    pub(super) row: &'static Row,
    pub(super) texts: Vec<String>,
    pub(super) origin: Origin,
}

/// Without the texts: one may be the token.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}", self.row.key, self.origin)
    }
}
