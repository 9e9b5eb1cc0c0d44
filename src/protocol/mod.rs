//! Messages and frames.

mod budget;
pub mod frame;
pub mod handshake;
mod reader;

pub use budget::{BudgetSpent, InboundBudget};
pub use reader::{Event, Reader, Violation};
