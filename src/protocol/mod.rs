//! Messages and frames.
