//! The programs that are deployed here.

use std::{fs, path::Path, process::Command, sync::LazyLock};

pub(crate) use super::made::that_serves_by;
use super::made::{of_version, replaced, store};

const ROOMD: &str = env!("CARGO_BIN_EXE_roomd");

/// Without what is for debuggers: it is copied often.
static STRIPPED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("roomd-stripped");
    let stripped = Command::new("strip").args(["-o", path.to_str().unwrap(), ROOMD]).status();
    assert!(stripped.expect("strip of binutils").success());
    fs::read(path).unwrap()
});

/// The program as it is, of version 0.1.0.
pub(crate) fn first() -> String {
    store("first", &STRIPPED)
}

pub(crate) fn version(version: &str) -> String {
    store(version, &of_version(&STRIPPED, version))
}

/// Version 0.2.0, in which the setting `heartbeat_s` has another name.
pub(crate) fn with_another_setting() -> String {
    store("renamed", &replaced(&of_version(&STRIPPED, "0.2.0"), "heartbeat_s", "heartbeat_z"))
}

/// The program for a machine that does not exist.
pub(crate) fn of_another_machine() -> String {
    super::made::of_another_machine(&STRIPPED)
}
