//! What `roomd bench --help` prints.

/// For a terminal of 80 columns.
pub(super) const HELP: &str = "\
Measures what a roomd holds, from this machine or from another.

Usage: roomd bench [MODE] [FLAG]...

Modes:
  fan-out    Publishers talk to rooms of subscribers (if no mode is named)
  slow       The same, while some never read: what do the others see?
  echo       Each client sends what the server sends back to it alone
  idle       Connections that say nothing: the server's memory for each
  storm      All come at once, all leave at once: when is the count right again?

Flags:
  --url URL             The server [http://127.0.0.1:8080]
  --token TOKEN         Its token, if it asks for one
  --pid PID             Its process on this machine, for processor and memory;
                        found by its port where this user may look
  --clients N           Connections that receive [100; idle: 1000]
  --publishers N        Connections more that publish; at least one a room [1]
  --slow N              Of the clients, those that never read [a tenth]
  --rooms N             Rooms that all are spread over; 0 is the lobby, for
                        idle and storm none at all [1; idle, storm: 0]
  --content-bytes N     The text of a message [128]
  --seconds N           How long messages are published [5]
  --json                The result as one JSON object

When a publisher sends (one of them):
  --window N            When fewer than N messages are not yet with everyone
                        [32; echo: 1]
  --rate N              N times a second, each at its time: latency counts from
                        the time at which a message is due [slow: 1000]
  --open                As fast as its socket takes it
And how:
  --bundle              What may be sent at once in one write; without this each
                        message in a write of its own, as from a client's
                        library (with --open always bundled)

The server must let the run through: start it with --connections-per-address 0
--messages-per-second 0 --clients N, N more than here. It is a run for a board
that nobody is using.

Exit code: 0 measured; 1 the server lost messages without telling, or doubled
them; 69 there is no server, or it refused; 71 this machine refused something;
78 a flag is wrong. Standard error says what to change.
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
