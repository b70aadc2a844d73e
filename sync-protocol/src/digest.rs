//! Scope digests: a number that both ends can keep up to date change by change, and that differs
//! when any record differs. Indifferent to order, so compaction does not disturb it.

use siphasher::sip::SipHasher24;
use std::hash::Hasher as _;

use crate::wire::{Checkpoint, RecordKind};
use uuid::Uuid;

/// Key of the record digests: 16 random bytes per server epoch, so that nobody can craft two
/// records of equal digest without knowing it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DigestKey(pub [u8; 16]);

impl std::fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DigestKey(..)")
    }
}

impl DigestKey {
    /// The key from its bytes; `None` when there are not exactly 16.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Digest of one record: SipHash-2-4 over kind, id, version and body.
    pub fn of_record(&self, kind: RecordKind, id: &Uuid, version: i64, body: &[u8]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(&kind.number().to_be_bytes());
        hasher.write(id.as_bytes());
        hasher.write(&version.to_be_bytes());
        hasher.write(body);
        hasher.finish()
    }
}

impl Checkpoint {
    /// Nothing held.
    pub const EMPTY: Self = Self {
        count: 0,
        digest: 0,
    };

    /// With one record more.
    pub fn with(self, record_digest: u64) -> Self {
        Self {
            count: self.count.saturating_add(1),
            digest: self.digest.wrapping_add(record_digest),
        }
    }

    /// With one record less.
    pub fn without(self, record_digest: u64) -> Self {
        Self {
            count: self.count.saturating_sub(1),
            digest: self.digest.wrapping_sub(record_digest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_and_removal_undoes_addition() {
        let key = DigestKey([3; 16]);
        let one = key.of_record(RecordKind::Hazard, &Uuid::from_u128(1), 1, b"a");
        let two = key.of_record(RecordKind::Hazard, &Uuid::from_u128(2), 1, b"b");
        assert_eq!(
            Checkpoint::EMPTY.with(one).with(two),
            Checkpoint::EMPTY.with(two).with(one)
        );
        assert_eq!(
            Checkpoint::EMPTY.with(one).with(two).without(one),
            Checkpoint::EMPTY.with(two)
        );
    }

    #[test]
    fn any_altered_part_shows() {
        let key = DigestKey([3; 16]);
        let id = Uuid::from_u128(1);
        let digest = key.of_record(RecordKind::Hazard, &id, 1, b"a");
        assert_ne!(digest, key.of_record(RecordKind::Enterprise, &id, 1, b"a"));
        assert_ne!(digest, key.of_record(RecordKind::Hazard, &id, 2, b"a"));
        assert_ne!(digest, key.of_record(RecordKind::Hazard, &id, 1, b"b"));
        assert_ne!(
            digest,
            DigestKey([4; 16]).of_record(RecordKind::Hazard, &id, 1, b"a")
        );
    }
}
