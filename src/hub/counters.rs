//! Every outcome has a counter, and every counter is there from the start, at zero.

/// What is counted. The name of each is [`Counter::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Counter {
    /// Clients that came.
    Connected,
    /// Clients that went, for whatever reason: the sum of [`Counter::ENDINGS`].
    Disconnected,
    /// Connections closed in order, by their clients.
    Closed,
    /// Connections that broke, or ended without a close frame.
    Lost,
    /// Connections ended because a frame broke RFC 6455.
    ProtocolBroken,
    /// Connections ended because a text was not UTF-8.
    NotUtf8,
    /// Connections ended because they asked for more and more without reading it.
    AgainstPolicy,
    /// Connections ended because of a message above the limit.
    TooLarge,
    /// Connections ended because the server failed.
    Failed,
    /// Connections ended because the server stopped.
    Restarted,
    /// Connections ended for want of memory or another resource.
    NoResources,
    /// Connections ended because another one resumed their client.
    TakenOver,
    /// Connections ended because their socket took nothing for the write timeout.
    NotReadable,
    /// Connections ended for want of a sign of life.
    NoSignOfLife,
    /// Clients refused because the table was full.
    RefusedFull,
    /// Messages received, of whatever kind.
    Received,
    /// Messages sent back as they came.
    Echoed,
    /// Messages written into a log.
    Published,
    /// Messages owed to members: by each publication one for each member, and what replays ask for.
    Owed,
    /// Messages of logs that were handed to a socket, counted for each member.
    Delivered,
    /// Messages owed that were declared missing by a `gap`.
    Missed,
    /// Messages owed that were still waiting when their client left or went.
    Discarded,
    /// Gaps declared, of whatever reason.
    Gaps,
    /// Answers dropped for want of room in an outbox.
    AnswersDropped,
    /// Messages refused because their client was over its rate.
    RateLimited,
    /// Other messages refused with an `error`.
    Refused,
    /// Times that a socket would take no more.
    Blocked,
    /// Bytes that came from sockets.
    BytesReceived,
    /// Bytes handed to sockets.
    BytesSent,
    /// Times that bytes were handed to a socket.
    Writes,
    /// Rooms made.
    RoomsMade,
    /// Rooms dropped, empty, to make place for another.
    RoomsDropped,
}

/// All counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters([u64; Counter::ALL.len()]);

impl Counter {
    /// Every counter, in the order in which they are shown.
    pub const ALL: [Self; 32] = [
        Self::Connected,
        Self::Disconnected,
        Self::Closed,
        Self::Lost,
        Self::ProtocolBroken,
        Self::NotUtf8,
        Self::AgainstPolicy,
        Self::TooLarge,
        Self::Failed,
        Self::Restarted,
        Self::NoResources,
        Self::TakenOver,
        Self::NotReadable,
        Self::NoSignOfLife,
        Self::RefusedFull,
        Self::Received,
        Self::Echoed,
        Self::Published,
        Self::Owed,
        Self::Delivered,
        Self::Missed,
        Self::Discarded,
        Self::Gaps,
        Self::AnswersDropped,
        Self::RateLimited,
        Self::Refused,
        Self::Blocked,
        Self::BytesReceived,
        Self::BytesSent,
        Self::Writes,
        Self::RoomsMade,
        Self::RoomsDropped,
    ];

    /// Why clients went; each that went is counted by one of them.
    pub const ENDINGS: [Self; 12] = [
        Self::Closed,
        Self::Lost,
        Self::ProtocolBroken,
        Self::NotUtf8,
        Self::AgainstPolicy,
        Self::TooLarge,
        Self::Failed,
        Self::Restarted,
        Self::NoResources,
        Self::TakenOver,
        Self::NotReadable,
        Self::NoSignOfLife,
    ];

    /// The name under which the counter is shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Closed => "closed",
            Self::Lost => "lost",
            Self::ProtocolBroken => "protocol_broken",
            Self::NotUtf8 => "not_utf8",
            Self::AgainstPolicy => "against_policy",
            Self::TooLarge => "too_large",
            Self::Failed => "failed",
            Self::Restarted => "restarted",
            Self::NoResources => "no_resources",
            Self::RefusedFull => "refused_full",
            Self::TakenOver => "taken_over",
            Self::NotReadable => "not_readable",
            Self::NoSignOfLife => "no_sign_of_life",
            Self::Received => "received",
            Self::Echoed => "echoed",
            Self::Published => "published",
            Self::Owed => "owed",
            Self::Delivered => "delivered",
            Self::Missed => "missed",
            Self::Discarded => "discarded",
            Self::Gaps => "gaps",
            Self::AnswersDropped => "answers_dropped",
            Self::RateLimited => "rate_limited",
            Self::Refused => "refused",
            Self::Blocked => "blocked",
            Self::BytesReceived => "bytes_received",
            Self::BytesSent => "bytes_sent",
            Self::Writes => "writes",
            Self::RoomsMade => "rooms_made",
            Self::RoomsDropped => "rooms_dropped",
        }
    }
}

impl Counters {
    /// The present value.
    pub const fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }

    /// Name and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Counter::ALL.into_iter().map(|counter| (counter.name(), self.get(counter)))
    }

    pub(super) const fn add(&mut self, counter: Counter, amount: u64) {
        self.0[counter as usize] += amount;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_is_listed_once_in_its_own_place() {
        for (place, counter) in Counter::ALL.into_iter().enumerate() {
            assert_eq!(counter as usize, place, "{}", counter.name());
        }
    }
}
