//! roomd: rooms and broadcast over WebSocket for small Linux boards.
//!
//! The floors, each importing only those below it: [`server`] (the only one that awaits),
//! [`config`], [`switchboard`] (from bytes to bytes), [`hub`] (the core: synchronous, no I/O, no
//! clock), [`protocol`], [`table`], [`limits`]. Beside the server stand [`mod@bench`], which knows
//! only [`protocol`] and [`limits`], and [`mod@status`], which knows the settings as well.

pub mod bench;
pub mod config;
pub mod hub;
pub mod limits;
pub mod protocol;
pub mod server;
pub mod status;
pub mod switchboard;
pub mod table;
