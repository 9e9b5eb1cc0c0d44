//! What half-received messages may take, all clients together.

/// The budget does not hold as much as was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetSpent;

/// Bytes for the half-received messages of all clients (setting `inbound_bytes`).
///
/// One of these is shared by all readers, so a crowd of clients that each begin a message and never
/// end it takes this much memory and no more.
#[derive(Debug)]
pub struct InboundBudget {
    bytes_max: usize,
    used: usize,
}

impl InboundBudget {
    /// A budget of `bytes_max` bytes, none of them used.
    pub const fn new(bytes_max: usize) -> Self {
        Self { bytes_max, used: 0 }
    }

    /// Takes `bytes`, or nothing at all when fewer are left.
    pub fn take(&mut self, bytes: usize) -> Result<(), BudgetSpent> {
        if bytes > self.bytes_max - self.used {
            return Err(BudgetSpent);
        }
        self.used += bytes;
        Ok(())
    }

    /// Gives back `bytes` that were taken before.
    pub fn give(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.used, "more was given back than taken");
        self.used = self.used.saturating_sub(bytes);
    }

    /// Counts anew what is in use, when that may have got lost.
    pub fn recount(&mut self, in_use: impl Iterator<Item = usize>) {
        self.used = in_use.sum();
    }

    /// Bytes taken and not given back.
    pub const fn used(&self) -> usize {
        self.used
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_last_byte_can_be_taken_and_one_more_cannot() {
        let mut budget = InboundBudget::new(10);
        assert_eq!(budget.take(9), Ok(()));
        assert_eq!(budget.take(2), Err(BudgetSpent), "one above");
        assert_eq!(budget.used(), 9, "a refusal takes nothing");
        assert_eq!(budget.take(1), Ok(()), "on the limit");
        assert_eq!(budget.take(1), Err(BudgetSpent));
        assert_eq!(budget.take(0), Ok(()));
        budget.give(10);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn asking_for_more_than_can_be_counted_is_refused() {
        let mut budget = InboundBudget::new(usize::MAX);
        budget.take(1).unwrap();
        assert_eq!(budget.take(usize::MAX), Err(BudgetSpent));
    }

    #[test]
    #[should_panic(expected = "more was given back than taken")]
    #[cfg(debug_assertions)]
    fn giving_back_more_than_was_taken_is_a_defect() {
        InboundBudget::new(10).give(1);
    }
}
