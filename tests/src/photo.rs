//! Photos to send: one small picture, made any size and unique by comment segments, which every viewer skips.

use std::path::{Path, PathBuf};

/// A 160 x 120 JPEG with orientation, time (2026-11-20 09:30 +08:00) and position in its EXIF; drawn, not taken.
pub const PICTURE: &[u8] = include_bytes!("../fixtures/polishing-fan.jpg");

/// Data bytes of the longest JPEG segment (its length field counts itself).
const LONGEST_SEGMENT: usize = 65_533;

/// A valid photo of about `size` bytes (never fewer than [`PICTURE`] has), different for each `seed`.
#[must_use]
pub fn photo(seed: u64, size: usize) -> Vec<u8> {
    let (start, rest) = PICTURE.split_at(2);
    // The picture's own segments (JFIF, EXIF) stay in front.
    let mut own = 0;
    while let Some(&[0xff, 0xe0..=0xef, high, low]) = rest.get(own..own + 4) {
        own += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    let (own, rest) = rest.split_at(own.min(rest.len()));
    let mut bytes = [start, own].concat();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    loop {
        let left = size
            .saturating_sub(bytes.len() + rest.len())
            .clamp(16, LONGEST_SEGMENT);
        bytes.extend_from_slice(&[0xff, 0xfe]);
        bytes.extend_from_slice(&u16::try_from(left + 2).unwrap_or(u16::MAX).to_be_bytes());
        for _ in 0..left {
            // Xorshift: only has to look different and to resist compression.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(state.to_be_bytes().get(..1).unwrap_or_default());
        }
        if bytes.len() + rest.len() + 16 >= size {
            break;
        }
    }
    bytes.extend_from_slice(rest);
    bytes
}

/// Writes such a photo into `folder`.
///
/// # Panics
/// When that is not possible.
#[must_use]
#[allow(
    clippy::expect_used,
    reason = "a harness that cannot do its work fails the test, with the reason"
)]
pub fn write_photo(folder: &Path, name: &str, seed: u64, size: usize) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, photo(seed, size)).expect("a photo on disk");
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_has_the_size_asked_for_and_differs_by_seed() {
        for size in [1, 4_000, 300_000] {
            let made = photo(1, size);
            assert!(
                made.len().abs_diff(size.max(PICTURE.len())) < 40,
                "{size}: {}",
                made.len()
            );
            assert_ne!(made, photo(2, size));
            assert!(made.starts_with(&[0xff, 0xd8]) && made.ends_with(&[0xff, 0xd9]));
        }
    }
}
