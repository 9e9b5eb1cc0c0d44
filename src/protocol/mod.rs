//! Messages and frames: parsed permissively and borrowed, represented strictly, encoded once.
//! Knows nothing of the hub.

pub mod encode;
pub mod frame;
pub mod message;
pub mod name;
