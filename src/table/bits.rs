//! A set of small numbers, one bit each; joining, leaving and fan-out are word operations.

use std::ops::Range;

/// A set of numbers below a capacity that is fixed at construction.
#[derive(Debug)]
pub struct BitSet {
    words: Box<[u64]>,
    /// No other words than these have a bit set.
    used: Range<usize>,
}

const BITS: usize = u64::BITS as usize;

impl BitSet {
    /// An empty set for the numbers below `capacity`.
    pub fn new(capacity: usize) -> Self {
        Self { words: vec![0; capacity.div_ceil(BITS)].into(), used: 0..0 }
    }

    /// Bytes that a set for the numbers below `capacity` takes on the heap.
    pub const fn bytes(capacity: usize) -> usize {
        capacity.div_ceil(BITS) * size_of::<u64>()
    }

    /// Adds a number.
    pub fn insert(&mut self, number: usize) {
        let word = number / BITS;
        self.words[word] |= 1 << (number % BITS);
        self.use_words(word..word + 1);
    }

    fn use_words(&mut self, range: Range<usize>) {
        self.used = match (self.used.is_empty(), range.is_empty()) {
            (true, _) => range,
            (_, true) => return,
            _ => self.used.start.min(range.start)..self.used.end.max(range.end),
        };
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

    /// How many numbers are in the set.
    pub fn len(&self) -> usize {
        self.words[self.used.clone()].iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Adds every number of `more` that is not in `except`. All three have the same capacity.
    pub fn insert_all_except(&mut self, more: &Self, except: &Self) {
        let range = more.used.clone();
        let (words, except) = (&mut self.words[range.clone()], &except.words[range.clone()]);
        for ((word, more), except) in words.iter_mut().zip(&more.words[range.clone()]).zip(except) {
            *word |= more & !except;
        }
        self.use_words(range);
    }

    /// Takes every number out.
    pub fn clear(&mut self) {
        self.words.fill(0);
        self.used = 0..0;
    }

    /// Takes out the least number at or after `from`, or the least of all if there is none.
    pub fn pop_from(&mut self, from: usize) -> Option<usize> {
        let number = self.next_from(from).or_else(|| self.next_from(0));
        if let Some(number) = number {
            self.remove(number);
        } else {
            self.used = 0..0;
        }
        number
    }

    /// The least number at or after `from`. Lets a caller walk the set while it changes other things.
    pub fn next_from(&self, from: usize) -> Option<usize> {
        let first = self.used.start.max(from / BITS);
        let words = self.words.get(first..self.used.end)?;
        let mut mask = if first == from / BITS { u64::MAX << (from % BITS) } else { u64::MAX };
        for (at, word) in words.iter().enumerate() {
            let word = word & mask;
            if word != 0 {
                return Some((first + at) * BITS + word.trailing_zeros() as usize);
            }
            mask = u64::MAX;
        }
        None
    }

    /// The numbers, least first.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.iter_from(0)
    }

    /// The numbers at or after `from`, least first.
    pub fn iter_from(&self, mut from: usize) -> impl Iterator<Item = usize> + '_ {
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
    fn numbers_are_taken_in_turn_and_after_the_last_comes_the_first() {
        let mut bits = BitSet::new(129);
        for number in [3, 70, 128] {
            bits.insert(number);
        }
        assert_eq!(bits.pop_from(4), Some(70));
        assert_eq!(bits.pop_from(129), Some(3));
        assert_eq!(bits.pop_from(4), Some(128));
        assert_eq!(bits.pop_from(0), None);
    }

    proptest! {
        #[test]
        fn behaves_like_an_ordered_set(steps in prop::collection::vec((0..4u8, 0..150usize), 0..200)) {
            let (mut bits, mut model) = (BitSet::new(150), BTreeSet::new());
            for (step, number) in steps {
                match step {
                    0 => { bits.insert(number); model.insert(number); }
                    1 => { bits.remove(number); model.remove(&number); }
                    2 => {
                        let expected = model.range(number..).chain(&model).next().copied();
                        prop_assert_eq!(bits.pop_from(number), expected);
                        expected.map(|number| model.remove(&number));
                    }
                    _ => prop_assert_eq!(bits.next_from(number), model.range(number..).next().copied()),
                }
                prop_assert_eq!(bits.contains(number), model.contains(&number));
                prop_assert_eq!(bits.len(), model.len());
            }
            prop_assert!(bits.iter().eq(model.iter().copied()));
        }

        #[test]
        fn all_of_another_set_but_those_of_a_third_are_added(
            sets in prop::array::uniform3(prop::collection::btree_set(0..300usize, 0..6)),
        ) {
            let [mut bits, more, except] = sets.each_ref().map(set_of);
            bits.insert_all_except(&more, &except);
            let [set, more, except] = &sets;
            let expected: BTreeSet<_> = set.iter().chain(more.difference(except)).copied().collect();
            prop_assert_eq!(bits.pop_from(150), expected.range(150..).chain(&expected).next().copied());
            bits.insert_all_except(&set_of(&expected), &BitSet::new(300));
            prop_assert!(bits.iter().eq(expected));
        }
    }

    fn set_of(numbers: &BTreeSet<usize>) -> BitSet {
        let mut bits = BitSet::new(300);
        for &number in numbers {
            bits.insert(number);
        }
        bits
    }
}
