//! Which of the 4,096 documents of a segment hold a term, in at most 512 bytes.

/// Documents of a segment.
pub const SEGMENT: i64 = 4_096;

/// 64-bit words of a set.
const WORDS: usize = 64;

/// Bytes of a set that is stored bit by bit.
const BITS: usize = WORDS * 8;

/// A set of places in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentSet([u64; WORDS]);

impl Default for DocumentSet {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

impl DocumentSet {
    /// Adds a place; one beyond the segment is no place and is left out.
    pub fn insert(&mut self, place: u16) {
        if let Some(word) = self.0.get_mut(usize::from(place / 64)) {
            *word |= 1 << (place % 64);
        }
    }

    /// Adds what the other holds.
    pub fn unite(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
    }

    /// Keeps what the other holds too.
    pub fn intersect(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word &= other;
        }
    }

    /// Number of places.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The places, lowest first.
    pub fn places(&self) -> impl DoubleEndedIterator<Item = u16> {
        let word = |at: usize| Bits {
            first: u16::try_from(at * 64).unwrap_or(u16::MAX),
            word: self.0.get(at).copied().unwrap_or_default(),
        };
        let words: [Bits; WORDS] = std::array::from_fn(word);
        words.into_iter().flatten()
    }

    /// The stored form: two bytes a place, or one bit each where that is no longer.
    pub fn to_bytes(&self) -> Vec<u8> {
        if 2 * self.len() as usize >= BITS {
            return self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        }
        self.places().flat_map(u16::to_le_bytes).collect()
    }

    /// Reads the stored form; `None` when it is none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut set = Self::default();
        if bytes.len() == BITS {
            for (word, bytes) in set.0.iter_mut().zip(bytes.as_chunks::<8>().0) {
                *word = u64::from_le_bytes(*bytes);
            }
            return Some(set);
        }
        let (places, []) = bytes.as_chunks::<2>() else {
            return None;
        };
        for place in places {
            set.insert(u16::from_le_bytes(*place));
        }
        Some(set)
    }
}

/// The places of one word: a set holds few of many, and only those are looked at.
struct Bits {
    first: u16,
    word: u64,
}

impl Bits {
    fn take(&mut self, bit: u32) -> u16 {
        self.word &= !(1 << bit);
        self.first + u16::try_from(bit).unwrap_or_default()
    }
}

impl Iterator for Bits {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        (self.word != 0).then(|| self.take(self.word.trailing_zeros()))
    }
}

impl DoubleEndedIterator for Bits {
    fn next_back(&mut self) -> Option<u16> {
        (self.word != 0).then(|| self.take(63 - self.word.leading_zeros()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sets_of_any_size_read_back_and_stay_small() {
        for step in [1, 2, 3, 15, 16, 17, 400, 4_095, 5_000] {
            let mut set = DocumentSet::default();
            let places: Vec<u16> = (0..4_096).step_by(step).collect();
            places.iter().for_each(|place| set.insert(*place));
            let bytes = set.to_bytes();
            assert!(bytes.len() <= BITS && bytes.len() <= 2 * places.len());
            assert_eq!(DocumentSet::from_bytes(&bytes), Some(set));
            assert_eq!(set.places().collect::<Vec<_>>(), places);
            assert!(set.places().rev().eq(places.iter().rev().copied()));
            assert_eq!(set.len() as usize, places.len());
        }
        assert_eq!(DocumentSet::from_bytes(&[1, 2, 3]), None);
        assert!(DocumentSet::from_bytes(&[]).unwrap().is_empty());
        let mut outside = DocumentSet::default();
        outside.insert(4_096);
        assert!(outside.is_empty());
    }
}
