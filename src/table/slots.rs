//! Slots with generations: a key that outlived its value finds nothing, never the next tenant.

use super::Full;

/// Address of a value: the slot, and which of the slot's tenants is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    index: u16,
    generation: u32,
}

impl Key {
    /// The slot's number, below the table's capacity.
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// The key as a number, for those that carry numbers for others.
    pub const fn to_bits(self) -> u64 {
        (self.generation as u64) << 16 | self.index as u64
    }

    /// The key that [`Key::to_bits`] made a number of.
    #[expect(clippy::cast_possible_truncation, reason = "16 bits are the index, the next 32 the generation")]
    pub const fn from_bits(bits: u64) -> Self {
        Self { index: bits as u16, generation: (bits >> 16) as u32 }
    }
}

/// A table of at most `capacity` values.
#[derive(Debug)]
pub struct Slots<T> {
    /// Grows to the greatest number of values there ever were at once, within its reserved capacity.
    values: Vec<Option<T>>,
    /// How many tenants each slot has had. Apart, so that they are close to each other.
    generations: Vec<u32>,
    /// Slots below `values.len()` that are vacant; the last vacated is taken first, while it is warm.
    vacant: Vec<u16>,
    capacity: usize,
}

impl<T> Slots<T> {
    /// A table for `capacity` values, at most 65,535.
    pub fn new(capacity: usize) -> Self {
        assert!(u16::try_from(capacity).is_ok(), "slots are addressed by 16 bits");
        Self {
            values: Vec::with_capacity(capacity),
            generations: Vec::with_capacity(capacity),
            vacant: Vec::with_capacity(capacity),
            capacity,
        }
    }

    /// Bytes that a table for `capacity` values reserves.
    pub const fn bytes(capacity: usize) -> usize {
        capacity * (size_of::<Option<T>>() + size_of::<u32>() + size_of::<u16>())
    }

    /// Puts a value into a vacant slot.
    pub fn insert(&mut self, value: T) -> Result<Key, Full> {
        if let Some(index) = self.vacant.pop() {
            self.values[usize::from(index)] = Some(value);
            return Ok(Key { index, generation: self.generations[usize::from(index)] });
        }
        if self.values.len() == self.capacity {
            return Err(Full);
        }
        let index = u16::try_from(self.values.len()).map_err(|_| Full)?;
        self.values.push(Some(value));
        self.generations.push(0);
        Ok(Key { index, generation: 0 })
    }

    /// Takes a value out; its key is dead from now on.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let value = self.slot_mut(key)?.take()?;
        let generation = &mut self.generations[key.index()];
        *generation = generation.wrapping_add(1);
        self.vacant.push(key.index);
        Some(value)
    }

    /// The value of a live key.
    pub fn get(&self, key: Key) -> Option<&T> {
        if self.is_current(key) { self.values.get(key.index())?.as_ref() } else { None }
    }

    /// The value of a live key, to change.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.slot_mut(key)?.as_mut()
    }

    /// The value that lives in slot `index` now, whoever it is.
    pub fn at(&self, index: usize) -> Option<&T> {
        self.values.get(index)?.as_ref()
    }

    /// The value that lives in slot `index` now, to change.
    pub fn at_mut(&mut self, index: usize) -> Option<&mut T> {
        self.values.get_mut(index)?.as_mut()
    }

    /// The key of the value that lives in slot `index` now.
    pub fn key_at(&self, index: usize) -> Option<Key> {
        self.values.get(index)?.as_ref()?;
        Some(Key { index: u16::try_from(index).ok()?, generation: self.generations[index] })
    }

    /// All live keys, by slot.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        (0..self.values.len()).filter_map(|index| self.key_at(index))
    }

    /// Slots that were ever in use: every live index is below.
    pub fn used(&self) -> usize {
        self.values.len()
    }

    /// How many values live here.
    pub fn len(&self) -> usize {
        self.values.len() - self.vacant.len()
    }

    /// Whether nothing lives here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values can live here.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    fn is_current(&self, key: Key) -> bool {
        self.generations.get(key.index()) == Some(&key.generation)
    }

    fn slot_mut(&mut self, key: Key) -> Option<&mut Option<T>> {
        if self.is_current(key) { self.values.get_mut(key.index()) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_as_many_as_its_capacity_and_not_one_more() {
        let mut slots = Slots::new(2);
        slots.insert('a').unwrap();
        assert_eq!(slots.len(), 1);
        slots.insert('b').unwrap();
        assert_eq!(slots.insert('c'), Err(Full));
        assert_eq!(slots.len(), 2);
    }

    #[test]
    fn a_stale_key_is_a_no_op_for_the_next_tenant() {
        let mut slots = Slots::new(1);
        let old = slots.insert('a').unwrap();
        assert_eq!(slots.remove(old), Some('a'));
        let new = slots.insert('b').unwrap();
        assert_eq!(old.index(), new.index());
        assert_eq!(slots.get(old), None);
        assert_eq!(slots.get_mut(old), None);
        assert_eq!(slots.remove(old), None);
        assert_eq!(slots.get(new), Some(&'b'));
        assert_eq!(slots.key_at(0), Some(new));
    }

    #[test]
    fn removing_twice_frees_once() {
        let mut slots = Slots::new(2);
        let key = slots.insert('a').unwrap();
        assert_eq!(slots.remove(key), Some('a'));
        assert_eq!(slots.remove(key), None);
        assert!(slots.is_empty());
        slots.insert('b').unwrap();
        slots.insert('c').unwrap();
        assert_eq!(slots.insert('d'), Err(Full));
    }
}
