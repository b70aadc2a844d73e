//! Whether a file is a whole PDF (ISO 32000): its header, and the mark at its end. What is between is
//! not read: nobody opens it here, and it is handed out to be saved, never to be shown in place.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use super::inspect::{InspectError, Inspected, MediaType};
use super::tail::{find_last, is_archive_too, last_bytes};

/// Bytes at the beginning that are looked at.
const HEAD_BYTES: u64 = 1024;
/// Bytes at the end in which the mark of the end must stand.
const TAIL_BYTES: usize = 1024;
/// Bytes of the end that are looked at for where the table of objects begins.
const TRAILER_BYTES: usize = 2 * TAIL_BYTES;
/// What a page of the web begins like; a PDF has none of it before its first objects.
const MARKUP: &[&[u8]] = &[
    b"<html",
    b"<script",
    b"<!doctype",
    b"<svg",
    b"<body",
    b"<iframe",
];

fn damaged(why: &str) -> InspectError {
    InspectError::Damaged {
        media_type: MediaType::Pdf,
        why: why.to_owned(),
    }
}

/// Looks at a file that begins like a PDF. Blocks; reads some 70 KiB at most.
///
/// # Errors
/// [`InspectError::Damaged`] for one that was cut off or is something else as well.
pub(super) fn inspect(file: &mut File) -> Result<Inspected, InspectError> {
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    if !has_version(&head) {
        return Err(damaged("its version is none"));
    }
    head.make_ascii_lowercase();
    let holds = |mark: &&&[u8]| find_last(&head, mark).is_some();
    if MARKUP.iter().find(holds).is_some() {
        return Err(damaged("it is a page of the web as well"));
    }
    let size = file.metadata()?.len();
    let tail = last_bytes(file, TRAILER_BYTES)?;
    let end = find_last(&tail, b"%%EOF").ok_or_else(|| damaged("its end is missing"))?;
    if tail.len().saturating_sub(end) > TAIL_BYTES {
        return Err(damaged("something else follows its end"));
    }
    let trailer = tail.get(..end).unwrap_or_default();
    if table_at(trailer).is_none_or(|at| at >= size) {
        return Err(damaged("it does not say where its objects are"));
    }
    if is_archive_too(file)? {
        return Err(damaged("it is an archive as well"));
    }
    Ok(Inspected::no_picture(MediaType::Pdf))
}

/// `%PDF-1.0` to `%PDF-1.7`, `%PDF-2.0`.
fn has_version(head: &[u8]) -> bool {
    let version = head.strip_prefix(b"%PDF-").and_then(|rest| rest.get(..3));
    version.is_some_and(|version| matches!(version, [b'1', b'.', b'0'..=b'7'] | b"2.0"))
}

/// The number between the last `startxref` and the mark of the end.
fn table_at(trailer: &[u8]) -> Option<u64> {
    const MARK: &[u8] = b"startxref";
    let at = find_last(trailer, MARK)?;
    let rest = trailer.get(at + MARK.len()..)?;
    std::str::from_utf8(rest).ok()?.trim().parse().ok()
}
