//! Which versions of the protocol somebody speaks, and which one two of them share.

use super::{PROTOCOL_MAX, PROTOCOL_MIN};

/// The versions of the protocol that somebody speaks: these two and all between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpokenVersions {
    /// The oldest.
    pub oldest: u16,
    /// The newest.
    pub newest: u16,
}

impl SpokenVersions {
    /// What this build speaks.
    pub const OURS: Self = Self {
        oldest: PROTOCOL_MIN,
        newest: PROTOCOL_MAX,
    };

    /// Whether this version is one of them.
    pub const fn contains(self, version: u16) -> bool {
        self.oldest <= version && version <= self.newest
    }

    /// The highest version that both speak; `None`: one of the two must be renewed.
    pub fn highest_common(self, other: Self) -> Option<u16> {
        let highest = self.newest.min(other.newest);
        (self.contains(highest) && other.contains(highest)).then_some(highest)
    }
}

impl std::fmt::Display for SpokenVersions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.oldest, self.newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn spoken(oldest: u16, newest: u16) -> SpokenVersions {
        SpokenVersions { oldest, newest }
    }

    #[test]
    fn the_highest_version_that_both_speak_is_theirs() {
        assert_eq!(spoken(1, 3).highest_common(spoken(1, 2)), Some(2));
        assert_eq!(spoken(1, 3).highest_common(spoken(2, 9)), Some(3));
        assert_eq!(spoken(1, 1).highest_common(spoken(2, 3)), None);
        assert_eq!(spoken(4, 5).highest_common(spoken(1, 3)), None);
        // Whoever turns the two round speaks nothing.
        assert_eq!(spoken(3, 1).highest_common(spoken(1, 3)), None);
    }
}
