//! Who has got how much of what was sent: nothing may be missing that the server did not declare.

/// Those who get the same messages, in one order.
#[derive(Debug)]
pub(super) struct Group {
    /// Messages received and declared missing, by member. Those that nobody waits for stand last.
    progress: Vec<u64>,
    gone: Vec<bool>,
    /// How many of the members the low water looks at.
    awaited: usize,
    low: u64,
    at_low: usize,
    sent: u64,
}

/// What is missing at the end, over all members that stayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Balance {
    /// Sent, but neither received nor declared missing.
    pub(super) undeclared: u64,
    /// Received or declared missing, but never sent.
    pub(super) surplus: u64,
}

impl Group {
    /// A group in which nobody waits for the last `unawaited` of its members.
    pub(super) fn new(members: usize, unawaited: usize) -> Self {
        let awaited = members - unawaited;
        Self {
            progress: vec![0; members],
            gone: vec![false; members],
            awaited,
            low: 0,
            at_low: awaited,
            sent: 0,
        }
    }

    /// Notes messages of which every member is to get one each.
    pub(super) fn send(&mut self, messages: u64) {
        self.sent += messages;
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Messages that not all of the awaited members have yet.
    pub(super) fn outstanding(&self) -> u64 {
        self.sent.saturating_sub(self.low)
    }

    /// Notes what a member got. Whether that leaves fewer outstanding.
    pub(super) fn advance(&mut self, member: usize, messages: u64) -> bool {
        let before = self.progress[member];
        self.progress[member] += messages;
        if member >= self.awaited || before != self.low || messages == 0 {
            return false;
        }
        self.at_low -= 1;
        self.at_low == 0 && self.raise()
    }

    /// Looks at everyone, which is needed no more often than everyone has got something.
    fn raise(&mut self) -> bool {
        let awaited = &self.progress[..self.awaited];
        self.low = awaited.iter().copied().min().unwrap_or(self.sent);
        self.at_low = awaited.iter().filter(|&&progress| progress == self.low).count();
        true
    }

    /// Notes that a member's connection has ended: nothing is owed to it.
    pub(super) fn lose(&mut self, member: usize) {
        self.gone[member] = true;
    }

    fn staying(&self) -> impl Iterator<Item = u64> {
        self.progress.iter().zip(&self.gone).filter(|(_, gone)| !**gone).map(|(progress, _)| *progress)
    }

    /// Whether everyone has everything.
    pub(super) fn is_complete(&self) -> bool {
        self.staying().all(|progress| progress >= self.sent)
    }

    pub(super) fn balance(&self) -> Balance {
        let sum = |differences: fn(u64, u64) -> u64| {
            self.staying().map(|progress| differences(self.sent, progress)).sum()
        };
        Balance {
            undeclared: sum(u64::saturating_sub),
            surplus: sum(|sent, progress| progress.saturating_sub(sent)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_outstanding_until_the_last_has_it() {
        let mut group = Group::new(3, 0);
        group.send(4);
        assert!(!group.advance(0, 4));
        assert!(!group.advance(1, 1));
        assert_eq!(group.outstanding(), 4);
        assert!(group.advance(2, 2));
        assert_eq!(group.outstanding(), 3);
        assert!(group.advance(1, 3));
        assert_eq!(group.outstanding(), 2);
        assert!(!group.is_complete());
        assert!(group.advance(2, 2));
        assert_eq!((group.outstanding(), group.is_complete()), (0, true));
    }

    #[test]
    fn nobody_waits_for_a_slow_one_but_it_is_owed_everything() {
        let mut group = Group::new(2, 1);
        group.send(5);
        assert!(group.advance(0, 5));
        assert_eq!(group.outstanding(), 0);
        assert!(!group.advance(1, 4));
        assert_eq!(group.balance(), Balance { undeclared: 1, surplus: 0 });
        assert!(!group.advance(1, 1));
        assert!(group.is_complete());
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_do_not_cancel_out() {
        let mut group = Group::new(3, 0);
        group.send(2);
        group.advance(0, 1);
        group.advance(1, 3);
        assert_eq!(group.balance(), Balance { undeclared: 3, surplus: 1 });
    }

    #[test]
    fn nothing_is_owed_to_whoever_has_gone() {
        let mut group = Group::new(2, 0);
        group.send(1);
        group.advance(0, 1);
        group.lose(1);
        assert_eq!((group.is_complete(), group.balance()), (true, Balance::default()));
    }
}
