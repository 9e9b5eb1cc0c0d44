//! Prometheus' own `promtool`, which knows the format of metrics, and of its configuration.

use std::{
    env,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

/// Whether it accepts what it reads on standard input, and what it said.
pub(crate) fn promtool(arguments: &[&str], input: &str) -> (bool, String) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/promtool");
    let mut command = Command::new(if own.exists() { own.as_os_str() } else { "promtool".as_ref() });
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn();
    let mut child = child.unwrap_or_else(|error| panic!("promtool: {error}; `scripts/test sockets` gets it"));
    // It may have ended already, with something to say.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}
