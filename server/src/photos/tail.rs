//! The end of a file: what is looked for there, within bounds.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Bytes of the mark that ends a ZIP archive, without its comment.
const ZIP_END_BYTES: usize = 22;
/// The longest comment of a ZIP archive.
const ZIP_COMMENT_BYTES: usize = 65_535;

/// The file's last bytes, at most `most`.
pub(super) fn last_bytes(file: &mut File, most: usize) -> std::io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether the file can be opened as a ZIP archive as well: such archives (programs and office
/// documents among them) are read from their end, whatever they begin like.
pub(super) fn is_archive_too(file: &mut File) -> std::io::Result<bool> {
    let bytes = last_bytes(file, ZIP_END_BYTES + ZIP_COMMENT_BYTES)?;
    Ok(bytes.windows(ZIP_END_BYTES).enumerate().any(|(at, mark)| {
        let comment = mark.last_chunk::<2>().copied().unwrap_or_default();
        let ends = at + ZIP_END_BYTES + usize::from(u16::from_le_bytes(comment));
        mark.starts_with(b"PK\x05\x06") && ends <= bytes.len()
    }))
}

/// Where `wanted` stands last in `bytes`.
pub(super) fn find_last(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).rposition(|part| part == wanted)
}
