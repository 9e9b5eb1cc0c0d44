//! What `roomd status --help` prints.

/// For a terminal of 80 columns.
pub(super) const HELP: &str = "\
Asks a running roomd how it is, and prints that.

Usage: roomd status [FLAG]...

Flags:
  --url URL             The server. Without it: the first address of `listen` in
                        the settings, which are read as the server reads them
                        [http://127.0.0.1:8080]
  --json                What the server answers, as it is
  -h, --help            Print this

Every setting is a flag here as well. Those that count: --config, --listen, and
--status-token where the server asks for it. With --url, the file in /etc is not
read.

Exit code: 0 it is well; 1 it is not; 69 there is no server, or it refused; 78 a
flag or setting is wrong. Standard error says what to do.
";

#[cfg(test)]
mod tests {
    use super::HELP;

    #[test]
    fn no_line_is_wider_than_a_small_terminal() {
        for line in HELP.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
