//! A file sealed in chunks, written and read in parts: no photo is in memory as a whole.
//!
//! 8 bytes `HZLSEAL1`, 16 random bytes that begin every nonce of the file, the sealed title
//! (SHA-256 and size of the content, 40 bytes and 16), then the content in chunks of 64 KiB, each
//! sealed with 16 bytes more. A nonce ends with the chunk's number, so chunks cannot change places
//! or files; the size in the title shows when some are missing at the end.

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom, Write as _};

use hazardloop_domain::hash::{Digest, Hashing};
use rand::Rng as _;
use rand::rngs::StdRng;

use crate::data_key::{DataKey, NONCE, TAG};

/// Bytes of content that are sealed at once.
pub const CHUNK: usize = 64 * 1024;
const MAGIC: &[u8; 8] = b"HZLSEAL1";
const PREFIX: usize = 16;
const TITLE: usize = 32 + 8;
const HEADER: usize = 8 + PREFIX + TITLE + TAG;
/// The number that the title has among the chunks.
const TITLE_NUMBER: u64 = u64::MAX;
/// Separates these boxes from others of the same key.
const DOMAIN: &[u8] = b"hazardloop sealed file v1";

fn nonce(prefix: &[u8; PREFIX], number: u64) -> [u8; NONCE] {
    let mut nonce = [0; NONCE];
    let (front, back) = nonce.split_at_mut(PREFIX);
    front.copy_from_slice(prefix);
    back.copy_from_slice(&number.to_be_bytes());
    nonce
}

fn broken(what: &str) -> std::io::Error {
    std::io::Error::other(format!("the sealed file {what}"))
}

/// What a file was sealed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Title {
    /// Of the content.
    pub sha256: Digest,
    /// Bytes of the content.
    pub size: u64,
}

/// Seals `content` to its end into `file`, from its beginning, and gives its title. What is
/// written is durable only once the file is synced.
///
/// # Errors
/// When reading or writing fails.
pub fn seal(
    key: &DataKey,
    rng: &mut StdRng,
    content: &mut impl Read,
    file: &mut File,
) -> std::io::Result<Title> {
    let mut prefix = [0; PREFIX];
    rng.fill_bytes(&mut prefix);
    file.write_all(&[0; HEADER])?;
    let (mut hash, mut size, mut number) = (Hashing::default(), 0_u64, 0_u64);
    let mut chunk = Vec::with_capacity(CHUNK);
    loop {
        chunk.clear();
        content
            .by_ref()
            .take(CHUNK as u64)
            .read_to_end(&mut chunk)?;
        if chunk.is_empty() {
            break;
        }
        hash.update(&chunk);
        size = size.saturating_add(chunk.len() as u64);
        let sealed = key.seal(&nonce(&prefix, number), DOMAIN, &chunk);
        file.write_all(&sealed.ok_or_else(|| broken("cannot be made"))?)?;
        number = number.saturating_add(1);
    }
    let sha256 = hash.finish();
    let title = [sha256.as_bytes().as_slice(), &size.to_be_bytes()].concat();
    let sealed = key.seal(&nonce(&prefix, TITLE_NUMBER), DOMAIN, &title);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(MAGIC)?;
    file.write_all(&prefix)?;
    file.write_all(&sealed.ok_or_else(|| broken("cannot be made"))?)?;
    Ok(Title { sha256, size })
}

/// A sealed file, opened.
pub struct SealedFile<'a> {
    key: &'a DataKey,
    file: File,
    prefix: [u8; PREFIX],
    /// What it was sealed from.
    pub title: Title,
}

impl<'a> SealedFile<'a> {
    /// Opens; the title is checked, and that nothing is missing at the end.
    ///
    /// # Errors
    /// When reading fails, or the file is not one that this key sealed, whole.
    pub fn open(key: &'a DataKey, mut file: File) -> std::io::Result<Self> {
        let mut header = [0; HEADER];
        file.read_exact(&mut header)?;
        let (magic, rest) = header.split_first_chunk::<8>().ok_or_else(unknown)?;
        let (prefix, sealed) = rest.split_first_chunk::<PREFIX>().ok_or_else(unknown)?;
        if magic != MAGIC {
            return Err(unknown());
        }
        let title = key.open(&nonce(prefix, TITLE_NUMBER), DOMAIN, sealed);
        let title = title.ok_or_else(unknown)?;
        let (sha256, size) = title.split_first_chunk::<32>().ok_or_else(unknown)?;
        let size = u64::from_be_bytes(size.try_into().map_err(|_| unknown())?);
        let chunks = size.div_ceil(CHUNK as u64);
        let whole = (HEADER as u64)
            .saturating_add(size)
            .saturating_add(chunks.saturating_mul(TAG as u64));
        if file.metadata()?.len() != whole {
            return Err(broken("is cut or has grown"));
        }
        Ok(Self {
            key,
            file,
            prefix: *prefix,
            title: Title {
                sha256: Digest(*sha256),
                size,
            },
        })
    }

    /// The content of one chunk; only the last one is shorter than [`CHUNK`].
    fn chunk(&mut self, number: u64) -> std::io::Result<Vec<u8>> {
        let stride = (CHUNK + TAG) as u64;
        let start = (HEADER as u64).saturating_add(number.saturating_mul(stride));
        self.file.seek(SeekFrom::Start(start))?;
        let mut sealed = Vec::with_capacity(CHUNK + TAG);
        Read::take(&mut self.file, stride).read_to_end(&mut sealed)?;
        let opened = self.key.open(&nonce(&self.prefix, number), DOMAIN, &sealed);
        opened.ok_or_else(|| broken("was changed"))
    }

    /// `len` bytes of the content from `offset`.
    ///
    /// # Errors
    /// When there are fewer, or the chunks that hold them were changed.
    pub fn read(&mut self, offset: u64, len: u32) -> std::io::Result<Vec<u8>> {
        let end = offset.saturating_add(u64::from(len));
        if end > self.title.size {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = Vec::with_capacity(len as usize);
        let mut at = offset;
        while at < end {
            let (number, within) = (at / CHUNK as u64, (at % CHUNK as u64) as usize);
            let chunk = self.chunk(number)?;
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX);
            let part = chunk.get(within..).unwrap_or_default();
            let part = part.get(..wanted.min(part.len())).unwrap_or_default();
            if part.is_empty() {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            bytes.extend_from_slice(part);
            at = at.saturating_add(part.len() as u64);
        }
        Ok(bytes)
    }

    /// Whether every chunk is as it was sealed, and the content has its hash.
    ///
    /// # Errors
    /// When it is not so, or reading fails.
    pub fn check(&mut self) -> std::io::Result<()> {
        let mut hash = Hashing::default();
        for number in 0..self.title.size.div_ceil(CHUNK as u64) {
            hash.update(&self.chunk(number)?);
        }
        match hash.finish() == self.title.sha256 {
            true => Ok(()),
            false => Err(broken("was changed")),
        }
    }
}

fn unknown() -> std::io::Error {
    broken("was not sealed by this key")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand::SeedableRng as _;
    use zeroize::Zeroizing;

    fn key(n: u8) -> DataKey {
        DataKey::new(&Zeroizing::new([n; 32]))
    }

    fn sealed(dir: &std::path::Path, content: &[u8]) -> std::path::PathBuf {
        let path = dir.join("sealed");
        let (mut file, mut rng) = (File::create(&path).unwrap(), StdRng::seed_from_u64(5));
        let title = seal(&key(1), &mut rng, &mut &content[..], &mut file).unwrap();
        assert_eq!(title.sha256, Digest::sha256(content));
        path
    }

    fn open(path: &std::path::Path, key: &DataKey) -> std::io::Result<Vec<u8>> {
        let mut file = SealedFile::open(key, File::open(path)?)?;
        let size = file.title.size as u32;
        file.check()?;
        file.read(0, size)
    }

    #[test]
    fn content_of_every_length_is_read_back_at_any_place() {
        let dir = tempfile::tempdir().unwrap();
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 77] {
            let content: Vec<u8> = (0..size).map(|n| (n / 251 + n) as u8).collect();
            let path = sealed(dir.path(), &content);
            assert_eq!(open(&path, &key(1)).unwrap(), content, "{size}");
            let key = key(1);
            let mut file = SealedFile::open(&key, File::open(&path).unwrap()).unwrap();
            for at in [0, 1, size / 3, size / 2, size.saturating_sub(1)] {
                let at = at.min(size);
                let len = (size - at).min(100_000);
                let part = file.read(at as u64, len as u32).unwrap();
                assert_eq!(part, content[at..at + len], "{size} {at}");
            }
            assert!(file.read(size as u64, 1).is_err());
        }
    }

    #[test]
    fn what_was_changed_cut_moved_or_sealed_by_another_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let content = vec![7; 3 * CHUNK + 5];
        let path = sealed(dir.path(), &content);
        assert!(open(&path, &key(2)).is_err());
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(16).any(|part| part == [7; 16]));
        let fails = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            open(&path, &key(1)).is_err()
        };
        for at in (0..bytes.len()).step_by(9_973) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(fails(&changed), "{at}");
        }
        let stride = CHUNK + TAG;
        assert!(
            fails(&bytes[..bytes.len() - 5 - TAG]),
            "without its last chunk"
        );
        assert!(fails(&bytes[..HEADER + 10]));
        let mut exchanged = bytes.clone();
        exchanged.copy_within(HEADER..HEADER + stride, HEADER + stride);
        assert!(fails(&exchanged), "a chunk in another's place");
        assert!(!fails(&bytes));
    }
}
