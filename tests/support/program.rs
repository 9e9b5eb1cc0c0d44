//! Programs to deploy, made of one that was built, without building it again; for `tests/deploy/` and `tests/board/`.

// Each of the two uses its own part.
#![allow(dead_code)]

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, thread};

/// Says that it is version 0.3.0 and takes any settings; to serve, it does this.
pub(crate) fn that_serves_by(command: &str) -> String {
    let script = format!(
        "#!/bin/sh\ncase ${{1:-}} in --version) echo roomd 0.3.0 ;; check-config) ;; *) {command} ;; esac\n"
    );
    let name: String = command.chars().filter(char::is_ascii_alphanumeric).collect();
    store(&name, script.as_bytes())
}

/// The same program as if it were of another version of as many letters.
pub(crate) fn of_version(program: &[u8], version: &str) -> Vec<u8> {
    replaced(program, "roomd 0.1.0", &format!("roomd {version}"))
}

/// The same program for a machine that does not exist.
pub(crate) fn of_another_machine(program: &[u8]) -> String {
    let mut program = program.to_vec();
    // The low byte of `e_machine`.
    program[18] = 0xee;
    store("foreign", &program)
}

/// The same program with another text wherever this one was.
pub(crate) fn replaced(program: &[u8], old: &str, new: &str) -> Vec<u8> {
    assert_eq!(old.len(), new.len(), "nothing in the program may move");
    let starts = |&at: &usize| program[at..].starts_with(old.as_bytes());
    let places: Vec<_> = (0..program.len()).filter(starts).collect();
    assert!(!places.is_empty(), "{old:?} is not in the program");
    let mut program = program.to_vec();
    for at in places {
        program[at..at + new.len()].copy_from_slice(new.as_bytes());
    }
    program
}

/// A file of these bytes that can be run; its path. What has the same name has the same bytes.
pub(crate) fn store(name: &str, bytes: &[u8]) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
    fs::create_dir_all(&folder).unwrap();
    // Tests run side by side: it appears whole.
    let new = folder.join(format!("{name}-{:?}", thread::current().id()));
    fs::write(&new, bytes).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    let path = folder.join(name);
    fs::rename(&new, &path).unwrap();
    path.into_os_string().into_string().unwrap()
}
