//! Whether a file is a whole MP4 (ISO/IEC 14496-12): its boxes are walked from the first to the last,
//! and must fill it exactly. What is in them is not decoded.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::inspect::{InspectError, Inspected, MediaType};
use super::tail::is_archive_too;

/// Boxes that are looked at. A clip in fragments of a second has two a second.
pub const BOXES: usize = 20_000;
/// Bytes of the first box, which names the brands.
const BRANDS_BYTES: u64 = 1024;
/// Bytes of a box's header: length and type.
const HEADER_BYTES: u64 = 8;
/// Bytes of the header of a box whose length takes 64 bits.
const LONG_HEADER_BYTES: u64 = 16;

fn damaged(why: &str) -> InspectError {
    InspectError::Damaged {
        media_type: MediaType::Mp4,
        why: why.to_owned(),
    }
}

/// One box: its type, and where its content lies in the file.
struct Found {
    kind: [u8; 4],
    content: Range<u64>,
}

/// Looks at a file that begins like an MP4. Blocks; reads at most [`BOXES`] headers.
///
/// # Errors
/// [`InspectError::Damaged`] for one that was cut off or is something else as well.
pub(super) fn inspect(file: &mut File) -> Result<Inspected, InspectError> {
    let size = file.metadata()?.len();
    let mut left = BOXES;
    let top = walk(file, 0..size, &mut left)?;
    let first = top.first().filter(|first| &first.kind == b"ftyp");
    let brands = first.map_or(0, |first| first.content.end - first.content.start);
    // One brand and its version, then others of four bytes each.
    if !(8..=BRANDS_BYTES).contains(&brands) || brands % 4 != 0 {
        return Err(damaged("it does not say which kind of MP4 it is"));
    }
    let holds = |boxes: &[Found], kind: &[u8; 4]| boxes.iter().any(|found| &found.kind == kind);
    let Some(movie) = top.iter().find(|found| &found.kind == b"moov") else {
        return Err(damaged("it does not say what it shows"));
    };
    let movie = walk(file, movie.content.clone(), &mut left)?;
    if !holds(&movie, b"mvhd") || !holds(&movie, b"trak") {
        return Err(damaged("it shows nothing"));
    }
    if !holds(&top, b"mdat") {
        return Err(damaged("it has no pictures"));
    }
    if is_archive_too(file)? {
        return Err(damaged("it is an archive as well"));
    }
    Ok(Inspected::no_picture(MediaType::Mp4))
}

/// The boxes of a part of the file, which they fill exactly.
fn walk(file: &mut File, part: Range<u64>, left: &mut usize) -> Result<Vec<Found>, InspectError> {
    let mut boxes = Vec::new();
    let mut at = part.start;
    while at < part.end {
        *left = left
            .checked_sub(1)
            .ok_or_else(|| damaged("it has too many boxes"))?;
        let found = read_box(file, at, part.end)?;
        at = found.content.end;
        boxes.push(found);
    }
    Ok(boxes)
}

/// The box that begins at `at` and must end by `end`.
fn read_box(file: &mut File, at: u64, end: u64) -> Result<Found, InspectError> {
    let cut = || damaged("it is cut off, or something else follows its end");
    if end - at < HEADER_BYTES {
        return Err(cut());
    }
    file.seek(SeekFrom::Start(at))?;
    let (mut length, mut kind) = ([0; 4], [0; 4]);
    file.read_exact(&mut length)?;
    file.read_exact(&mut kind)?;
    if !kind.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return Err(cut());
    }
    let (header, length) = match u32::from_be_bytes(length) {
        // It reaches to the end.
        0 => (HEADER_BYTES, end - at),
        1 => {
            if end - at < LONG_HEADER_BYTES {
                return Err(cut());
            }
            let mut length = [0; 8];
            file.read_exact(&mut length)?;
            (LONG_HEADER_BYTES, u64::from_be_bytes(length))
        }
        length => (HEADER_BYTES, u64::from(length)),
    };
    if length < header || length > end - at {
        return Err(cut());
    }
    Ok(Found {
        kind,
        content: at + header..at + length,
    })
}
