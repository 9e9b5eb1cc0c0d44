//! How much a hub can hold, and what follows from it for frames and outboxes.

use crate::{
    limits::{FRAME_HEADER_BYTES_MAX, LOG_MESSAGES_OF_GREATEST_SIZE, NAME_GRAPHEMES_MAX, REFUSALS_PER_BURST},
    protocol::encode::AnnouncedLimits,
};

/// The sizes and limits of a hub; all tables are reserved from it when the hub is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacities {
    /// Clients at once.
    pub clients: usize,
    /// Rooms at once, the lobby not counted.
    pub rooms: usize,
    /// Rooms of one client at once, the lobby not counted.
    pub rooms_per_client: usize,
    /// Bytes in the log of a room.
    pub log_bytes: usize,
    /// Messages in the log of a room.
    pub log_messages: usize,
    /// Bytes of the largest message that a client may send.
    pub message_bytes: usize,
    /// Frames in an outbox, at least 2.
    pub outbox_messages: usize,
    /// Bytes in an outbox.
    pub outbox_bytes: usize,
    /// Messages per second of one client; 0 is no limit.
    pub messages_per_second: u32,
    /// Messages of one client at once.
    pub burst: u32,
    /// Milliseconds after which a socket that takes nothing is ended.
    pub write_timeout_ms: u64,
    /// Seconds between pings.
    pub heartbeat_s: u64,
}

/// More than the envelope of any message adds to its content: field names, 20-digit numbers, the
/// sender and the room with every byte escaped.
const ENVELOPE_BYTES_MAX: usize = 1_024;
/// More than the largest frame that says what is missing: an envelope without content.
pub(super) const FACT_BYTES_MAX: usize = 512;

impl Capacities {
    /// Largest frame that a log takes: a quarter of the log, so that it always holds four.
    pub fn entry_bytes(&self) -> usize {
        (self.log_bytes / LOG_MESSAGES_OF_GREATEST_SIZE).min(self.message_bytes + ENVELOPE_BYTES_MAX)
    }

    /// Most bytes that wait in one outbox: its frames, one of which may be as large as a message,
    /// or the rest of a log's frame; and what says that something is missing.
    pub fn outbox_ceiling(&self) -> usize {
        let frame = self.entry_bytes().max(self.message_bytes + FRAME_HEADER_BYTES_MAX);
        self.outbox_bytes.max(frame) + self.outbox_messages * FACT_BYTES_MAX
    }

    /// Messages above the rate that are refused at once after a pause, before their client is ended.
    pub(super) fn refusals(&self) -> u32 {
        self.burst.max(self.messages_per_second).saturating_mul(REFUSALS_PER_BURST)
    }

    /// The part that clients are told.
    pub(super) fn announced(&self) -> AnnouncedLimits {
        AnnouncedLimits {
            message_bytes: self.message_bytes,
            rooms_per_client: self.rooms_per_client,
            name_graphemes: NAME_GRAPHEMES_MAX,
            messages_per_second: self.messages_per_second,
            burst: self.burst,
            write_timeout_ms: self.write_timeout_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::tests::tiny;

    #[test]
    fn a_log_takes_frames_of_a_quarter_of_its_bytes_or_of_a_message() {
        let of = |log_bytes, message_bytes| Capacities { log_bytes, message_bytes, ..tiny() }.entry_bytes();
        assert_eq!(of(8_192, 4_096), 2_048);
        assert_eq!(of(1 << 20, 4_096), 4_096 + ENVELOPE_BYTES_MAX);
    }

    #[test]
    fn an_outbox_holds_what_is_set_or_one_frame_and_what_says_that_something_is_missing() {
        let of = |outbox_bytes| {
            let sizes = Capacities {
                log_bytes: 4_000,
                message_bytes: 1_000,
                outbox_messages: 2,
                outbox_bytes,
                ..tiny()
            };
            sizes.outbox_ceiling() - 2 * FACT_BYTES_MAX
        };
        let frame = 1_000 + FRAME_HEADER_BYTES_MAX;
        assert_eq!([frame - 1, frame, frame + 1].map(of), [frame, frame, frame + 1]);
    }
}
