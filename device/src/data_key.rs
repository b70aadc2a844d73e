//! The key under which everything of one person lies on this device, and what is made with it:
//! sealed boxes, and names that say nothing.
//!
//! Cipher: XChaCha20-Poly1305 with random nonces of 24 bytes. Every box is tied to its place by
//! the associated data, so that it opens nowhere else.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hazardloop_domain::hash::Digest;
use rand::Rng as _;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

/// Separates keys that are derived here from every other use of the same bytes.
const KEY_DOMAIN: &[u8] = b"hazardloop data key v1";

/// Bytes of a nonce.
pub const NONCE: usize = 24;
/// Bytes that sealing adds, beside the nonce.
pub const TAG: usize = 16;
/// Bytes of a name.
pub const NAME: usize = 16;

struct Keys {
    boxes: XChaCha20Poly1305,
    names: Zeroizing<[u8; 32]>,
    sums: Zeroizing<[u8; 32]>,
}

/// One person's data key, unlocked. Clones share it; the last one wipes it from memory.
#[derive(Clone)]
pub struct DataKey(Arc<Keys>);

/// Never the key.
impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(..)")
    }
}

impl DataKey {
    /// The keys that follow from these bytes, one for each use.
    pub fn new(bytes: &Zeroizing<[u8; 32]>) -> Self {
        let derived = |label: &[u8]| {
            Zeroizing::new(Digest::sha256_of_parts(&[KEY_DOMAIN, bytes.as_slice(), label]).0)
        };
        Self(Arc::new(Keys {
            boxes: XChaCha20Poly1305::new(&(*derived(b"boxes")).into()),
            names: derived(b"names"),
            sums: derived(b"sums"),
        }))
    }

    /// Seals. `None`: more bytes than the cipher takes (256 GiB).
    pub fn seal(&self, nonce: &[u8; NONCE], place: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let payload = Payload {
            msg: plain,
            aad: place,
        };
        self.0.boxes.encrypt(&XNonce::from(*nonce), payload).ok()
    }

    /// Opens. `None`: not sealed by this key for this place, or changed since.
    pub fn open(&self, nonce: &[u8; NONCE], place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let payload = Payload {
            msg: sealed,
            aad: place,
        };
        self.0.boxes.decrypt(&XNonce::from(*nonce), payload).ok()
    }

    /// Seals with a nonce of its own in front, for files.
    pub fn seal_whole(&self, rng: &mut StdRng, place: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let nonce = nonce(rng);
        let mut whole = nonce.to_vec();
        whole.extend(self.seal(&nonce, place, plain)?);
        Some(whole)
    }

    /// Opens what [`Self::seal_whole`] made.
    pub fn open_whole(&self, place: &[u8], whole: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = whole.split_first_chunk::<NONCE>()?;
        self.open(nonce, place, sealed)
    }

    /// A name for something that shows nothing of it: the same for the same, without meaning to
    /// whoever lacks the key. The first part says what for, and how many parts follow.
    pub fn name(&self, parts: &[&[u8]]) -> [u8; NAME] {
        let whole = keyed(&self.0.names, parts);
        let mut name = [0; NAME];
        name.copy_from_slice(whole.0.split_at(NAME).0);
        name
    }

    /// What a row adds to the sum over all rows (see `store/sealed.rs`).
    pub(crate) fn summand(&self, parts: &[&[u8]]) -> Digest {
        keyed(&self.0.sums, parts)
    }
}

/// SHA-256 over key and parts, each with its length in front. No such text is the beginning of
/// another, which is what makes it a sound keyed function (no extension of one is one).
fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> Digest {
    let all: Vec<&[u8]> = std::iter::once(key.as_slice())
        .chain(parts.iter().copied())
        .collect();
    Digest::sha256_of_parts(&all)
}

/// A nonce by chance: of 24 bytes none comes twice.
pub(crate) fn nonce(rng: &mut StdRng) -> [u8; NONCE] {
    let mut nonce = [0; NONCE];
    rng.fill_bytes(&mut nonce);
    nonce
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand::SeedableRng as _;

    fn key(n: u8) -> DataKey {
        DataKey::new(&Zeroizing::new([n; 32]))
    }

    #[test]
    fn a_box_opens_with_its_key_at_its_place_and_unchanged_only() {
        let mut rng = StdRng::seed_from_u64(1);
        let whole = key(1).seal_whole(&mut rng, b"here", b"work").unwrap();
        assert_eq!(key(1).open_whole(b"here", &whole).unwrap(), b"work");
        assert!(key(2).open_whole(b"here", &whole).is_none());
        assert!(key(1).open_whole(b"there", &whole).is_none());
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(key(1).open_whole(b"here", &changed).is_none(), "{at}");
        }
        assert!(key(1).open_whole(b"here", b"short").is_none());
        let again = key(1).seal_whole(&mut rng, b"here", b"work").unwrap();
        assert_ne!(again, whole, "the same work is another box each time");
    }

    #[test]
    fn names_are_those_of_one_key() {
        assert_eq!(key(1).name(&[b"a", b"b"]), key(1).name(&[b"a", b"b"]));
        assert_ne!(key(1).name(&[b"a", b"b"]), key(2).name(&[b"a", b"b"]));
        assert_ne!(key(1).name(&[b"a", b"b"]), key(1).name(&[b"ab", b""]));
    }
}
