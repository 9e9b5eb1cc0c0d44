//! A set of small numbers, one bit each; joining, leaving and fan-out are word operations.

/// A set of numbers below a capacity that is fixed at construction.
#[derive(Debug)]
pub struct BitSet {
    words: Box<[u64]>,
    /// No word before this one has a bit set.
    lowest: usize,
}

const BITS: usize = u64::BITS as usize;

impl BitSet {
    /// An empty set for the numbers below `capacity`.
    pub fn new(capacity: usize) -> Self {
        Self { words: vec![0; capacity.div_ceil(BITS)].into(), lowest: 0 }
    }

    /// Bytes that a set for the numbers below `capacity` takes on the heap.
    pub const fn bytes(capacity: usize) -> usize {
        capacity.div_ceil(BITS) * size_of::<u64>()
    }

    /// Adds a number.
    pub fn insert(&mut self, number: usize) {
        let word = number / BITS;
        self.words[word] |= 1 << (number % BITS);
        self.lowest = self.lowest.min(word);
    }

    /// Takes a number out.
    pub fn remove(&mut self, number: usize) {
        self.words[number / BITS] &= !(1 << (number % BITS));
    }

    /// Whether the number is in the set.
    pub fn contains(&self, number: usize) -> bool {
        self.words[number / BITS] & (1 << (number % BITS)) != 0
    }

    /// Whether no number is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Adds every number of `more` that is not in `except`. All three have the same capacity.
    pub fn insert_all_except(&mut self, more: &Self, except: &Self) {
        for (word, (more, except)) in self.words.iter_mut().zip(more.words.iter().zip(&except.words)) {
            *word |= more & !except;
        }
        self.lowest = 0;
    }

    /// Takes every number out.
    pub fn clear(&mut self) {
        self.words.fill(0);
        self.lowest = self.words.len();
    }

    /// Takes the least number out.
    pub fn pop_first(&mut self) -> Option<usize> {
        let step = self.words[self.lowest..].iter().position(|&word| word != 0);
        let Some(step) = step else {
            self.lowest = self.words.len();
            return None;
        };
        self.lowest += step;
        let word = &mut self.words[self.lowest];
        let bit = word.trailing_zeros() as usize;
        *word &= *word - 1;
        Some(self.lowest * BITS + bit)
    }

    /// The least number at or after `from`. Lets a caller walk the set while it changes other things.
    pub fn next_from(&self, from: usize) -> Option<usize> {
        let first = from / BITS;
        let mut word = self.words.get(first)? & (u64::MAX << (from % BITS));
        let mut at = first;
        while word == 0 {
            at += 1;
            word = *self.words.get(at)?;
        }
        Some(at * BITS + word.trailing_zeros() as usize)
    }

    /// The numbers, least first.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let mut from = 0;
        std::iter::from_fn(move || {
            let number = self.next_from(from)?;
            from = number + 1;
            Some(number)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_first_and_the_last_number_of_each_word_are_kept_apart() {
        let mut bits = BitSet::new(129);
        for number in [0, 63, 64, 127, 128] {
            bits.insert(number);
        }
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 63, 64, 127, 128]);
        bits.remove(64);
        assert!(!bits.contains(64));
        assert_eq!(bits.next_from(64), Some(127));
        assert_eq!(bits.next_from(129), None);
    }

    #[test]
    fn a_number_inserted_below_the_last_one_taken_is_found_again() {
        let mut bits = BitSet::new(256);
        bits.insert(200);
        assert_eq!(bits.pop_first(), Some(200));
        assert_eq!(bits.pop_first(), None);
        bits.insert(3);
        assert_eq!(bits.pop_first(), Some(3));
        assert!(bits.is_empty());
    }

    proptest! {
        #[test]
        fn behaves_like_an_ordered_set(steps in prop::collection::vec((0..4u8, 0..150usize), 0..200)) {
            let (mut bits, mut model) = (BitSet::new(150), BTreeSet::new());
            for (step, number) in steps {
                match step {
                    0 => { bits.insert(number); model.insert(number); }
                    1 => { bits.remove(number); model.remove(&number); }
                    2 => prop_assert_eq!(bits.pop_first(), model.pop_first()),
                    _ => prop_assert_eq!(bits.next_from(number), model.range(number..).next().copied()),
                }
                prop_assert_eq!(bits.contains(number), model.contains(&number));
            }
            prop_assert!(bits.iter().eq(model.iter().copied()));
        }
    }
}
