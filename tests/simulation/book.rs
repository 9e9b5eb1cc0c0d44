//! What one client knows of one room, and what may come next: no hole without a gap, nothing twice, and
//! after coming back exactly what was missed.

use crate::message::Message;

/// What was asked of a room's past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    Last(u64),
    Since { epoch: String, seq: u64 },
}

/// What may come first.
#[derive(Debug)]
enum First {
    /// The line of one's own coming, wherever it stands.
    OwnLine,
    /// One of these, where the last few were asked for.
    Between(u64, u64),
    /// This one, or the gap of what is no longer kept.
    After(u64),
    /// The gap of another life of the log.
    Restart,
}

/// The book of one life of one log.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) epoch: String,
    first: Option<First>,
    next: u64,
    /// The line of one's own coming, and where it stands if that was told.
    own_line: Option<(Option<u64>, String)>,
    pub(crate) is_member: bool,
}

/// What was entered into all books of somebody.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) delivered: u64,
    pub(crate) gaps: u64,
    pub(crate) missed: u64,
}

impl Book {
    /// Opens a book, in which `own_line` must stand, at `head + 1` if the answer told a head.
    pub(crate) fn open(asked: &Asked, epoch: &str, head: Option<u64>, own_line: Option<String>) -> Self {
        let (first, next) = match (asked, head) {
            (Asked::Nothing, Some(head)) => (First::After(head + 1), head + 1),
            (Asked::Nothing, None) => (First::OwnLine, 0),
            (Asked::Last(count), Some(head)) => {
                (First::Between((head + 1).saturating_sub(*count).max(1), head + 1), 0)
            }
            (Asked::Last(_), None) => (First::Between(1, u64::MAX), 0),
            (Asked::Since { epoch: known, seq }, _) if known == epoch => (First::After(seq + 1), seq + 1),
            (Asked::Since { .. }, _) => (First::Restart, 0),
        };
        let own_line = own_line.map(|line| (head.map(|head| head + 1), line));
        Self { epoch: epoch.to_owned(), first: Some(first), next, own_line, is_member: true }
    }

    /// The last seq that is accounted for, if any is.
    pub(crate) fn last(&self) -> Option<u64> {
        match self.first {
            None | Some(First::After(_)) => Some(self.next - 1),
            Some(First::OwnLine | First::Between(..) | First::Restart) => None,
        }
    }

    /// Enters a message of the log.
    pub(crate) fn message(&mut self, message: &Message<'_>, sum: &mut Sum) {
        let seq = message.seq.expect("a message of a log has a seq");
        match self.first.take() {
            None => assert_eq!(seq, self.next, "a hole or a double"),
            Some(First::After(next)) => assert_eq!(seq, next, "it does not begin where it should"),
            Some(First::Between(least, most)) => assert!((least..=most).contains(&seq), "{least} to {most}"),
            Some(First::OwnLine) => {
                let own = self.own_line.as_ref().is_none_or(|(_, line)| *line == message.content);
                assert!(own, "the line of its own coming is the first");
            }
            Some(First::Restart) => panic!("another life of the log begins with a gap"),
        }
        if let Some((Some(at), line)) = &self.own_line
            && *at == seq
        {
            assert_eq!(*line, message.content, "the line of its own coming");
        }
        self.next = seq + 1;
        sum.delivered += 1;
    }

    /// Enters a gap.
    pub(crate) fn gap(&mut self, gap: &Message<'_>, sum: &mut Sum) {
        let (from, to) = (gap.from.unwrap(), gap.to.unwrap());
        assert_eq!(gap.missed, Some(to + 1 - from), "missed is what is between");
        match (self.first.take(), gap.reason.unwrap()) {
            (Some(First::Restart), "restart") => assert_eq!(from, 1, "all of the other life"),
            (Some(First::After(next)), "expired" | "slow") => assert_eq!(from, next, "in its very place"),
            (Some(First::Between(least, most)), "slow") => assert!((least..=most).contains(&from)),
            (Some(First::OwnLine), "slow") => {}
            (None, "slow") => assert_eq!(from, self.next, "in the very place of the hole"),
            (first, reason) => panic!("a gap of reason {reason} where {first:?} comes first"),
        }
        assert!(to >= from || (gap.reason == Some("restart") && to == 0), "an empty gap");
        self.next = to + 1;
        sum.gaps += 1;
        sum.missed += to + 1 - from;
    }
}
