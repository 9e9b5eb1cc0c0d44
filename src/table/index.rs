//! A hash index of fixed size: finds the slot of a key that is stored elsewhere.
//!
//! Open addressing with linear probing over at least twice as many cells as entries, and deletion by
//! shifting back, so that neither the load nor the probe length grows with use. The hash is the
//! caller's: keyed, where strangers choose the keys.

/// Finds slots (below 65,535) by hash.
#[derive(Debug)]
pub struct Index {
    /// Slot + 1; 0 is an empty cell.
    cells: Box<[u16]>,
}

impl Index {
    /// An index of at most `capacity` slots.
    pub fn new(capacity: usize) -> Self {
        Self { cells: vec![0; Self::cells(capacity)].into() }
    }

    const fn cells(capacity: usize) -> usize {
        (capacity * 2).next_power_of_two()
    }

    /// Bytes that an index of `capacity` slots takes on the heap.
    pub const fn bytes(capacity: usize) -> usize {
        Self::cells(capacity) * size_of::<u16>()
    }

    /// The slot with this hash for which `is_it` holds.
    pub fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let mut cell = self.home(hash);
        loop {
            let slot = usize::from(self.cells[cell].checked_sub(1)?);
            if is_it(slot) {
                return Some(slot);
            }
            cell = self.after(cell);
        }
    }

    /// Enters a slot that is not in the index. At most `capacity` slots are in it at once.
    pub fn insert(&mut self, hash: u64, slot: usize) {
        let mut cell = self.home(hash);
        let mut probed = 0;
        while self.cells[cell] != 0 {
            cell = self.after(cell);
            probed += 1;
            assert!(probed < self.cells.len() / 2 + 1, "the index holds no more slots than its capacity");
        }
        self.cells[cell] = u16::try_from(slot + 1).expect("slots are below 65,535");
    }

    /// Takes a slot out, if it is there. `hash_of` tells the hash of any slot in the index.
    pub fn remove(&mut self, slot: usize, hash_of: impl Fn(usize) -> u64) {
        let mut hole = self.home(hash_of(slot));
        loop {
            match self.cells[hole].checked_sub(1) {
                None => return,
                Some(found) if usize::from(found) == slot => break,
                Some(_) => hole = self.after(hole),
            }
        }
        let mut cell = hole;
        loop {
            cell = self.after(cell);
            let Some(moving) = self.cells[cell].checked_sub(1) else { break };
            let wanted = self.home(hash_of(usize::from(moving)));
            if self.distance(wanted, cell) >= self.distance(hole, cell) {
                self.cells[hole] = self.cells[cell];
                hole = cell;
            }
        }
        self.cells[hole] = 0;
    }

    #[expect(clippy::cast_possible_truncation, reason = "the mask keeps fewer than 17 bits")]
    fn home(&self, hash: u64) -> usize {
        hash as usize & (self.cells.len() - 1)
    }

    fn after(&self, cell: usize) -> usize {
        (cell + 1) & (self.cells.len() - 1)
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.cells.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slots_of_one_hash_are_told_apart() {
        let mut index = Index::new(3);
        for slot in 0..3 {
            index.insert(7, slot);
        }
        assert_eq!(index.find(7, |slot| slot == 2), Some(2));
        index.remove(0, |_| 7);
        assert_eq!(index.find(7, |slot| slot == 0), None);
        assert_eq!(index.find(7, |slot| slot == 2), Some(2));
        index.insert(7, 0);
        assert_eq!(index.find(7, |slot| slot == 0), Some(0));
    }

    #[test]
    fn removing_what_is_not_there_changes_nothing() {
        let mut index = Index::new(2);
        index.insert(0, 1);
        index.remove(0, |_| 0);
        assert_eq!(index.find(0, |slot| slot == 1), Some(1));
    }

    proptest! {
        #[test]
        fn finds_exactly_what_is_in_it(
            hashes in prop::collection::vec(0..6u64, 8),
            steps in prop::collection::vec((any::<bool>(), 0..8usize), 0..200),
        ) {
            let (mut index, mut inside) = (Index::new(8), [false; 8]);
            for (enter, slot) in steps {
                if enter && !inside[slot] {
                    index.insert(hashes[slot], slot);
                } else if !enter {
                    index.remove(slot, |slot| hashes[slot]);
                }
                inside[slot] = enter;
                for other in 0..8 {
                    let found = index.find(hashes[other], |found| found == other);
                    prop_assert_eq!(found.is_some(), inside[other]);
                }
            }
        }
    }
}
