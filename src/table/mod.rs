//! Fixed-capacity containers. Each reserves its room once, never grows past it, and says [`Full`].
//!
//! The capacities are given at construction, because the settings may lower the build's ceilings;
//! memory that was reserved and never used costs nothing, since the kernel backs it on first touch.

mod bits;
mod index;
mod log;
mod slots;

pub use bits::BitSet;
pub use index::Index;
pub use log::Log;
pub use slots::{Key, Slots};

/// The container has no place left. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;
