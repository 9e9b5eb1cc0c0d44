//! The programs that are deployed here.

use std::{fs, path::Path};

use crate::made;
pub(crate) use crate::made::{store, that_serves_by};

/// From `scripts/cross-build --profile ci aarch64`.
pub(crate) const BINARY: &str = "target/dist/aarch64-unknown-linux-musl/roomd";
/// From `scripts/cross-build --tls aarch64`.
pub(crate) const BINARY_WITH_TLS: &str = "target/dist/aarch64-unknown-linux-musl/roomd-tls";

/// The path of a file of the repository, which must be there.
pub(crate) fn path(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    assert!(path.exists(), "there is no {file}; scripts/test board builds what is needed");
    path.into_os_string().into_string().unwrap()
}

/// The same program with some bytes behind it, which makes another version of it. (Its number cannot be replaced:
/// an optimising compiler takes texts as short as that to pieces.)
pub(crate) fn another(bytes: usize) -> String {
    with_bytes_behind(BINARY, bytes)
}

/// The same of that program.
pub(crate) fn with_bytes_behind(file: &str, bytes: usize) -> String {
    let mut program = fs::read(path(file)).unwrap();
    program.resize(program.len() + bytes, 0);
    store(&format!("{}-and-{bytes}", file.rsplit('/').next().unwrap()), &program)
}

/// The program for a machine that does not exist.
pub(crate) fn of_another_machine() -> String {
    made::of_another_machine(&fs::read(path(BINARY)).unwrap())
}
