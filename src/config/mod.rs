//! Settings: what can be set, where each value came from, and what may not be.

mod settings;

pub use settings::Settings;
