//! Fixed-capacity containers.
