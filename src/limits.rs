//! Every number of roomd, once. Imports nothing.
//!
//! The build-time ceilings come from the table in `build.rs`; settings may only go below them.
//! Relations between numbers are asserted here, so that a build with ceilings that do not fit
//! together fails instead of misbehaving.

include!(concat!(env!("OUT_DIR"), "/ceilings.rs"));

/// Longest display name, in grapheme clusters.
pub const NAME_GRAPHEMES_MAX: usize = 32;
/// Longest display name, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 96;
/// Longest room name, in bytes of UTF-8.
pub const ROOM_NAME_BYTES_MAX: usize = 48;
/// Longest `id` that a client may give a message, in bytes.
pub const MESSAGE_ID_BYTES_MAX: usize = 32;
/// Longest epoch, in bytes.
pub const EPOCH_BYTES_MAX: usize = 32;
/// Names that a `joined` lists; `member_count` tells how many there are.
pub const JOINED_MEMBERS_MAX: usize = 64;
/// Frames in one outbox, the ceiling of `outbox_messages`.
pub const OUTBOX_MESSAGES_MAX: usize = 64;
/// How long a name can be taken back by `resume` after its client has gone, in milliseconds.
pub const RESUME_MS: u64 = 5 * 60 * 1_000;
/// Least time between two announcements of what is no one's message (the client count, who came and who
/// went), in milliseconds. With the tick that it waits for, another 100, everyone has the newest within 250.
pub const ANNOUNCE_EVERY_MS: u64 = 100;
/// Writes that lines of the server's own (who came, who went) may cause between two such announcements before
/// they wait for each other: some 10 ms of the kernel's work, or 100 on a small board.
pub const LINE_WRITES_MAX: usize = 1_024;
/// Longest heartbeat, in seconds: the ping interval of the hub that roomd replaces.
pub const HEARTBEAT_S_MAX: u64 = 54;
/// Silence after which a client is gone, however long the heartbeat, in milliseconds: that of the same hub.
pub const SILENCE_MS_MAX: u64 = 60_000;
/// Longest header of a server's frame, in bytes (RFC 6455, section 5.2: 2 + 8, no mask).
pub const FRAME_HEADER_BYTES_MAX: usize = 10;
/// Longest payload of a control frame, in bytes (RFC 6455, section 5.5).
pub const CONTROL_PAYLOAD_BYTES_MAX: usize = 125;
/// Refusals for its rate that a client gets at once, in bursts (or seconds, if those hold more); the next
/// one ends it.
pub const REFUSALS_PER_BURST: u32 = 10;
/// Attempts to open a WebSocket from one address per second, and at once after a pause; of the latter at
/// least twice `connections_per_address`, so that all clients behind an address can come back together. Far
/// above what people and devices do, even all of them behind one proxy: it is loops that end here.
pub const ATTEMPTS_PER_SECOND: u32 = 50;
/// See [`ATTEMPTS_PER_SECOND`].
pub const ATTEMPTS_BURST: u32 = 1_024;
/// The log of a room holds at least this many messages of the greatest size.
pub const LOG_MESSAGES_OF_GREATEST_SIZE: usize = 4;

const _: () = {
    assert!(CLIENTS_MAX < u16::MAX as usize, "slots, and slots + 1, are addressed by 16 bits");
    assert!(ROOMS_MAX < u16::MAX as usize, "room indices, the lobby's 0 included, have 16 bits");
    assert!(
        LOG_BYTES_MAX / LOG_MESSAGES_OF_GREATEST_SIZE >= MESSAGE_BYTES_MAX,
        "a log holds four of the largest"
    );
    assert!(NAME_BYTES_MAX >= NAME_GRAPHEMES_MAX, "a name of ASCII letters must fit");
    assert!(ROOM_NAME_BYTES_MAX <= NAME_BYTES_MAX, "room and display names share one check");
};
