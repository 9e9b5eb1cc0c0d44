//! Settings: what can be set, where each value came from, and what may not be.
//!
//! One [`table`] describes every setting. Flags, environment and file are read into layers of texts,
//! merged over the defaults (`configuration`), and checked against each other (`check`). Nothing here
//! is done by halves: either there is a whole [`Configuration`] or one [`Invalid`].

mod arguments;
mod check;
mod configuration;
mod environment;
mod file;
mod help;
mod invalid;
mod origin;
pub mod plan;
mod report;
mod settings;
pub mod table;
mod value;

pub use arguments::{BENCH, Command, Flags, Request, STATUS, request};
pub use check::{RELATIONS, Relation};
pub use configuration::Configuration;
pub use file::DEFAULT_PATH;
pub use help::{help, version};
pub use invalid::Invalid;
pub use origin::Origin;
pub use plan::Plan;
pub use report::report;
pub use settings::{LogLevel, Settings, StatusAccess};
pub use value::Kind;
