//! Numbers for those who come with a name that somebody has.

/// Finds numbers that are free.
#[derive(Debug, Default)]
pub(super) struct Namesakes {
    /// The last number that was tried because too many were taken on purpose. Only grows, so that nobody
    /// makes it be tried again.
    last_resort: u64,
}

impl Namesakes {
    /// A number from 2 on that is not taken, next to one that is; there are so many `clients`.
    ///
    /// One after the other for a few; among many namesakes by doubling, then halving back. Of numbers above
    /// the count of clients not all are taken unless somebody chose them: from there on it goes by numbers
    /// that were not tried before, of which at most as many are taken as there are clients.
    pub(super) fn free_number(&mut self, clients: usize, is_taken: impl Fn(u64) -> bool) -> u64 {
        let (mut taken, mut free) = (1, 2);
        while is_taken(free) {
            taken = free;
            free = match free {
                ..9 => free + 1,
                _ if free <= clients as u64 => free * 2,
                _ => {
                    self.last_resort = self.last_resort.max(free) + 1;
                    self.last_resort
                }
            };
        }
        while free - taken > 1 {
            let middle = taken + (free - taken) / 2;
            if is_taken(middle) { taken = middle } else { free = middle }
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, collections::BTreeSet};

    /// The free number for the next one among so many of one name, and how often it was asked for one.
    fn next(namesakes: &mut Namesakes, taken: &BTreeSet<u64>) -> (u64, usize) {
        let asked = Cell::new(0);
        let number = namesakes.free_number(taken.len() + 1, |number| {
            asked.set(asked.get() + 1);
            taken.contains(&number)
        });
        assert!(number >= 2 && !taken.contains(&number));
        (number, asked.get())
    }

    /// Every number that doubling comes to, until it begins anew.
    fn cycle() -> BTreeSet<u64> {
        let doubled = std::iter::successors(Some(9_u64), |number| Some(number.wrapping_mul(2)));
        (1..9).chain(doubled.take_while(|&number| number != 0)).chain([0]).collect()
    }

    #[test]
    fn a_few_are_numbered_one_after_the_other() {
        let taken = (2..6).collect();
        assert_eq!(next(&mut Namesakes::default(), &taken).0, 6);
        assert_eq!(next(&mut Namesakes::default(), &BTreeSet::new()).0, 2);
    }

    #[test]
    fn ten_thousand_of_one_name_are_numbered_without_a_hole_in_few_steps_each() {
        let (mut namesakes, mut taken) = (Namesakes::default(), BTreeSet::new());
        for number in 2..10_000 {
            let (next, asked) = next(&mut namesakes, &taken);
            assert_eq!(next, number);
            assert!(asked <= 40, "{asked} for {number}");
            taken.insert(next);
        }
    }

    #[test]
    fn whoever_has_every_number_that_doubling_comes_to_makes_nobody_search_long() {
        let (mut namesakes, mut taken) = (Namesakes::default(), cycle());
        assert_eq!(taken.len(), 73);
        for _ in 0..1_000 {
            let (number, asked) = next(&mut namesakes, &taken);
            assert!(asked <= 40, "{asked} for {number}");
            taken.insert(number);
        }
    }

    #[test]
    fn whoever_has_the_numbers_of_last_resort_as_well_makes_them_be_tried_once() {
        let (mut namesakes, mut taken) = (Namesakes::default(), cycle());
        taken.extend(1_000..3_000);
        taken.extend(4_609..6_000);
        let (first, asked) = next(&mut namesakes, &taken);
        assert!(asked <= taken.len() + 40, "{asked} for {first}");
        let (second, asked) = next(&mut namesakes, &taken);
        assert!(asked <= 40, "{asked} for {second}");
    }
}
