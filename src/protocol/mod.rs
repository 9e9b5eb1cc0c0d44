//! Messages and frames: parsed permissively and borrowed, represented strictly, encoded once.
//! Knows nothing of the hub.

mod budget;
pub mod chat;
pub mod encode;
pub mod frame;
pub mod handshake;
pub mod message;
pub mod name;
mod reader;
pub mod url;

pub use budget::{BudgetSpent, InboundBudget};
pub use reader::{Event, Reader, Violation};
